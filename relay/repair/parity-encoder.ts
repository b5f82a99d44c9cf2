/** Sender's half of the parity across datagrams; the code is described in parity-code.ts. */
import { PARITY_CLOSE_MS, PARITY_SPAN, REPAIR_PAYLOAD_BYTES_MAX } from '../../config/limits.ts'
import { addScaled } from './galois.ts'
import {
  coefficientOf,
  PARITY_HEAD_BYTES,
  PARITY_LENGTH_BYTES,
  PARITY_ROWS,
} from './parity-code.ts'

const SLOT_BYTES = PARITY_LENGTH_BYTES + REPAIR_PAYLOAD_BYTES_MAX

/**
 * Keeps the last PARITY_SPAN protected payloads (94 KB) and combines the newest `window` of them after each
 * `every`, or when one has waited for PARITY_CLOSE_MS. A parity frame goes in a datagram that is not protected.
 */
export class ParityEncoder {
  /** Two bytes of length, then the payload. */
  readonly #slab = new Uint8Array(PARITY_SPAN * SLOT_BYTES)
  readonly #index = new Float64Array(PARITY_SPAN)
  readonly #sizeBytes = new Uint16Array(PARITY_SPAN)
  #every = 0
  #window = 0
  /** Protected payloads ever; the newest is at `(count - 1) % PARITY_SPAN`. */
  #count = 0
  #waiting = 0
  #waitingSinceMs = 0
  #row = 0

  /** Bytes protected, and bytes of parity bodies made. */
  protectedBytes = 0
  parityBytes = 0

  /** `every` 0 = off; `window` 1..PARITY_SPAN, at least `every`. */
  configure(every: number, window: number): void {
    this.#every = Math.max(0, Math.floor(every))
    this.#window = Math.min(PARITY_SPAN, Math.max(1, Math.floor(window), this.#every))
    if (this.#every === 0) {
      this.#count = 0
      this.#waiting = 0
    }
  }

  /** @hot Copies; `index` is larger than all before. A payload that is too long is left unprotected. */
  protect(index: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    const length = end - start
    if (this.#every === 0 || length <= 0 || length > REPAIR_PAYLOAD_BYTES_MAX) return
    const slot = this.#count % PARITY_SPAN
    const at = slot * SLOT_BYTES
    const slab = this.#slab
    slab[at] = length >> 8
    slab[at + 1] = length & 0xff
    for (let i = 0; i < length; i++) slab[at + PARITY_LENGTH_BYTES + i] = bytes[start + i]!
    this.#index[slot] = index
    this.#sizeBytes[slot] = length
    this.#count += 1
    this.protectedBytes += length
    if (this.#waiting === 0) this.#waitingSinceMs = nowMs
    this.#waiting += 1
  }

  /** @hot */
  isDue(nowMs: number): boolean {
    if (this.#waiting === 0) return false
    return this.#waiting >= this.#every || nowMs >= this.#waitingSinceMs + PARITY_CLOSE_MS
  }

  /** Infinity when nothing waits. */
  nextDeadlineMs(): number {
    return this.#waiting === 0 ? Number.POSITIVE_INFINITY : this.#waitingSinceMs + PARITY_CLOSE_MS
  }

  /** Bytes that `write` needs at most now. */
  bodyBytesMax(): number {
    let longest = 0
    for (let age = 0; age < this.#covered(); age++) {
      longest = Math.max(longest, this.#sizeBytes[this.#slotOf(age)]!)
    }
    return PARITY_HEAD_BYTES + PARITY_SPAN / 8 + PARITY_LENGTH_BYTES + longest
  }

  /**
   * @hot Writes the body of one parity frame, at most PARITY_OVERHEAD_BYTES_MAX longer than the longest
   * payload covered, and returns its end; `at` when nothing is protected. About 1 ns a covered byte.
   */
  write(out: Uint8Array, at: number): number {
    const covered = this.#covered()
    this.#waiting = 0
    if (covered === 0) return at
    const newest = this.#index[this.#slotOf(0)]!
    const oldest = this.#index[this.#slotOf(covered - 1)]!
    const maskBytes = ((newest - oldest) >> 3) + 1
    const row = this.#row
    this.#row = (row + 1) % PARITY_ROWS
    out[at] = row
    out[at + 1] = (newest >> 8) & 0xff
    out[at + 2] = newest & 0xff
    out[at + 3] = maskBytes
    const maskAt = at + PARITY_HEAD_BYTES
    const sumAt = maskAt + maskBytes
    let longest = 0
    for (let age = 0; age < covered; age++) {
      longest = Math.max(longest, this.#sizeBytes[this.#slotOf(age)]!)
    }
    const end = sumAt + PARITY_LENGTH_BYTES + longest
    out.fill(0, maskAt, end)
    for (let age = 0; age < covered; age++) {
      const slot = this.#slotOf(age)
      const index = this.#index[slot]!
      const back = newest - index
      out[maskAt + (back >> 3)] = out[maskAt + (back >> 3)]! | (1 << (back & 7))
      const from = slot * SLOT_BYTES
      const to = from + PARITY_LENGTH_BYTES + this.#sizeBytes[slot]!
      addScaled(out, sumAt, coefficientOf(row, index), this.#slab, from, to)
    }
    this.parityBytes += end - at
    return end
  }

  #slotOf(age: number): number {
    return (this.#count - 1 - age) % PARITY_SPAN
  }

  /** How many of the newest fit the window and the mask. */
  #covered(): number {
    const kept = Math.min(this.#count, this.#window)
    if (kept === 0) return 0
    const newest = this.#index[this.#slotOf(0)]!
    let covered = 1
    while (covered < kept && newest - this.#index[this.#slotOf(covered)]! < PARITY_SPAN) {
      covered += 1
    }
    return covered
  }
}
