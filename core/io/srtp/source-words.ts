/**
 * The packet in hand as 32-bit words, and its way into the slab. The last byte group is never read beyond the packet:
 * it may be the end of the buffer.
 */
import type { HmacSha1 } from './hmac-sha1.ts'

export class SourceWords {
  #slab: Uint8Array
  #slabWords: Uint32Array
  /** The buffer seen last, since a caller keeps using one scratch. */
  #buffer: ArrayBufferLike | undefined
  #words: Uint32Array = new Uint32Array(0)
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0
  #length = 0

  constructor(hmac: HmacSha1) {
    this.#slab = hmac.slab
    this.#slabWords = hmac.words
  }

  /** @hot Takes `bytes.subarray(start, start + length)` in hand, until the next call. */
  set(bytes: Uint8Array, start: number, length: number): void {
    if (bytes.buffer !== this.#buffer) {
      this.#buffer = bytes.buffer
      this.#words = new Uint32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2)
      this.#bytes = new Uint8Array(bytes.buffer)
    }
    this.#start = bytes.byteOffset + start
    this.#length = length
  }

  /** @hot Writes the packet to `slot` (a multiple of 4), XORed with `key` from byte `clear` (a multiple of 4) on. */
  sealInto(slot: number, clear: number, key: Uint32Array, keyAt: number): void {
    const to = this.#slabWords
    const length = this.#length
    const first = clear >> 2
    const whole = length >> 2
    const base = slot >> 2
    if ((this.#start & 3) === 0) {
      const from = this.#words
      const at = this.#start >> 2
      for (let i = 0; i < first; i += 1) to[base + i] = from[at + i] as number
      const shift = keyAt - first
      for (let i = first; i < whole; i += 1) {
        to[base + i] = (from[at + i] as number) ^ (key[shift + i] as number)
      }
    } else {
      this.copyInto(slot)
      const shift = keyAt - first
      for (let i = first; i < whole; i += 1) {
        to[base + i] = (to[base + i] as number) ^ (key[shift + i] as number)
      }
    }
    const rest = length & 3
    if (rest === 0) return
    const word = key[keyAt - first + whole] as number
    const end = whole << 2
    for (let i = 0; i < rest; i += 1) {
      const byte = this.#bytes[this.#start + end + i] as number
      this.#slab[slot + end + i] = byte ^ ((word >>> (8 * i)) & 255)
    }
  }

  /** Writes the packet to `slot` as it is. */
  copyInto(slot: number): void {
    const bytes = this.#bytes
    for (let i = 0; i < this.#length; i += 1)
      this.#slab[slot + i] = bytes[this.#start + i] as number
  }
}
