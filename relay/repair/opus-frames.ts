/**
 * Opus packets as lists of frames (RFC 6716 §3.2): taken apart, joined and written again without decoding, for links
 * where headers eat the rate. Not the self-delimiting form (Appendix B); padding is dropped, which §3.2.5 allows
 * since it means nothing.
 *
 *   TOC: config(5) stereo(1) code(2)      code 0: one frame · 1: two of equal size · 2: two · 3: count and more
 *   code 3: V(1) P(1) count(6) [padding lengths] [lengths when V] frames [padding]
 */
import { OPUS_JOINED_BYTES_MAX } from '../../config/limits.ts'
import { opusDurationTicks } from '../../core/media/rtp/index.ts'

/** RFC 6716 §3.2.1 and R2, R5. */
const FRAME_BYTES_MAX = 1_275
const FRAMES_MAX = 48
const DURATION_TICKS_MAX = 5_760
const SHORT_LENGTH_MAX = 251

/**
 * Frames of one configuration, in order; owns their bytes. Reused: `clear`, then `append` packet by packet; then
 * `write` any run of them as one packet.
 */
export class OpusFrames {
  readonly #slab = new Uint8Array(OPUS_JOINED_BYTES_MAX)
  readonly #start = new Uint16Array(FRAMES_MAX)
  readonly #end = new Uint16Array(FRAMES_MAX)
  readonly #toc = new Uint8Array(1)
  #used = 0
  #frameTicks = 0
  count = 0

  /** 48 kHz ticks of one frame; 0 while empty. */
  get frameTicks(): number {
    return this.count === 0 ? 0 : this.#frameTicks
  }

  clear(): void {
    this.truncate(0)
  }

