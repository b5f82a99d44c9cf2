/**
 * The numbers of one source (RFC 3550 A.1, A.3): order, wrap, probation, restart, duplicates, and
 * what was lost. Every number is unwrapped here once, so that nothing behind it knows of wraps.
 * Timestamps and jitter are not here.
 */
import {
  SEQUENCE_DROPOUT_MAX,
  SEQUENCE_MISORDER_MAX,
  SEQUENCE_WINDOW,
} from '../../../config/limits.ts'
import { SequenceUnwrapper, sequenceDelta16 } from '../rtp/index.ts'

/** What `track` made of a number. */
export const TRACK_NEXT = 0
/** In the window, behind the highest, not seen before. */
export const TRACK_LATE = 1
export const TRACK_DUPLICATE = 2
export const TRACK_TOO_OLD = 3
/** Far from the rest: only counts when the next number follows it. */
export const TRACK_JUMP = 4
export const TRACK_PROBATION = 5

/** RFC 3550 A.1 MIN_SEQUENTIAL, for sources whose identity nobody signalled. */
const PROBATION_PACKETS = 2
const WINDOW_MASK = SEQUENCE_WINDOW - 1

/** The numbers of one SSRC; `track` for what comes by itself, `recover` for what came by RTX. */
export class SequenceTracker {
  readonly #unwrapper = new SequenceUnwrapper()
  readonly #seen = new Uint32Array(SEQUENCE_WINDOW / 32)
  #base = 0
  #received = 0
  #expectedPrior = 0
  #receivedPrior = 0
  /** The number that would confirm a jump or end probation, -1 when none. */
  #awaited = -1
  #probation = 0

  /** Unwrapped form of the number given last to `track` or `recover`. */
  sequence = 0
  /** The highest before that number; equal to `sequence - 1` when nothing is missing between. */
  previousHighest = 0
  /** Grows with each restart. */
  epoch = 1
  /** Lost in the last report interval, 0..1. */
  lossRatio = 0

  get isStarted(): boolean {
    return this.#unwrapper.highest >= 0
  }

  /** Packets counted, duplicates included (RFC 3550 §6.4.1). */
  get receivedCount(): number {
    return this.#received
  }

  /**
   * As RTCP wants it: cycles in the upper 16 of 32 bits. The unwrapper's first cycle is not one.
   */
  get extendedHighest(): number {
    return this.isStarted ? (this.#unwrapper.highest - 0x10000) % 0x1_0000_0000 : 0
  }

  /** Forgets the source; `probation` when nobody vouches for the next one. */
  restart(probation: boolean): void {
    if (this.isStarted) this.epoch += 1
    this.#unwrapper.reset()
    this.#received = 0
    this.#expectedPrior = 0
    this.#receivedPrior = 0
    this.#awaited = -1
    this.#probation = probation ? PROBATION_PACKETS : 0
  }

  /**
   * @hot Takes note of a number 0..65535 and says what it is; `sequence` is set for NEXT, LATE and
   * DUPLICATE.
   */
  track(number: number): number {
    if (!this.isStarted) return this.#first(number)
    const highest = this.#unwrapper.highest
    const delta = sequenceDelta16(highest & 0xffff, number)
    if (delta > SEQUENCE_DROPOUT_MAX || delta < -SEQUENCE_MISORDER_MAX) return this.#jump(number)
    this.#awaited = -1
    this.#received += 1
    return this.#place(number, delta)
  }

  /**
   * @hot Takes note of a number that came by another way (RTX): it is marked as seen but not
   * counted as received, so that reports tell what the link really lost. It never restarts
   * anything.
   */
  recover(number: number): number {
    if (!this.isStarted) return TRACK_TOO_OLD
    const delta = sequenceDelta16(this.#unwrapper.highest & 0xffff, number)
    if (delta <= -SEQUENCE_WINDOW || delta > SEQUENCE_DROPOUT_MAX) return TRACK_TOO_OLD
    return this.#place(number, delta)
  }

  /** Fraction lost 0..255 since the previous call (RFC 3550 A.3); also sets `lossRatio`. */
  takeFractionLost(): number {
    if (!this.isStarted) return 0
    const expected = this.#expected()
    const expectedInterval = expected - this.#expectedPrior
    const lostInterval = expectedInterval - (this.#received - this.#receivedPrior)
    this.#expectedPrior = expected
    this.#receivedPrior = this.#received
    this.lossRatio = expectedInterval > 0 ? Math.max(0, lostInterval) / expectedInterval : 0
    return Math.min(255, Math.floor(this.lossRatio * 256))
  }

  /** Signed, limited to 24 bits. */
  get cumulativeLost(): number {
    if (!this.isStarted) return 0
    return Math.max(-0x80_0000, Math.min(0x7f_ffff, this.#expected() - this.#received))
  }

  #expected(): number {
    return this.#unwrapper.highest - this.#base + 1
  }

  #first(number: number): number {
    if (this.#probation > 0) {
      this.#probation = number === this.#awaited ? this.#probation - 1 : PROBATION_PACKETS - 1
      this.#awaited = (number + 1) & 0xffff
      if (this.#probation > 0) return TRACK_PROBATION
    }
    this.#awaited = -1
    this.#begin(number)
    return TRACK_NEXT
  }

  /** Everything from here counts anew. */
  #begin(number: number): void {
    this.#unwrapper.reset()
    this.#seen.fill(0)
    this.sequence = this.#unwrapper.unwrap(number)
    this.previousHighest = this.sequence - 1
    this.#base = this.sequence
    this.#received = 1
    this.#expectedPrior = 0
    this.#receivedPrior = 0
    this.#mark(this.sequence)
  }

  /** A.1: two in sequence mean that the other side started again without telling. */
  #jump(number: number): number {
    if (number !== this.#awaited) {
      this.#awaited = (number + 1) & 0xffff
      return TRACK_JUMP
    }
    this.restart(false)
    this.#begin(number)
    return TRACK_NEXT
  }

  /** @hot */
  #place(number: number, delta: number): number {
    const highest = this.#unwrapper.highest
    const sequence = highest + delta
    this.sequence = sequence
    this.previousHighest = highest
    if (delta > 0) {
      this.#unwrapper.unwrap(number)
      this.#clear(highest + 1, sequence)
      this.#mark(sequence)
      return TRACK_NEXT
    }
    if (sequence < this.#base) {
      // Reordered before our first packet: expected, as A.1 would have it had it come in order.
      if (highest - sequence >= SEQUENCE_WINDOW) return TRACK_TOO_OLD
      this.#base = sequence
    }
    if (this.#isMarked(sequence)) return TRACK_DUPLICATE
    this.#mark(sequence)
    return TRACK_LATE
  }

  /** @hot */
  #mark(sequence: number): void {
    const bit = sequence & WINDOW_MASK
    this.#seen[bit >>> 5] = this.#seen[bit >>> 5]! | (1 << (bit & 31))
  }

  /** @hot */
  #isMarked(sequence: number): boolean {
    const bit = sequence & WINDOW_MASK
    return (this.#seen[bit >>> 5]! & (1 << (bit & 31))) !== 0
  }

  /** @hot Bounded by SEQUENCE_DROPOUT_MAX; one turn in the common case. */
  #clear(first: number, last: number): void {
    for (let sequence = first; sequence <= last; sequence++) {
      const bit = sequence & WINDOW_MASK
      this.#seen[bit >>> 5] = this.#seen[bit >>> 5]! & ~(1 << (bit & 31))
    }
  }
}
