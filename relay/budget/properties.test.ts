/** What holds of every allocation, whatever is wanted and however much there is. */
import test from 'ava'
import fc from 'fast-check'
import { TRUNK_CLASSES } from '../trunk/contract.ts'
import {
  allocateTrunk,
  createTrunkBudget,
  createTrunkStream,
  type TrunkBudget,
  type TrunkStream,
} from './index.ts'

type Plan = {
  kind: 'audio' | 'video'
  use: 'camera' | 'screen'
  place: 'heard' | 'main' | 'other'
  emergency: boolean
  room: number
  wantedMask: number
  rates: number[]
  temporalMax: number
  keyframeBytes: number
}

const plans: fc.Arbitrary<Plan[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('audio', 'video', 'video'),
    use: fc.constantFrom('camera', 'camera', 'screen'),
    place: fc.constantFrom('heard', 'main', 'other'),
    emergency: fc.constantFrom(false, false, false, true),
    room: fc.integer({ min: 0, max: 3 }),
    wantedMask: fc.integer({ min: 0, max: 7 }),
    rates: fc.array(fc.constantFrom(0, 8_000, 40_000, 150_000, 500_000, 1_500_000), {
      minLength: 1,
      maxLength: 3,
    }),
    temporalMax: fc.integer({ min: 0, max: 3 }),
    keyframeBytes: fc.constantFrom(0, 2_000, 40_000),
  }),
  { maxLength: 12 },
)

const rates = fc.integer({ min: 0, max: 6_000_000 })
const extras = fc.record({
  controlBps: fc.constantFrom(0, 3_000, 200_000),
  catchUpBps: fc.constantFrom(0, 1_000_000),
  audioRedundancyRatio: fc.constantFrom(0, 0.5, 1),
  baseParityRatio: fc.constantFrom(0, 0.3),
})

function streamsOf(list: readonly Plan[]): TrunkStream[] {
  return list.map((plan, i) => {
    const isVoice = plan.kind === 'audio'
    const stream = createTrunkStream({
      streamId: i + 1,
      kind: plan.kind,
      use: isVoice ? 'microphone' : plan.use,
      layerCount: isVoice ? 1 : plan.rates.length,
    })
    apply(stream, plan)
    return stream
  })
}

/** Facts that change in the life of a stream. */
function apply(stream: TrunkStream, plan: Plan): void {
  const { place, emergency, room, keyframeBytes, temporalMax } = plan
  const wantedMask = stream.kind === 'audio' ? plan.wantedMask & 1 : plan.wantedMask
  Object.assign(stream, { place, emergency, room, keyframeBytes, wantedMask })
  const temporalShare = [0.4, 0.6, 0.8, 1].map((share, i) => (i >= temporalMax ? 1 : share))
  stream.layers.forEach((layer, i) => {
    const rateBps = plan.rates[i] ?? 0
    layer.bitrateBps = stream.kind === 'audio' ? Math.min(rateBps, 40_000) : rateBps
    layer.temporalShare = temporalShare
    layer.temporalMax = temporalMax
  })
}

function budgetOf(extra: Partial<TrunkBudget>, availableBps: number): TrunkBudget {
  return Object.assign(createTrunkBudget(), extra, { availableBps })
}

/** What may be spent beyond the estimate: one voice with its datagrams, and the floor of control. */
function isWithinReason(streams: readonly TrunkStream[], budget: TrunkBudget): boolean {
  if (budget.spentBps <= budget.availableBps * 1.000_001) return true
  const voices = streams.filter((s) => s.kind === 'audio' && s.grantedBps > 0)
  const pictures = streams.filter((s) => s.kind === 'video' && s.grantedBps > 0)
  return voices.length <= 1 && pictures.length === 0 && budget.shares[7] === 0
}

test('never spends more than there is, but for one voice and the floor of control', (t) => {
  fc.assert(
    fc.property(
      plans,
      extras,
      fc.array(fc.tuple(rates, plans), { minLength: 1, maxLength: 8 }),
      (first, extra, steps) => {
        const streams = streamsOf(first)
        const budget = budgetOf(extra, 0)
        let nowMs = 0
        for (const [availableBps, changes] of steps) {
          budget.availableBps = availableBps
          changes.forEach((plan, i) => {
            if (streams[i] !== undefined) apply(streams[i], plan)
          })
          for (let tick = 0; tick < 12; tick++) {
            allocateTrunk(streams, budget, nowMs)
            if (!isWithinReason(streams, budget)) return false
            nowMs += 250
          }
        }
        return true
      },
    ),
    { numRuns: 300 },
  )
  t.pass()
})

