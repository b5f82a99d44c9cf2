/**
 * How fast datagrams have come out of the link at best, lately. An estimate may lie above that, as long as little is
 * sent; a burst at its rate would then fill the queue that audio has to pass.
 */

const BUCKET_MS = 100
/** A rate is taken over so many buckets. */
const BUCKETS = 10
/** The best is that of this and the previous window. */
const WINDOW_MS = 10_000

/** One per direction, at the end that sends; clock of the far end. */
export class ProvenRate {
  readonly #bytes = new Float64Array(BUCKETS)
  #bucket = Number.NEGATIVE_INFINITY
  #windowEndMs = Number.NEGATIVE_INFINITY
  #bestBps = 0
  #bestBeforeBps = 0

  /** Bit/s on the wire; 0 before the first second. */
  get bitrateBps(): number {
    return Math.max(this.#bestBps, this.#bestBeforeBps)
  }

  /** @hot In order of time, more or less. */
  onArrived(atMs: number, wireBytes: number): void {
    const bucket = Math.floor(atMs / BUCKET_MS)
    if (bucket > this.#bucket) this.#close(bucket)
    if (bucket > this.#bucket - BUCKETS) {
      this.#bytes[bucket % BUCKETS] = this.#bytes[bucket % BUCKETS]! + wireBytes
    }
  }

  /** @hot The buckets before this one are whole. */
  #close(bucket: number): void {
    let bytes = 0
    for (let i = 0; i < BUCKETS; i++) bytes += this.#bytes[i]!
    const bitrateBps = (bytes * 8_000) / (BUCKETS * BUCKET_MS)
    if (bitrateBps > this.#bestBps) this.#bestBps = bitrateBps
    const nowMs = bucket * BUCKET_MS
    if (nowMs >= this.#windowEndMs) {
      this.#windowEndMs = nowMs + WINDOW_MS
      this.#bestBeforeBps = this.#bestBps
      this.#bestBps = 0
    }
    const from = Math.max(this.#bucket + 1, bucket - BUCKETS + 1)
    for (let i = from; i <= bucket; i++) this.#bytes[i % BUCKETS] = 0
    this.#bucket = bucket
  }
}
