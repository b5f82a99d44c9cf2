import test from 'ava'
import fc from 'fast-check'
import {
  TRUNK_ESTIMATE_MAX_BPS,
  TRUNK_ESTIMATE_MIN_BPS,
  TRUNK_ESTIMATE_START_BPS,
} from '../../config/limits.ts'
import { createTrunkEstimator } from './index.ts'

const SPACING_MS = 20
const RTT_MS = 60

/** Datagrams of 500 bytes every 20 ms, told of ten at a time; `isLost` by place. */
function feed(isLost: (place: number) => boolean, count: number, firstSequence = 0) {
  const estimator = createTrunkEstimator(0)
  for (let place = 0; place < count; place += 1) {
    const nowMs = place * SPACING_MS
    estimator.onSent(firstSequence + place, 500, nowMs)
    if (place % 10 !== 9) continue
    for (let told = place - 9; told <= place; told += 1) {
      if (isLost(told)) estimator.onLost(firstSequence + told)
      else estimator.onArrived(firstSequence + told, told * SPACING_MS + 7_000)
    }
    estimator.onFeedbackEnd(0, nowMs + RTT_MS)
  }
  return estimator
}

test('it begins at the documented rate, and says nothing of a path that it does not know', (t) => {
  const estimator = createTrunkEstimator(0)
  t.is(estimator.availableBps(0), TRUNK_ESTIMATE_START_BPS)
  t.is(estimator.probeBytes(0), 0)
  const { lossRatio, lossBaseline, lossBurst, queueDelayMs, competing } = estimator.state()
  t.deepEqual([lossRatio, lossBaseline, lossBurst, queueDelayMs], [0, 0, 1, 0])
  t.false(competing)
})

test('loss and its runs are told: pairs of every twenty are a tenth in runs of two', (t) => {
  const { lossRatio, lossBurst } = feed((place) => place % 20 < 2, 1_000).state()
  t.true(Math.abs(lossRatio - 0.1) < 0.03, `${lossRatio}`)
  t.true(Math.abs(lossBurst - 2) < 0.05, `${lossBurst}`)
})

test('the time that the far end kept a feedback is no round trip', (t) => {
  const estimator = createTrunkEstimator(0)
  for (let place = 0; place < 200; place += 1) {
    estimator.onSent(place, 500, place * 100)
    estimator.onArrived(place, place * 100)
    estimator.onFeedbackEnd(40, place * 100 + 90)
  }
  t.true(Math.abs(estimator.state().rttMs - 50) < 2, `${estimator.state().rttMs}`)
})

for (const wrap of [2 ** 16, 2 ** 31, 2 ** 32, 2 ** 47]) {
  test(`nothing happens where sequences pass ${wrap}`, (t) => {
    const plain = feed(() => false, 1_000)
    const wrapped = feed(() => false, 1_000, wrap - 500)
    t.is(wrapped.availableBps(20_000), plain.availableBps(20_000))
    t.deepEqual(wrapped.state(), plain.state())
  })
}

test('only the first fate of a datagram counts', (t) => {
  const once = feed(() => false, 500)
  const before = once.availableBps(10_000)
  for (let told = 0; told < 500; told += 1) once.onLost(told)
  once.onFeedbackEnd(0, 10_060)
  t.is(once.state().lossRatio, 0)
  t.true(once.availableBps(10_060) >= before)
})

test('whatever a far end says, the estimate stays within its bounds', (t) => {
  const absurd = fc.oneof(
    fc.double(),
    fc.integer({ min: -5_000, max: 50_000 }),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1e308, 1e308, 2 ** 53),
  )
  const step = fc.record({
    lost: fc.boolean(),
    skew: fc.integer({ min: -20, max: 20 }),
    arrivedMs: absurd,
    heldMs: absurd,
    elapsedMs: fc.integer({ min: 0, max: 4_000 }),
    sizeBytes: fc.integer({ min: 0, max: 1_500 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const estimator = createTrunkEstimator(0)
      let nowMs = 0
      steps.forEach(({ lost, skew, arrivedMs, heldMs, elapsedMs, sizeBytes }, sequence) => {
        nowMs += elapsedMs
        estimator.onSent(sequence, sizeBytes, nowMs)
        if (lost) estimator.onLost(Math.max(0, sequence + skew))
        else estimator.onArrived(Math.max(0, sequence + skew), arrivedMs)
        estimator.onFeedbackEnd(heldMs, nowMs)
        estimator.onDemand(1e5, 1e6, nowMs)
        const availableBps = estimator.availableBps(nowMs)
        t.true(availableBps >= TRUNK_ESTIMATE_MIN_BPS && availableBps <= TRUNK_ESTIMATE_MAX_BPS)
        t.true(Number.isFinite(estimator.probeBytes(nowMs)))
        t.true(Object.values(estimator.state()).every((value) => !Number.isNaN(Number(value))))
      })
    }),
    { numRuns: 300, seed: 7 },
  )
})
