/**
 * Packets of one track as they come, in whatever order, until a segment is cut from them in the order of their
 * numbers. Takes memory when a segment is larger than those before; per packet it allocates nothing.
 */
import { SEGMENT_BYTES_MAX, SEGMENT_PACKETS_MAX } from '../../config/limits.ts'
import type { MediaPacket } from '../media/rtp/index.ts'

const PACKETS_START = 256
const BYTES_START = 32 * 1024
/** Places of the table that finds numbers, per packet: numbers of one segment lie close together. */
const PLACES_PER_PACKET = 4
const NOBODY = -0x80000000

const KEYFRAME = 1
const FRAME_START = 2
const TEMPORAL_SWITCH = 4
const MARKER = 8
const SHOWN = 64

/** One packet that was logged; reused by `take`. */
export class LoggedPacket {
  sequence = 0
  timestamp = 0
  keyframe = false
  frameStart = false
  temporalSwitch = false
  marker = false
  temporalLayer = 0
  /** -1 when the codec does not tell. */
  tl0PicIdx = -1
  levelDbov = 127
  shown = true
  /** What follows the RTP header; empty for padding. A view, good until the next packet is added. */
  bytes: Uint8Array = new Uint8Array(0)
}

/** Bounded by SEGMENT_PACKETS_MAX and SEGMENT_BYTES_MAX. */
export class PacketLog {
  #sequence = new Int32Array(PACKETS_START)
  #timestamp = new Uint32Array(PACKETS_START)
  #facts = new Uint32Array(PACKETS_START)
  #start = new Int32Array(PACKETS_START)
  #length = new Int32Array(PACKETS_START)
  #bytes = new Uint8Array(BYTES_START)
  #count = 0
  #used = 0
  /** A number at its remainder. */
  #places = new Int32Array(PACKETS_START * PLACES_PER_PACKET).fill(NOBODY)
  readonly #packet = new LoggedPacket()

  get count(): number {
    return this.#count
  }

  get sizeBytes(): number {
    return this.#used
  }

  has(sequence: number): boolean {
    return this.#places[sequence & (this.#places.length - 1)] === sequence
  }

  /**
   * @hot Adds `bytes[start, end)`, what follows the RTP header, under a number; nothing of it for padding. False when
   * it is a duplicate or there is no room.
   */
  add(
    packet: MediaPacket,
    payload: { start: number; end: number; levelDbov: number; shown: boolean },
    at: { sequence: number; timestamp: number } = packet,
  ): boolean {
    const { start, end, levelDbov, shown } = payload
    const length = end - start
    if (this.has(at.sequence) || !this.#makeRoom(length)) return false
    const index = this.#count++
    this.#places[at.sequence & (this.#places.length - 1)] = at.sequence
    this.#sequence[index] = at.sequence
    this.#timestamp[index] = at.timestamp
    const tl0 = packet.tl0PicIdxOffset < 0 ? 0 : packet.tl0PicIdx + 1
    this.#facts[index] =
      (packet.keyframe ? KEYFRAME : 0) |
      (packet.frameStart ? FRAME_START : 0) |
      (packet.temporalSwitch ? TEMPORAL_SWITCH : 0) |
      (packet.marker ? MARKER : 0) |
      ((packet.temporalLayer & 3) << 4) |
      (shown ? SHOWN : 0) |
      ((levelDbov & 0x7f) << 8) |
      (tl0 << 16)
    this.#start[index] = this.#used
    this.#length[index] = length
    for (let i = 0; i < length; i++) this.#bytes[this.#used + i] = packet.bytes[start + i]!
    this.#used += length
    return true
  }

  /** Whether every number from `first` up to, without, `end` is here. */
  isContiguous(first: number, end: number): boolean {
    for (let sequence = first; sequence < end; sequence++) if (!this.has(sequence)) return false
    return true
  }

  /** Gives all with a number below `end` in the order of their numbers, and forgets them. */
  take(end: number, receive: (packet: LoggedPacket) => void): void {
    const indexes: number[] = []
    for (let index = 0; index < this.#count; index++) {
      if (this.#sequence[index]! < end) indexes.push(index)
    }
    indexes.sort((one, other) => this.#sequence[one]! - this.#sequence[other]!)
    for (const index of indexes) receive(this.#read(index))
    this.#keepFrom(end)
  }

  /** Forgets all with a number below `end`. */
  drop(end: number): void {
    this.#keepFrom(end)
  }

  #read(index: number): LoggedPacket {
    const packet = this.#packet
    const facts = this.#facts[index]!
    packet.sequence = this.#sequence[index]!
    packet.timestamp = this.#timestamp[index]!
    packet.keyframe = (facts & KEYFRAME) !== 0
    packet.frameStart = (facts & FRAME_START) !== 0
    packet.temporalSwitch = (facts & TEMPORAL_SWITCH) !== 0
    packet.marker = (facts & MARKER) !== 0
    packet.temporalLayer = (facts >>> 4) & 3
    packet.shown = (facts & SHOWN) !== 0
    packet.levelDbov = (facts >>> 8) & 0x7f
    packet.tl0PicIdx = (facts >>> 16) - 1
    const start = this.#start[index]!
    packet.bytes = this.#bytes.subarray(start, start + this.#length[index]!)
    return packet
  }

  #keepFrom(end: number): void {
    let count = 0
    let used = 0
    // In the order of arrival, so bytes only move towards the front.
    for (let index = 0; index < this.#count; index++) {
      const sequence = this.#sequence[index]!
      if (sequence < end) {
        const place = sequence & (this.#places.length - 1)
        if (this.#places[place] === sequence) this.#places[place] = NOBODY
        continue
      }
      const start = this.#start[index]!
      const length = this.#length[index]!
      this.#bytes.copyWithin(used, start, start + length)
      this.#sequence[count] = sequence
      this.#timestamp[count] = this.#timestamp[index]!
      this.#facts[count] = this.#facts[index]!
      this.#start[count] = used
      this.#length[count] = length
      used += length
      count += 1
    }
    this.#count = count
    this.#used = used
  }

  hasRoom(length: number): boolean {
    return this.#count < SEGMENT_PACKETS_MAX && this.#used + length <= SEGMENT_BYTES_MAX
  }

  #makeRoom(length: number): boolean {
    if (!this.hasRoom(length)) return false
    if (this.#count === this.#sequence.length) {
      const capacity = this.#count * 2
      this.#sequence = grown(this.#sequence, new Int32Array(capacity))
      this.#timestamp = grown(this.#timestamp, new Uint32Array(capacity))
      this.#facts = grown(this.#facts, new Uint32Array(capacity))
      this.#start = grown(this.#start, new Int32Array(capacity))
      this.#length = grown(this.#length, new Int32Array(capacity))
      this.#places = new Int32Array(capacity * PLACES_PER_PACKET).fill(NOBODY)
      for (let index = 0; index < this.#count; index++) {
        const sequence = this.#sequence[index]!
        this.#places[sequence & (this.#places.length - 1)] = sequence
      }
    }
    if (this.#used + length > this.#bytes.length) {
      const capacity = Math.max(this.#bytes.length * 2, this.#used + length)
      this.#bytes = grown(this.#bytes, new Uint8Array(capacity))
    }
    return true
  }
}

function grown<T extends Int32Array | Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from)
  return to
}
