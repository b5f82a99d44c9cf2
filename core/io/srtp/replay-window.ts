/**
 * Which of the last indexes were accepted (RFC 3711 §3.3.2): a ring of bits. The caller marks an index only after the
 * packet has proved authentic.
 */
import { SRTP_REPLAYED, SRTP_TOO_OLD } from './outcome.ts'

export class ReplayWindow {
  /** Highest accepted index, -1 before the first. */
  highest = -1
  #bits: Uint32Array
  #size: number

  /** `size`: indexes behind the highest, a power of two from 32. */
  constructor(size: number) {
    this.#size = size
    this.#bits = new Uint32Array(size >> 5)
  }

  /** @hot 0 when `index` may be accepted, else SRTP_REPLAYED or SRTP_TOO_OLD. Changes nothing. */
  check(index: number): number {
    if (index > this.highest) return 0
    if (this.highest - index >= this.#size) return SRTP_TOO_OLD
    const place = index & (this.#size - 1)
    return ((this.#bits[place >> 5] as number) >>> (place & 31)) & 1 ? SRTP_REPLAYED : 0
  }

  /** @hot Accepts an index for which `check` gave 0. */
  mark(index: number): void {
    const mask = this.#size - 1
    if (index > this.highest) {
      if (index - this.highest >= this.#size) this.#bits.fill(0)
      else for (let i = this.highest + 1; i < index; i += 1) this.#clear(i & mask)
      this.highest = index
    }
    const place = index & mask
    this.#bits[place >> 5] = (this.#bits[place >> 5] as number) | (1 << (place & 31))
  }

  #clear(place: number): void {
    this.#bits[place >> 5] = (this.#bits[place >> 5] as number) & ~(1 << (place & 31))
  }
}
