/**
 * Layers of the far end of which we wait for a keyframe: asked again until one came, not more often
 * than a path can answer.
 */
import { LAYERS_PER_PUBLICATION_MAX, TRUNK_KEYFRAME_ASKS_MAX } from '../../config/limits.ts'
import { PAIR_BYTES_MAX, writePair } from '../wire/index.ts'

const REPEAT_MS_MIN = 300
const REPEAT_RTTS = 1.5
/** Whoever asked does not wait any longer: the engine asks by itself if it still does. */
const GIVE_UP_MS = 10_000

type Ask = { sinceMs: number; dueMs: number }

/** One per end. */
export class KeyframeAsks {
  /** By stream and layer. */
  readonly #asks = new Map<number, Ask>()

  /** Bounded: an ask too many is not made. */
  ask(streamId: number, layer: number, nowMs: number): void {
    const key = keyOf(streamId, layer)
    const known = this.#asks.get(key)
    if (known !== undefined) {
      known.sinceMs = nowMs
      return
    }
    if (this.#asks.size >= TRUNK_KEYFRAME_ASKS_MAX) return
    this.#asks.set(key, { sinceMs: nowMs, dueMs: nowMs })
  }

  /** @hot A keyframe of this layer came. */
  onKeyframe(streamId: number, layer: number): void {
    if (this.#asks.size > 0) this.#asks.delete(keyOf(streamId, layer))
  }

  /** The stream is gone, or nobody wants it any more. */
  forget(streamId: number): void {
    for (let layer = 0; layer < LAYERS_PER_PUBLICATION_MAX; layer++) {
      this.#asks.delete(keyOf(streamId, layer))
    }
  }

  deadlineMs(): number {
    let dueMs = Number.POSITIVE_INFINITY
    for (const ask of this.#asks.values()) dueMs = Math.min(dueMs, ask.dueMs)
    return dueMs
  }

  /** Body of a KEYFRAME with all that are due and fit; returns its end, `offset` when none does. */
  write(
    out: Uint8Array,
    offset: number,
    { bytesMax, rttMs, nowMs }: { bytesMax: number; rttMs: number; nowMs: number },
  ): number {
    let at = offset
    for (const [key, ask] of this.#asks) {
      if (ask.dueMs > nowMs) continue
      if (at + PAIR_BYTES_MAX > offset + bytesMax) break
      if (nowMs - ask.sinceMs > GIVE_UP_MS) {
        this.#asks.delete(key)
        continue
      }
      at = writePair(out, at, Math.floor(key / 4), key % 4)
      ask.dueMs = nowMs + Math.max(REPEAT_MS_MIN, rttMs * REPEAT_RTTS)
    }
    return at
  }
}

function keyOf(streamId: number, layer: number): number {
  return streamId * 4 + layer
}
