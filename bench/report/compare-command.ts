/**
 * `./nhipcau bench compare A B [A B ...]`: reads reports, prints the comparison, writes a page when
 * asked.
 */
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { COMPARE_RUNS_MAX } from '../../config/limits.ts'
import { compareRuns, type Sides } from './compare.ts'
import { comparisonText } from './compare-text.ts'
import { pageOfComparison } from './page-of-comparison.ts'
import { REPORT_FILE, ReportError, readReport } from './read-report.ts'
import type { RunReport } from './report.ts'
import { pageWithin } from './report-page.ts'

export const COMPARE_USAGE = `compare A B [A B ...]  two runs side by side; each is a report.json or a run's folder. Given in turns they are
         repeats: the 1st, 3rd, ... are A, the others B. A folder of several runs counts as all of them.
  --html FILE          both in the same plots
  exit: 0 compared, 2 a report cannot be read`

/** Runs the command; resolves with the exit code: 0, or 2 when a report cannot be read. */
export function compareCommand(args: string[]): number {
  try {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: { html: { type: 'string' } },
    })
    const sides = readSides(positionals)
    console.log(comparisonText(compareRuns(sides), sides))
    if (values.html !== undefined) {
      writeFileSync(
        values.html,
        pageWithin((bounds) => pageOfComparison(sides, bounds)),
      )
      console.log(`\npage: ${values.html}`)
    }
    return 0
  } catch (error) {
    if (!isUsage(error)) throw error
    console.error(`nhipcau bench compare: ${(error as Error).message}`)
    return 2
  }
}

function isUsage(error: unknown): boolean {
  const code = (error as { code?: string }).code ?? ''
  // A page that cannot be written is wrong use as well: its path came from the command line.
  return error instanceof ReportError || code.startsWith('ERR_PARSE_ARGS') || /^E[A-Z]+$/.test(code)
}

function readSides(paths: readonly string[]): Sides {
  if (paths.length < 2 || paths.length % 2 === 1)
    throw new ReportError(`two reports, or pairs of them in turns; ${paths.length} given`)
  const sides: Sides = { a: [], b: [] }
  paths.forEach((path, index) => {
    const side = index % 2 === 0 ? sides.a : sides.b
    side.push(...readRuns(path))
  })
  const count = sides.a.length + sides.b.length
  if (count > COMPARE_RUNS_MAX)
    throw new ReportError(`${count} runs, at most ${COMPARE_RUNS_MAX} are compared`)
  return sides
}

/** A report, or all that stand in folders of a folder that has none itself. */
function readRuns(path: string): RunReport[] {
  const isPlain = existsSync(join(path, REPORT_FILE)) || !isFolder(path)
  if (isPlain) return [readReport(path)]
  const inner = readdirSync(path)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => join(path, name))
    .filter((folder) => existsSync(join(folder, REPORT_FILE)))
  if (inner.length === 0) throw new ReportError(`${path}: no ${REPORT_FILE} in it`)
  return inner.slice(0, COMPARE_RUNS_MAX + 1).map(readReport)
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
