import test from 'ava'
import { exitCodeOf, type Outcome, verdictText, worstExitCode } from './verdict.ts'

const outcome = (rest: Partial<Outcome> = {}): Outcome => ({
  ended: 'completed',
  validity: { valid: true, reasons: [] },
  criteria: [{ text: 'sites.joined == 10', verdict: 'pass', measured: { 'sites.joined': 10 } }],
  ...rest,
})

const failing = outcome().criteria.map((row) => ({ ...row, verdict: 'fail' as const }))
const unknown = outcome().criteria.map((row) => ({ ...row, verdict: 'unknown' as const }))
const invalid = { valid: false, reasons: ['the load was late'] }

test('0 is all passed, 1 one did not, 3 void, 130 interrupted', (t) => {
  t.is(exitCodeOf(outcome()), 0)
  t.is(exitCodeOf(outcome({ criteria: failing })), 1)
  t.is(exitCodeOf(outcome({ criteria: unknown })), 1)
  t.is(exitCodeOf(outcome({ ended: 'failed' })), 1)
  t.is(exitCodeOf(outcome({ validity: invalid, criteria: failing })), 3)
  t.is(exitCodeOf(outcome({ ended: 'interrupted', validity: invalid })), 130)
})

test('of several runs a failure is told before a void one, an interruption first', (t) => {
  t.is(worstExitCode([0, 0]), 0)
  t.is(worstExitCode([0, 3, 0]), 3)
  t.is(worstExitCode([3, 1, 0]), 1)
  t.is(worstExitCode([1, 130]), 130)
})

test('each criterion stands with what was measured, and a void run with why', (t) => {
  t.is(verdictText(outcome()), '✔ sites.joined == 10   (sites.joined 10)\n1 of 1 criteria passed')
  const text = verdictText(outcome({ validity: invalid, criteria: failing }))
  t.true(text.includes('the load was late'))
  const measured = { 'sites.joined': null }
  const blank = verdictText(outcome({ criteria: unknown.map((row) => ({ ...row, measured })) }))
  t.true(blank.includes('sites.joined not measured'))
})
