/**
 * WHIP and WHEP by a stranger's WebRTC: werift carries a picture from one room into another, and
 * people see it there.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test, { type ExecutionContext } from 'ava'
import { eventually, openBrowser } from './browser.ts'
import { type CoreProcess, startCore } from './core-process.ts'
import { framesDecoded, joinByLink, linkFor, openPerson, soundEnergy } from './person.ts'

type Told = Record<string, unknown> & { event: string }

test('werift watches one room by WHEP and sends it into another by WHIP', async (t) => {
  const core = await startCore(t)
  const context = await openBrowser(t, { framesPerSecond: 10 })
  const speaker = await openPerson(context)
  const viewer = await openPerson(context)
  await joinByLink(speaker, linkFor(core, { room: 'ward', role: 'speaker', name: 'Khoa Nhi' }))
  const { child, told } = startWerift(t, core)
  await eventually('werift gets sound and picture', () => {
    const figures = told.findLast(({ event }) => event === 'figures')
    return Number(figures?.audio) > 50 && Number(figures?.video) > 50
  })
  t.like(told[0], { event: 'negotiated', whip: 201, whep: 201 })

  await joinByLink(viewer, linkFor(core, { room: 'hall', role: 'viewer', name: 'Hội trường' }))
  await viewer.byId('main-name').filter({ hasText: 'Cầu nối' }).waitFor()
  await eventually('sees the ward', async () => (await framesDecoded(viewer)) > 20, 90_000)
  const before = await framesDecoded(viewer)
  await eventually('and goes on', async () => (await framesDecoded(viewer)) > before + 20)
  await eventually('hears the ward', async () => (await soundEnergy(viewer)) > 0.001)

  child.stdin?.write('end\n')
  await eventually('ended', () => told.find(({ event }) => event === 'ended'))
  t.like(told.at(-1), { event: 'ended', whip: 200, whep: 200 })
  await viewer.page.locator('[data-testid="main"][data-state="empty"]').waitFor()
  t.deepEqual([speaker.faults, viewer.faults], [[], []])
})

function startWerift(
  t: ExecutionContext<unknown>,
  core: CoreProcess,
): { child: ChildProcess; told: Told[] } {
  const watch = core.token({ room: 'ward', role: 'viewer', name: 'Cầu nối' })
  const send = core.token({ room: 'hall', role: 'speaker', name: 'Cầu nối' })
  const program = join(import.meta.dirname, 'werift-peer.ts')
  const child = spawn(process.execPath, [program, core.url, 'ward', watch, 'hall', send], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => {
    child.kill('SIGKILL')
  })
  const told: Told[] = []
  createInterface({ input: child.stdout }).on('line', (line) => told.push(JSON.parse(line)))
  return { child, told }
}
