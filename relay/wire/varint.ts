/**
 * Numbers of the trunk's wire format: big-endian fixed ones, and variable ones of 7 bits a byte,
 * lowest first, the high bit set on all but the last (LEB128). A reader never passes its end: it
 * fails once, and then gives zeros.
 */

/** Bytes of the longest variable number: 2^53 fits in eight. */
const VARINT_BYTES_MAX = 8

/** @hot `value` 0..2^53-1; returns the offset after it. */
export function writeVarint(out: Uint8Array, offset: number, value: number): number {
  let rest = value
  let at = offset
  while (rest >= 0x80) {
    out[at++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  out[at++] = rest
  return at
}

/** @hot Bytes that `writeVarint` needs. */
export function varintBytes(value: number): number {
  let count = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) count += 1
  return count
}

/** @hot Signed to unsigned so that small magnitudes stay small; within 31 bits. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

/** @hot The reverse of `zigzag`. */
export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

/** Reads `bytes[at, end)`; reused. `failed` is true from the first number that is not there. */
export class WireReader {
  bytes: Uint8Array = new Uint8Array(0)
  at = 0
  end = 0
  failed = false

  /** @hot */
  begin(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes
    this.at = start
    this.end = end
    this.failed = false
  }

  /** @hot True while bytes are left and all went well. */
  get hasMore(): boolean {
    return !this.failed && this.at < this.end
  }

  /** @hot 0..255. */
  uint8(): number {
    return this.#uint(1)
  }

  /** @hot 0..65535. */
  uint16(): number {
    return this.#uint(2)
  }

  /** @hot 0..2^24-1. */
  uint24(): number {
    return this.#uint(3)
  }

  /** @hot 0..2^32-1. */
  uint32(): number {
    return this.#uint(4)
  }

  /** @hot 0..2^48-1. */
  uint48(): number {
    return this.#uint(6)
  }

  /** @hot 0..2^53-1. */
  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      if (this.at >= this.end) break
      const byte = this.bytes[this.at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : this.#fail()
      scale *= 0x80
    }
    return this.#fail()
  }

  #uint(count: number): number {
    if (this.failed || this.at + count > this.end) return this.#fail()
    let value = 0
    for (let i = 0; i < count; i++) value = value * 0x100 + this.bytes[this.at++]!
    return value
  }

  #fail(): number {
    this.failed = true
    this.at = this.end
    return 0
  }
}

/** @hot The low 48 bits; returns the offset after them. */
export function writeUint48(out: Uint8Array, offset: number, value: number): number {
  let rest = value
  for (let i = 5; i >= 0; i--) {
    out[offset + i] = rest % 0x100
    rest = Math.floor(rest / 0x100)
  }
  return offset + 6
}

/** @hot The number with these low 24 bits that lies nearest to `near`; may be negative. */
export function nearest24(near: number, low: number): number {
  const base = near - (near % 0x100_0000)
  let value = base + low
  if (value - near > 0x80_0000) value -= 0x100_0000
  else if (near - value > 0x80_0000) value += 0x100_0000
  return value
}
