/**
 * The newest keyframe of one video layer and what followed it, so that a late child or viewer is served from the
 * nearest node and the publisher is not asked. Not for answers to NACK (packet-cache.ts) and
 * not a recording.
 */
import {
  KEYFRAME_CACHE_BYTES_MAX,
  KEYFRAME_CACHE_BYTES_MIN,
  KEYFRAME_CACHE_PACKETS_MAX,
  KEYFRAME_FRESH_MS,
} from '../../../config/limits.ts'

/** What a packet is; a MediaPacket will do. */
export type KeyframePacket = {
  /** Unwrapped. */
  sequence: number
  epoch: number
  timestamp: number
  /** Belongs to a picture from which a decoder can start. */
  keyframe: boolean
  frameStart: boolean
}

/**
 * `live`: keyframe and all since, the next packet continues it; `still`: one whole picture, a fresh keyframe must be
 * asked for; `none`: nothing handed out.
 */
export type Replay = 'live' | 'still' | 'none'

/** Grows to KEYFRAME_CACHE_BYTES_MAX and KEYFRAME_CACHE_PACKETS_MAX; what does not fit leaves the keyframe alone. */
export class KeyframeCache {
  #slab = new Uint8Array(KEYFRAME_CACHE_BYTES_MIN)
  #used = 0
  /** By distance from the keyframe's first sequence; size 0 = not here. */
  readonly #start = new Uint32Array(KEYFRAME_CACHE_PACKETS_MAX)
  readonly #sizeBytes = new Uint16Array(KEYFRAME_CACHE_PACKETS_MAX)
  #epoch = 0
  /** -1 while there is no keyframe. */
  #first = -1
  #timestamp = 0
  #keyframeMs = 0
  /** Places up to the highest that came, how many of them are here, and how many places the keyframe takes. */
  #span = 0
  #here = 0
  #keyframeSpan = 0
  #isKeyframeOver = false
  /** Something after the keyframe did not fit. */
  #isCut = false

  /** Bytes that a whole replay hands out. */
  get usedBytes(): number {
    return this.#used
  }

  /**
   * @hot Copies. A packet that comes late finds its place. `bytes`: what shall be replayed, such as a handoff frame.
   */
  onPacket(
    packet: KeyframePacket,
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
  ): void {
    if (packet.epoch !== this.#epoch) this.clear()
    this.#epoch = packet.epoch
    const isNewer = packet.timestamp !== this.#timestamp && packet.sequence > this.#first
    if (packet.keyframe && packet.frameStart && (this.#first < 0 || isNewer))
      this.#begin(packet, nowMs)
    const place = packet.sequence - this.#first
    if (this.#first < 0 || place < 0 || end <= start) return
    if (this.#isCut && place >= this.#keyframeSpan) return
    if (!this.#fits(place, end - start)) {
      this.#cut()
      return
    }
    if (this.#sizeBytes[place] !== 0) return
    this.#put(place, bytes, start, end)
    if (packet.timestamp === this.#timestamp)
      this.#keyframeSpan = Math.max(this.#keyframeSpan, place + 1)
    else this.#isKeyframeOver = true
  }

  /**
   * Hands out, by sequence, what a late viewer needs: at most `bytesMax` (a link has to carry it), and nothing when
   * the keyframe is older than KEYFRAME_FRESH_MS and would be alone.
   */
  replay(
    nowMs: number,
    bytesMax: number,
    receive: (bytes: Uint8Array, start: number, end: number) => void,
  ): Replay {
    if (this.#first < 0) return 'none'
    const isWhole = !this.#isCut && this.#here === this.#span
    if (isWhole && this.#used <= bytesMax) {
      this.#hand(this.#span, receive)
      return 'live'
    }
    const isFresh = nowMs - this.#keyframeMs <= KEYFRAME_FRESH_MS
    if (!isFresh || !this.#isKeyframeOver || !this.#isPictureWithin(bytesMax)) return 'none'
    this.#hand(this.#keyframeSpan, receive)
    return 'still'
  }

  clear(): void {
    this.#first = -1
    this.#used = 0
  }

  #begin(packet: KeyframePacket, nowMs: number): void {
    this.#first = packet.sequence
    this.#timestamp = packet.timestamp
    this.#keyframeMs = nowMs
    this.#sizeBytes.fill(0, 0, this.#span)
    this.#used = 0
    this.#span = 0
    this.#here = 0
    this.#keyframeSpan = 0
    this.#isKeyframeOver = false
    this.#isCut = false
  }

  #put(place: number, bytes: Uint8Array, start: number, end: number): void {
    const slab = this.#slab
    const at = this.#used
    for (let from = start, to = at; from < end; from++, to++) slab[to] = bytes[from]!
    this.#start[place] = at
    this.#sizeBytes[place] = end - start
    this.#used = at + (end - start)
    this.#here += 1
    this.#span = Math.max(this.#span, place + 1)
  }

  #fits(place: number, length: number): boolean {
    if (place >= KEYFRAME_CACHE_PACKETS_MAX) return false
    while (this.#used + length > this.#slab.length) {
      if (this.#slab.length >= KEYFRAME_CACHE_BYTES_MAX) return false
      const slab = new Uint8Array(this.#slab.length * 2)
      slab.set(this.#slab)
      this.#slab = slab
    }
    return true
  }

  /** What follows is lost for the cache; the picture itself stays when it is whole. */
  #cut(): void {
    if (this.#isKeyframeOver) this.#isCut = true
    else this.clear()
  }

  #isPictureWithin(bytesMax: number): boolean {
    let sizeBytes = 0
    for (let place = 0; place < this.#keyframeSpan; place++) {
      if (this.#sizeBytes[place] === 0) return false
      sizeBytes += this.#sizeBytes[place]!
    }
    // The packet behind it is here too, so that none at its end is missing.
    return this.#sizeBytes[this.#keyframeSpan] !== 0 && sizeBytes <= bytesMax
  }

  #hand(span: number, receive: (bytes: Uint8Array, start: number, end: number) => void): void {
    for (let place = 0; place < span; place++) {
      const start = this.#start[place]!
      if (this.#sizeBytes[place] !== 0) receive(this.#slab, start, start + this.#sizeBytes[place]!)
    }
  }
}
