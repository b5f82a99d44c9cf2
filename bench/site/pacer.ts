/**
 * Spreads a publisher's video over time, as libwebrtc does: at two and a half times the estimate,
 * so that a key frame does not leave as one burst. A leaky budget and a bounded queue; a key frame
 * larger than the queue allows leaves at once in part.
 */
import { SITE_PACED_PACKETS_MAX } from '../../config/limits.ts'

/** Times the estimate. */
const PACE_FACTOR = 2.5
/** Nothing waits longer: then the rest leaves at once. */
const WAIT_MS_MAX = 2_000
/** Budget that idle time may save up. */
const BURST_MS = 10

type Paced<T> = { item: T; sizeBytes: number; atMs: number }

/** One per publisher; `T` is whatever is sent. */
export class Pacer<T> {
  readonly #queue: Paced<T>[] = []
  #head = 0
  #budgetBytes = 0
  #refilledMs = Number.NaN

  get length(): number {
    return this.#queue.length - this.#head
  }

  push(item: T, sizeBytes: number, nowMs: number): void {
    this.#queue.push({ item, sizeBytes, atMs: nowMs })
  }

  /** When the next packet may leave; Infinity when none waits. */
  nextDeadlineMs(estimateBps: number): number {
    if (this.length === 0) return Number.POSITIVE_INFINITY
    if (this.#budgetBytes >= 0 || Number.isNaN(this.#refilledMs)) return this.#refilledMs || 0
    return this.#refilledMs - this.#budgetBytes / bytesPerMs(estimateBps)
  }

  /** Hands on what may leave now, in order. */
  release(nowMs: number, estimateBps: number, send: (item: T) => void): void {
    const rate = bytesPerMs(estimateBps)
    if (Number.isNaN(this.#refilledMs)) this.#refilledMs = nowMs
    const saved = this.#budgetBytes + (nowMs - this.#refilledMs) * rate
    this.#budgetBytes = Math.min(saved, BURST_MS * rate)
    this.#refilledMs = nowMs
    while (this.length > 0) {
      const next = this.#queue[this.#head]!
      const isOverdue = nowMs - next.atMs > WAIT_MS_MAX || this.length > SITE_PACED_PACKETS_MAX
      if (this.#budgetBytes < 0 && !isOverdue) break
      this.#head += 1
      this.#budgetBytes = Math.max(
        -2 * BURST_MS * rate - next.sizeBytes,
        this.#budgetBytes - next.sizeBytes,
      )
      send(next.item)
    }
    if (this.#head > 256 || this.length === 0) {
      this.#queue.splice(0, this.#head)
      this.#head = 0
    }
  }
}

function bytesPerMs(estimateBps: number): number {
  return (Math.max(1, estimateBps) * PACE_FACTOR) / 8_000
}
