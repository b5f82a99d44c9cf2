import test from 'ava'
import fc from 'fast-check'
import { SequenceUnwrapper, sequenceDelta16, sequenceDelta32, TimestampUnwrapper } from './index.ts'

test('16-bit distances are short ways over the wrap', (t) => {
  t.is(sequenceDelta16(65_535, 0), 1)
  t.is(sequenceDelta16(0, 65_535), -1)
  t.is(sequenceDelta16(0, 32_767), 32_767)
  t.is(sequenceDelta16(0, 32_768), -32_768)
  t.is(sequenceDelta16(65_535, 32_766), 32_767)
  t.is(sequenceDelta16(5, 5), 0)
})

test('32-bit distances are short ways over the wrap', (t) => {
  t.is(sequenceDelta32(0xffff_ffff, 0), 1)
  t.is(sequenceDelta32(0, 0xffff_ffff), -1)
  t.is(sequenceDelta32(0, 0x7fff_ffff), 0x7fff_ffff)
  t.is(sequenceDelta32(0, 0x8000_0000), -0x8000_0000)
})

test('unwrapping goes on over the wrap and back over it', (t) => {
  const unwrapper = new SequenceUnwrapper()
  t.is(unwrapper.highest, -1)
  t.is(unwrapper.unwrap(65_534), 0x10000 + 65_534)
  t.is(unwrapper.unwrap(65_535), 0x10000 + 65_535)
  t.is(unwrapper.unwrap(1), 0x20001)
  t.is(unwrapper.unwrap(0), 0x20000)
  t.is(unwrapper.unwrap(65_533), 0x10000 + 65_533)
  t.is(unwrapper.highest, 0x20001)
  t.is(unwrapper.peek(2), 0x20002)
  t.is(unwrapper.highest, 0x20001)
})

test('what comes just before a first number of 0 is not negative', (t) => {
  const unwrapper = new SequenceUnwrapper()
  t.is(unwrapper.unwrap(0), 0x10000)
  t.is(unwrapper.unwrap(65_535), 0xffff)
  t.is(unwrapper.unwrap(1), 0x10001)
  unwrapper.reset()
  t.is(unwrapper.unwrap(7), 0x10007)
})

test('timestamps unwrap over 2^32 and back', (t) => {
  const unwrapper = new TimestampUnwrapper()
  t.is(unwrapper.unwrap(0xffff_ff00), 0x1_ffff_ff00)
  t.is(unwrapper.unwrap(0x100), 0x2_0000_0100)
  t.is(unwrapper.unwrap(0xffff_ffff), 0x1_ffff_ffff)
  t.is(unwrapper.highest, 0x2_0000_0100)
  unwrapper.reset()
  t.is(unwrapper.peek(5), 0x1_0000_0005)
})

test('any walk of steps below half a cycle unwraps to the same walk', (t) => {
  const steps = fc.array(fc.integer({ min: -32_000, max: 32_000 }), { maxLength: 200 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 65_535 }), steps, (first, walk) => {
      const unwrapper = new SequenceUnwrapper()
      let expected = unwrapper.unwrap(first)
      let highest = expected
      for (const step of walk) {
        expected = highest + step
        t.is(unwrapper.unwrap(expected & 0xffff), expected)
        highest = Math.max(highest, expected)
      }
    }),
  )
})

test('a million packets across fifteen wraps keep their low bits and never repeat', (t) => {
  const unwrapper = new SequenceUnwrapper()
  let previous = unwrapper.unwrap(65_000)
  let wrong = 0
  for (let index = 1; index < 1_000_000; index++) {
    const number = (65_000 + index) & 0xffff
    const unwrapped = unwrapper.unwrap(number)
    if (unwrapped !== previous + 1 || (unwrapped & 0xffff) !== number) wrong += 1
    previous = unwrapped
  }
  t.is(wrong, 0)
})
