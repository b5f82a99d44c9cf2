/**
 * Standstill of a picture. A freeze is what getStats counts as one (webrtc-stats, freezeCount): a
 * pause between two shown frames of at least three mean intervals and 150 ms more than one; here
 * never below 200 ms. Its whole length is frozen time.
 */

import { MEANT_MS_MAX } from './playout-model.ts'

const FREEZE_MS_MIN = 200
const FREEZE_EXTRA_MS = 150
const FREEZE_FACTOR = 3
const MEAN_MS_START = 40
/** The standard's mean is over 30 frames. */
const SMOOTHING = 1 / 30

/**
 * `watchedMs`: the time during which a picture should have been there, which `frozenMs` is a part
 * of.
 */
export type FreezeReading = {
  freezes: number
  longestMs: number
  frozenMs: number
  watchedMs: number
}

/** One per video stream. */
export class FreezeMeter {
  #freezes = 0
  #longestMs = 0
  #frozenMs = 0
  #meanMs = MEAN_MS_START
  #lastMs = -1
  #watchedMs = 0

  /** @hot A frame was shown. */
  onShown(nowMs: number): void {
    const intervalMs = nowMs - this.#lastMs
    if (this.#lastMs >= 0) {
      this.#watchedMs += intervalMs
      if (intervalMs >= this.#thresholdMs()) this.#count(intervalMs)
      else this.#meanMs += (intervalMs - this.#meanMs) * SMOOTHING
    }
    this.#lastMs = nowMs
  }

  /**
   * Nothing is to be shown until the next frame: the slot is empty. What stood still before did so
   * if it was an outage.
   */
  pause(nowMs: number): void {
    const openMs = nowMs - this.#lastMs
    if (this.#lastMs >= 0 && openMs > MEANT_MS_MAX) {
      this.#watchedMs += openMs
      this.#count(openMs)
    }
    this.#lastMs = -1
  }

  /** A standstill that goes on is included. */
  read(nowMs: number): FreezeReading {
    const openMs = this.#lastMs < 0 ? 0 : nowMs - this.#lastMs
    const isOpen = openMs >= this.#thresholdMs()
    return {
      freezes: this.#freezes + (isOpen ? 1 : 0),
      longestMs: Math.max(this.#longestMs, isOpen ? openMs : 0),
      frozenMs: this.#frozenMs + (isOpen ? openMs : 0),
      watchedMs: this.#watchedMs + openMs,
    }
  }

  /** The longest is looked for anew; sums go on. */
  restart(): void {
    this.#longestMs = 0
  }

  #thresholdMs(): number {
    const mean = this.#meanMs
    return Math.max(FREEZE_MS_MIN, FREEZE_FACTOR * mean, mean + FREEZE_EXTRA_MS)
  }

  #count(intervalMs: number): void {
    this.#freezes += 1
    this.#frozenMs += intervalMs
    if (intervalMs > this.#longestMs) this.#longestMs = intervalMs
  }
}
