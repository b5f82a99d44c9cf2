/**
 * Criteria against the figures of a run. Whatever was not measured, or has no value (a division by
 * nothing), makes a criterion `unknown`, never a pass; a void run has no other verdict than `void`.
 */
import type { CriterionReport } from '../report/report.ts'
import { type Expression, figuresOf } from './expression.ts'
import { UNITS, unitOfFigure } from './units.ts'

export type JudgeOptions = {
  /** RunReport.figures. */
  figures: Readonly<Record<string, number>>
  /** RunReport.validity.valid. */
  valid: boolean
}

/** One row per criterion, in their order. Criteria must have passed checkCriterion. */
export function judge(
  criteria: readonly { text: string; expression: Expression }[],
  { figures, valid }: JudgeOptions,
): CriterionReport[] {
  return criteria.map(({ text, expression }) => {
    const measured: CriterionReport['measured'] = {}
    for (const name of figuresOf(expression)) measured[name] = measuredAt(figures, name) ?? null
    const isKnown = Object.values(measured).every((value) => value !== null)
    const outcome = isKnown ? evaluate(expression, figures) : Number.NaN
    return { text, verdict: valid ? verdictOf(outcome) : 'void', measured }
  })
}

function verdictOf(outcome: number): CriterionReport['verdict'] {
  if (Number.isNaN(outcome)) return 'unknown'
  return outcome === 1 ? 'pass' : 'fail'
}

function measuredAt(figures: JudgeOptions['figures'], name: string): number | undefined {
  const value = Object.hasOwn(figures, name) ? figures[name] : undefined
  return Number.isFinite(value) ? value : undefined
}

/** In base units; truths are 1 and 0; NaN where there is no answer, and NaN begets NaN. */
function evaluate(expression: Expression, figures: JudgeOptions['figures']): number {
  switch (expression.kind) {
    case 'number':
      return expression.value * (UNITS[expression.unit]?.scale ?? 1)
    case 'figure':
      return (figures[expression.name] ?? Number.NaN) * unitOfFigure(expression.name).scale
    case 'unary': {
      const value = evaluate(expression.operand, figures)
      return expression.operator === '-' ? -value : 1 - value
    }
    case 'call': {
      const values = expression.parameters.map((parameter) => evaluate(parameter, figures))
      return Math[expression.name](...(values as [number]))
    }
    case 'binary': {
      const left = evaluate(expression.left, figures)
      const right = evaluate(expression.right, figures)
      if (Number.isNaN(left) || Number.isNaN(right)) return Number.NaN
      return apply(expression.operator, left, right)
    }
  }
}

function apply(
  operator: (Expression & { kind: 'binary' })['operator'],
  left: number,
  right: number,
): number {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return right === 0 ? Number.NaN : left / right
    case '<':
      return Number(left < right)
    case '<=':
      return Number(left <= right)
    case '>':
      return Number(left > right)
    case '>=':
      return Number(left >= right)
    case '==':
      return Number(left === right)
    case '!=':
      return Number(left !== right)
    case 'and':
      return Math.min(left, right)
    case 'or':
      return Math.max(left, right)
  }
}
