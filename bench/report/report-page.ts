/**
 * The page of a run, or of several compared: one HTML file with everything in it, which asks
 * nothing of any network; its policy forbids that and every script but its own. What a report says
 * is data in it, never markup.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { REPORT_PAGE_BYTES_MAX } from '../../config/limits.ts'
import { bundle, plotLibrary } from './bundle.ts'
import type { PageModel } from './page-model.ts'
import { PAGE_BOUNDS, type PageBounds, pageOfRun } from './page-of-run.ts'
import type { RunReport } from './report.ts'

const PAGE_FOLDER = join(import.meta.dirname, 'page')
/** Each time a page is too large, it gets half of everything; after so many times it is refused. */
const HALVINGS_MAX = 6

/** The page of one run as HTML, thinned until it is small enough; throws when it cannot be. */
export function reportPage(report: RunReport): string {
  return pageWithin((bounds) => pageOfRun(report, bounds))
}

/** The page of what `modelOf` makes within bounds that shrink until the page is small enough. */
export function pageWithin(modelOf: (bounds: PageBounds) => PageModel): string {
  const shell = readShell()
  for (let halvings = 0; halvings <= HALVINGS_MAX; halvings += 1) {
    const page = htmlOf(modelOf(halved(PAGE_BOUNDS, halvings)), shell)
    if (Buffer.byteLength(page) <= REPORT_PAGE_BYTES_MAX) return page
  }
  throw new Error(`the page of this report does not fit into ${REPORT_PAGE_BYTES_MAX} bytes`)
}

function halved(bounds: PageBounds, times: number): PageBounds {
  const entries = Object.entries(bounds).map(([name, value]) => [name, value >> times])
  return Object.fromEntries(entries) as PageBounds
}

type Shell = { script: string; style: string }

function readShell(): Shell {
  const library = plotLibrary()
  const style = readFileSync(join(PAGE_FOLDER, 'page.css'), 'utf8')
  const script = `${library.script}\n${bundle(join(PAGE_FOLDER, 'main.ts'))}`
  if (/<\/script|<!--/i.test(script)) throw new Error('a script of the page would end it')
  return { script, style: `${library.style}\n${style}` }
}

function htmlOf(model: PageModel, { script, style }: Shell): string {
  // In JSON a < stands only within texts; written as an escape it can neither end nor begin an element.
  const data = JSON.stringify(model).replaceAll('<', '\\u003c')
  const policy = [
    "default-src 'none'",
    `script-src '${digest(script)}'`,
    `style-src '${digest(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return `<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Nhịp Cầu</title>
<style>${style}</style>
</head>
<body>
<noscript><p>Trang này cần JavaScript. This page needs JavaScript; report.json has the same.</p></noscript>
<script type="application/json" id="model">${data}</script>
<script>${script}</script>
</body>
</html>
`
}

function digest(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
