/**
 * The newest keyframe of each layer of a publication as handoff frames, and what followed it, for whoever begins to
 * show or to want a layer that others have already. Replayed frames keep their order and all but their time: older
 * pictures follow each other at once, right before the newest, so that a receiver shows the present and not the past
 * from its beginning.
 */
import { HANDOFF_BYTES_MAX, LAYERS_PER_PUBLICATION_MAX } from '../../../config/limits.ts'
import { KeyframeCache, type Replay } from '../forward/index.ts'
import { MediaPacket } from '../rtp/index.ts'
import { readHandoffPacket, setHandoffTimestamp } from './handoff.ts'

/** Between two replayed pictures: a third of a millisecond of video's clock. */
const STEP_TICKS = 30

/** How many layers may still be kept by one thread. */
export class CacheAllowance {
  left: number

  constructor(count: number) {
    this.left = count
  }
}

export type ReplayOptions = { layer: number; bytesMax: number; nowMs: number }

/** Of one publication; memory is taken at a layer's first keyframe. */
export class HandoffCache {
  readonly #allowance: CacheAllowance
  readonly #caches = new Array<KeyframeCache | undefined>(LAYERS_PER_PUBLICATION_MAX).fill(
    undefined,
  )
  readonly #packet = new MediaPacket()
  readonly #scratch = new Uint8Array(HANDOFF_BYTES_MAX)

  constructor(allowance: CacheAllowance) {
    this.#allowance = allowance
  }

  /** @hot A handoff frame of kind packet, of a valid layer. */
  onFrame(layer: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    const packet = this.#packet
    readHandoffPacket(packet, bytes, start, end)
    if (packet.codec === 'opus' || packet.codec === 'red') return
    const cache = this.#caches[layer] ?? (packet.keyframe ? this.#add(layer) : undefined)
    cache?.onPacket(packet, bytes, start, end, nowMs)
  }

  /** Whether a keyframe of this layer came. */
  has(layer: number): boolean {
    return this.#caches[layer] !== undefined
  }

  /** See KeyframeCache; the frames handed out are copies, valid during the call. */
  replay(
    { layer, bytesMax, nowMs }: ReplayOptions,
    receive: (bytes: Uint8Array, start: number, end: number) => void,
  ): Replay {
    const cache = this.#caches[layer]
    if (cache === undefined) return 'none'
    const timestamps: number[] = []
    const packet = this.#packet
    cache.replay(nowMs, bytesMax, (bytes, start, end) => {
      readHandoffPacket(packet, bytes, start, end)
      if (timestamps.at(-1) !== packet.timestamp) timestamps.push(packet.timestamp)
    })
    const newest = timestamps.at(-1) ?? 0
    let picture = 0
    return cache.replay(nowMs, bytesMax, (bytes, start, end) => {
      readHandoffPacket(packet, bytes, start, end)
      if (packet.timestamp !== timestamps[picture]) picture += 1
      const scratch = this.#scratch
      scratch.set(bytes.subarray(start, end))
      setHandoffTimestamp(scratch, 0, newest - (timestamps.length - 1 - picture) * STEP_TICKS)
      receive(scratch, 0, end - start)
    })
  }

  /** Layers that do not come any more: what comes later does not continue what is here. */
  clear(layerMask: number): void {
    for (let layer = 0; layer < LAYERS_PER_PUBLICATION_MAX; layer++) {
      if ((layerMask & (1 << layer)) === 0 || this.#caches[layer] === undefined) continue
      this.#caches[layer] = undefined
      this.#allowance.left += 1
    }
  }

  #add(layer: number): KeyframeCache | undefined {
    if (this.#allowance.left === 0) return undefined
    this.#allowance.left -= 1
    const cache = new KeyframeCache()
    this.#caches[layer] = cache
    return cache
  }
}
