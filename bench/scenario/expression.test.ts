import test from 'ava'
import fc from 'fast-check'
import { EXPRESSION_CHARS_MAX, EXPRESSION_DEPTH_MAX } from '../../config/limits.ts'
import { checkCriterion } from './check-expression.ts'
import { type Expression, figuresOf, type Operator, printExpression } from './expression.ts'
import { judge } from './judge.ts'
import { isProblem, parseExpression } from './parse-expression.ts'
import { UNITS } from './units.ts'

/** Without columns: two texts of the same meaning. */
function shape(expression: Expression): unknown {
  return JSON.parse(JSON.stringify(expression, (key, value) => (key === 'column' ? 0 : value)))
}

function parsed(text: string): Expression {
  const expression = parseExpression(text)
  if (isProblem(expression)) throw new Error(`${text}: ${expression.column}: ${expression.problem}`)
  return expression
}

function verdict(text: string, figures: Record<string, number> = {}): string | undefined {
  return judge([{ text, expression: parsed(text) }], { figures, valid: true })[0]?.verdict
}

function problemOf(text: string): { column: number; problem: string } {
  const expression = parseExpression(text)
  const [problem] = isProblem(expression) ? [expression] : checkCriterion(expression)
  if (problem === undefined) throw new Error(`${text}: nothing is wrong with it`)
  return problem
}

const column = 1
const segment = fc.constantFrom('a', 'link', 'thin-512k', 'p99Ms', 'flat-1000', 'x_1', 'andy')
const name = fc
  .tuple(fc.constantFrom('sites', 'latency', 'notable', 'min'), fc.array(segment, { maxLength: 3 }))
  .map(([first, rest]) => [first, ...rest].join('.'))
const number: fc.Arbitrary<Expression> = fc
  .tuple(
    fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom('', ...Object.keys(UNITS)),
  )
  .map(([value, unit]) => ({ kind: 'number', value: Math.abs(value), unit, column }))

const { amount, truth } = fc.letrec<{ amount: Expression; truth: Expression }>((tie) => {
  const binary = (operators: Operator[], inner: fc.Arbitrary<Expression>) =>
    fc.tuple(fc.constantFrom(...operators), inner, inner).map(
      ([operator, left, right]): Expression => ({
        kind: 'binary',
        operator,
        left,
        right,
        column,
      }),
    )
  const amounts = tie('amount')
  const truths = tie('truth')
  return {
    amount: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      number,
      name.map((text): Expression => ({ kind: 'figure', name: text, column })),
      binary(['+', '-', '*', '/'], amounts),
      amounts.map((operand): Expression => ({ kind: 'unary', operator: '-', operand, column })),
      fc
        .tuple(
          fc.constantFrom('min' as const, 'max' as const),
          fc.array(amounts, { minLength: 1, maxLength: 3 }),
        )
        .map(([name, parameters]): Expression => ({ kind: 'call', name, parameters, column })),
      amounts.map((one): Expression => ({ kind: 'call', name: 'abs', parameters: [one], column })),
    ),
    truth: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      binary(['<', '<=', '>', '>=', '==', '!='], amounts),
      binary(['and', 'or'], truths),
      truths.map((operand): Expression => ({ kind: 'unary', operator: 'not', operand, column })),
    ),
  }
})

test('what is printed parses to the same expression', (t) => {
  fc.assert(
    fc.property(fc.oneof(amount, truth), (expression) => {
      const text = printExpression(expression)
      fc.pre(text.length <= EXPRESSION_CHARS_MAX)
      const again = parseExpression(text)
      // Only nesting may be refused; the generator goes deeper than a person.
      fc.pre(!isProblem(again) || !again.problem.includes('nested'))
      t.deepEqual(isProblem(again) ? again : shape(again), shape(expression), text)
    }),
    { numRuns: 1_000 },
  )
})

test('no text makes the parser throw, and every complaint names a column of the text', (t) => {
  const alphabet = fc.constantFrom(
    'a',
    '.',
    '-',
    '1',
    'ms',
    '%',
    '<',
    '=',
    '(',
    ')',
    ' ',
    'and',
    'not',
    'min(',
    ',',
    'é',
  )
  const texts = fc.oneof(
    fc.string(),
    fc.array(alphabet, { maxLength: 40 }).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const expression = parseExpression(text)
      const problems = isProblem(expression) ? [expression] : checkCriterion(expression)
      for (const problem of problems) {
        t.true(problem.column >= 1 && problem.column <= text.length + 1, text)
        t.not(problem.problem, '')
      }
    }),
    { numRuns: 2_000 },
  )
})

test('a criterion agrees with the same comparison in JavaScript', (t) => {
  const figures = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: -9, max: 9 }), {
    minKeys: 3,
  })
  fc.assert(
    fc.property(figures, ({ a = 0, b = 0, c = 0 }) => {
      const expected = a - b * 2 < c && !(b >= 0 || Math.max(a, b, c) === 3)
      const text = 'a - b * 2 < c and not (b >= 0 or max(a, b, c) == 3)'
      t.is(verdict(text, { a, b, c }), expected ? 'pass' : 'fail')
    }),
  )
})

