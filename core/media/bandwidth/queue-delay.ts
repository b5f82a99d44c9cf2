/**
 * How long packets wait on the way: one-way delay above the least of the last minute. A queue that
 * stands full shows no gradient (delay-trend.ts); it is seen here. Clocks only need a constant
 * offset to each other, and may drift by some 100 ppm: the least is forgotten in time, as it is
 * when the route changes.
 */

/** One-way delay this far above the least is a standing queue, not jitter ... */
export const STANDING_QUEUE_MS = 80
const LEAST_DELAY_MS = 30_000
/** Time constant of the smoothing. */
const SMOOTHING_MS = 100

/** One per path. */
export class QueueDelay {
  /** Smoothed, ms; 0 until something arrived. */
  queueMs = 0
  /** From here on a queue is one, ms; set by the owner. */
  limitMs = STANDING_QUEUE_MS
  #leastMs = Number.POSITIVE_INFINITY
  #nextLeastMs = Number.POSITIVE_INFINITY
  #leastFromMs = Number.NEGATIVE_INFINITY
  #arrivedMs = Number.NEGATIVE_INFINITY
  #standingSinceMs = Number.POSITIVE_INFINITY

  /** @hot `delayMs`: arrival on their clock less departure on ours. */
  onPacket(delayMs: number, arrivedMs: number): void {
    if (arrivedMs - this.#leastFromMs > LEAST_DELAY_MS) {
      this.#leastMs = this.#nextLeastMs
      this.#nextLeastMs = Number.POSITIVE_INFINITY
      this.#leastFromMs = arrivedMs
    }
    this.#leastMs = Math.min(this.#leastMs, delayMs)
    this.#nextLeastMs = Math.min(this.#nextLeastMs, delayMs)
    const elapsedMs = Math.min(SMOOTHING_MS * 3, Math.max(1, arrivedMs - this.#arrivedMs))
    const share = 1 - Math.exp(-elapsedMs / SMOOTHING_MS)
    this.#arrivedMs = Math.max(this.#arrivedMs, arrivedMs)
    this.queueMs += share * (delayMs - this.#leastMs - this.queueMs)
    if (this.queueMs < this.limitMs) this.#standingSinceMs = Number.POSITIVE_INFINITY
    else if (this.#standingSinceMs === Number.POSITIVE_INFINITY) this.#standingSinceMs = arrivedMs
  }

  /** What is known is old. */
  forget(): void {
    this.queueMs = 0
    this.#standingSinceMs = Number.POSITIVE_INFINITY
  }

  /** For how long a queue has stood without a pause, ms; negative when none does. */
  get standingMs(): number {
    return this.#arrivedMs - this.#standingSinceMs
  }
}
