/**
 * Pauses between the arrivals of one audio stream, from the arrivals alone; what a listener with no
 * buffer would hear.
 */

import { MEANT_MS_MAX } from './playout-model.ts'

/** A pause longer than this is a gap: two frames and more are missing. */
export const GAP_MS = 60
const SPACING_MS = 20

export type GapReading = { gaps: number; longestMs: number; silentMs: number }

/** One per audio stream. */
export class GapMeter {
  #gaps = 0
  #longestMs = 0
  #silentMs = 0
  /** Of the last arrival; -1 = nothing is awaited. */
  #lastMs = -1

  /** @hot */
  onArrival(nowMs: number): void {
    const gapMs = nowMs - this.#lastMs
    if (this.#lastMs >= 0 && gapMs > GAP_MS) this.#count(gapMs)
    this.#lastMs = nowMs
  }

  /**
   * Silence is meant from here to the next arrival, and from the last one too unless it was an
   * outage.
   */
  pause(nowMs: number): void {
    const openMs = nowMs - this.#lastMs
    if (this.#lastMs >= 0 && openMs > MEANT_MS_MAX) this.#count(openMs)
    this.#lastMs = -1
  }

  /** `silentMs` is what was missing of each gap; a gap that is open now is included. */
  read(nowMs: number): GapReading {
    const openMs = this.#lastMs < 0 ? 0 : nowMs - this.#lastMs
    const isOpen = openMs > GAP_MS
    return {
      gaps: this.#gaps + (isOpen ? 1 : 0),
      longestMs: Math.max(this.#longestMs, isOpen ? openMs : 0),
      silentMs: this.#silentMs + (isOpen ? openMs - SPACING_MS : 0),
    }
  }

  /** The longest is looked for anew; sums go on. */
  restart(): void {
    this.#longestMs = 0
  }

  #count(gapMs: number): void {
    this.#gaps += 1
    this.#silentMs += gapMs - SPACING_MS
    if (gapMs > this.#longestMs) this.#longestMs = gapMs
  }
}
