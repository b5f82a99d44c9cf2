import test from 'ava'
import fc from 'fast-check'
import { NACK_GAP_MAX, NACK_SPAN_MAX, NACK_TRIES_MAX } from '../../../config/limits.ts'
import { NackGenerator } from './nack-generator.ts'

const out = new Uint16Array(256)

function collect(nacks: NackGenerator, nowMs: number): number[] {
  return [...out.subarray(0, nacks.collect(nowMs, out))]
}

test('the first request waits for reordering and goes over the wrap', (t) => {
  const nacks = new NackGenerator()
  t.is(nacks.nextDeadlineMs(), Infinity)
  t.true(nacks.onGap(0x1fffe, 0x20001, 1_000))
  t.is(nacks.nextDeadlineMs(), 1_010)
  t.deepEqual(collect(nacks, 1_009), [])
  nacks.onReceived(0x1ffff, 1_005)
  t.deepEqual(collect(nacks, 1_010), [65_534, 0, 1])
  t.is(nacks.requestedCount, 3)
  t.is(nacks.recoveredCount, 0)
})

test('requests that fall due one after another are gathered', (t) => {
  const nacks = new NackGenerator()
  for (let sequence = 0; sequence < 8; sequence += 2) nacks.onGap(sequence, sequence, sequence / 2)
  t.deepEqual(collect(nacks, 10), [0])
  t.is(nacks.nextDeadlineMs(), 15)
  t.deepEqual(collect(nacks, 15), [2, 4, 6])
})

test('what merely came late is never requested', (t) => {
  const nacks = new NackGenerator()
  nacks.onGap(5, 5, 0)
  nacks.onReceived(5, 3)
  t.is(nacks.nextDeadlineMs(), Infinity)
  t.deepEqual(collect(nacks, 1_000), [])
  t.is(nacks.rttMs, 0)
})

test('repetitions follow the measured round trip, with growing patience', (t) => {
  const times = (rttMs: number) => {
    const nacks = new NackGenerator()
    nacks.setRttMs(rttMs)
    nacks.onGap(9, 9, 0)
    const sent: number[] = []
    for (let deadline = nacks.nextDeadlineMs(); deadline < Infinity; ) {
      if (collect(nacks, deadline).length > 0) sent.push(deadline)
      deadline = nacks.nextDeadlineMs()
    }
    return sent
  }
  t.deepEqual(times(40).slice(0, 3).map(Math.round), [10, 60, 123])
  t.deepEqual(times(4).slice(0, 3).map(Math.round), [10, 30, 50])
  t.true(times(400)[1]! >= 500)
})

test('tries are bounded, and age ends them sooner where the round trip is long', (t) => {
  const count = (rttMs: number) => {
    const nacks = new NackGenerator()
    nacks.setRttMs(rttMs)
    nacks.onGap(9, 9, 0)
    for (let deadline = 0; deadline < Infinity; deadline = nacks.nextDeadlineMs()) {
      collect(nacks, deadline)
    }
    t.is(nacks.pendingCount, 0)
    t.is(nacks.givenUpCount, 1)
    return nacks.requestedCount
  }
  t.is(count(1), NACK_TRIES_MAX)
  t.true(count(200) < NACK_TRIES_MAX)
  t.true(count(2_000) >= 2)
})

test('an answer to the first request measures the round trip; later answers are ambiguous', (t) => {
  const nacks = new NackGenerator()
  nacks.onGap(1, 2, 0)
  collect(nacks, 10)
  nacks.onReceived(1, 90)
  t.is(nacks.rttMs, 80)
  collect(nacks, nacks.nextDeadlineMs())
  nacks.onReceived(2, 5_000)
  t.is(nacks.rttMs, 80)
  t.is(nacks.recoveredCount, 2)
  t.is(nacks.nextDeadlineMs(), Infinity)
})

test('a gap beyond the limit is given up at once with all the rest', (t) => {
  const nacks = new NackGenerator()
  nacks.onGap(1, 3, 0)
  t.true(nacks.onGap(10, 10 + NACK_GAP_MAX - 1, 0))
  t.false(nacks.onGap(1_000, 1_000 + NACK_GAP_MAX, 0))
  t.is(nacks.pendingCount, 0)
  t.is(nacks.nextDeadlineMs(), Infinity)
})

test('the list never grows beyond its span: the oldest go first', (t) => {
  const nacks = new NackGenerator()
  for (let index = 0; index < 3_000; index++) nacks.onGap(65_000 + index * 2, 65_000 + index * 2, 0)
  t.is(nacks.pendingCount, NACK_SPAN_MAX / 2)
  t.is(nacks.givenUpCount, 3_000 - NACK_SPAN_MAX / 2)
  const requested = collect(nacks, 10)
  t.is(requested.length, out.length)
  t.is(requested[0], (65_000 + 2 * 3_000 - NACK_SPAN_MAX) & 0xffff)
  t.is(nacks.nextDeadlineMs(), 15, 'what did not fit goes next')
  t.is(collect(nacks, 15).length, 256)
  nacks.onGap(1_000_000, 1_000_000, 10)
  t.is(nacks.pendingCount, 1)
})

test('whatever is lost and comes back: no number twice in one request, none that is here', (t) => {
  const events = fc.array(
    fc.record({ gap: fc.integer({ min: 0, max: 30 }), elapsedMs: fc.nat(60), back: fc.nat(40) }),
    { maxLength: 200 },
  )
  fc.assert(
    fc.property(fc.integer({ min: 65_000, max: 70_000 }), events, (first, list) => {
      const nacks = new NackGenerator()
      const missing = new Set<number>()
      let next = first
      let nowMs = 0
      for (const { gap, elapsedMs, back } of list) {
        nowMs += elapsedMs
        if (gap > 0) nacks.onGap(next, next + gap - 1, nowMs)
        for (let sequence = next; sequence < next + gap; sequence++) missing.add(sequence)
        next += gap + 1
        nacks.onReceived(next - back, nowMs)
        missing.delete(next - back)
        const requested = collect(nacks, nowMs)
        t.is(new Set(requested).size, requested.length)
        const allowed = new Set([...missing].map((sequence) => sequence & 0xffff))
        t.true(requested.every((number) => allowed.has(number)))
        t.is(nacks.pendingCount === 0, nacks.nextDeadlineMs() === Infinity)
      }
      t.true(nacks.pendingCount <= missing.size)
    }),
    { numRuns: 200 },
  )
})
