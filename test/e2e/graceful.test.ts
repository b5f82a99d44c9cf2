/** A core that is asked to stop says goodbye, and the one that follows it knows what was said. */

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { eventually, openBrowser } from './browser.ts'
import { startCore } from './core-process.ts'
import { framesDecoded, joinByLink, linkFor, openPerson } from './person.ts'

test('SIGTERM says goodbye and frees the port; after a restart pages come back by themselves', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'nhipcau-core-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const core = await startCore(t, { dataDir })
  const context = await openBrowser(t, { framesPerSecond: 10 })
  const mai = await openPerson(context)
  const tuan = await openPerson(context)
  const claims = { room: 'clinic', role: 'speaker' }
  await joinByLink(mai, linkFor(core, { ...claims, name: 'Mai' }))
  await joinByLink(tuan, linkFor(core, { ...claims, name: 'Tuấn' }))
  await mai.byId('chat').click()
  await mai.byId('chat-input').fill('Trước khi khởi động lại')
  await mai.byId('chat-send').click()
  await mai.byId('chat-message').getByText('Trước khi khởi động lại').waitFor()
  const closes = mai.page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        window.tappedSockets.at(-1)?.addEventListener('close', ({ code }) => resolve(code))
      }),
  )

  t.is(await core.stop(), 0)
  t.is(await closes, 1001)
  t.is(mai.received.findLast(({ type }) => type === 'bye')?.code, 'shutting-down')
  t.true(core.log.some(({ event }) => event === 'closed'))
  await assertFree(core.httpPort)
  await mai.byId('banner').waitFor()

  const env = { NHIPCAU_HTTP_PORT: String(core.httpPort) }
  const again = await startCore(t, { dataDir, env })
  t.is(again.httpPort, core.httpPort)
  for (const person of [mai, tuan]) {
    await person.byId('banner').waitFor({ state: 'detached' })
    const before = await framesDecoded(person)
    await eventually('sees again', async () => (await framesDecoded(person)) > before + 10, 90_000)
  }
  const late = await openPerson(context)
  await joinByLink(late, linkFor(core, { ...claims, role: 'viewer', name: 'Muộn' }))
  await late.byId('chat').click()
  await late.byId('chat-message').getByText('Trước khi khởi động lại').waitFor()
  t.deepEqual([mai.faults, tuan.faults, late.faults], [[], [], []])
})

async function assertFree(port: number): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '0.0.0.0', resolve)
  })
  await new Promise((resolve) => server.close(resolve))
}
