/**
 * What one site saw of the numbers of one incoming SSRC, from headers alone: received, lost, out of
 * order, twice (RFC 3550 A.3). Also what a receiver report needs of it. Times are the caller's.
 */

const CYCLE = 0x10000
const HALF = 0x8000
/** Numbers behind the highest in which duplicates are told apart; a power of two. */
const WINDOW = 1024
const MASK = WINDOW - 1

/** What `add` says of a packet. */
export const TALLY_NEXT = 0
export const TALLY_LATE = 1
export const TALLY_DUPLICATE = 2

/** One per SSRC and site. */
export class StreamTally {
  /** Distinct packets. */
  packets = 0
  bytes = 0
  reordered = 0
  duplicates = 0
  /**
   * The number given last, without its wraps: continuous, from 65536..131071 at the first packet,
   * never negative.
   */
  sequence = -1
  /** The highest before the packet given last. */
  previousHighest = -1
  readonly #seen = new Uint32Array(WINDOW / 32)
  #first = -1
  #highest = -1
  #expectedPrior = 0
  #packetsPrior = 0

  /** @hot `sequenceNumber` 16 bits; one of the TALLY_ values. */
  add(sequenceNumber: number, sizeBytes: number): number {
    this.bytes += sizeBytes
    this.previousHighest = this.#highest
    if (this.#first < 0) {
      this.sequence = CYCLE + sequenceNumber
      this.#first = this.sequence
      this.#highest = this.sequence
      this.packets = 1
      this.#mark(this.sequence)
      return TALLY_NEXT
    }
    const step = (sequenceNumber - this.#highest) & 0xffff
    if (step !== 0 && step < HALF) return this.#advance(step)
    return this.#fill(this.#highest + (step === 0 ? 0 : step - CYCLE))
  }

  /**
   * @hot A packet that came by another way (RTX): known from now on, but not counted as received by
   * this one.
   */
  repair(sequenceNumber: number): number {
    if (this.#first < 0) return TALLY_DUPLICATE
    const step = ((sequenceNumber - this.#highest) << 16) >> 16
    this.sequence = this.#highest + step
    this.previousHighest = this.#highest
    if (step > 0 || step <= -WINDOW || this.#isMarked(this.sequence)) return TALLY_DUPLICATE
    this.#mark(this.sequence)
    return TALLY_LATE
  }

  /** Packets between the first and the highest number. */
  get expected(): number {
    return this.#first < 0 ? 0 : this.#highest - this.#first + 1
  }

  /** Extended highest sequence number, for receiver reports. */
  get highest(): number {
    return Math.max(0, this.#highest - CYCLE)
  }

  /** Not received by themselves, repaired or not. */
  get lost(): number {
    return Math.max(0, this.expected - this.packets)
  }

  /** Fraction lost 0..255 since the previous call (RFC 3550 A.3). */
  takeFractionLost(): number {
    const expected = this.expected - this.#expectedPrior
    const lost = expected - (this.packets - this.#packetsPrior)
    this.#expectedPrior = this.expected
    this.#packetsPrior = this.packets
    return expected > 0 && lost > 0 ? Math.min(255, Math.floor((lost * 256) / expected)) : 0
  }

  /** @hot */
  #advance(step: number): number {
    const from = this.#highest
    this.#highest = from + step
    this.sequence = this.#highest
    this.packets += 1
    if (step >= WINDOW) this.#seen.fill(0)
    else for (let skipped = from + 1; skipped < this.#highest; skipped++) this.#clear(skipped)
    this.#mark(this.#highest)
    return TALLY_NEXT
  }

  /** @hot */
  #fill(sequence: number): number {
    this.sequence = sequence
    const isTooOld = this.#highest - sequence >= WINDOW
    if (isTooOld || this.#isMarked(sequence)) {
      this.duplicates += 1
      return TALLY_DUPLICATE
    }
    // Reordered before our first packet: expected, as A.1 would have it had it come in order.
    if (sequence < this.#first) this.#first = sequence
    this.packets += 1
    this.reordered += 1
    this.#mark(sequence)
    return TALLY_LATE
  }

  /** @hot */
  #mark(sequence: number): void {
    const bit = sequence & MASK
    this.#seen[bit >>> 5] = this.#seen[bit >>> 5]! | (1 << (bit & 31))
  }

  /** @hot */
  #clear(sequence: number): void {
    const bit = sequence & MASK
    this.#seen[bit >>> 5] = this.#seen[bit >>> 5]! & ~(1 << (bit & 31))
  }

  /** @hot */
  #isMarked(sequence: number): boolean {
    const bit = sequence & MASK
    return (this.#seen[bit >>> 5]! & (1 << (bit & 31))) !== 0
  }
}
