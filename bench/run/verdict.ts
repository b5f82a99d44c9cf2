/** A run's outcome in words and as an exit code. Pure. */
import type { CriterionReport, RunReport } from '../report/index.ts'

const MARKS: Record<CriterionReport['verdict'], string> = {
  pass: '✔',
  fail: '✘',
  void: '–',
  unknown: '?',
}

export type Outcome = Pick<RunReport, 'ended' | 'problem' | 'validity' | 'criteria'>

/** 0 all passed, 1 not, 3 void, 130 interrupted. */
export function exitCodeOf({ ended, validity, criteria }: Outcome): number {
  if (ended === 'interrupted') return 130
  if (!validity.valid) return 3
  return ended === 'completed' && criteria.every(({ verdict }) => verdict === 'pass') ? 0 : 1
}

/** Of several runs: the one that a caller must know of first. */
export function worstExitCode(codes: readonly number[]): number {
  return [130, 1, 3].find((code) => codes.includes(code)) ?? 0
}

/** One line per criterion with what was measured, then how the run ended. */
export function verdictText(report: Outcome): string {
  const { ended, problem, validity, criteria } = report
  const rows = criteria.map(({ text, verdict, measured }) => {
    const values = Object.entries(measured).map(
      ([name, value]) => `${name} ${value === null ? 'not measured' : roundText(value)}`,
    )
    return `${MARKS[verdict]} ${text}   (${values.join(', ')})`
  })
  const passed = criteria.filter(({ verdict }) => verdict === 'pass').length
  const last = {
    completed: `${passed} of ${criteria.length} criteria passed`,
    interrupted: 'interrupted: a partial report',
    failed: `failed: ${problem ?? 'unknown'}`,
  }[ended]
  const doubts = validity.valid ? [] : ['void:', ...validity.reasons.map((why) => `  ${why}`)]
  return [...rows, ...doubts, last].join('\n')
}

function roundText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)))
}
