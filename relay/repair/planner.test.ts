import test from 'ava'
import fc from 'fast-check'
import { planRepair, type RepairFacts, RepairPlanner } from './index.ts'

const FACTS: RepairFacts = {
  lossRatio: 0.05,
  lossBurst: 2.5,
  rttMs: 600,
  rateBps: 256_000,
  audioBps: 24_000,
  datagramsPerS: 75,
}

test('a short path is asked again, a long one gets redundancy', (t) => {
  const short = planRepair({ ...FACTS, rttMs: 149, lossRatio: 0.02 })
  t.is(short.nack, 'all')
  t.deepEqual(short.audioDistances, [])
  t.is(short.parityEvery, 0)
  const long = planRepair({ ...FACTS, rttMs: 150, lossRatio: 0.02 })
  t.is(long.nack, 'base')
  t.true(long.audioDistances.length > 0)
  t.true(long.parityEvery > 0)
})

test('copies lie further apart the longer the bursts are', (t) => {
  const last = (lossBurst: number) =>
    planRepair({ ...FACTS, lossRatio: 0.03, lossBurst }).audioDistances
  t.deepEqual(last(1), [1])
  t.true(last(2.5).at(-1)! > last(1.5).at(-1)!)
  t.true(last(2.5)[0]! > 2)
})

test('copies never take more of the link than their share', (t) => {
  t.is(planRepair({ ...FACTS, lossRatio: 0.1, rateBps: 256_000 }).audioDistances.length, 2)
  t.is(planRepair({ ...FACTS, lossRatio: 0.1, rateBps: 75_000 }).audioDistances.length, 1)
  const none = planRepair({ ...FACTS, lossRatio: 0.1, rateBps: 50_000 })
  t.is(none.audioDistances.length, 0)
  t.true(none.isParityForAudio)
})

test('thin links merge packets, and the hold grows by what merging takes', (t) => {
  const clean = { ...FACTS, lossRatio: 0 }
  const merge = (rateBps: number) => planRepair({ ...clean, rateBps })
  t.is(merge(64_000).audioMerge, 3)
  t.is(merge(64_000).audioHoldMs, 40)
  t.is(merge(128_000).audioMerge, 2)
  t.is(merge(512_000).audioMerge, 1)
  t.is(merge(512_000).audioHoldMs, 0)
})

test('more loss never means less parity, and every plan stays within its bounds', (t) => {
  const facts = fc.record({
    lossRatio: fc.double({ min: 0, max: 1, noNaN: true }),
    lossBurst: fc.double({ min: 1, max: 50, noNaN: true }),
    rttMs: fc.double({ min: 0, max: 5_000, noNaN: true }),
    rateBps: fc.double({ min: 0, max: 1e9, noNaN: true }),
    audioBps: fc.double({ min: 0, max: 1e7, noNaN: true }),
    datagramsPerS: fc.double({ min: 0, max: 1e4, noNaN: true }),
  })
  fc.assert(
    fc.property(facts, (given) => {
      const plan = planRepair(given)
      t.true(plan.audioDistances.length <= 2)
      t.true(plan.audioDistances.every((distance) => distance >= 1 && distance <= 10))
      t.true(plan.audioHoldMs >= 0 && plan.audioHoldMs <= 270)
      t.true(plan.videoHoldMs >= 0 && plan.videoHoldMs <= 800)
      t.true(plan.parityEvery === 0 || (plan.parityEvery >= 2 && plan.parityWindow >= 8))
      const worse = planRepair({ ...given, lossRatio: Math.min(1, given.lossRatio * 2) })
      if (plan.parityEvery > 0) t.true(worse.parityEvery <= plan.parityEvery)
    }),
    { numRuns: 1_000 },
  )
})

test('what becomes worse counts at once, what becomes better after 15 to 30 seconds', (t) => {
  const planner = new RepairPlanner()
  const clean = { ...FACTS, lossRatio: 0, lossBurst: 1 }
  let nowMs = 0
  const during = (facts: RepairFacts, seconds: number) => {
    const plans = new Set<unknown>()
    for (const endMs = nowMs + seconds * 1_000; nowMs < endMs; nowMs += 1_000) {
      plans.add(planner.update(facts, nowMs))
    }
    return plans.size
  }
  during(clean, 40)
  t.is(planner.plan.parityEvery, 0)
  during({ ...FACTS, lossRatio: 0.1 }, 1)
  t.is(planner.plan.parityEvery, 3)
  t.is(during(clean, 14), 1)
  t.is(planner.plan.parityEvery, 3)
  during(clean, 17)
  t.is(planner.plan.parityEvery, 0)
})

test('facts that swing by a tenth never change the plan', (t) => {
  const planner = new RepairPlanner()
  planner.update(FACTS, 0)
  const { plan } = planner
  for (let second = 1; second < 300; second++) {
    const swing = 1 + 0.1 * Math.sin(second)
    const facts = {
      ...FACTS,
      lossRatio: 0.05 * swing,
      rttMs: 600 * swing,
      rateBps: 256_000 / swing,
    }
    t.is(planner.update(facts, second * 1_000), plan)
  }
})
