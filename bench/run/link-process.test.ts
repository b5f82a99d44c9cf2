import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { BENCH_LINES_MAX } from '../../config/limits.ts'
import { LinkProcess } from './link-process.ts'
import { changeOf } from './planning.ts'

const PACKETS = 200
const LOSS_RATIO = 0.25

async function echo(t: ExecutionContext) {
  const socket = createSocket('udp4')
  socket.on('message', (data, from) => socket.send(data, from.port, from.address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return socket.address().port
}

async function open(t: ExecutionContext, lineCount: number): Promise<LinkProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'link-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const ends = {
    media: { host: '127.0.0.1', port: await echo(t) },
    door: { host: '127.0.0.1', port: 9 },
  }
  const down = { lossRatio: LOSS_RATIO }
  const link = await LinkProcess.open({
    set: {
      plan: { id: 'thin', profile: 'perfect', down, up: {}, changes: [] },
      lines: Array.from({ length: lineCount }, () => ['core']),
      groups: ['hall'],
    },
    seed: 1,
    nodes: new Map([['core', ends]]),
    cores: [],
    env: {},
    logFile: join(folder, 'link.log'),
  })
  t.teardown(() => link.end())
  return link
}

/** How many of so many come back through this line. */
async function throughLine(t: ExecutionContext, link: LinkProcess, line: number): Promise<number> {
  const site = createSocket('udp4')
  t.teardown(() => site.close())
  let came = 0
  site.on('message', () => {
    came += 1
  })
  const { mediaPort } = link.wayIn(line, 'core')
  for (let index = 0; index < PACKETS; index++) {
    site.send(`${index}`, mediaPort, '127.0.0.1')
    if (index % 20 === 0) await sleep(2)
  }
  await sleep(300)
  return came
}

test('lines of one link lose each their own packets, and report together', async (t) => {
  const link = await open(t, 2)
  link.zero()
  const came = [await throughLine(t, link, 0), await throughLine(t, link, 1)]
  for (const count of came) t.true(Math.abs(count / PACKETS - (1 - LOSS_RATIO)) < 0.12, `${count}`)
  t.not(link.wayIn(0, 'core').mediaPort, link.wayIn(1, 'core').mediaPort)
  await link.end()
  const report = link.report('core')
  t.like(report, { id: 'thin', below: 'hall', above: 'core', profile: 'perfect, changed' })
  t.is(report?.up.packets, 2 * PACKETS)
  t.is(report?.up.lost, 0)
  t.is(report?.down.lost, 2 * PACKETS - (came[0] ?? 0) - (came[1] ?? 0))
  t.is(link.result?.emulatorFull, 0)
})

test('a cut concerns all lines of the link, and is over when it is healed', async (t) => {
  const link = await open(t, 2)
  link.zero()
  link.change(changeOf('cut'))
  t.is(await throughLine(t, link, 1), 0)
  link.change(changeOf('heal'))
  t.true((await throughLine(t, link, 1)) > PACKETS / 2)
})

test('more lines than one process takes are refused with the bound', async (t) => {
  await t.throwsAsync(open(t, BENCH_LINES_MAX + 1), {
    message: new RegExp(`${BENCH_LINES_MAX + 1} lines; allowed: ${BENCH_LINES_MAX}`),
  })
})
