/** Who was put out stays out, with all that the same token could open. */
import test from 'ava'
import { eventually, keepScreenshot, openBrowser } from './browser.ts'
import { startCore } from './core-process.ts'
import { framesDecoded, idOf, joinByLink, linkFor, openPerson } from './person.ts'

test('a kicked one is out at once, its media too, and stays out with the same token', async (t) => {
  const core = await startCore(t)
  const context = await openBrowser(t)
  const chair = await openPerson(context)
  const guest = await openPerson(context)
  await joinByLink(chair, linkFor(core, { room: 'clinic', role: 'chair', name: 'Chủ tọa' }))
  const link = linkFor(core, { room: 'clinic', role: 'speaker', name: 'Khách' })
  await joinByLink(guest, link)
  await eventually(
    'the chair sees the guest',
    async () => (await framesDecoded(chair)) > 20,
    90_000,
  )

  await chair.byId('people').click()
  const row = chair.page
    .locator(`[data-participant="${idOf(guest)}"][data-testid="person"]`)
    .first()
  await row.locator('[data-testid="person-actions"]').click()
  await row.locator('[data-testid="kick"]').click()
  await chair.byId('confirm-yes').click()

  const out = guest.page.locator('[data-testid="ended"][data-code="kicked"]')
  await out.waitFor()
  await keepScreenshot(guest.page, 'kicked-vi')
  await eventually('the stage is empty but for the chair', async () => {
    const text = await chair.byId('count-stage').textContent()
    return text?.includes('1')
  })
  // What was on its way may still be decoded; a call that goes on would show more every second.
  await eventually('no more frames', async () => {
    const before = await framesDecoded(chair)
    await chair.page.waitForTimeout(1_500)
    return (await framesDecoded(chair)) === before
  })

  await guest.page.reload()
  await guest.byId('join').click()
  await out.waitFor()
  const whip = await fetch(`${core.url}/whip/clinic`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${link.split('#token=')[1]}`,
      'content-type': 'application/sdp',
    },
    body: String(guest.sent.find(({ type }) => type === 'offer')?.sdp),
  })
  t.is(whip.status, 403)
  t.deepEqual([chair.faults, guest.faults], [[], []])
})
