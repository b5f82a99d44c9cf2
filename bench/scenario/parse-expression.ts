/**
 * Reads criteria such as `latency.audio.p99Ms < 12ms and loss.audio.ratio < 0.1%`. Grammar, loosest
 * first: or, and, not, one comparison, + -, * /, unary -, then a number with a unit, a name, min()
 * max() abs(), parentheses. Names may hold dashes (`group.flat-1000.joined`), so a minus after a
 * name needs a blank. Knows neither figures nor dimensions (check-expression.ts). Never throws,
 * never evaluates code.
 */
import { EXPRESSION_CHARS_MAX, EXPRESSION_DEPTH_MAX } from '../../config/limits.ts'
import {
  type Expression,
  FUNCTIONS,
  type FunctionName,
  isComparison,
  type Operator,
  PRECEDENCE,
} from './expression.ts'
import { UNITS } from './units.ts'

/** What is wrong with an expression, and at which column (from 1). */
export type ExpressionProblem = { column: number; problem: string }

type Token = { column: number } & (
  | { kind: 'number'; value: number; unit: string }
  | { kind: 'name' | 'sign'; text: string }
  | { kind: 'end' }
)

const SPACE = /\s*/y
const NUMBER = /(\d+(?:\.\d+)?(?:e[+-]?\d+)?)([A-Za-z%]*)/y
const SEGMENT = '[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*'
const NAME = new RegExp(`(?![0-9])${SEGMENT}(?:\\.${SEGMENT})*`, 'y')
const SIGN = /<=|>=|==|!=|[-+*/<>(),]/y

/** The expression, or the first thing that is wrong with it. */
export function parseExpression(text: string): Expression | ExpressionProblem {
  if (text.length > EXPRESSION_CHARS_MAX) {
    return { column: 1, problem: `${text.length} characters; allowed: ${EXPRESSION_CHARS_MAX}` }
  }
  const tokens = tokenize(text)
  return Array.isArray(tokens) ? new Parser(tokens).whole() : tokens
}

/** True for what parseExpression returns when it could not. */
export function isProblem(
  parsed: Expression | ExpressionProblem | Token[],
): parsed is ExpressionProblem {
  return 'problem' in parsed
}