  /**
   * @hot Adds the frames of one packet. False, with nothing changed, when it breaks a rule of RFC 6716 §3.4, has
   * another configuration or channel count than those before, or the whole would exceed 120 ms or the bound in bytes.
   */
  append(bytes: Uint8Array, start: number, end: number): boolean {
    if (start >= end) return false
    const toc = bytes[start]! & 0xfc
    if (this.count > 0 && toc !== this.#toc[0]) return false
    const countBefore = this.count
    const tocBefore = this.#toc[0]!
    this.#toc[0] = toc
    this.#frameTicks = opusDurationTicks(this.#toc, 0, 1)
    if (this.#read(bytes, start, end) && this.count * this.#frameTicks <= DURATION_TICKS_MAX)
      return true
    this.truncate(countBefore)
    this.#toc[0] = tocBefore
    if (countBefore > 0) this.#frameTicks = opusDurationTicks(this.#toc, 0, 1)
    return false
  }

  /** Forgets all but the first `count` frames. */
  truncate(count: number): void {
    this.count = Math.min(count, this.count)
    this.#used = this.count === 0 ? 0 : this.#end[this.count - 1]!
  }

  /**
   * @hot Writes frames first..first+count-1 as one packet in its shortest form and returns the end; there must be so
   * many, and room for their bytes, two each, and two.
   */
  write(out: Uint8Array, at: number, first: number, count: number): number {
    const toc = this.#toc[0]!
    let to = at
    if (count === 1) {
      out[to++] = toc
      return this.#copy(out, to, first)
    }
    const isEqual = this.#areEqual(first, count)
    if (count === 2) {
      out[to++] = toc | (isEqual ? 1 : 2)
      if (!isEqual) to = writeLength(out, to, this.#length(first))
      to = this.#copy(out, to, first)
      return this.#copy(out, to, first + 1)
    }
    out[to++] = toc | 3
    out[to++] = (isEqual ? 0 : 0x80) | count
    for (let place = first; !isEqual && place < first + count - 1; place++) {
      to = writeLength(out, to, this.#length(place))
    }
    for (let place = first; place < first + count; place++) to = this.#copy(out, to, place)
    return to
  }

  #read(bytes: Uint8Array, start: number, end: number): boolean {
    const at = start + 1
    switch (bytes[start]! & 3) {
      case 0:
        return this.#add(bytes, at, end - at)
      case 1: {
        // R3: two frames share the rest.
        const half = (end - at) / 2
        if (!Number.isInteger(half)) return false
        return this.#add(bytes, at, half) && this.#add(bytes, at + half, half)
      }
      case 2: {
        const length = readLength(bytes, at, end)
        const from = at + lengthBytes(length)
        // R4
        if (length < 0 || from + length > end) return false
        return (
          this.#add(bytes, from, length) && this.#add(bytes, from + length, end - from - length)
        )
      }
      default:
        return this.#readMany(bytes, at, end)
    }
  }

  /** Code 3 (§3.2.5). */
  #readMany(bytes: Uint8Array, start: number, end: number): boolean {
    if (start >= end) return false
    const head = bytes[start]!
    const count = head & 0x3f
    // R5
    if (count === 0 || count * this.#frameTicks > DURATION_TICKS_MAX) return false
    let from = start + 1
    let paddingBytes = 0
    for (let more = (head & 0x40) !== 0; more; ) {
      if (from >= end) return false
      const byte = bytes[from++]!
      more = byte === 255
      paddingBytes += more ? 254 : byte
    }
    const dataEnd = end - paddingBytes
    if (dataEnd < from) return false
    return (head & 0x80) === 0
      ? this.#addEqual(bytes, from, dataEnd, count)
      : this.#addVaried(bytes, from, dataEnd, count)
  }

  /** R6 */
  #addEqual(bytes: Uint8Array, start: number, end: number, count: number): boolean {
    const length = (end - start) / count
    if (!Number.isInteger(length)) return false
    for (let place = 0; place < count; place++) {
      if (!this.#add(bytes, start + place * length, length)) return false
    }
    return true
  }

  /** R7: all lengths but the last's stand first. */
  #addVaried(bytes: Uint8Array, start: number, end: number, count: number): boolean {
    let from = start
    for (let place = 0; place < count - 1; place++) {
      const length = readLength(bytes, from, end)
      if (length < 0) return false
      from += lengthBytes(length)
    }
    let lengthAt = start
    for (let place = 0; place < count - 1; place++) {
      const length = readLength(bytes, lengthAt, end)
      lengthAt += lengthBytes(length)
      if (from + length > end || !this.#add(bytes, from, length)) return false
      from += length
    }
    return this.#add(bytes, from, end - from)
  }

  #add(bytes: Uint8Array, start: number, length: number): boolean {
    if (length > FRAME_BYTES_MAX || this.count === FRAMES_MAX) return false
    if (this.#used + length > this.#slab.length) return false
    const slab = this.#slab
    const at = this.#used
    for (let i = 0; i < length; i++) slab[at + i] = bytes[start + i]!
    this.#start[this.count] = at
    this.#used = at + length
    this.#end[this.count] = this.#used
    this.count += 1
    return true
  }

  #length(place: number): number {
    return this.#end[place]! - this.#start[place]!
  }

  #areEqual(first: number, count: number): boolean {
    for (let place = first + 1; place < first + count; place++) {
      if (this.#length(place) !== this.#length(first)) return false
    }
    return true
  }

  #copy(out: Uint8Array, at: number, place: number): number {
    const end = this.#end[place]!
    let to = at
    for (let from = this.#start[place]!; from < end; from++) out[to++] = this.#slab[from]!
    return to
  }
}

/** §3.2.1; -1 when it leaves the packet. */
function readLength(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1
  const first = bytes[at]!
  if (first <= SHORT_LENGTH_MAX) return first
  if (at + 1 >= end) return -1
  return bytes[at + 1]! * 4 + first
}

function lengthBytes(length: number): number {
  return length <= SHORT_LENGTH_MAX ? 1 : 2
}

function writeLength(out: Uint8Array, at: number, length: number): number {
  if (length <= SHORT_LENGTH_MAX) {
    out[at] = length
    return at + 1
  }
  const first = 252 + (length & 3)
  out[at] = first
  out[at + 1] = (length - first) >> 2
  return at + 2
}
