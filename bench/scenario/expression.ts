/** Criteria as values: what a parsed expression is made of. parse-expression.ts reads them, judge.ts evaluates them. */

/** Dimension of a value; a ratio is a plain number. */
export type Operator = '+' | '-' | '*' | '/' | '<' | '<=' | '>' | '>=' | '==' | '!=' | 'and' | 'or'

export type FunctionName = 'min' | 'max' | 'abs'

export type Expression =
  /** `value` is as written, `unit` '' for a plain number. */
  | { kind: 'number'; value: number; unit: string }
  /** A figure of the report, such as `latency.audio.p99Ms`. */
  | { kind: 'figure'; name: string }
  | { kind: 'binary'; operator: Operator; left: Expression; right: Expression }
  | { kind: 'unary'; operator: 'not' | '-'; operand: Expression }
  | { kind: 'call'; name: FunctionName; parameters: Expression[] }
