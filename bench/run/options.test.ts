import test from 'ava'
import { parseRunOptions, type RunUsageError } from './options.ts'

test('options and the scenario are read', (t) => {
  t.deepEqual(parseRunOptions(['hello', '--seed', '7', '--repeat', '3', '--out', 'x']), {
    scenario: 'hello',
    seed: 7,
    durationS: undefined,
    repeat: 3,
    outFolder: 'x',
    against: undefined,
  })
})

for (const [args, complaint] of [
  [[], /one scenario.*none/],
  [['a', 'b'], /one scenario.*a b/],
  [['a', '--seed', '-1e3'], /seed/],
  [['a', '--seed', 'x'], /--seed x; allowed: 0 to 4294967295/],
  [['a', '--repeat', '0'], /--repeat 0; allowed: 1 to 100/],
  [['a', '--repeat', '101'], /--repeat 101/],
  [['a', '--out', ''], /--out is empty/],
  [['a', '--nonsense'], /nonsense/],
] as const)
  test(`wrong use is told: ${args.join(' ') || 'nothing'}`, (t) => {
    const error = t.throws(() => parseRunOptions(args), { message: complaint })
    t.true((error as unknown as RunUsageError).code.startsWith('ERR_PARSE_ARGS'))
  })
