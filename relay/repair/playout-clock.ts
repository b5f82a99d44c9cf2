/**
 * When a frame is to leave so that all leave as evenly as they were made: its timestamp, plus the shortest
 * transit of the last seconds, plus the wanted delay. Changes of either move it by a tenth of real time at most,
 * which jitter buffers follow without a gap.
 */
import { TimestampUnwrapper } from '../../core/media/rtp/index.ts'

/** The shortest transit is that of this and the previous window. */
const WINDOW_MS = 2_000
const SLEW = 0.1
/** Further off than this, timestamps and clock have nothing to do with each other: a new start. */
const JUMP_MS = 3_000

export class PlayoutClock {
  readonly #clockRate: number
  readonly #unwrapper = new TimestampUnwrapper()
  #windowEndMs = Number.NEGATIVE_INFINITY
  #shortestMs = Number.POSITIVE_INFINITY
  #shortestBeforeMs = Number.POSITIVE_INFINITY
  /** Added to a timestamp (ms) it is the release. */
  #offsetMs = Number.NaN
  #movedMs = 0

  constructor(clockRate: number) {
    this.#clockRate = clockRate
  }

  reset(): void {
    this.#unwrapper.reset()
    this.#shortestMs = Number.POSITIVE_INFINITY
    this.#shortestBeforeMs = Number.POSITIVE_INFINITY
    this.#windowEndMs = Number.NEGATIVE_INFINITY
    this.#offsetMs = Number.NaN
  }

  /** @hot Takes note of an arrival and says when it should leave; may lie in the past. */
  releaseMs(tsTicks: number, delayMs: number, nowMs: number): number {
    const tsMs = (this.#unwrapper.unwrap(tsTicks) / this.#clockRate) * 1_000
    const transitMs = nowMs - tsMs
    if (Math.abs(transitMs + delayMs - this.#offsetMs) > JUMP_MS) {
      this.reset()
      return this.releaseMs(tsTicks, delayMs, nowMs)
    }
    if (nowMs >= this.#windowEndMs) {
      this.#shortestBeforeMs = this.#shortestMs
      this.#shortestMs = Number.POSITIVE_INFINITY
      this.#windowEndMs = nowMs + WINDOW_MS
    }
    if (transitMs < this.#shortestMs) this.#shortestMs = transitMs
    this.#move(Math.min(this.#shortestMs, this.#shortestBeforeMs) + delayMs, nowMs)
    return tsMs + this.#offsetMs
  }

  #move(targetMs: number, nowMs: number): void {
    const stepMs = (nowMs - this.#movedMs) * SLEW
    this.#movedMs = nowMs
    if (Number.isNaN(this.#offsetMs)) this.#offsetMs = targetMs
    else if (targetMs > this.#offsetMs) this.#offsetMs = Math.min(targetMs, this.#offsetMs + stepMs)
    else this.#offsetMs = Math.max(targetMs, this.#offsetMs - stepMs)
  }
}
