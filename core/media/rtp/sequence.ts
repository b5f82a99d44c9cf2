/**
 * Arithmetic of numbers that wrap (RFC 3550 A.1, RFC 1982): differences and unwrapping at 16 and 32
 * bits. Not the SRTP packet index, which has rules of its own (RFC 3711 §3.3.1).
 */

/** @hot Signed distance from `from` to `to`, -32768..32767. */
export function sequenceDelta16(from: number, to: number): number {
  return ((to - from) << 16) >> 16
}

/** @hot Signed distance from `from` to `to`, -2^31..2^31-1. */
export function sequenceDelta32(from: number, to: number): number {
  return (to - from) | 0
}

/**
 * Makes 16-bit numbers monotonic: each is placed nearest to the highest so far. The first lands in
 * the second cycle (65536 + number), so that what came just before it is never negative; the low 16
 * bits are always the original.
 */
export class SequenceUnwrapper {
  #highest = -1

  /** Highest unwrapped number so far, -1 before the first. */
  get highest(): number {
    return this.#highest
  }

  /** @hot Where `number` would land, without taking note of it. */
  peek(number: number): number {
    if (this.#highest < 0) return 0x10000 + (number & 0xffff)
    return this.#highest + sequenceDelta16(this.#highest & 0xffff, number)
  }

  /** @hot Unwraps and remembers. */
  unwrap(number: number): number {
    const unwrapped = this.peek(number)
    if (unwrapped > this.#highest) this.#highest = unwrapped
    return unwrapped
  }

  reset(): void {
    this.#highest = -1
  }
}

/** The same for 32-bit timestamps; exact up to 2^53. */
export class TimestampUnwrapper {
  #highest = -1

  /** Highest unwrapped number so far, -1 before the first. */
  get highest(): number {
    return this.#highest
  }

  /** @hot Where `ticks` would land, without taking note of it. */
  peek(ticks: number): number {
    if (this.#highest < 0) return 0x1_0000_0000 + (ticks >>> 0)
    return this.#highest + sequenceDelta32(this.#highest % 0x1_0000_0000, ticks)
  }

  /** @hot Unwraps and remembers. */
  unwrap(ticks: number): number {
    const unwrapped = this.peek(ticks)
    if (unwrapped > this.#highest) this.#highest = unwrapped
    return unwrapped
  }

  reset(): void {
    this.#highest = -1
  }
}
