import test from 'ava'
import fc from 'fast-check'
import { allocate } from './allocate.ts'
import type { AllocationSlot, LayerOffer } from './seam.ts'

const LAYERS: LayerOffer[] = [
  { bitrateBps: 150_000, heightPx: 180, temporalShare: [0.5, 0.7, 1, 1], temporalMax: 2 },
  { bitrateBps: 500_000, heightPx: 360, temporalShare: [0.5, 0.7, 1, 1], temporalMax: 2 },
  { bitrateBps: 1_700_000, heightPx: 720, temporalShare: [0.5, 0.7, 1, 1], temporalMax: 2 },
]

function slot(given: Partial<AllocationSlot>): AllocationSlot {
  return {
    use: 'tile',
    index: 0,
    heightPx: 180,
    screen: false,
    layers: LAYERS,
    spatial: -1,
    temporal: 0,
    spatialWanted: -1,
    lastChangeMs: 0,
    fitsSinceMs: 0,
    ...given,
  }
}

const main = (given: Partial<AllocationSlot> = {}) => slot({ use: 'main', heightPx: 720, ...given })

/** Repeats the same offer until hysteresis has let everything through. */
function settle(slots: AllocationSlot[], availableBps: number, fromMs = 1): number {
  let nowMs = fromMs
  for (; nowMs < fromMs + 10_000; nowMs += 100) allocate(slots, availableBps, nowMs)
  return nowMs
}

test('with room for all, each slot gets the layer that its size justifies', (t) => {
  const slots = [slot({ index: 0 }), main(), slot({ index: 1, heightPx: 400 })]
  settle(slots, 5_000_000)
  t.deepEqual(
    slots.map(({ spatial }) => spatial),
    [0, 2, 1],
  )
})

test('main keeps its picture when tiles no longer fit', (t) => {
  const slots = [main(), slot({ index: 0 }), slot({ index: 1 })]
  settle(slots, 170_000)
  t.deepEqual(
    slots.map(({ spatial }) => spatial),
    [0, -1, -1],
  )
})

test('base layers of all come before enhancement of main', (t) => {
  const slots = [main(), slot({ index: 0 }), slot({ index: 1 })]
  settle(slots, 560_000)
  t.true(slots.every(({ spatial }) => spatial >= 0))
})

test('a shortage lowers the frame rate of the base layer before it pauses', (t) => {
  const slots = [main()]
  settle(slots, 90_000)
  t.is(slots[0]?.spatial, 0)
  t.is(slots[0]?.temporal, 0)
  settle(slots, 60_000)
  t.is(slots[0]?.spatial, -1)
})

test('down at once, up only after it has fitted for a while', (t) => {
  const slots = [main()]
  const nowMs = settle(slots, 3_000_000)
  allocate(slots, 600_000, nowMs)
  t.is(slots[0]?.spatial, 1)
  allocate(slots, 3_000_000, nowMs + 100)
  allocate(slots, 3_000_000, nowMs + 1500)
  t.is(slots[0]?.spatial, 1)
  allocate(slots, 3_000_000, nowMs + 1700)
  t.is(slots[0]?.spatial, 2)
})

test('an estimate that trembles around a layer does not make it flicker', (t) => {
  const slots = [main()]
  let changes = 0
  let before = -2
  settle(slots, 1_750_000)
  for (let nowMs = 20_000; nowMs < 80_000; nowMs += 100) {
    allocate(slots, 1_700_000 * (1 + 0.08 * Math.sin(nowMs / 300)), nowMs)
    if (slots[0]?.spatial !== before) changes += 1
    before = slots[0]?.spatial ?? -2
  }
  t.true(changes <= 3, `${changes} changes in a minute`)
})

test('a screen keeps its size and gives up frames', (t) => {
  const slots = [main({ screen: true })]
  settle(slots, 1_100_000)
  t.is(slots[0]?.spatial, 2)
  t.is(slots[0]?.temporal, 0)
})

test('a slot that is not shown costs nothing', (t) => {
  const slots = [main({ heightPx: 0 })]
  t.deepEqual(allocate(slots, 5_000_000, 1), { spentBps: 0, wantedBps: 0 })
  t.is(slots[0]?.spatial, -1)
})

test('a layer that does not flow is passed over', (t) => {
  const layers = [LAYERS[0]!, { ...LAYERS[1]!, bitrateBps: 0 }, LAYERS[2]!]
  const slots = [main({ layers, heightPx: 360 })]
  settle(slots, 5_000_000)
  t.is(slots[0]?.spatial, 2)
})

test('whatever was before, no allocation spends more than there is', (t) => {
  const anySlot = fc.record({
    use: fc.constantFrom<'main' | 'tile'>('main', 'tile'),
    index: fc.nat(5),
    heightPx: fc.constantFrom(0, 90, 180, 360, 720, 1080),
    screen: fc.boolean(),
    layerCount: fc.nat(3),
    spatial: fc.integer({ min: -1, max: 2 }),
    temporal: fc.integer({ min: 0, max: 3 }),
  })
  const budgets = fc.array(fc.integer({ min: 0, max: 6_000_000 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(fc.array(anySlot, { maxLength: 8 }), budgets, (given, rates) => {
      const slots = given.map(({ layerCount, ...rest }) =>
        slot({ ...rest, layers: LAYERS.slice(0, layerCount) }),
      )
      let nowMs = 1
      for (const availableBps of rates) {
        nowMs += 700
        const { spentBps, wantedBps } = allocate(slots, availableBps, nowMs)
        const costBps = slots.reduce((sum, { layers, spatial, temporal }) => {
          const layer = layers[spatial]
          return (
            sum +
            (layer === undefined ? 0 : layer.bitrateBps * (layer.temporalShare[temporal] ?? 1))
          )
        }, 0)
        const within = costBps <= availableBps + 1 && Math.abs(costBps - spentBps) < 1
        if (!within || spentBps > wantedBps + 1) return false
      }
      return true
    }),
  )
  t.pass()
})