function tokenize(text: string): Token[] | ExpressionProblem {
  const tokens: Token[] = []
  let at = matchAt(SPACE, text, 0)?.[0].length ?? 0
  while (at < text.length) {
    const column = at + 1
    const number = matchAt(NUMBER, text, at)
    const name = matchAt(NAME, text, at)
    const sign = matchAt(SIGN, text, at)
    if (number !== null) {
      const [, digits = '', unit = ''] = number
      if (unit !== '' && !Object.hasOwn(UNITS, unit)) {
        const known = Object.keys(UNITS).join(' ')
        return {
          column: column + digits.length,
          problem: `no such unit: ${unit}; allowed: ${known}`,
        }
      }
      tokens.push({ kind: 'number', value: Number(digits), unit, column })
    } else if (name !== null) tokens.push({ kind: 'name', text: name[0], column })
    else if (sign !== null) tokens.push({ kind: 'sign', text: sign[0], column })
    else return { column, problem: `${JSON.stringify(text[at])} means nothing here` }
    at += (number ?? name ?? sign)?.[0].length ?? 0
    at += matchAt(SPACE, text, at)?.[0].length ?? 0
  }
  tokens.push({ kind: 'end', column: text.length + 1 })
  return tokens
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** Precedence climbing over the tokens; the first problem ends it. */
class Parser {
  readonly #tokens: Token[]
  #at = 0
  #depth = 0

  constructor(tokens: Token[]) {
    this.#tokens = tokens
  }

  whole(): Expression | ExpressionProblem {
    const expression = this.#binary(1)
    if (isProblem(expression) || this.#token.kind === 'end') return expression
    return this.#unexpected('an operator (< <= > >= == != + - * / and or) or the end')
  }

  get #token(): Token {
    return this.#tokens[this.#at] as Token
  }

  #binary(precedenceMin: number): Expression | ExpressionProblem {
    let left = this.#operand(precedenceMin)
    let isCompared = false
    for (;;) {
      if (isProblem(left)) return left
      const operator = this.#operator()
      const precedence = operator === undefined ? 0 : PRECEDENCE[operator]
      if (operator === undefined || precedence < precedenceMin) return left
      const { column } = this.#token
      if (isComparison(operator) && isCompared) {
        return { column, problem: 'comparisons do not chain; write a < b and b < c' }
      }
      isCompared = isComparison(operator)
      this.#at += 1
      const right = this.#binary(precedence + 1)
      if (isProblem(right)) return right
      left = { kind: 'binary', operator, left, right, column }
    }
  }

  #operator(): Operator | undefined {
    const token = this.#token
    if (token.kind === 'number' || token.kind === 'end') return undefined
    if (token.text === 'not' || !Object.hasOwn(PRECEDENCE, token.text)) return undefined
    return token.text as Operator
  }

  #operand(precedenceMin: number): Expression | ExpressionProblem {
    this.#depth += 1
    if (this.#depth > EXPRESSION_DEPTH_MAX) {
      const problem = `nested too deeply; allowed: ${EXPRESSION_DEPTH_MAX} levels`
      return { column: this.#token.column, problem }
    }
    const operand = this.#unary(precedenceMin)
    this.#depth -= 1
    return operand
  }

  #unary(precedenceMin: number): Expression | ExpressionProblem {
    const token = this.#token
    if (this.#takes('-')) {
      const operand = this.#operand(PRECEDENCE['*'] + 1)
      if (isProblem(operand)) return operand
      return { kind: 'unary', operator: '-', operand, column: token.column }
    }
    if (token.kind === 'name' && token.text === 'not') {
      if (precedenceMin > PRECEDENCE.not) return this.#unexpected('parentheses around it')
      this.#at += 1
      const operand = this.#binary(PRECEDENCE.not)
      if (isProblem(operand)) return operand
      return { kind: 'unary', operator: 'not', operand, column: token.column }
    }
    return this.#primary()
  }

  #primary(): Expression | ExpressionProblem {
    const token = this.#token
    if (token.kind === 'number') {
      this.#at += 1
      return token
    }
    if (this.#takes('(')) {
      const inner = this.#binary(1)
      if (isProblem(inner) || this.#takes(')')) return inner
      return this.#unexpected(')')
    }
    if (token.kind !== 'name' || token.text === 'and' || token.text === 'or') {
      return this.#unexpected('a number, a figure or (')
    }
    this.#at += 1
    if (!this.#takes('(')) return { kind: 'figure', name: token.text, column: token.column }
    if (!(FUNCTIONS as readonly string[]).includes(token.text)) {
      const problem = `no such function: ${token.text}; allowed: ${FUNCTIONS.join(', ')}`
      return { column: token.column, problem }
    }
    return this.#call(token.text as FunctionName, token.column)
  }

  #call(name: FunctionName, column: number): Expression | ExpressionProblem {
    const parameters: Expression[] = []
    do {
      const parameter = this.#binary(1)
      if (isProblem(parameter)) return parameter
      parameters.push(parameter)
    } while (this.#takes(','))
    if (!this.#takes(')')) return this.#unexpected(', or )')
    if (name === 'abs' && parameters.length > 1) {
      return { column, problem: `abs() takes one value; here are ${parameters.length}` }
    }
    return { kind: 'call', name, parameters, column }
  }

  #takes(sign: string): boolean {
    const token = this.#token
    if (token.kind !== 'sign' || token.text !== sign) return false
    this.#at += 1
    return true
  }

  #unexpected(expected: string): ExpressionProblem {
    const token = this.#token
    const found = token.kind === 'end' ? 'the end' : tokenText(token)
    return { column: token.column, problem: `${found} where ${expected} was expected` }
  }
}

function tokenText(token: Exclude<Token, { kind: 'end' }>): string {
  return token.kind === 'number' ? `${token.value}${token.unit}` : JSON.stringify(token.text)
}
