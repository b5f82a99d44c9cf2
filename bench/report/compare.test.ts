import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { COMPARE_RUNS_MAX } from '../../config/limits.ts'
import { apartByChance, compareRuns } from './compare.ts'
import { comparisonText } from './compare-text.ts'
import { compareCommand, type RunReport, writeRunReport } from './index.ts'
import { sampleReport } from './test/sample-report.ts'

/** A small report with one figure of interest. */
function withFigure(value: number, change: Partial<RunReport> = {}): RunReport {
  const report = sampleReport({ sites: 6, seconds: 5 })
  return { ...report, commit: { hash: 'abc', dirty: false }, figures: { x: value }, ...change }
}

const verdictOf = (a: number[], b: number[]): string | undefined =>
  compareRuns({ a: a.map((x) => withFigure(x)), b: b.map((x) => withFigure(x)) }).rows[0]?.verdict

test('one run of each side cannot tell noise from difference, and says so', (t) => {
  const comparison = compareRuns({ a: [withFigure(1)], b: [withFigure(2)] })
  t.is(comparison.rows[0]?.verdict, 'unknown')
  t.is(comparison.rows[0]?.ratio, 2)
  t.regex(comparison.noise.en, /cannot tell.*A 0\.14, B 0\.14/)
  t.regex(comparison.noise.vi, /không thể phân biệt/)
})

test('with repeats a figure differs only beyond the spread within both sides', (t) => {
  t.is(verdictOf([100, 102], [120, 121]), 'differs')
  t.is(verdictOf([100, 130], [120, 121]), 'noise')
  t.is(verdictOf([100, 110], [111, 121]), 'differs')
  t.is(verdictOf([100, 119], [120, 121]), 'noise')
  t.is(verdictOf([100, 100], [100, 100.05]), 'same')
  t.is(verdictOf([0, 0], [0, 0]), 'same')
})

test('how often ranges lie apart by chance is counted, not guessed', (t) => {
  t.is(apartByChance(2, 2), 33)
  t.is(apartByChance(3, 3), 10)
  t.is(apartByChance(4, 4), 3)
})

test('a figure of one side only is no ratio', (t) => {
  const other = withFigure(1)
  const { rows } = compareRuns({ a: [withFigure(1)], b: [{ ...other, figures: { y: 3 } }] })
  t.deepEqual(
    rows.map(({ name, ratio, verdict }) => [name, ratio, verdict]),
    [
      ['x', null, 'unknown'],
      ['y', null, 'unknown'],
    ],
  )
})

const base = withFigure(1)
const differences: [what: RegExp, change: Partial<RunReport>][] = [
  [/Scenarios differ/, { scenario: { ...base.scenario, name: 'other' } }],
  [/files of the scenario differ/, { scenario: { ...base.scenario, yaml: 'seed: 8' } }],
  [/Seeds differ: 7 \| 8/, { scenario: { ...base.scenario, seed: 8 } }],
  [/Machines differ/, { machine: { ...base.machine, cores: 4 } }],
  [/Versions of Node differ/, { machine: { ...base.machine, node: 'v26' } }],
  [/Other programs took 0\.14\.\.1\.00 cores/, { machine: { ...base.machine, othersCores: 1 } }],
  [/B ran a source tree with changes/, { commit: { hash: 'abc', dirty: true } }],
  [/1 of 1 runs of B are void/, { validity: { valid: false, reasons: [] } }],
  [/1 of 1 runs of B are void/, { ended: 'interrupted' }],
]
for (const [index, [what, change]] of differences.entries())
  test(`compare warns (${index + 1}): ${what.source}`, (t) => {
    const { warnings } = compareRuns({ a: [base], b: [withFigure(1, change)] })
    t.is(warnings.length, 1)
    t.regex(warnings[0]?.en ?? '', what)
  })

test('two runs that were made alike get no warning; a side of two commits gets one', (t) => {
  t.deepEqual(compareRuns({ a: [base], b: [withFigure(2)] }).warnings, [])
  const mixed = withFigure(1, { commit: { hash: 'def', dirty: false } })
  const { warnings } = compareRuns({ a: [base, mixed], b: [base, base] })
  t.regex(warnings[0]?.en ?? '', /A mixes 2 commits/)
})

test('the text has the figures side by side, and the verdicts of every run', (t) => {
  const sides = { a: [withFigure(100), withFigure(102)], b: [withFigure(130), withFigure(131)] }
  const text = comparisonText(compareRuns(sides), sides)
  t.regex(text, /^x +101 +130\.5 +x1\.292 +2 +1 +DIFFERS$/m)
  t.regex(text, /^latency\.audio\.p99Ms < 400 +pass pass +pass pass$/m)
  t.regex(text, /33 of 100 figures/)
})

function twoFolders(t: ExecutionContext): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-compare-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return [1, 2].map((value) => {
    writeRunReport(join(folder, String(value)), withFigure(value))
    return join(folder, String(value))
  })
}

test.serial('the command takes files, folders, and folders of runs; and writes a page', (t) => {
  const [a = '', b = ''] = twoFolders(t)
  const page = join(a, 'ab.html')
  t.is(compareCommand([a, join(b, 'report.json'), '--html', page]), 0)
  t.regex(readFileSync(page, 'utf8'), /"comparison":\{"labels":\["A","B"\]/)
  // A folder of both runs against itself: two runs of each side.
  t.is(compareCommand([join(a, '..'), join(a, '..')]), 0)
})

test.serial('the command ends with 2 for what it cannot read or write', (t) => {
  const [a = '', b = ''] = twoFolders(t)
  writeFileSync(join(b, 'report.json'), '{}')
  t.is(compareCommand([a, b]), 2)
  t.is(compareCommand([a, '/nowhere']), 2)
  t.is(compareCommand([a]), 2)
  t.is(compareCommand([a, a, a]), 2)
  t.is(compareCommand([a, a, '--htlm', 'x']), 2)
  t.is(compareCommand([a, a, '--html', '/nowhere/x.html']), 2)
  t.is(compareCommand(Array(COMPARE_RUNS_MAX + 2).fill(a)), 2)
})
