/**
 * What a sender remembers of its datagrams so that it can send their frames again when the far end asks. Frames, not
 * datagrams: only those that are still worth it go again, bundled with whatever goes out then.
 */
import {
  REPAIR_PAYLOAD_BYTES_MAX,
  SENT_BYTES_KEPT,
  SENT_DATAGRAMS_KEPT,
  SENT_FRAMES_KEPT,
  SENT_KEPT_MS,
} from '../../config/limits.ts'

const DATAGRAM_MASK = SENT_DATAGRAMS_KEPT - 1
const FRAME_MASK = SENT_FRAMES_KEPT - 1
/** Asked again before this share of a round trip has passed, it is on its way already. */
const RESEND_RTTS_MIN = 0.9

/** Bounded by SENT_BYTES_KEPT, SENT_FRAMES_KEPT, SENT_DATAGRAMS_KEPT and SENT_KEPT_MS; allocated at once (600 KB). */
export class SentFrames {
  readonly #slab = new Uint8Array(SENT_BYTES_KEPT)
  #written = 0
  readonly #index = new Float64Array(SENT_DATAGRAMS_KEPT).fill(-1)
  readonly #sentMs = new Float64Array(SENT_DATAGRAMS_KEPT)
  readonly #resentMs = new Float64Array(SENT_DATAGRAMS_KEPT)
  /** First frame, ever counted, and how many, by datagram. */
  readonly #firstFrame = new Float64Array(SENT_DATAGRAMS_KEPT)
  readonly #frameCount = new Uint16Array(SENT_DATAGRAMS_KEPT)
  readonly #position = new Float64Array(SENT_FRAMES_KEPT)
  readonly #sizeBytes = new Uint16Array(SENT_FRAMES_KEPT)
  readonly #rank = new Uint8Array(SENT_FRAMES_KEPT)
  #frames = 0
  #datagram = -1
  #found = 0

  // Filled by `frame`.
  rank = 0
  bytes: Uint8Array = this.#slab
  start = 0
  end = 0

  /** @hot All frames added until the next `begin` went with this index; indexes ascend. */
  begin(index: number, nowMs: number): void {
    const slot = index & DATAGRAM_MASK
    this.#datagram = slot
    this.#index[slot] = index
    this.#sentMs[slot] = nowMs
    this.#resentMs[slot] = Number.NEGATIVE_INFINITY
    this.#firstFrame[slot] = this.#frames
    this.#frameCount[slot] = 0
  }

  /** @hot Copies a frame as it stands in the datagram; `rank` is the caller's, 0..255. */
  add(rank: number, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    if (this.#datagram < 0 || length <= 0 || length > REPAIR_PAYLOAD_BYTES_MAX) return
    let at = this.#written % SENT_BYTES_KEPT
    if (at + length > SENT_BYTES_KEPT) {
      this.#written += SENT_BYTES_KEPT - at
      at = 0
    }
    const slab = this.#slab
    for (let i = 0; i < length; i++) slab[at + i] = bytes[start + i]!
    const slot = this.#frames & FRAME_MASK
    this.#position[slot] = this.#written
    this.#sizeBytes[slot] = length
    this.#rank[slot] = rank
    this.#written += length
    this.#frames += 1
    this.#frameCount[this.#datagram] = this.#frameCount[this.#datagram]! + 1
  }

  /**
   * How many frames of a datagram may be sent again now: 0 when it is forgotten, too old, or was sent again
   * less than about a round trip ago. Marks it as sent again.
   */
  find(index: number, nowMs: number, rttMs: number): number {
    const slot = index & DATAGRAM_MASK
    if (index < 0 || this.#index[slot] !== index) return 0
    const count = this.#frameCount[slot]!
    const first = this.#firstFrame[slot]!
    if (nowMs - this.#sentMs[slot]! > SENT_KEPT_MS || count === 0) return 0
    if (nowMs - this.#resentMs[slot]! < rttMs * RESEND_RTTS_MIN) return 0
    if (first < this.#frames - SENT_FRAMES_KEPT) return 0
    if (this.#position[first & FRAME_MASK]! < this.#written - SENT_BYTES_KEPT) return 0
    this.#resentMs[slot] = nowMs
    this.#found = first
    return count
  }

  /** Sets `rank` and the bytes of frame 0..count-1 of what was found; valid until the next `add`. */
  frame(place: number): void {
    const slot = (this.#found + place) & FRAME_MASK
    this.rank = this.#rank[slot]!
    this.start = this.#position[slot]! % SENT_BYTES_KEPT
    this.end = this.start + this.#sizeBytes[slot]!
  }
}
