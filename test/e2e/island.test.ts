/**
 * A district that is cut off goes on: its people see and hear each other, are told, newcomers come in, and it heals
 * by itself.
 */
import test from 'ava'
import { eventually, keepScreenshot, openBrowser } from './browser.ts'
import { startCore, startRelay } from './core-process.ts'
import { framesDecoded, joinByLink, openPerson, soundEnergy } from './person.ts'

test('two clinics at one relay go on talking when the core is killed, are told so, and find it again by themselves', async (t) => {
  const core = await startCore(t)
  const relay = await startRelay(t, core, { name: 'Mường Tè' })
  const context = await openBrowser(t)
  const [hall, mai, john, late] = [
    await openPerson(context),
    await openPerson(context),
    await openPerson(context),
    await openPerson(context),
  ]
  const link = (url: string, role: string, name: string): string =>
    `${url}/r/giao-ban#token=${core.token({ room: 'giao-ban', role, name })}`
  const lateLink = link(relay.url, 'speaker', 'Đến muộn')
  await joinByLink(hall, link(core.url, 'chair', 'Hội trường'))
  await joinByLink(mai, link(relay.url, 'speaker', 'Mai'))
  await joinByLink(john, link(relay.url, 'speaker', 'John'))
  await mai.byId('main-name').waitFor()
  await eventually('the hall sees', async () => (await framesDecoded(hall)) > 25)

  core.process.kill('SIGKILL')
  await mai.byId('island-banner').waitFor()
  for (const person of [mai, john]) await person.byId('island-moderator').waitFor()
  t.regex((await mai.byId('island-moderator').textContent()) ?? '', /^(Bạn điều hành|You moderate)/)
  t.regex((await john.byId('island-moderator').textContent()) ?? '', /^Mai /)
  await keepScreenshot(mai.page, 'island-banner')
  for (const person of [mai, john]) {
    const before = await framesDecoded(person)
    const energy = await soundEnergy(person)
    await eventually('goes on seeing', async () => (await framesDecoded(person)) > before + 25)
    await eventually('goes on hearing', async () => (await soundEnergy(person)) > energy + 0.001)
  }
  await joinByLink(late, lateLink)
  await eventually('a newcomer sees', async () => (await framesDecoded(late)) > 25)

  const again = await startCore(t, {
    dataDir: core.dataDir,
    env: { NHIPCAU_HTTP_PORT: String(core.httpPort) },
  })
  await mai.byId('island-banner').waitFor({ state: 'detached' })
  await hall.page.close()
  const back = await openPerson(context)
  await joinByLink(back, link(again.url, 'chair', 'Hội trường'))
  await eventually('the hall sees again', async () => (await framesDecoded(back)) > 25)
  await eventually('the hall counts everybody', async () =>
    /4/.test((await back.byId('count-stage').textContent()) ?? ''),
  )
  const left = [mai, john, late].flatMap(({ received }) =>
    received.filter(({ type }) => type === 'bye' || type === 'media').map(({ state }) => state),
  )
  t.deepEqual(
    left,
    ['connected', 'connected', 'connected'],
    'nobody of the relay was cut or came again',
  )
  t.deepEqual([mai.faults, john.faults, late.faults], [[], [], []])
})
