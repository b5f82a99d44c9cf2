/**
 * The operator's page: of a real core with a real relay, and of a country of thirty, by keyboard and for everybody's
 * eyes.
 */
import test from 'ava'
import { startOperatorServer } from '../../web/test/operator-server.ts'
import { graveViolations } from './accessibility.ts'
import { eventually, keepScreenshot, openBrowser } from './browser.ts'
import { startCore, startRelay } from './core-process.ts'
import { openPerson } from './person.ts'

const SIZES = { desk: { width: 1440, height: 900 }, phone: { width: 360, height: 740 } }

test.serial('an operator sees a relay come, its figures, and that it is lost', async (t) => {
  const core = await startCore(t)
  const relay = await startRelay(t, core, { name: 'Mường Nhé' })
  const context = await openBrowser(t)
  const { page, byId, faults } = await openPerson(context)
  const token = core.token({ room: '*', role: 'operator' })
  await page.goto(`${core.url}/operator?lang=vi#token=${token}`)
  const row = byId('relay').filter({ hasText: 'Mường Nhé' })
  await row.and(page.locator('[data-state="connected"]')).waitFor()
  await eventually('its rate', async () =>
    /\d \/ \d+ kbit\/s/.test((await row.textContent()) ?? ''),
  )
  await eventually('a plot', async () => (await page.locator('.op-plot canvas').count()) === 4)
  await keepScreenshot(page, 'operator-real')
  await relay.stop()
  await row.and(page.locator('[data-state="lost"]')).waitFor()
  await byId('worst').filter({ hasText: 'Mường Nhé' }).waitFor()
  t.deepEqual(faults, [])
})

test.serial('whoever has no operator token sees nothing, and is told how to get one', async (t) => {
  const core = await startCore(t)
  const context = await openBrowser(t)
  const { page, byId } = await openPerson(context)
  await page.goto(`${core.url}/operator?lang=en`)
  await byId('gate').waitFor()
  await byId('gate-link').fill('nonsense')
  await byId('gate-open').click()
  await page.getByText('This is not a valid token').waitFor()
  await byId('gate-link').fill(core.token({ room: 'demo', role: 'chair' }))
  await byId('gate-open').click()
  await page.getByText('The server does not take this token').waitFor()
  t.is(await byId('relays').count(), 0)
  await byId('gate-link').fill(core.token({ room: '*', role: 'admin' }))
  await byId('gate-open').click()
  await page.getByText('No relay hangs on this node yet').waitFor()
})

test.serial(
  'thirty relays are whole and accessible in both languages, on a desk and on a phone',
  async (t) => {
    const { port, server } = await startOperatorServer()
    t.teardown(() => server.close())
    const context = await openBrowser(t)
    const violations: string[] = []
    for (const language of ['vi', 'en']) {
      for (const [device, size] of Object.entries(SIZES)) {
        const { page, byId, faults } = await openPerson(context)
        await page.setViewportSize(size)
        await page.goto(`http://127.0.0.1:${port}/operator?lang=${language}#token=e30.e30.any`)
        await byId('relays').waitFor()
        t.is(await byId('relay').count(), 30)
        const look = async (screen: string): Promise<void> => {
          const wider = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          )
          t.is(wider, 0, `${screen} ${device} ${language}`)
          for (const violation of await graveViolations(page)) {
            violations.push(`${screen} ${device} ${language}: ${violation}`)
          }
          await keepScreenshot(page, `operator-${screen}-${device}-${language}`)
        }
        await look('tree')
        await byId('worst').nth(2).click()
        await page.locator('[data-testid="detail"] h2:focus').waitFor()
        await page.locator('.op-plot canvas').nth(3).waitFor()
        await look('detail')
        t.deepEqual(faults, [])
        await page.close()
      }
    }
    t.deepEqual(violations, [], 'what axe calls serious or critical')
  },
)

test.serial('the worst relay and its details are reached by the keyboard alone', async (t) => {
  const { port, server } = await startOperatorServer()
  t.teardown(() => server.close())
  const context = await openBrowser(t)
  const { page, byId } = await openPerson(context)
  await page.setViewportSize(SIZES.phone)
  await page.goto(`http://127.0.0.1:${port}/operator?lang=en#token=e30.e30.any`)
  await byId('relays').waitFor()
  const focusIs = (words: string) => page.locator(':focus', { hasText: words }).waitFor()
  await byId('worst').first().focus()
  await page.keyboard.press('Enter')
  await page.locator('[data-testid="detail"] h2:focus', { hasText: 'Sín Thầu' }).waitFor()
  await page.keyboard.press('Escape')
  await focusIs('Sín Thầu')
  await page.keyboard.press('ArrowUp')
  await focusIs('Mường Nhé')
  await page.keyboard.press('Enter')
  await page.locator('[data-testid="detail"] h2:focus', { hasText: 'Mường Nhé' }).waitFor()
  t.true(await byId('back').isVisible())
})
