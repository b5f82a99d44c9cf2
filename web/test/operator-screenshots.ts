/**
 * Draws the operator's page in Chromium, in both languages and several widths, for people to look at:
 * `node web/test/operator-screenshots.ts [folder]`. A country of thirty relays, three deep (operator-fixture.ts).
 */
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { chromiumFlags, requireChromium } from '../../bench/process/chromium.ts'
import { startOperatorServer } from './operator-server.ts'

const VIEWS = [
  { name: 'desk', width: 1680, height: 1050, scheme: 'light', language: 'vi' },
  { name: 'laptop-dark', width: 1366, height: 768, scheme: 'dark', language: 'en' },
  { name: 'phone', width: 390, height: 844, scheme: 'light', language: 'vi' },
] as const

const folder = process.argv[2] ?? join(tmpdir(), 'nhipcau-operator')
const problems: string[] = []

async function draw(page: Page, name: string, fullPage = false): Promise<void> {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  if (overflow > 0) problems.push(`${name}: ${overflow} px wider than the screen`)
  await page.screenshot({ path: join(folder, `operator-${name}.png`), fullPage })
}

await mkdir(folder, { recursive: true })
const { port, server } = await startOperatorServer()
const browser = await chromium.launch({
  executablePath: requireChromium(),
  args: chromiumFlags(),
  headless: true,
})
for (const { name, width, height, scheme, language } of VIEWS) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme })
  page.on('pageerror', (error) => problems.push(`${name}: ${error.stack}`))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`${name}: ${message.text()}`)
  })
  await page.goto(`http://127.0.0.1:${port}/operator?lang=${language}#token=e30.e30.any`)
  await page.locator('[data-testid="relays"]').waitFor()
  await page.waitForTimeout(2_500)
  await draw(page, name)
  await draw(page, `${name}-whole`, true)
  await page.locator('[data-testid="worst"]').nth(2).click()
  await page.waitForTimeout(2_500)
  await draw(page, `${name}-detail`, name === 'phone')
  await page.close()
}
await browser.close()
server.close()
for (const problem of problems) process.stderr.write(`${problem}\n`)
process.stdout.write(`drawn in ${folder}\n`)
process.exitCode = problems.length > 0 ? 1 : 0
