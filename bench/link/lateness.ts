/**
 * How far the emulator itself was from its schedule: a histogram of actual minus scheduled time
 * with fixed bins, so that counting costs nothing and percentiles of several can be taken from the
 * sum.
 */
const BIN_MS = 0.05
/** Early deliveries are possible: the shell delivers a little ahead rather than late. */
const FIRST_MS = -5
const BINS = 2_100

/** One per direction. Values outside -5..100 ms count as the nearest bin; `maxMs` is exact. */
export class Lateness {
  count = 0
  maxMs = 0
  readonly #bins = new Uint32Array(BINS)

  /** @hot Counts one delivery, ms after its schedule (negative: before). */
  add(lateMs: number): void {
    this.count += 1
    if (lateMs > this.maxMs) this.maxMs = lateMs
    const bin = Math.floor((lateMs - FIRST_MS) / BIN_MS)
    const index = bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin
    this.#bins[index] = (this.#bins[index] ?? 0) + 1
  }

  /**
   * Upper edge, ms, of the bin that holds the `share` (0..1) of all; 0 when nothing was counted.
   */
  percentileMs(share: number): number {
    let left = Math.ceil(this.count * share)
    if (this.count === 0) return 0
    for (let index = 0; index < BINS; index += 1) {
      left -= this.#bins[index] ?? 0
      if (left <= 0) return FIRST_MS + (index + 1) * BIN_MS
    }
    return this.maxMs
  }
}
