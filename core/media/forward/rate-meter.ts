/**
 * Measured bitrate of one layer, in all and per temporal layer, over about a second. Not an
 * estimate of what a link can carry.
 */

/** Highest temporal layers told apart: 0..3. */
const TEMPORAL_LAYERS = 4
/** Weight of the newest interval when it is one second long. */
const SMOOTHING = 0.6

/** Fed per packet, read and turned by `update` a few times a second. */
export class RateMeter {
  /** Whole layer, bit/s; 0 when nothing has flowed for an interval. */
  bitrateBps = 0
  /** Share of `bitrateBps` up to and including each temporal layer. */
  readonly temporalShare: number[] = [1, 1, 1, 1]
  temporalMax = 0
  readonly #bytes = new Float64Array(TEMPORAL_LAYERS)
  readonly #smoothed = new Float64Array(TEMPORAL_LAYERS)
  #sinceMs = Number.NEGATIVE_INFINITY

  /** @hot */
  add(sizeBytes: number, temporalLayer: number): void {
    const at = temporalLayer & 3
    this.#bytes[at] = this.#bytes[at]! + sizeBytes
  }

  /** Closes an interval: call every 100..1,000 ms. */
  update(nowMs: number): void {
    const elapsedMs = nowMs - this.#sinceMs
    if (elapsedMs <= 0) return
    const first = !Number.isFinite(elapsedMs)
    const weight = first ? 0 : 1 - (1 - SMOOTHING) ** Math.min(4, elapsedMs / 500)
    let total = 0
    let arrived = 0
    for (let i = 0; i < TEMPORAL_LAYERS; i++) {
      const bps = first ? 0 : (this.#bytes[i]! * 8_000) / elapsedMs
      arrived += this.#bytes[i]!
      const was = this.#smoothed[i]!
      // A layer that starts is believed at once; waiting would hide it from the allocator for a
      // second.
      this.#smoothed[i] = was === 0 ? bps : was + (bps - was) * weight
      total += this.#smoothed[i]!
      if (!first) this.#bytes[i] = 0
    }
    if (first || arrived > 0 || elapsedMs > 0) this.#publish(total)
    this.#sinceMs = nowMs
  }

  #publish(total: number): void {
    // Under 1 kbit/s nothing flows (DTX and keepalive apart), and the tail of the smoothing shall
    // end.
    this.bitrateBps = total < 1_000 ? 0 : total
    let sum = 0
    this.temporalMax = 0
    for (let i = 0; i < TEMPORAL_LAYERS; i++) {
      const own = this.#smoothed[i]!
      sum += own
      if (own > 0 && total >= 1_000) this.temporalMax = i
      this.temporalShare[i] = total > 0 ? sum / total : 1
      if (total < 1_000) this.#smoothed[i] = 0
    }
  }
}
