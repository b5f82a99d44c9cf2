/**
 * Bits per second over the last second, in ten fixed buckets. Not an estimate of what a link could
 * carry.
 */

const BUCKET_MS = 100
const BUCKETS = 10

/** Counts bytes in, tells bits per second out. */
export class RateMeter {
  readonly #bytes = new Float64Array(BUCKETS)
  #bucket = -1
  #total = 0

  /** @hot */
  add(sizeBytes: number, nowMs: number): void {
    this.#advance(Math.floor(nowMs / BUCKET_MS))
    const slot = this.#bucket % BUCKETS
    this.#bytes[slot] = this.#bytes[slot]! + sizeBytes
    this.#total += sizeBytes
  }

  bitrateBps(nowMs: number): number {
    this.#advance(Math.floor(nowMs / BUCKET_MS))
    return (this.#total * 8 * 1_000) / (BUCKETS * BUCKET_MS)
  }

  /** @hot Empties the buckets that time has passed. */
  #advance(bucket: number): void {
    if (bucket <= this.#bucket) return
    const first = Math.max(this.#bucket + 1, bucket - BUCKETS + 1)
    for (let passed = first; passed <= bucket; passed++) {
      const slot = passed % BUCKETS
      this.#total -= this.#bytes[slot]!
      this.#bytes[slot] = 0
    }
    this.#bucket = bucket
  }
}
