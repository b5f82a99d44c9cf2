import test from 'ava'
import fc from 'fast-check'
import {
  SEQUENCE_DROPOUT_MAX,
  SEQUENCE_MISORDER_MAX,
  SEQUENCE_WINDOW,
} from '../../../config/limits.ts'
import {
  SequenceTracker,
  TRACK_DUPLICATE,
  TRACK_JUMP,
  TRACK_LATE,
  TRACK_NEXT,
  TRACK_PROBATION,
  TRACK_TOO_OLD,
} from './sequence-tracker.ts'

function trackAll(tracker: SequenceTracker, numbers: number[]): number[] {
  return numbers.map((number) => tracker.track(number & 0xffff))
}

test('a run over the wrap is in order and counts a cycle', (t) => {
  const tracker = new SequenceTracker()
  t.deepEqual(trackAll(tracker, [65_534, 65_535, 0, 1]), new Array(4).fill(TRACK_NEXT))
  t.is(tracker.sequence, 0x20001)
  t.is(tracker.extendedHighest, 0x10001)
  t.is(tracker.takeFractionLost(), 0)
  t.is(tracker.cumulativeLost, 0)
})

test('loss over the wrap is counted once, and late arrivals take it back', (t) => {
  const tracker = new SequenceTracker()
  trackAll(tracker, [65_533, 1])
  t.is(tracker.previousHighest, 0x10000 + 65_533)
  t.is(tracker.cumulativeLost, 3)
  t.is(tracker.takeFractionLost(), Math.floor((3 / 5) * 256))
  t.is(tracker.lossRatio, 3 / 5)
  t.deepEqual(trackAll(tracker, [65_535, 0, 65_534]), new Array(3).fill(TRACK_LATE))
  t.is(tracker.cumulativeLost, 0)
  t.is(tracker.takeFractionLost(), 0)
})

test('duplicates are told apart within the window, on both sides of the wrap', (t) => {
  const tracker = new SequenceTracker()
  trackAll(tracker, [65_535, 0, 2])
  t.deepEqual(trackAll(tracker, [65_535, 0, 2, 1, 1]), [
    TRACK_DUPLICATE,
    TRACK_DUPLICATE,
    TRACK_DUPLICATE,
    TRACK_LATE,
    TRACK_DUPLICATE,
  ])
  t.is(tracker.cumulativeLost, -4, 'RFC 3550 counts duplicates as received')
})

test('what was seen one window ago is not taken for a duplicate', (t) => {
  const tracker = new SequenceTracker()
  let number = 60_000
  tracker.track(number)
  for (let cycle = 0; cycle < 4; cycle++) {
    number += SEQUENCE_DROPOUT_MAX
    t.is(tracker.track(number & 0xffff), TRACK_NEXT)
    t.is(tracker.track((number - SEQUENCE_MISORDER_MAX) & 0xffff), TRACK_LATE)
    t.is(tracker.track((number - SEQUENCE_MISORDER_MAX) & 0xffff), TRACK_DUPLICATE)
  }
})

test('a jump counts only when the next number follows it', (t) => {
  for (const jump of [SEQUENCE_DROPOUT_MAX + 1, -SEQUENCE_MISORDER_MAX - 9, 32_768]) {
    const tracker = new SequenceTracker()
    trackAll(tracker, [65_530, 65_531])
    t.is(tracker.track((65_531 + jump) & 0xffff), TRACK_JUMP)
    t.is(tracker.track(65_532), TRACK_NEXT, 'the old run goes on')
    t.is(tracker.track((65_531 + jump + 1) & 0xffff), TRACK_JUMP, 'and forgets the jump')
    t.is(tracker.epoch, 1)
    t.is(tracker.track((65_531 + jump + 2) & 0xffff), TRACK_NEXT)
    t.is(tracker.epoch, 2)
    t.is(tracker.cumulativeLost, 0)
  }
})

test('a jump right to the wrap is confirmed by 0', (t) => {
  const tracker = new SequenceTracker()
  trackAll(tracker, [100, 101])
  t.deepEqual(trackAll(tracker, [65_535 - 2_000, 30_000]), [TRACK_JUMP, TRACK_JUMP])
  const other = new SequenceTracker()
  trackAll(other, [30_000, 30_001])
  t.deepEqual(trackAll(other, [65_535, 0]), [TRACK_JUMP, TRACK_NEXT])
  t.is(other.sequence, 0x10000)
})

test('a gap of exactly the limit is loss, not a restart', (t) => {
  const tracker = new SequenceTracker()
  tracker.track(65_000)
  t.is(tracker.track((65_000 + SEQUENCE_DROPOUT_MAX) & 0xffff), TRACK_NEXT)
  t.is(tracker.cumulativeLost, SEQUENCE_DROPOUT_MAX - 1)
})

test('on probation two in sequence are needed, over the wrap too', (t) => {
  const tracker = new SequenceTracker()
  tracker.restart(true)
  t.deepEqual(trackAll(tracker, [7, 65_535, 0, 1]), [
    TRACK_PROBATION,
    TRACK_PROBATION,
    TRACK_NEXT,
    TRACK_NEXT,
  ])
  t.is(tracker.epoch, 1)
  t.is(tracker.cumulativeLost, 0)
})

test('what is recovered is seen but not received', (t) => {
  const tracker = new SequenceTracker()
  t.is(tracker.recover(5), TRACK_TOO_OLD)
  trackAll(tracker, [65_534, 1])
  t.is(tracker.recover(65_535), TRACK_LATE)
  t.is(tracker.recover(65_535), TRACK_DUPLICATE)
  t.is(tracker.track(65_535), TRACK_DUPLICATE)
  t.is(tracker.cumulativeLost, 1)
  t.is(tracker.recover(2), TRACK_NEXT)
  t.is(tracker.recover((2 - SEQUENCE_WINDOW) & 0xffff), TRACK_TOO_OLD)
  t.is(tracker.recover((2 + SEQUENCE_DROPOUT_MAX + 1) & 0xffff), TRACK_TOO_OLD)
})

test('nothing is reported before the first packet', (t) => {
  const tracker = new SequenceTracker()
  t.is(tracker.takeFractionLost(), 0)
  t.is(tracker.cumulativeLost, 0)
  t.is(tracker.extendedHighest, 0)
})

test('any disorder within the window: each number once, loss as it really was', (t) => {
  const events = fc.array(
    fc.record({ advance: fc.integer({ min: 1, max: 20 }), back: fc.integer({ min: 0, max: 60 }) }),
    { minLength: 1, maxLength: 300 },
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 65_535 }), events, (first, list) => {
      const tracker = new SequenceTracker()
      const seen = new Set<number>()
      let highest = first
      let lowest = first
      let received = 0
      for (const [index, { advance, back }] of list.entries()) {
        const number = index === 0 ? first : highest + advance - back
        const placed = tracker.track(number & 0xffff)
        received += 1
        t.is(placed === TRACK_DUPLICATE, seen.has(number))
        t.is(placed === TRACK_NEXT, number > highest || index === 0)
        t.is(tracker.sequence & 0xffff, number & 0xffff)
        seen.add(number)
        highest = Math.max(highest, number)
        lowest = Math.min(lowest, number)
      }
      t.is(tracker.cumulativeLost, highest - lowest + 1 - received)
    }),
    { numRuns: 200 },
  )
})