test('what a stream is granted is what its class shows, and its layers are among those that may be sent', (t) => {
  fc.assert(
    fc.property(plans, extras, rates, (list, extra, availableBps) => {
      const streams = streamsOf(list)
      const budget = budgetOf(extra, availableBps)
      allocateTrunk(streams, budget, 0)
      const granted = streams.reduce((sum, stream) => sum + stream.grantedBps, 0)
      const shared = budget.shares.reduce((sum, bps) => sum + bps, 0)
      const others = budget.shares[2]! + budget.shares[7]!
      const hasVoice = streams.some((s) => s.kind === 'audio' && s.wantedMask > 0)
      const headers = hasVoice
        ? (1_000 / budget.audio.bundleMs) * budget.datagramOverheadBytes * 8
        : 0
      t.true(Math.abs(granted + others + headers - shared) < 1)
      for (const stream of streams) {
        t.true(stream.sentMask >> stream.layers.length === 0)
        t.is(stream.mode === 'off', stream.sentMask === 0)
        t.true(stream.wantedMask !== 0 || stream.mode === 'off')
        t.is(stream.mode === 'keyframes', stream.keyframeIntervalMs > 0)
        t.true(stream.grantedBps <= stream.wantedBps + 1e-6)
        t.true(stream.ceiling >= 0 && stream.ceiling < stream.layers.length)
      }
    }),
    { numRuns: 500 },
  )
})

test('more bandwidth never takes from a class and those above it', (t) => {
  fc.assert(
    fc.property(plans, extras, rates, rates, (list, extra, a, b) => {
      const calm = list.map((plan) => ({ ...plan, emergency: false }))
      const sums = [Math.min(a, b), Math.max(a, b)].map((availableBps) => {
        const budget = budgetOf(extra, availableBps)
        allocateTrunk(streamsOf(calm), budget, 0)
        let sum = 0
        return [...budget.shares].map((bps) => (sum += bps))
      })
      return TRUNK_CLASSES.every((_, i) => sums[1]![i]! >= sums[0]![i]! - 1e-3)
    }),
    { numRuns: 1_000 },
  )
  t.pass()
})

test('an emergency gets no less for all that others want', (t) => {
  fc.assert(
    fc.property(plans, extras, rates, (list, extra, availableBps) => {
      const alone = list.filter((plan) => plan.emergency && plan.kind === 'video')
      const rest = list.filter((plan) => !plan.emergency && plan.kind === 'video')
      const grants = [alone, [...alone, ...rest]].map((plan) => {
        const streams = streamsOf(plan)
        allocateTrunk(streams, budgetOf(extra, availableBps), 0)
        return streams.slice(0, alone.length).map((stream) => stream.grantedBps)
      })
      t.deepEqual(grants[0], grants[1])
    }),
    { numRuns: 500 },
  )
})

test('the same facts give the same answer, in whatever order the streams are told', (t) => {
  fc.assert(
    fc.property(plans, extras, rates, (list, extra, availableBps) => {
      const answers = [false, true].map((reversed) => {
        const streams = streamsOf(list)
        allocateTrunk(reversed ? streams.toReversed() : streams, budgetOf(extra, availableBps), 0)
        return streams.map(({ sentMask, temporal, mode, reason }) => ({
          sentMask,
          temporal,
          mode,
          reason,
        }))
      })
      t.deepEqual(answers[0], answers[1])
    }),
    { numRuns: 300 },
  )
})

test('with nothing changed, nothing changes: no matter how often it is asked', (t) => {
  fc.assert(
    fc.property(plans, extras, rates, (list, extra, availableBps) => {
      const streams = streamsOf(list)
      const budget = budgetOf(extra, availableBps)
      const seen: string[] = []
      for (let nowMs = 0; nowMs < 10_000; nowMs += 250) {
        allocateTrunk(streams, budget, nowMs)
        seen.push(streams.map((s) => `${s.mode}${s.sentMask}.${s.temporal}.${s.reason}`).join())
      }
      t.is(new Set(seen).size, 1)
    }),
    { numRuns: 200 },
  )
})
