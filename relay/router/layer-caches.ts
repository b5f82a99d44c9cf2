/**
 * The newest keyframe of each video layer that crosses this node, and what followed: a child or worker that begins to want the
 * layer while others have it already is served from here, and the publisher is not asked.
 */
import { LAYERS_PER_PUBLICATION_MAX, ROUTE_CACHES_MAX } from '../../config/limits.ts'
import { readHandoffPacket } from '../../core/media/engine/index.ts'
import { MediaPacket } from '../../core/media/rtp/index.ts'
import { KeyframeCache, type Replay } from '../repair/index.ts'

/** How many caches a thread may still make; one for all of its routes. */
export class CacheAllowance {
  left = ROUTE_CACHES_MAX
}

/** Of one publication; memory is taken at a layer's first keyframe. */
export class LayerCaches {
  readonly #allowance: CacheAllowance
  readonly #caches = new Array<KeyframeCache | undefined>(LAYERS_PER_PUBLICATION_MAX).fill(
    undefined,
  )
  readonly #packet = new MediaPacket()

  constructor(allowance: CacheAllowance) {
    this.#allowance = allowance
  }

  /** @hot A handoff frame of kind packet, of a valid layer. */
  onPacket(layer: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void {
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

  /** See KeyframeCache. */
  replay(
    { layer, bytesMax, nowMs }: { layer: number; bytesMax: number; nowMs: number },
    receive: (bytes: Uint8Array, start: number, end: number) => void,
  ): Replay {
    return this.#caches[layer]?.replay(nowMs, bytesMax, receive) ?? 'none'
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
