/**
 * Those below a relay, as its engine speaks for them: what they want of what they are told, what they can decode,
 * what they hear. Tests only.
 */
import type { Camera, SentPacket } from './simulated-media.fixture.ts'
import { pictureOf } from './simulated-media.fixture.ts'
import type { GotPacket, Side, SimulatedTrunk } from './simulated-trunk.fixture.ts'

const LOOK_MS = 100
const PLI_MS = 500
const DECODED_KEPT = 512
/** WebRTC's totalFreezesDuration looks at so many intervals before. */
const MEAN_GAPS = 30

/** One decoder per layer: which pictures can be shown, and when. */
class Decoder {
  readonly shownMs: number[] = []
  stuck = true
  readonly #parts = new Map<number, Set<number>>()
  readonly #decoded: number[] = []

  take(packet: GotPacket): boolean {
    const { frame, ref, part, count } = pictureOf(packet.payload)
    const parts = this.#parts.get(frame) ?? new Set()
    this.#parts.set(frame, parts)
    parts.add(part)
    if (this.#parts.size > DECODED_KEPT) this.#parts.delete(this.#parts.keys().next().value!)
    if (parts.size < count || this.#decoded.includes(frame)) return false
    if (ref !== 0 && !this.#decoded.includes(ref)) {
      // A base picture that cannot be decoded ends all that follows.
      if (packet.temporal === 0) this.stuck = true
      return false
    }
    if (ref === 0 || packet.temporal === 0) this.stuck = false
    this.#decoded.push(frame)
    if (this.#decoded.length > DECODED_KEPT) this.#decoded.shift()
    this.shownMs.push(packet.atMs)
    return true
  }
}

/**
 * Wants the highest layer that is to be had (and the lowest for tiles), keeps the old one until the new one's
 * keyframe.
 */
export class Viewer {
  /** When a picture of the layer on screen was shown. */
  readonly shownMs: number[] = []
  readonly layers: number[] = []
  readonly #side: Side
  readonly #streamId: number
  readonly #layerCount: number
  readonly #withTiles: boolean
  readonly #decoders: Decoder[]
  #target = -1
  #current = -1
  #at = 0
  #lookMs = 0
  #pliMs = 0

  constructor(world: SimulatedTrunk, camera: Camera, { withTiles = false } = {}) {
    this.#side = world.relay
    this.#streamId = camera.spec.streamId
    this.#layerCount = camera.spec.layerCount
    this.#withTiles = withTiles
    this.#decoders = Array.from({ length: this.#layerCount }, () => new Decoder())
  }

  /** Call with the clock. */
  look(nowMs: number): void {
    const { got } = this.#side
    for (; this.#at < got.length; this.#at++) {
      const packet = got[this.#at]!
      if (packet.streamId === this.#streamId) this.#take(packet)
    }
    if (nowMs < this.#lookMs) return
    this.#lookMs = nowMs + LOOK_MS
    this.#choose()
    const target = this.#decoders[this.#target]
    if (target?.stuck && nowMs >= this.#pliMs) {
      this.#pliMs = nowMs + PLI_MS
      this.#side.end.requestKeyframe(this.#streamId, this.#target)
    }
  }

  #take(packet: GotPacket): void {
    const isShown = this.#decoders[packet.layer]!.take(packet)
    if (!isShown) return
    if (packet.layer === this.#target) this.#current = this.#target
    if (packet.layer !== this.#current) return
    this.shownMs.push(packet.atMs)
    this.layers.push(packet.layer)
  }

  #choose(): void {
    let highest = -1
    for (let layer = 0; layer < this.#layerCount; layer++) {
      const told = this.#side.told.get(`${this.#streamId}.${layer}`)
      if (told !== undefined && told.bitrateBps > 0) highest = layer
    }
    if (highest !== this.#target) {
      this.#target = highest
      if (highest >= 0) this.#decoders[highest]!.stuck = true
    }
    const bits = [this.#target, this.#current, this.#withTiles && highest >= 0 ? 0 : -1]
    const mask = bits.reduce((sum, layer) => (layer < 0 ? sum : sum | (1 << layer)), 0)
    this.#side.end.want(this.#streamId, mask)
  }
}

/** Share of [fromMs, toMs) in gaps between pictures that are freezes by WebRTC's statistics. */
export function freezeRatio(shownMs: number[], [fromMs, toMs]: [number, number]): number {
  const shown = [fromMs, ...shownMs.filter((ms) => ms >= fromMs && ms < toMs), toMs]
  const gaps = shown.slice(1).map((ms, i) => ms - shown[i]!)
  const frozen = gaps.filter((gap, i) => {
    const before = gaps.slice(Math.max(0, i - MEAN_GAPS), i)
    const mean = before.reduce((sum, ms) => sum + ms, 0) / Math.max(1, before.length)
    return gap > Math.max(3 * mean, mean + 150)
  })
  return frozen.reduce((sum, gap) => sum + gap, 0) / (toMs - fromMs)
}

/** Longest time without a picture. */
export function longestGapMs(shownMs: number[], [fromMs, toMs]: [number, number]): number {
  const shown = [fromMs, ...shownMs.filter((ms) => ms >= fromMs && ms < toMs), toMs]
  return Math.max(...shown.slice(1).map((ms, i) => ms - shown[i]!))
}

/**
 * Share of voice packets sent in [fromMs, toMs) that were not there when a jitter buffer needed them: one with the
 * median transit of the last second and `jitterMs` on top.
 */
export function concealedRatio(
  sent: SentPacket[],
  got: GotPacket[],
  { span: [fromMs, toMs], jitterMs = 80 }: { span: [number, number]; jitterMs?: number },
): number {
  const arrivals = new Map(got.map(({ payload, atMs }) => [payload, atMs]))
  const recent: number[] = []
  let count = 0
  let concealed = 0
  for (const packet of sent) {
    const atMs = arrivals.get(packet.payload)
    const transitMs = atMs === undefined ? Number.POSITIVE_INFINITY : atMs - packet.atMs
    if (atMs !== undefined) recent.push(transitMs)
    if (recent.length > 50) recent.shift()
    if (packet.atMs < fromMs || packet.atMs >= toMs) continue
    const median = [...recent].sort((a, b) => a - b)[recent.length >> 1] ?? 0
    count += 1
    if (transitMs > median + jitterMs) concealed += 1
  }
  return count === 0 ? 1 : concealed / count
}
