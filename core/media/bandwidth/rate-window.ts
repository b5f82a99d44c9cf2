/**
 * Bit/s over the last half second to two of whichever clock the caller tells: of what was sent, or
 * of what arrived.
 */

const WINDOW_MS_MAX = 2000
const BUCKET_MS = 25
const BUCKETS = WINDOW_MS_MAX / BUCKET_MS

/** One per direction and end. */
export class RateWindow {
  readonly #bytes = new Float64Array(BUCKETS)
  #bucket = -1
  #firstBucket = -1

  /** @hot In order of time, more or less. */
  add(atMs: number, sizeBytes: number): void {
    const bucket = Math.floor(atMs / BUCKET_MS)
    if (this.#bucket < 0 || bucket - this.#bucket > BUCKETS * 4) {
      this.#bytes.fill(0)
      this.#bucket = bucket
      this.#firstBucket = bucket
    }
    for (let next = this.#bucket + 1; next <= bucket; next += 1) this.#bytes[next % BUCKETS] = 0
    this.#bucket = Math.max(this.#bucket, bucket)
    if (this.#bucket - bucket < BUCKETS) this.#bytes[bucket % BUCKETS]! += sizeBytes
  }

  /** Bit/s over the last `windowMs` (25..2000); 0 until a fifth of it has passed. */
  bitrateBps(windowMs: number): number {
    if (this.#bucket < 0) return 0
    const wanted = Math.min(BUCKETS, Math.round(windowMs / BUCKET_MS))
    const filled = Math.min(wanted, this.#bucket - this.#firstBucket + 1)
    if (filled < wanted / 5) return 0
    let sum = 0
    for (let bucket = this.#bucket - filled + 1; bucket <= this.#bucket; bucket += 1)
      sum += this.#bytes[bucket % BUCKETS]!
    return (sum * 8000) / (filled * BUCKET_MS)
  }
}
