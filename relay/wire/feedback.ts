/**
 * Which datagrams came, and when: newest first, back into history that was told before, so that a
 * lost feedback costs nothing. Times are the teller's, in ticks of 250 us.
 *
 * newest index (24) | held (varint, ticks) | arrival of the newest (24) | entries, each a varint, one index further
 * back:
 *     bit 0 = 0: came; the rest is zigzag of (arrival of the last that came - arrival of this)
 *     bit 0 = 1: the rest is how many in a row did not come
 */
import { writeUint24 } from '../../core/media/rtp/index.ts'
import { unzigzag, type WireReader, writeVarint, zigzag } from './varint.ts'

export const FEEDBACK_TICKS_PER_MS = 4
/** Longest entry. */
export const FEEDBACK_ENTRY_BYTES_MAX = 6
const DELTA_TICKS_MAX = 0xff_ffff

/** @hot Returns the end. `newestTicks` counts modulo 2^24. */
export function writeFeedbackHead(
  out: Uint8Array,
  offset: number,
  head: { newestIndex: number; heldTicks: number; newestTicks: number },
): number {
  let at = writeUint24(out, offset, head.newestIndex % 0x100_0000)
  at = writeVarint(out, at, head.heldTicks)
  at = writeUint24(out, at, head.newestTicks % 0x100_0000)
  return at
}

/** @hot */
export function writeCame(out: Uint8Array, offset: number, deltaTicks: number): number {
  const bounded = Math.max(-DELTA_TICKS_MAX, Math.min(DELTA_TICKS_MAX, deltaTicks))
  return writeVarint(out, offset, 2 * zigzag(bounded))
}

/** @hot `count` at least 1. */
export function writeMissing(out: Uint8Array, offset: number, count: number): number {
  return writeVarint(out, offset, 2 * count + 1)
}

/** Goes over a feedback from the newest back; reused. */
export class FeedbackReader {
  /** Low 24 bits. */
  newestLow = 0
  heldTicks = 0
  newestLowTicks = 0
  /**
   * Of the entry at hand: how many indexes it tells of, whether they came, and ticks before the
   * newest.
   */
  count = 0
  came = false
  ticksBefore = 0
  #reader: WireReader | undefined

  /** @hot False when the head is malformed. The newest itself came. */
  begin(reader: WireReader): boolean {
    this.#reader = reader
    this.newestLow = reader.uint24()
    this.heldTicks = reader.varint()
    this.newestLowTicks = reader.uint24()
    this.ticksBefore = 0
    return !reader.failed
  }

  /** @hot Next entry; false at the end or where it is malformed. */
  next(): boolean {
    const reader = this.#reader
    if (reader === undefined || !reader.hasMore) return false
    const entry = reader.varint()
    if (reader.failed) return false
    this.came = entry % 2 === 0
    const value = Math.floor(entry / 2)
    if (this.came) {
      this.count = 1
      this.ticksBefore += unzigzag(value)
      return Math.abs(this.ticksBefore) <= 64 * DELTA_TICKS_MAX
    }
    this.count = value
    return value >= 1 && value <= 0xffff
  }
}
