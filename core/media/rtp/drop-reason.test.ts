import test from 'ava'
import { createDropCounters, DROP_CODE, DROP_REASONS } from './index.ts'

test('every reason has one code, which is its place in the counters', (t) => {
  t.is(new Set(DROP_REASONS).size, DROP_REASONS.length)
  t.is(DROP_CODE.none, 0)
  t.is(createDropCounters().length, DROP_REASONS.length)
  for (const [index, reason] of DROP_REASONS.entries()) t.is(DROP_CODE[reason], index)
})
