/**
 * When to ask one layer's encoder for a keyframe (RFC 4585 §6.3.1). Many receivers may want one;
 * the sender hears of it at most every 500 ms, again and again until a keyframe came. Sends nothing
 * itself.
 */

const INTERVAL_MS = 500
/**
 * After this many unanswered requests the encoder is probably not running: keep asking, but seldom.
 */
const PATIENT_TRIES = 8
const PATIENT_INTERVAL_MS = 2_000
/** An answer needs a round trip: asking sooner would make two keyframes. */
const INTERVAL_RTTS = 1.5

/** Throttle for one layer: `request` as often as you like, send when `collect` says so. */
export class KeyframeRequester {
  #isWanted = false
  #tries = 0
  #sentMs = Number.NEGATIVE_INFINITY
  #rttMs = 0

  /** Requests sent. */
  sentCount = 0

  get isWanted(): boolean {
    return this.#isWanted
  }

  setRttMs(rttMs: number): void {
    this.#rttMs = rttMs
  }

  /** Somebody needs a keyframe. Cheap to repeat. */
  request(): void {
    this.#isWanted = true
  }

  /** Nobody needs one any more. */
  cancel(): void {
    this.#isWanted = false
    this.#tries = 0
  }

  /** A keyframe has begun, in order: what was asked for is on its way. */
  onKeyframe(): void {
    this.cancel()
  }

  /** When the next request may go; Infinity when none is wanted. In the past means now. */
  nextDeadlineMs(): number {
    if (!this.#isWanted) return Number.POSITIVE_INFINITY
    const intervalMs = this.#tries < PATIENT_TRIES ? INTERVAL_MS : PATIENT_INTERVAL_MS
    return this.#sentMs + Math.max(intervalMs, this.#rttMs * INTERVAL_RTTS)
  }

  /** True when a PLI is to be sent now, which is then taken as sent. */
  collect(nowMs: number): boolean {
    if (nowMs < this.nextDeadlineMs()) return false
    this.#sentMs = nowMs
    this.#tries += 1
    this.sentCount += 1
    return true
  }
}
