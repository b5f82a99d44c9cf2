/** The page of a run's report in Chromium, opened from a file as people do. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'
import { compareCommand, type RunReport, writeRunReport } from '../../bench/report/index.ts'
import {
  emptyReport,
  hostileReport,
  interruptedReport,
  passedReport,
  sampleReport,
  voidReport,
} from '../../bench/report/test/sample-report.ts'
import { type BrowserOptions, keepScreenshot, openBrowser } from './browser.ts'

type Opened = { page: Page; complaints: string[]; openMs: number }

function folderFor(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-report-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

/**
 * The page as a file in Chromium; `complaints` has errors of it, and every request but for itself.
 */
async function openPage(
  t: ExecutionContext,
  file: string,
  options: BrowserOptions = {},
): Promise<Opened> {
  const context = await openBrowser(t, { locale: 'en-GB', ...options })
  const complaints: string[] = []
  const url = pathToFileURL(file).href
  const page = await context.newPage()
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (request.url() !== url) complaints.push(`asked for ${request.url()}`)
  })
  const startedMs = performance.now()
  await page.goto(url)
  await page.waitForFunction(() => document.documentElement.dataset['drawn'] !== undefined)
  return { page, complaints, openMs: performance.now() - startedMs }
}

async function openReport(
  t: ExecutionContext,
  report: RunReport,
  options?: BrowserOptions,
): Promise<Opened> {
  return await openPage(t, writeRunReport(folderFor(t), report).pageFile, options)
}

async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).first().textContent()) ?? ''
}

/** Colours in each plot's canvas: more than paper and axes when something is drawn. */
async function coloursOfPlots(page: Page): Promise<number[]> {
  return await page.$$eval('.plot canvas', (canvases) =>
    canvases.map((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement
      const context = (canvas as HTMLCanvasElement).getContext('2d')
      const pixels = new Uint32Array(context!.getImageData(0, 0, width, height).data.buffer)
      return new Set(pixels).size
    }),
  )
}

test.serial(
  'a thousand sites: verdict first, every plot drawn, nothing asked of any network',
  async (t) => {
    const report = sampleReport()
    const file = writeRunReport(folderFor(t), report).pageFile
    t.true(statSync(file).size < 5 * 1024 * 1024)
    const { page, complaints, openMs } = await openPage(t, file)
    t.log(`opened in ${Math.round(openMs)} ms, ${statSync(file).size} bytes`)
    t.regex(await textOf(page, 'h1'), /^✘\s*Failed$/)
    t.regex(await textOf(page, '#criteria'), /fails\s*sites\.joined == sites\.planned/)
    t.regex(await textOf(page, '#where'), /communes \d+ of 300 sites did not get in/)
    const colours = await coloursOfPlots(page)
    t.true(colours.length >= 15)
    t.true(
      colours.every((count) => count > 20),
      colours.join(' '),
    )
    t.is(await page.locator('.tree-frame .edge.is-bad').count(), 2)
    t.is(await page.locator('.sites tbody tr').count(), 15)
    await page.getByRole('button', { name: 'Show all 1,000' }).click()
    t.is(await page.locator('.sites tbody tr').count(), 1000)
    await keepScreenshot(page, 'report-failed')
    t.deepEqual(complaints, [])
  },
)

test.serial(
  'the switch changes every text, and the browser’s language is where it begins',
  async (t) => {
    const { page, complaints } = await openReport(t, sampleReport({ sites: 40, seconds: 20 }), {
      locale: 'vi-VN',
    })
    t.regex(await textOf(page, 'h1'), /Không đạt/)
    t.regex(await textOf(page, '#where'), /đứng hình|điểm cầu/)
    const vietnamese = await textOf(page, 'main')
    await page.getByRole('button', { name: 'English' }).click()
    t.regex(await textOf(page, 'h1'), /Failed/)
    t.is(await page.getAttribute('html', 'lang'), 'en')
    const vietnameseLetters = /[ạảãầấậẩẫăằắặẳẵđệểễềếịỉọỏộổỗồốơờớợởỡụủưừứựửữỳỵỷỹ]/i
    t.regex(vietnamese, vietnameseLetters)
    t.notRegex(await textOf(page, 'main'), vietnameseLetters)
    t.deepEqual(complaints, [])
  },
)

