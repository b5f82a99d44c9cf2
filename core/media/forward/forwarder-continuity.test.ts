import test from 'ava'
import fc from 'fast-check'
import type { MediaPacket } from '../rtp/index.ts'
import type { Forwarder } from './forwarder.ts'
import { createForwarder, give, type Sent } from './simulated-slot.ts'
import { SimulatedSource } from './simulated-source.ts'

const startArbitrary = fc.record({
  sequence: fc.oneof(fc.integer({ min: 65_400, max: 65_600 }), fc.integer({ min: 0, max: 10 })),
  timestamp: fc.oneof(
    fc.integer({ min: 0xffffffff - 90_000, max: 0xffffffff }),
    fc.integer({ min: 0x7fffffff - 90_000, max: 0x7fffffff + 90_000 }),
  ),
  pictureId: fc.integer({ min: 0x7fff - 40, max: 0x7fff }),
  tl0PicIdx: fc.integer({ min: 240, max: 255 }),
})

/** What happens in one frame interval of 33 ms. */
const stepArbitrary = fc.record({
  packets: fc.integer({ min: 1, max: 4 }),
  action: fc.oneof(
    { weight: 12, arbitrary: fc.constant('none' as const) },
    { weight: 2, arbitrary: fc.constantFrom('retarget' as const, 'temporal' as const) },
    { weight: 1, arbitrary: fc.constantFrom('pause' as const, 'restart' as const) },
    { weight: 1, arbitrary: fc.constant('padding' as const) },
  ),
  which: fc.integer({ min: 0, max: 3 }),
  /** Packet of the interval that is lost or late, -1 = none. */
  hit: fc.integer({ min: -1, max: 12 }),
  lateBy: fc.integer({ min: 0, max: 9 }),
})

type Step = typeof stepArbitrary extends fc.Arbitrary<infer T> ? T : never
type Start = typeof startArbitrary extends fc.Arbitrary<infer T> ? T : never

/** Three layers of one publication and one of another, all at random numbers. */
function createSources(starts: Start[], withClocks: boolean): SimulatedSource[] {
  return starts.map((start, i) => {
    const place = { publicationId: i < 3 ? 7 : 8, spatialLayer: i % 3 }
    const clock = withClocks ? { ntpMsAtZero: i < 3 ? 5_000 : 900_000 } : {}
    return new SimulatedSource({ ...start, ...place, ...clock })
  })
}

/**
 * Runs the steps; `lossy` makes packets vanish or come late. Returns what was sent and what never
 * came in order.
 */
function run(starts: Start[], steps: Step[], mode: { lossy: boolean; withClocks: boolean }) {
  const sources = createSources(starts, mode.withClocks)
  const forwarder = createForwarder({ index: 32_767, timestamp: 0xffff_fff0 })
  const sent: Sent[] = []
  let troubled = 0
  let pending: { source: SimulatedSource; packet: MediaPacket; due: number }[] = []
  forwarder.retarget(sources[0]!.layer, 0)
  steps.forEach((step, i) => {
    const nowMs = i * 33
    act(forwarder, sources, step, nowMs)
    let position = 0
    for (const source of sources) {
      if (forwarder.target === source.layer && forwarder.isAwaitingKeyframe) {
        source.keyframeWanted ||= i % 3 === 0
      }
      for (const packet of source.frame(nowMs, step.packets)) {
        const isHit = mode.lossy && position++ === step.hit
        if (!isHit) {
          give({ forwarder, source, packet, sent })
          continue
        }
        troubled += 1
        packet.late = true
        if (step.lateBy > 0) pending.push({ source, packet, due: i + step.lateBy })
      }
    }
    for (const { source, packet, due } of pending) {
      if (due === i) give({ forwarder, source, packet, sent })
    }
    pending = pending.filter(({ due }) => due > i)
  })
  return { sent, troubled, forwarder, sources }
}

