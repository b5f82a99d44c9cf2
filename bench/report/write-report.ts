/** Leaves a run's report in a folder: report.json for machines, report.html for people. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PAGE_FILE, REPORT_FILE } from './read-report.ts'
import type { RunReport } from './report.ts'
import { reportPage } from './report-page.ts'

/**
 * Writes both files into `folder` (made when missing) and says where they are. A figure that is no
 * finite number was not measured, and is left out; a sample that is none becomes null.
 */
export function writeRunReport(
  folder: string,
  report: RunReport,
): { jsonFile: string; pageFile: string } {
  const jsonFile = join(folder, REPORT_FILE)
  const pageFile = join(folder, PAGE_FILE)
  const measured = withMeasuredOnly(report)
  mkdirSync(folder, { recursive: true })
  // The JSON first: should the page fail, what was measured is safe.
  writeFileSync(jsonFile, `${JSON.stringify(measured)}\n`)
  writeFileSync(pageFile, reportPage(measured))
  return { jsonFile, pageFile }
}

function withMeasuredOnly(report: RunReport): RunReport {
  const finite = (figures: Record<string, number>): Record<string, number> =>
    Object.fromEntries(Object.entries(figures).filter(([, value]) => Number.isFinite(value)))
  return {
    ...report,
    figures: finite(report.figures),
    sites: report.sites.map((site) => ({ ...site, figures: finite(site.figures) })),
  }
}
