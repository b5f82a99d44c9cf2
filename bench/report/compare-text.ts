/** A comparison for the terminal: a table side by side, and sentences on noise. Pure. */
import type { Sides } from './compare.ts'
import { outcomeOf } from './health.ts'
import type { ComparedFigure, Comparison } from './page-model.ts'
import type { RunReport } from './report.ts'

const VERDICTS: Readonly<Record<ComparedFigure['verdict'], string>> = {
  noise: 'noise',
  differs: 'DIFFERS',
  same: 'same',
  unknown: '?',
}

/** The whole text, without a line end at its end. */
export function comparisonText({ rows, noise, warnings }: Comparison, sides: Sides): string {
  const head = ['figure', 'A', 'B', 'B/A', 'spread A', 'spread B', 'noise?']
  // Counters that stayed at 0 on both sides would only fill the screen.
  const told = rows.filter(({ a, b }) => a !== 0 || b !== 0)
  const body = told.map((row) => [
    row.name,
    valueText(row.a),
    valueText(row.b),
    row.ratio === null ? '-' : `x${valueText(row.ratio)}`,
    row.spreadA === null ? '-' : valueText(row.spreadA),
    row.spreadB === null ? '-' : valueText(row.spreadB),
    VERDICTS[row.verdict],
  ])
  return [
    ...sides.a.map((run) => `A  ${runText(run)}`),
    ...sides.b.map((run) => `B  ${runText(run)}`),
    '',
    ...alignedLines([head, ...body]),
    ...(told.length < rows.length
      ? [`(${rows.length - told.length} more are 0 on both sides)`]
      : []),
    '',
    ...criteriaLines(sides),
    ...warnings.map(({ en }) => `! ${en}`),
    noise.en,
  ].join('\n')
}

function runText(run: RunReport): string {
  const { scenario, startedAt, machine, commit } = run
  const code = `${commit.hash.slice(0, 10)}${commit.dirty ? '+' : ''}`
  return `${scenario.name}, seed ${scenario.seed}, ${code}, ${machine.name}, ${startedAt}: ${outcomeOf(run)}`
}

/** Criteria that the two sides have in common, with the verdict of each run. */
function criteriaLines({ a, b }: Sides): string[] {
  const verdicts = (runs: readonly RunReport[], text: string): string =>
    runs.map(({ criteria }) => criteria.find((one) => one.text === text)?.verdict ?? '-').join(' ')
  const texts = [
    ...new Set([...a, ...b].flatMap(({ criteria }) => criteria.map((one) => one.text))),
  ]
  if (texts.length === 0) return []
  const body = texts.map((text) => [text, verdicts(a, text), verdicts(b, text)])
  return [...alignedLines([['criterion', 'A', 'B'], ...body]), '']
}

/** Four digits that count; large whole numbers as they are. */
export function valueText(value: number): string {
  if (!Number.isFinite(value)) return '-'
  if (Number.isInteger(value)) return String(value)
  return String(Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4)))
}

function alignedLines(table: readonly string[][]): string[] {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? '').length)),
  )
  return table.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return column === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd(),
  )
}
