import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { startProcess } from '../../process/processes.ts'

test('the process says ready, obeys its input, and ends at Ctrl-C with its report', async (t) => {
  const target = createSocket('udp4')
  target.bind(0, '127.0.0.1')
  await once(target, 'listening')
  const to = `127.0.0.1:${(target.address() as AddressInfo).port}`
  const args = ['main.ts', 'link', '--map', `udp:127.0.0.1:0=${to}`, '--profile', 'district']
  const link = startProcess({ args: [...args, '--stdin'], core: 0 })
  t.teardown(async () => {
    await link.stop()
    target.close()
  })
  const ready = await link.line(({ event }) => event === 'ready')
  const [mapping] = ready.mappings as { listen: string; to: string }[]
  t.is(mapping?.to, to)
  const arrived = once(target, 'message')
  target.send('x', Number(mapping?.listen.split(':')[1]), '127.0.0.1')
  await arrived
  const changed = link.line(({ event }) => event === 'change')
  link.child.stdin?.write('nonsense\nup:cut\n')
  t.like(await changed, { directions: ['up'], settings: { up: false } })
  const summary = link.line(({ event }) => event === 'summary')
  const ended = once(link.child, 'exit')
  link.child.kill('SIGINT')
  t.is(((await summary) as { up: { packetsOut: number } }).up.packetsOut, 1)
  t.deepEqual(await ended, [0, null])
})

test('--for ends it and --report takes the rows', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-link-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'rows.jsonl')
  const way = ['--map', 'udp:127.0.0.1:0=127.0.0.1:9', '--for', '300ms', '--report', file]
  const link = startProcess({ args: ['main.ts', 'link', ...way], core: 0 })
  t.deepEqual(await once(link.child, 'exit'), [0, null])
  const rows = readFileSync(file, 'utf8').trim().split('\n')
  t.deepEqual(
    rows.map((row) => (JSON.parse(row) as { event: string }).event),
    ['ready', 'summary'],
  )
})

test('wrong use ends with code 2', async (t) => {
  const link = startProcess({ args: ['main.ts', 'link', '--profile', 'x'], core: 0 })
  t.deepEqual(await once(link.child, 'exit'), [2, null])
})
