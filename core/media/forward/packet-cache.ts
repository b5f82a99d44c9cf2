/**
 * The newest packets of one source layer, plain, for answers to NACK: one ring for all subscribers.
 * Not per receiver, and not a jitter buffer.
 */
import {
  CACHE_BYTES_MAX,
  CACHE_BYTES_MIN,
  CACHE_MS,
  CACHE_PACKETS,
} from '../../../config/limits.ts'
import type { MediaPacket } from '../rtp/index.ts'

const MASK = CACHE_PACKETS - 1

/** Bounded by CACHE_PACKETS and CACHE_BYTES_MAX; the oldest gives way. */
export class PacketCache {
  #slab = new Uint8Array(CACHE_BYTES_MIN)
  /** Bytes ever written; a packet lives while its place is less than one slab behind. */
  #written = 0
  readonly #positions = new Float64Array(CACHE_PACKETS).fill(Number.NEGATIVE_INFINITY)
  readonly #sequences = new Int32Array(CACHE_PACKETS)
  /** Length (16 bits), PictureID offset and TL0PICIDX offset (8 bits each, 0 = none). */
  readonly #shapes = new Int32Array(CACHE_PACKETS)
  readonly #temporal = new Uint8Array(CACHE_PACKETS)
  #epoch = 0

  // Filled by `find`.
  bytes: Uint8Array = this.#slab
  start = 0
  end = 0
  pictureIdOffset = -1
  tl0PicIdxOffset = -1
  temporalLayer = 0

  get sizeBytes(): number {
    return this.#slab.length
  }

  /** @hot Copies the packet. A new epoch forgets all of the old one. */
  store(packet: MediaPacket): void {
    if (packet.epoch !== this.#epoch) {
      this.#epoch = packet.epoch
      this.#positions.fill(Number.NEGATIVE_INFINITY)
    }
    const length = packet.end - packet.start
    const capacity = this.#slab.length
    let at = this.#written % capacity
    if (at + length > capacity) {
      this.#written += capacity - at
      at = 0
    }
    const { bytes, start } = packet
    const slab = this.#slab
    for (let i = 0; i < length; i++) slab[at + i] = bytes[start + i]!
    const place = packet.sequence & MASK
    this.#positions[place] = this.#written
    this.#sequences[place] = packet.sequence | 0
    this.#shapes[place] =
      length |
      (Math.max(0, packet.pictureIdOffset) << 16) |
      (Math.max(0, packet.tl0PicIdxOffset) << 24)
    this.#temporal[place] = packet.temporalLayer
    this.#written += length
  }

  /** True when the packet is still here: its fields are then set, valid until the next `store`. */
  find(sequence: number, epoch: number): boolean {
    const place = sequence & MASK
    if (epoch !== this.#epoch || this.#sequences[place] !== (sequence | 0)) return false
    const position = this.#positions[place]!
    const capacity = this.#slab.length
    if (this.#written - position > capacity) return false
    const shape = this.#shapes[place]!
    this.bytes = this.#slab
    this.start = position % capacity
    this.end = this.start + (shape & 0xffff)
    const pictureIdOffset = (shape >> 16) & 0xff
    const tl0PicIdxOffset = (shape >>> 24) & 0xff
    this.pictureIdOffset = pictureIdOffset === 0 ? -1 : pictureIdOffset
    this.tl0PicIdxOffset = tl0PicIdxOffset === 0 ? -1 : tl0PicIdxOffset
    this.temporalLayer = this.#temporal[place]!
    return true
  }

  /** Grows so that CACHE_MS fit at this rate. What is kept moves along. */
  fitRate(bitrateBps: number): void {
    const wanted = (bitrateBps / 8_000) * CACHE_MS
    let capacity = this.#slab.length
    while (capacity < wanted && capacity < CACHE_BYTES_MAX) capacity *= 2
    if (capacity === this.#slab.length) return
    const old = this.#slab
    const oldest = this.#written - old.length
    const slab = new Uint8Array(capacity)
    for (let place = 0; place < CACHE_PACKETS; place++) {
      const position = this.#positions[place]!
      if (position < oldest) continue
      const from = position % old.length
      const to = position % capacity
      const length = this.#shapes[place]! & 0xffff
      // The new capacity is a multiple of the old one, so what did not cross the old edge crosses
      // none now.
      slab.set(old.subarray(from, from + length), to)
    }
    this.#slab = slab
  }
}
