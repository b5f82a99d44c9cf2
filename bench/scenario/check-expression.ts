/**
 * Whether an expression makes sense before anything runs: it is a truth in the end, and only like
 * is compared with like (a time with a time). Columns are those of parse-expression.ts.
 */
import { type Expression, isComparison } from './expression.ts'
import type { ExpressionProblem } from './parse-expression.ts'
import {
  combineDimensions,
  type Dimension,
  describeDimension,
  isSameDimension,
  UNITS,
  unitOfFigure,
} from './units.ts'

/** `zero` has every dimension: `x > 0` needs no unit. */
type Kind = 'truth' | 'zero' | Dimension

/** All that is wrong with a criterion; empty when it can be judged. */
export function checkCriterion(expression: Expression): ExpressionProblem[] {
  const problems: ExpressionProblem[] = []
  const kind = kindOf(expression, problems)
  if (problems.length > 0 || kind === 'truth') return problems
  const problem = 'a criterion is true or false in the end: compare it with something'
  return [{ column: expression.column, problem }]
}

/** After a problem any kind will do; only the first of a chain is worth telling. */
function kindOf(expression: Expression, problems: ExpressionProblem[]): Kind {
  switch (expression.kind) {
    case 'number': {
      const { value, unit } = expression
      if (unit !== '') return UNITS[unit]?.dimension ?? 'zero'
      return value === 0 ? 'zero' : { time: 0, bytes: 0, bits: 0 }
    }
    case 'figure':
      return unitOfFigure(expression.name).dimension
    case 'unary': {
      const wanted = expression.operator === 'not' ? 'truth' : 'amount'
      return wantedKind(expression.operand, wanted, problems)
    }
    case 'call': {
      const kinds = expression.parameters.map((one) => wantedKind(one, 'amount', problems))
      return kinds.reduce((a, b) => common({ a, b, column: expression.column }, problems))
    }
    case 'binary':
      return binaryKind(expression, problems)
  }
}

function binaryKind(
  { operator, left, right, column }: Expression & { kind: 'binary' },
  problems: ExpressionProblem[],
): Kind {
  const wanted = operator === 'and' || operator === 'or' ? 'truth' : 'amount'
  const a = wantedKind(left, wanted, problems)
  const b = wantedKind(right, wanted, problems)
  if (wanted === 'truth') return 'truth'
  if (operator === '*' || operator === '/') {
    if (a === 'zero' || a === 'truth' || b === 'zero' || b === 'truth') return 'zero'
    return combineDimensions(a, b, operator === '*' ? 1 : -1)
  }
  const kind = common({ a, b, column }, problems)
  return isComparison(operator) ? 'truth' : kind
}

function wantedKind(
  expression: Expression,
  wanted: 'truth' | 'amount',
  problems: ExpressionProblem[],
): Kind {
  const before = problems.length
  const kind = kindOf(expression, problems)
  if (problems.length > before || (kind === 'truth') === (wanted === 'truth')) return kind
  const problem =
    wanted === 'truth'
      ? 'and, or, not take comparisons; this is a number'
      : 'this is true or false where a number was expected'
  problems.push({ column: expression.column, problem })
  return wanted === 'truth' ? 'truth' : 'zero'
}

function common(
  { a, b, column }: { a: Kind; b: Kind; column: number },
  problems: ExpressionProblem[],
): Kind {
  if (a === 'zero' || a === 'truth') return b
  if (b === 'zero' || b === 'truth' || isSameDimension(a, b)) return a
  const problem = `${describeDimension(a)} meets ${describeDimension(b)}`
  problems.push({ column, problem })
  return 'zero'
}
