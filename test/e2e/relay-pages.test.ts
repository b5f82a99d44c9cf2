/** Pages below relays: one publishes at the core, others watch two links further down, and everybody sees everybody. */
import test from 'ava'
import { eventually, keepScreenshot, openBrowser } from './browser.ts'
import { startCore, startRelay } from './core-process.ts'
import { framesDecoded, joinByLink, joinDemo, openPerson, soundEnergy } from './person.ts'

test('a page at the core and one below two relays see and hear each other', async (t) => {
  const core = await startCore(t)
  const province = await startRelay(t, core, { name: 'Lai Châu' })
  const district = await startRelay(t, province, { name: 'Mường Tè' })
  const context = await openBrowser(t)
  const hall = await openPerson(context)
  const clinic = await openPerson(context)
  await joinDemo(hall, core.url, { name: 'Hội trường', role: 'chair' })
  const token = core.token({ room: 'demo', role: 'speaker', name: 'Trạm Mường Tè' })
  await joinByLink(clinic, `${district.url}/r/demo#token=${token}`)
  for (const [who, person] of [
    ['the clinic', clinic],
    ['the hall', hall],
  ] as const) {
    await eventually(`${who} sees`, async () => (await framesDecoded(person)) > 50)
    await eventually(`${who} hears`, async () => (await soundEnergy(person)) > 0.001)
  }
  await clinic.byId('main-name').filter({ hasText: 'Hội trường' }).waitFor()
  await hall.byId('main-name').filter({ hasText: 'Trạm Mường Tè' }).waitFor()
  await keepScreenshot(clinic.page, 'relay-clinic')
  t.deepEqual([hall.faults, clinic.faults], [[], []])
})
