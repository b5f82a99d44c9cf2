/**
 * One room over a core and a relay, by the page: what either side does is so for the other, and the cut is told
 * plainly.
 */
import test from 'ava'
import { eventually, keepScreenshot, openBrowser } from './browser.ts'
import { startCore, startRelay } from './core-process.ts'
import { framesDecoded, joinByLink, openPerson, type Person } from './person.ts'

const LEASE = { NHIPCAU_TRUNK_LEASE: '4' }

const attributeOf = (person: Person, id: string, name: string) =>
  person.byId(id).first().getAttribute(name)

test('emergency, poll and kick cross a relay; when the core is gone, the clinics go on and say so', async (t) => {
  const core = await startCore(t, { env: LEASE })
  const relay = await startRelay(t, core, { name: 'Mường Nhé', env: LEASE })
  const context = await openBrowser(t, { framesPerSecond: 10 })
  const [hall, clinic, guest] = [
    await openPerson(context),
    await openPerson(context),
    await openPerson(context),
  ]
  const link = (url: string, role: string, name: string) =>
    `${url}/r/giao-ban#token=${core.token({ room: 'giao-ban', role, name })}`
  await joinByLink(hall, link(core.url, 'chair', 'Hội trường'))
  await joinByLink(clinic, link(relay.url, 'chair', 'Trạm Sín Thầu'))
  await joinByLink(guest, link(relay.url, 'speaker', 'Trạm Leng Su Sìn'))

  await clinic.byId('relay').waitFor()
  t.is(await hall.byId('relay').count(), 0)
  t.is(await attributeOf(clinic, 'relay', 'data-state'), 'connected')
  t.true((await clinic.byId('relay').textContent())?.includes('Mường Nhé'))

  await hall.byId('people').click()
  await hall.byId('emergency').click()
  await hall.byId('confirm-yes').click()
  await clinic.byId('emergency-sign').waitFor()

  await hall.page.keyboard.press('b')
  await hall.byId('poll-new').click()
  await hall.byId('poll-question').fill('Mổ ngay?')
  await hall.byId('poll-open').click()
  await clinic.byId('poll-answer').click()
  await clinic.byId('poll-option').first().click()
  await clinic.byId('poll-vote').click()
  await eventually('the vote is counted at the core', async () => {
    return (await attributeOf(hall, 'poll-bar', 'data-count')) === '1'
  })
  await keepScreenshot(clinic.page, 'relay-poll')

  await eventually('the clinics see each other', async () => (await framesDecoded(guest)) > 20)
  await core.stop()
  await clinic.byId('island-banner').waitFor({ timeout: 30_000 })
  await guest.byId('island-banner').waitFor()
  t.is(await guest.byId('try-upstream').count(), 0)
  await clinic.byId('try-upstream').click()
  await clinic.byId('notice').first().waitFor()
  await keepScreenshot(clinic.page, 'relay-island')
  const before = await framesDecoded(guest)
  await eventually('they still see each other', async () => {
    return (await framesDecoded(guest)) > before + 20
  })

  // The same core comes back, and its chair with it.
  const env = { ...LEASE, NHIPCAU_HTTP_PORT: String(core.httpPort) }
  const again = await startCore(t, { env, dataDir: core.dataDir })
  await clinic.byId('island-banner').waitFor({ state: 'detached', timeout: 60_000 })
  t.is(await attributeOf(clinic, 'relay', 'data-state'), 'connected')
  const returned = await openPerson(context)
  await joinByLink(returned, link(again.url, 'chair', 'Hội trường'))
  await returned.byId('people').click()
  const row = returned.byId('person').filter({ hasText: 'Leng Su Sìn' }).first()
  await row.locator('[data-testid="person-actions"]').click()
  await row.locator('[data-testid="kick"]').click()
  await returned.byId('confirm-yes').click()
  await guest.page.locator('[data-testid="ended"][data-code="kicked"]').waitFor()
  t.deepEqual([clinic.faults, guest.faults, returned.faults], [[], [], []])
})
