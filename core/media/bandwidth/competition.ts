/**
 * Is it ours, the queue on the way? A TCP download fills every queue it finds, and whoever only
 * goes by delay makes room for it until nothing is left (RFC 8867 §5.6; the same answer as in
 * Copa's and Nimbus' mode switching). So we keep book: were we alone, sending less than passes
 * would empty the queue by so many milliseconds. When more should have gone than ever stood there,
 * and it still stands, then others fill it, and delay is no measure of our own rate.
 */

/**
 * Beyond the highest queue seen: what the book may be wrong by, and so many times the lag of its
 * figures.
 */
const DOUBT_MS = 1000
const DOUBT_LAGS = 1
/** Whoever was here lately is sooner known again: that share of the doubt. */
const KNOWN_MS = 30_000
const KNOWN_SHARE = 0.25
/** Sending this much more than passes, we are still filling it ourselves. */
const FILLING = 1.05
/** A queue shorter than this share of one is none: the book is closed, whatever it said. */
const EMPTY_SHARE = 0.25
/** No queue to speak of for so long, and the others are gone. */
const GONE_MS = 1000

/** What is known at a moment. Rates in bit/s. */
export type QueueBook = {
  queueMs: number
  /** Above this, it is a queue. */
  limitMs: number
  /** What is sent, and what of it arrives, both of late. */
  sentBps: number
  passedBps: number
  /**
   * By how much the one may be behind the other: the round trip and the time that rates are taken
   * over.
   */
  lagMs: number
  nowMs: number
}

/** One per path. */
export class Competition {
  /** Others fill the queue. */
  isThere = false
  /** What passed when we no longer filled it; 0 = we do, or there is none. */
  #capacityBps = 0
  #relievedMs = 0
  #peakMs = 0
  #seenMs = Number.NEGATIVE_INFINITY
  #updatedMs = Number.NEGATIVE_INFINITY
  #emptySinceMs = Number.NEGATIVE_INFINITY

  /** With each feedback. */
  update({ queueMs, limitMs, sentBps, passedBps, lagMs, nowMs }: QueueBook): void {
    const elapsedMs = Math.min(500, Math.max(0, nowMs - this.#updatedMs))
    this.#updatedMs = nowMs
    if (queueMs < limitMs) {
      this.#emptySinceMs = Math.min(this.#emptySinceMs, nowMs)
      const isEmpty = !this.isThere && queueMs < EMPTY_SHARE * limitMs
      if (isEmpty || nowMs - this.#emptySinceMs > GONE_MS) this.forget()
      return
    }
    this.#emptySinceMs = Number.POSITIVE_INFINITY
    if (this.isThere) {
      this.#seenMs = nowMs
      return
    }
    this.#peakMs = Math.max(this.#peakMs, queueMs)
    if (passedBps === 0) return
    // What passes is what the line carries, while we fill its queue; then it is written down.
    if (this.#relievedMs === 0) this.#capacityBps = passedBps
    const relief =
      sentBps > passedBps * FILLING ? 1 - sentBps / passedBps : 1 - sentBps / this.#capacityBps
    this.#relievedMs = Math.max(0, this.#relievedMs + elapsedMs * relief)
    const isKnown = nowMs - this.#seenMs < KNOWN_MS
    const doubtMs = (DOUBT_MS + DOUBT_LAGS * lagMs) * (isKnown ? KNOWN_SHARE : 1)
    this.isThere = this.#relievedMs > this.#peakMs + doubtMs
  }

  /** The path is new, or was interrupted. */
  forget(): void {
    this.isThere = false
    this.#capacityBps = 0
    this.#relievedMs = 0
    this.#peakMs = 0
  }
}