test('operators bind as people expect', (t) => {
  t.is(verdict('2 + 3 * 4 == 14 and 10 - 4 - 3 == 3 and 24 / 4 / 2 == 3'), 'pass')
  t.is(verdict('not 1 > 2 and 1 < 2'), 'pass')
  t.is(verdict('1 > 2 and 1 > 2 or 1 < 2'), 'pass')
  t.is(verdict('-2 * -3 == 6 and abs(-4) == 4 and -(1 + 1) == -2'), 'pass')
})

test('units are converted to those of the figure', (t) => {
  const figures = {
    'latency.audio.p99Ms': 11.9,
    'loss.audio.ratio': 0.0009,
    'process.core.cpuSeconds': 30,
    'core.bytesPerReceiver': 149_000,
    'core.receiverBytes': 149_000,
    'link.thin.down.bitrateBps': 500_000,
    'process.core.residentSlopeBytesPerS': 200,
    'process.core.residentSlopeBytesPerHour': 720_000,
    'joins.perS': 210,
    joinMsMax: 900,
  }
  const passes = [
    'latency.audio.p99Ms < 12ms and latency.audio.p99Ms < 0.012s and latency.audio.p99Ms > 11800us',
    'loss.audio.ratio < 0.1%',
    'process.core.cpuSeconds == 0.5m',
    'core.receiverBytes < 150KB and core.receiverBytes > 145KiB',
    'core.bytesPerReceiver < 150k',
    'link.thin.down.bitrateBps <= 512kbps and link.thin.down.bitrateBps > 85% * 512kbps',
    'process.core.residentSlopeBytesPerS < 1MB / 1h',
    'abs(process.core.residentSlopeBytesPerHour - process.core.residentSlopeBytesPerS) < 1B / 1h',
    'joins.perS >= 200',
    'joinMsMax < 1s',
    'latency.audio.p99Ms > 0',
  ]
  for (const text of passes) {
    t.deepEqual(checkCriterion(parsed(text)), [], text)
    t.is(verdict(text, figures), 'pass', text)
  }
})

test('a figure that was not measured makes a criterion unknown, even where the rest would decide', (t) => {
  const text = 'a < 1 or latency.audio.p99Ms < 12ms'
  const figures = { a: 0, 'latency.audio.p99Ms': Number.NaN }
  for (const measured of [{ a: 0 }, figures]) {
    const rows = judge([{ text, expression: parsed(text) }], { figures: measured, valid: true })
    t.deepEqual(rows, [
      { text, verdict: 'unknown', measured: { a: 0, 'latency.audio.p99Ms': null } },
    ])
  }
  t.is(verdict('toString > 0'), 'unknown')
})

test('a division by nothing is no answer', (t) => {
  t.is(verdict('a / b < 1 or 1 == 1', { a: 1, b: 0 }), 'unknown')
})

test('a void run has no other verdict', (t) => {
  const criteria = ['a == 1', 'a == 2', 'b == 1'].map((text) => ({
    text,
    expression: parsed(text),
  }))
  const rows = judge(criteria, { figures: { a: 1 }, valid: false })
  t.deepEqual(
    rows.map(({ verdict }) => verdict),
    ['void', 'void', 'void'],
  )
})

test('every mistake names its column', (t) => {
  const wrong: [string, number, RegExp][] = [
    ['', 1, /the end where a number, a figure or \( was expected/],
    ['a <', 4, /the end where/],
    ['a < 12parsecs', 7, /no such unit: parsecs; allowed: us ms/],
    ['a < 1 < 2', 7, /do not chain/],
    ['a < (b) < c', 9, /do not chain/],
    ['(a < 1', 7, /the end where \)/],
    ['a < 1)', 6, /"\)" where an operator/],
    ['a = 1', 3, /"=" means nothing/],
    ['sum(a) < 1', 1, /no such function: sum; allowed: min, max, abs/],
    ['abs(a, b) < 1', 1, /abs\(\) takes one/],
    ['1 + not a', 5, /"not" where parentheses/],
    ['latency.audio.p99Ms', 1, /true or false in the end/],
    ['latency.audio.p99Ms < 12', 21, /a time \(such as 12ms\) meets a plain number/],
    ['1ms < 2KB', 5, /a time .* meets a size/],
    ['a < 1 and b', 11, /this is a number/],
    ['(a < 1) + 2 > 1', 4, /true or false where a number/],
    ['not a', 5, /this is a number/],
    ['min(1ms, 2B) < 3ms', 1, /meets/],
    ['process.core.residentSlopeBytesPerS < 1MB', 37, /bytes over time .* meets a size/],
  ]
  for (const [text, column, problem] of wrong) {
    const found = problemOf(text)
    t.is(found.column, column, text)
    t.regex(found.problem, problem, text)
  }
})

test('text and nesting have a bound', (t) => {
  t.regex(problemOf(`${'a'.repeat(EXPRESSION_CHARS_MAX)} < 1`).problem, /characters; allowed: 1000/)
  const nested = (levels: number) => `${'('.repeat(levels)}a${')'.repeat(levels)} < 1`
  t.is(verdict(nested(EXPRESSION_DEPTH_MAX - 1), { a: 0 }), 'pass')
  t.regex(problemOf(nested(EXPRESSION_DEPTH_MAX)).problem, /nested too deeply; allowed: 32/)
})

test('figures are told once each, in the order of the text', (t) => {
  t.deepEqual(figuresOf(parsed('b < 1 and max(a, b, c) > -a')), ['b', 'a', 'c'])
})