function act(forwarder: Forwarder, sources: SimulatedSource[], step: Step, nowMs: number): void {
  const source = sources[step.which]!
  if (step.action === 'retarget') forwarder.retarget(source.layer, nowMs)
  if (step.action === 'pause') forwarder.retarget(undefined, nowMs)
  if (step.action === 'temporal') forwarder.setTemporal(step.which)
  if (step.action === 'padding') forwarder.closePadding(source.padding(nowMs), source.layer)
  if (step.action === 'restart') {
    source.epoch += 1
    source.sequence = 60_000
    source.timestampAtZero = (source.timestampAtZero + 12_345_678) >>> 0
    source.keyframeWanted = step.hit > 4
  }
}

/** Frames in outgoing order, one row each. */
function framesOf(sent: Sent[]): Sent[] {
  const frames: Sent[] = []
  for (const row of sent) if (frames.at(-1)?.frame !== row.frame) frames.push(row)
  return frames
}

const startsArbitrary = fc.array(startArbitrary, { minLength: 4, maxLength: 4 })
const stepsArbitrary = fc.array(stepArbitrary, { minLength: 20, maxLength: 200 })

test('output is gapless, with rising timestamps and picture numbers +1, when nothing is lost', (t) => {
  let frameTotal = 0
  fc.assert(
    fc.property(startsArbitrary, stepsArbitrary, fc.boolean(), (starts, steps, withClocks) => {
      const { sent } = run(starts, steps, { lossy: false, withClocks })
      for (let i = 1; i < sent.length; i++) {
        if (sent[i]!.index !== sent[i - 1]!.index + 1) return false
      }
      const frames = framesOf(sent)
      frameTotal += frames.length
      for (let i = 1; i < frames.length; i++) {
        const now = frames[i]!
        const before = frames[i - 1]!
        if (((now.timestamp - before.timestamp) | 0) <= 0) return false
        if (now.pictureId !== ((before.pictureId + 1) & 0x7fff)) return false
        const tl0Step = now.temporalLayer === 0 ? 1 : 0
        if (now.tl0PicIdx !== ((before.tl0PicIdx + tl0Step) & 0xff)) return false
      }
      return frames.length === 0 || frames[0]!.keyframe
    }),
    { numRuns: 300 },
  )
  t.true(frameTotal > 1_000)
})

test('with loss and reordering, gaps are never more than what the source lost, and nothing is sent twice', (t) => {
  let lateTotal = 0
  fc.assert(
    fc.property(startsArbitrary, stepsArbitrary, fc.boolean(), (starts, steps, withClocks) => {
      const { sent, troubled } = run(starts, steps, { lossy: true, withClocks })
      if (sent.length === 0) return true
      const byIndex = new Map<number, Sent>()
      for (const row of sent) {
        if (byIndex.has(row.index)) return false
        byIndex.set(row.index, row)
      }
      if (sent.some((row, i) => i > 0 && row.index < sent[i - 1]!.index)) lateTotal += 1
      const ordered = [...byIndex.values()].sort((a, b) => a.index - b.index)
      const span = ordered.at(-1)!.index - ordered[0]!.index + 1
      if (span - ordered.length > troubled) return false
      const pictures = new Map<string, number>()
      for (let i = 0; i < ordered.length; i++) {
        const row = ordered[i]!
        // One frame has one picture number and one timestamp, whenever its packets came.
        if ((pictures.get(row.frame) ?? row.pictureId) !== row.pictureId) return false
        pictures.set(row.frame, row.pictureId)
        if (i > 0 && ((row.timestamp - ordered[i - 1]!.timestamp) | 0) < 0) return false
      }
      return new Set(pictures.values()).size === pictures.size
    }),
    { numRuns: 400 },
  )
  t.true(lateTotal > 10)
})

test('an outgoing number leads back to exactly the packet that went out under it', (t) => {
  fc.assert(
    fc.property(startsArbitrary, stepsArbitrary, (starts, steps) => {
      const { sent, forwarder } = run(starts, steps.slice(0, 60), { lossy: true, withClocks: true })
      for (const row of sent) {
        if (!forwarder.segments.findOut(row.index)) continue
        const { layer, epoch, sequence } = forwarder.segments
        const found = `${layer?.publicationId}.${layer?.spatialLayer}.${epoch}.${sequence}`
        if (found !== row.packet) return false
      }
      return sent.length === 0 || forwarder.segments.findOut(sent.at(-1)!.index)
    }),
    { numRuns: 200 },
  )
  t.pass()
})
