/**
 * Reads the report of a run: from a file or a run's folder, checked against report-schema.ts,
 * bounded before it is parsed. An unknown version is refused, an unknown field is ignored.
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { REPORT_BYTES_MAX } from '../../config/limits.ts'
import type { RunReport } from './report.ts'
import { REPORT, REPORT_SCHEMA, REPORT_VERSION } from './report-schema.ts'

/** Name of the report's JSON and of its page inside a run's folder. */
export const REPORT_FILE = 'report.json'
export const PAGE_FILE = 'report.html'

/** Complaints told of one file; more are counted. */
const COMPLAINTS_TOLD_MAX = 5

/**
 * A report that cannot be read; the message names the file, the field and what is wrong with it.
 */
export class ReportError extends Error {
  readonly code = 'report-unreadable'
}

/** Reads `path`, a report.json or the folder that holds one; throws ReportError. */
export function readReport(path: string): RunReport {
  return parseReport(readBounded(path), path)
}

function readBounded(path: string): string {
  try {
    const file = statSync(path).isDirectory() ? join(path, REPORT_FILE) : path
    const { size } = statSync(file)
    if (size > REPORT_BYTES_MAX)
      throw new ReportError(`${file}: ${size} bytes, at most ${REPORT_BYTES_MAX} are read`)
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof ReportError) throw error
    throw new ReportError(`${path}: ${(error as Error).message}`)
  }
}

/** The report in `text`; `where` names it in complaints. Throws ReportError. */
export function parseReport(text: string, where: string): RunReport {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ReportError(`${where}: no JSON (${(error as Error).message})`)
  }
  const head = (value ?? {}) as { schema?: unknown; version?: unknown }
  if (head.schema !== REPORT_SCHEMA)
    throw new ReportError(`${where}: no report of a run (schema is not "${REPORT_SCHEMA}")`)
  if (head.version !== REPORT_VERSION)
    throw new ReportError(
      `${where}: version ${JSON.stringify(head.version)} of the report, this program reads ${REPORT_VERSION}`,
    )
  return checked(value, where)
}

function checked(value: unknown, where: string): RunReport {
  const result = v.safeParse(REPORT, value)
  if (!result.success) {
    const told = result.issues
      .slice(0, COMPLAINTS_TOLD_MAX)
      .map((issue) => `${v.getDotPath(issue) ?? 'the report'}: ${issue.message}`)
    const more = result.issues.length - told.length
    const rest = more > 0 ? `; ${more} more` : ''
    throw new ReportError(`${where}: ${told.join('; ')}${rest}`)
  }
  assertAligned(result.output, where)
  return result.output
}

/** Series whose columns differ in length would be drawn against the wrong times. */
function assertAligned(report: RunReport, where: string): void {
  const check = (name: string, series: Record<string, readonly unknown[]>): void => {
    const lengths = new Set(Object.values(series).map((column) => column.length))
    if (lengths.size > 1) throw new ReportError(`${where}: ${name}: columns of different length`)
  }
  for (const { id, up, down } of report.links) {
    check(`link ${id}, up`, up.series)
    check(`link ${id}, down`, down.series)
  }
  for (const { id, series } of report.processes) check(`process ${id}`, series)
  for (const { id, atS, values } of report.series) check(`series ${id}`, { atS, values })
  for (const { site, layer } of report.layers.rows)
    check(`layers of ${site}`, { atS: report.layers.atS, layer })
}
