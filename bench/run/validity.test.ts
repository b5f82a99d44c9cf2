import test from 'ava'
import { judgeValidity, type ValidityFacts } from './validity.ts'

const facts = (rest: Partial<ValidityFacts> = {}): ValidityFacts => ({
  shares: { othersCores: 0.1, stealCores: 0.05 },
  loads: [{ valid: true, reasons: [] }],
  lines: new Map([['thin', { lateP99Ms: 1, emulatorFull: 0 }]]),
  lost: [],
  ...rest,
})

test('a quiet machine, a quick load and lines in time make a run valid', (t) => {
  t.deepEqual(judgeValidity(facts()), { valid: true, reasons: [] })
})

const VOID: [string, Partial<ValidityFacts>, RegExp][] = [
  [
    'other processes',
    { shares: { othersCores: 0.2, stealCores: 0 } },
    /other processes took 0\.20/,
  ],
  ['the host', { shares: { othersCores: 0, stealCores: 0.2 } }, /host took 0\.20/],
  ['a slow load', { loads: [{ valid: false, reasons: ['late'] }] }, /^late$/],
  ['a lost load', { lost: ['load was ended'] }, /load was ended/],
  [
    'a late line',
    { lines: new Map([['thin', { lateP99Ms: 40, emulatorFull: 0 }]]) },
    /thin was itself late/,
  ],
  [
    'a full emulator',
    { lines: new Map([['thin', { lateP99Ms: 1, emulatorFull: 3 }]]) },
    /dropped 3 packets/,
  ],
]

for (const [what, rest, reason] of VOID)
  test(`${what} makes it void, and it says so`, (t) => {
    const { valid, reasons } = judgeValidity(facts(rest))
    t.false(valid)
    t.regex(reasons.join('\n'), reason)
  })

test('a scenario may allow others more', (t) => {
  const shares = { othersCores: 1, stealCores: 0.3 }
  t.true(judgeValidity(facts({ shares, othersCoresMax: 2 })).valid)
})
