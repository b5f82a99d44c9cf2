/**
 * Criteria as values: what a parsed expression is made of, and its one way back to text.
 * parse-expression.ts reads them, judge.ts evaluates them.
 */

export type Operator = '+' | '-' | '*' | '/' | '<' | '<=' | '>' | '>=' | '==' | '!=' | 'and' | 'or'

export const FUNCTIONS = ['min', 'max', 'abs'] as const
export type FunctionName = (typeof FUNCTIONS)[number]

/**
 * `column` counts from 1 in the text that it was read from; of a binary expression it is the
 * operator's.
 */
export type Expression = { column: number } & (
  | { kind: 'number'; value: number; unit: string }
  /** A figure of the report, such as `latency.audio.p99Ms`. */
  | { kind: 'figure'; name: string }
  | { kind: 'binary'; operator: Operator; left: Expression; right: Expression }
  | { kind: 'unary'; operator: 'not' | '-'; operand: Expression }
  | { kind: 'call'; name: FunctionName; parameters: Expression[] }
)

/** Higher binds closer; comparisons stand alone (`a < b < c` is refused). */
export const PRECEDENCE: Record<Operator | 'not', number> = {
  or: 1,
  and: 2,
  not: 3,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '==': 4,
  '!=': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
}

/** Of unary minus and of everything that needs no parentheses. */
const PRECEDENCE_UNARY = 7

/** True for an operator that gives a truth of two amounts. */
export function isComparison(operator: Operator): boolean {
  return PRECEDENCE[operator] === PRECEDENCE['<']
}

/** The expression as text that parses to the same again, with the fewest parentheses. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'number':
      return `${expression.value}${expression.unit}`
    case 'figure':
      return expression.name
    case 'call':
      return `${expression.name}(${expression.parameters.map(printExpression).join(', ')})`
    case 'unary': {
      const { operator, operand } = expression
      const inner = within(operand, precedenceOf(expression))
      return operator === 'not' ? `not ${inner}` : `-${inner}`
    }
    case 'binary': {
      const { operator, left, right } = expression
      const own = PRECEDENCE[operator]
      // Operators of one rank group from the left; comparisons do not group at all.
      const leftMin = isComparison(operator) ? own + 1 : own
      return `${within(left, leftMin)} ${operator} ${within(right, own + 1)}`
    }
  }
}

/** Every figure that it names, each once, in order. */
export function figuresOf(expression: Expression): string[] {
  switch (expression.kind) {
    case 'number':
      return []
    case 'figure':
      return [expression.name]
    case 'unary':
      return figuresOf(expression.operand)
    case 'binary':
      return unique([...figuresOf(expression.left), ...figuresOf(expression.right)])
    case 'call':
      return unique(expression.parameters.flatMap(figuresOf))
  }
}

function unique(names: string[]): string[] {
  return [...new Set(names)]
}

function within(expression: Expression, precedenceMin: number): string {
  const text = printExpression(expression)
  return precedenceOf(expression) < precedenceMin ? `(${text})` : text
}

function precedenceOf(expression: Expression): number {
  if (expression.kind === 'binary') return PRECEDENCE[expression.operator]
  if (expression.kind === 'unary' && expression.operator === 'not') return PRECEDENCE.not
  return PRECEDENCE_UNARY
}