test.serial('with keys alone: one moment in all plots, closer, and all of it again', async (t) => {
  const { page, complaints } = await openReport(t, sampleReport({ sites: 20, seconds: 60 }))
  await page.locator('.plot').first().focus()
  const clocks = async (): Promise<string[]> => await page.locator('.plot .clock').allInnerTexts()
  await page.keyboard.press('End')
  const atEnd = await clocks()
  await page.keyboard.press('ArrowLeft')
  const before = await clocks()
  t.regex(atEnd[0] ?? '', /^60\ss · 5 speaker changes/)
  t.regex(before[0] ?? '', /^59\ss/)
  t.true(before.filter((clock) => /^59\ss/.test(clock)).length >= 15, before.join(' | '))
  const axis = async (): Promise<string> =>
    await page
      .locator('.plot canvas')
      .nth(3)
      .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL())
  const whole = await axis()
  await page.keyboard.press('+')
  t.not(await axis(), whole)
  await page.keyboard.press('Escape')
  t.deepEqual(complaints, [])
})

test.serial('the table is sorted by its heads and searched by what people type', async (t) => {
  const { page, complaints } = await openReport(t, sampleReport({ sites: 200, seconds: 10 }))
  await page.locator('.sites .sort', { hasText: 'Audio lost' }).click()
  const cells = await page.locator('.sites tbody tr td:nth-child(6)').allInnerTexts()
  const values = cells.map((text) => Number.parseFloat(text))
  t.deepEqual(
    values,
    values.toSorted((a, b) => b - a),
  )
  t.is(await page.locator('th[aria-sort="descending"]').count(), 1)
  await page.getByRole('searchbox').fill('provinces-3')
  t.deepEqual(await page.locator('.sites tbody th').allInnerTexts(), ['provinces-3'])
  t.deepEqual(complaints, [])
})

test.serial('a report that tries to be HTML is only text', async (t) => {
  const { page, complaints } = await openReport(t, hostileReport())
  t.is(await page.evaluate(() => (window as { harmed?: number }).harmed), undefined)
  t.is(await page.locator('img, main script').count(), 0)
  t.regex(await textOf(page, '#verdict'), /<\/script><script>window\.harmed=1/)
  await page.getByRole('button', { name: 'Tiếng Việt' }).click()
  t.is(await page.evaluate(() => (window as { harmed?: number }).harmed), undefined)
  t.deepEqual(complaints, [])
})

const endings: [name: string, report: () => RunReport, says: RegExp][] = [
  ['passed', passedReport, /Passed[\s\S]*All 5 criteria hold/],
  ['void', voidReport, /Void[\s\S]*says nothing about the server[\s\S]*84 ms late/],
  ['interrupted', interruptedReport, /Interrupted[\s\S]*after 31\ss of 10:00/],
  ['broken', emptyReport, /The run broke off[\s\S]*EADDRINUSE/],
]
for (const [name, report, says] of endings)
  test.serial(`a run that is ${name} says so loudly, and why`, async (t) => {
    const { page, complaints } = await openReport(t, report())
    t.regex(await textOf(page, '#verdict'), says)
    await keepScreenshot(page, `report-${name}`)
    t.deepEqual(complaints, [])
  })

test.serial('on a phone nothing but its own frames scrolls sideways', async (t) => {
  const { page, complaints } = await openReport(t, sampleReport({ sites: 60, seconds: 20 }), {
    viewport: { width: 360, height: 740 },
    locale: 'vi-VN',
  })
  t.true((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360)
  const colours = await coloursOfPlots(page)
  t.true(
    colours.every((count) => count > 20),
    colours.join(' '),
  )
  await keepScreenshot(page, 'report-phone')
  t.deepEqual(complaints, [])
})

test.serial('two runs that are compared share their plots', async (t) => {
  const folder = folderFor(t)
  for (const [index, name] of ['a', 'b'].entries())
    writeRunReport(join(folder, name), sampleReport({ sites: 20, seconds: 20, seed: index + 1 }))
  const file = join(folder, 'ab.html')
  t.is(compareCommand([join(folder, 'a'), join(folder, 'b'), '--html', file]), 0)
  const { page, complaints } = await openPage(t, file)
  t.regex(await textOf(page, '#verdict'), /cannot tell a difference from noise[\s\S]*Seeds differ/)
  t.regex(await textOf(page, '.plot .legend'), /A · joined[\s\S]*B · joined/)
  const colours = await coloursOfPlots(page)
  t.true(
    colours.every((count) => count > 20),
    colours.join(' '),
  )
  await keepScreenshot(page, 'report-compared')
  t.deepEqual(complaints, [])
})
