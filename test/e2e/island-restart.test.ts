/** A relay that is killed while it is cut off comes back with its room, and its people with it, without the core. */
import test from 'ava'
import { eventually, openBrowser } from './browser.ts'
import { startCore, startRelay } from './core-process.ts'
import { framesDecoded, joinByLink, openPerson } from './person.ts'

test('a relay that is killed on the island is back without the core: its clients join again by themselves, see each other, and somebody moderates', async (t) => {
  const core = await startCore(t)
  const relay = await startRelay(t, core, { name: 'Mường Tè' })
  const context = await openBrowser(t)
  const [mai, john] = [await openPerson(context), await openPerson(context)]
  const link = (name: string): string =>
    `${relay.url}/r/giao-ban#token=${core.token({ room: 'giao-ban', role: 'speaker', name })}`
  await joinByLink(mai, link('Mai'))
  await joinByLink(john, link('John'))
  await eventually('they see each other', async () => (await framesDecoded(mai)) > 25)

  core.process.kill('SIGKILL')
  await mai.byId('island-banner').waitFor()
  relay.process.kill('SIGKILL')
  await startRelay(t, core, {
    name: 'Mường Tè',
    dataDir: relay.dataDir,
    env: { NHIPCAU_HTTP_PORT: String(relay.httpPort) },
  })
  await eventually('both have joined again', async () =>
    [mai, john].every(({ received }) => received.filter((one) => one.type === 'joined').length > 1),
  )
  for (const person of [mai, john]) {
    await person.byId('island-moderator').waitFor()
    const before = await framesDecoded(person)
    await eventually('sees again', async () => (await framesDecoded(person)) > before + 25)
  }
  t.deepEqual([mai.faults, john.faults], [[], []])
})
