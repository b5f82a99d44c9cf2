import test from 'ava'
import fc from 'fast-check'
import { createRandom } from '../../bench/link/index.ts'
import { DUPLICATE_WINDOW, TRUNK_NACK_GAP_MAX, TRUNK_NACK_TRIES_MAX } from '../../config/limits.ts'
import { DuplicateFilter, LossMeter, NackTimer } from './index.ts'
import { createLoss } from './simulated-trunk.fixture.ts'

test('each sequence is accepted once, however often and late it comes', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -300, max: 300 }), { maxLength: 400 }), (steps) => {
      const filter = new DuplicateFilter()
      const seen = new Set<number>()
      let newest = 65_536
      for (const step of steps) {
        const sequence = newest + step
        newest = Math.max(newest, sequence)
        const accepted = filter.accept(sequence)
        if (accepted) t.false(seen.has(sequence))
        else t.true(seen.has(sequence) || sequence <= newest - DUPLICATE_WINDOW)
        seen.add(sequence)
      }
      t.pass()
    }),
  )
})

test('what is older than the window counts as seen, and a reset begins anew', (t) => {
  const filter = new DuplicateFilter()
  t.true(filter.accept(10_000))
  t.true(filter.accept(10_001 - DUPLICATE_WINDOW))
  t.false(filter.accept(10_000 - DUPLICATE_WINDOW))
  filter.reset()
  t.true(filter.accept(5))
})

test('loss and the length of its runs are measured within a tenth and a fifth', (t) => {
  for (const [ratio, kind] of [
    [0.05, 'gilbert'],
    [0.1, 'one-to-four'],
  ] as const) {
    const isLost = createLoss({ ratio, kind }, createRandom(11).next)
    const meter = new LossMeter()
    let lossRatio = 0
    let lossBurst = 0
    for (let place = 0; place < 40_000; place++) {
      meter.onDatagram(isLost())
      if (place < 10_000) continue
      lossRatio += meter.lossRatio / 30_000
      lossBurst += meter.lossBurst / 30_000
    }
    t.true(Math.abs(lossRatio - ratio) < ratio / 10, `${lossRatio}`)
    t.true(Math.abs(lossBurst - 2.5) < 0.5, `${lossBurst}`)
  }
})

test('a meter without losses says so, and single losses are runs of one', (t) => {
  const meter = new LossMeter()
  t.is(meter.lossRatio, 0)
  t.is(meter.lossBurst, 1)
  for (let place = 0; place < 1_000; place++) meter.onDatagram(place % 10 === 9)
  t.true(Math.abs(meter.lossRatio - 0.1) < 0.01)
  t.is(meter.lossBurst, 1)
})

function start(options = { rttMs: 100, holdMs: 400, isAsking: true }) {
  const timer = new NackTimer()
  timer.configure(options)
  const ranges = { first: new Float64Array(4), last: new Float64Array(4) }
  const collect = (nowMs: number) => {
    const count = timer.collect(nowMs, ranges)
    return Array.from({ length: count }, (_, place) => [ranges.first[place], ranges.last[place]])
  }
  return { timer, collect }
}

test('a gap is asked for after the reorder time, then each round trip with growing patience, then given up', (t) => {
  const { timer, collect } = start()
  timer.onDatagram(10, 0)
  timer.onDatagram(14, 1_000)
  t.is(timer.settledIndex, 10)
  t.is(timer.nextDeadlineMs(), 1_025)
  t.deepEqual(collect(1_024), [])
  t.deepEqual(collect(1_025), [[11, 13]])
  t.deepEqual(collect(1_149), [])
  t.is(timer.nextDeadlineMs(), 1_150)
  t.deepEqual(collect(1_150), [[11, 13]])
  t.is(timer.nextDeadlineMs(), 1_306.25)
  t.deepEqual(collect(1_307), [[11, 13]])
  t.is(timer.nextDeadlineMs(), 1_400)
  t.deepEqual(collect(1_400), [])
  t.is(timer.settledIndex, 14)
  t.is(timer.givenUpCount, 3)
  t.is(timer.nextDeadlineMs(), Number.POSITIVE_INFINITY)
})

test('what comes back, by itself or by parity, is not asked for', (t) => {
  const { timer, collect } = start()
  timer.onDatagram(1, 0)
  timer.onDatagram(6, 0)
  timer.onDatagram(3, 5)
  t.is(timer.settledIndex, 1)
  t.deepEqual(collect(25), [
    [2, 2],
    [4, 5],
  ])
  timer.onDatagram(2, 60)
  t.is(timer.settledIndex, 3)
  timer.onDatagram(4, 60)
  timer.onDatagram(5, 60)
  timer.onDatagram(5, 60)
  t.is(timer.settledIndex, 6)
  t.is(timer.returnedCount, 4)
  t.is(timer.nextDeadlineMs(), Number.POSITIVE_INFINITY)
})

test('more ranges than fit are asked for right afterwards', (t) => {
  const { timer, collect } = start()
  for (let index = 0; index <= 20; index += 2) timer.onDatagram(index, 0)
  t.is(collect(30).length, 4)
  t.is(timer.nextDeadlineMs(), 35)
  t.deepEqual(collect(35).flat(), [9, 9, 11, 11, 13, 13, 15, 15])
})

test('where nothing is asked for, gaps settle when the hold is over', (t) => {
  const { timer, collect } = start({ rttMs: 600, holdMs: 500, isAsking: false })
  timer.onDatagram(1, 0)
  timer.onDatagram(3, 0)
  t.is(timer.nextDeadlineMs(), 500)
  t.deepEqual(collect(499), [])
  t.is(timer.settledIndex, 1)
  t.deepEqual(collect(500), [])
  t.is(timer.settledIndex, 3)
})

test('an outage is settled at once, and tries have an end', (t) => {
  const { timer, collect } = start({ rttMs: 1, holdMs: 1_000, isAsking: true })
  timer.onDatagram(1, 0)
  timer.onDatagram(3, 0)
  timer.onDatagram(3 + TRUNK_NACK_GAP_MAX + 2, 0)
  t.is(timer.settledIndex, 3 + TRUNK_NACK_GAP_MAX + 2)
  timer.onDatagram(3 + TRUNK_NACK_GAP_MAX + 4, 0)
  let asked = 0
  for (let nowMs = 0; nowMs < 900; nowMs++) asked += collect(nowMs).length
  t.is(asked, TRUNK_NACK_TRIES_MAX)
})

test('settled never goes back, and in the end everything is', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -700, max: 700 }), { maxLength: 300 }), (steps) => {
      const { timer, collect } = start()
      let index = 2 ** 33
      let nowMs = 0
      let settled = -1
      for (const step of steps) {
        index = Math.max(0, index + (step > 40 ? 1 : step))
        nowMs += 7
        timer.onDatagram(index, nowMs)
        if (step > 690) index += 3_000
        for (const [first, last] of collect(nowMs)) t.true(first! <= last!)
        t.true(timer.settledIndex >= settled)
        settled = timer.settledIndex
      }
      for (let turn = 0; turn < 3; turn++) collect(nowMs + 1_000 * (turn + 1))
      t.is(timer.pendingCount, 0)
    }),
    { numRuns: 300 },
  )
})
