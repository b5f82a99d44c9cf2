/**
 * Which frames of one stream layer have been here: copies, frames sent again and recovered datagrams bring most
 * of them twice.
 */
import { DUPLICATE_WINDOW } from '../../config/limits.ts'

const MASK = DUPLICATE_WINDOW - 1

/** Sequences are unwrapped; the source may start again (`reset`). */
export class DuplicateFilter {
  readonly #seen = new Float64Array(DUPLICATE_WINDOW).fill(Number.NaN)
  #highest = Number.NEGATIVE_INFINITY

  /** @hot False when this one was here before, or is DUPLICATE_WINDOW older than the newest. */
  accept(sequence: number): boolean {
    if (sequence <= this.#highest - DUPLICATE_WINDOW) return false
    const slot = sequence & MASK
    if (this.#seen[slot] === sequence) return false
    this.#seen[slot] = sequence
    if (sequence > this.#highest) this.#highest = sequence
    return true
  }

  reset(): void {
    this.#seen.fill(Number.NaN)
    this.#highest = Number.NEGATIVE_INFINITY
  }
}
