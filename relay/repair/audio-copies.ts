/**
 * Redundancy for audio, trunk-level RED: whole frames go again in later datagrams, at distances that a burst of
 * losses does not span, and the far end drops those that it has. Like RFC 2198 it needs no decoder; unlike it, the
 * distance is free, it costs no header of its own beyond the frame's, and clients never see it.
 */
import {
  AUDIO_COPIES_WAITING_MAX,
  AUDIO_COPY_BYTES_KEPT,
  AUDIO_COPY_BYTES_MAX,
  AUDIO_COPY_FRAMES,
  AUDIO_COPY_STREAMS_MAX,
} from '../../config/limits.ts'

const FRAME_MASK = AUDIO_COPY_FRAMES - 1
const WAITING_MASK = AUDIO_COPIES_WAITING_MAX - 1

/** The newest frames of one stream, by place: one place a frame, or a frame's time without one. */
class Stream {
  streamId = 0
  readonly slab = new Uint8Array(AUDIO_COPY_BYTES_KEPT)
  written = 0
  readonly position = new Float64Array(AUDIO_COPY_FRAMES)
  readonly sizeBytes = new Uint16Array(AUDIO_COPY_FRAMES)
  /** Places used ever, and how many of the newest are empty (silence). */
  places = 0
  silent = 0
  storedMs = 0
  frameMs = 20
}

/** Bounded by the four AUDIO_COPY limits (9 KB a stream); a copy that was waiting too long is forgotten. */
export class AudioCopies {
  readonly #streams = new Map<number, Stream>()
  readonly #distances = new Uint8Array(2)
  #distanceCount = 0
  #distanceMax = 0
  readonly #waitingStream = new Array<Stream | undefined>(AUDIO_COPIES_WAITING_MAX).fill(undefined)
  readonly #waitingPlace = new Float64Array(AUDIO_COPIES_WAITING_MAX)
  #waitingFirst = 0
  #waitingEnd = 0
  #silenceMs = Number.POSITIVE_INFINITY

  // Filled by `take`.
  streamId = 0
  bytes: Uint8Array = new Uint8Array(0)
  start = 0
  end = 0

  /** In frames, ascending, at most two, each 1..AUDIO_COPY_FRAMES-1; none = no copies. */
  configure(distances: readonly number[]): void {
    this.#distanceCount = Math.min(2, distances.length)
    this.#distanceMax = 0
    for (let i = 0; i < this.#distanceCount; i++) {
      const distance = Math.max(1, Math.min(AUDIO_COPY_FRAMES - 1, Math.floor(distances[i]!)))
      this.#distances[i] = distance
      this.#distanceMax = Math.max(this.#distanceMax, distance)
    }
    if (this.#distanceCount === 0) this.#waitingFirst = this.#waitingEnd
  }

  /** @hot A new audio frame as it goes out; copied. `frameMs`: how long it plays. */
  store(
    streamId: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    frameMs: number,
    nowMs: number,
  ): void {
    const length = end - start
    if (this.#distanceCount === 0 || length <= 0 || length > AUDIO_COPY_BYTES_MAX) return
    const stream = this.#streams.get(streamId) ?? this.#add(streamId)
    let at = stream.written % AUDIO_COPY_BYTES_KEPT
    if (at + length > AUDIO_COPY_BYTES_KEPT) {
      stream.written += AUDIO_COPY_BYTES_KEPT - at
      at = 0
    }
    const { slab } = stream
    for (let i = 0; i < length; i++) slab[at + i] = bytes[start + i]!
    const slot = stream.places & FRAME_MASK
    stream.position[slot] = stream.written
    stream.sizeBytes[slot] = length
    stream.written += length
    stream.silent = 0
    stream.storedMs = nowMs
    stream.frameMs = Math.max(5, frameMs)
    this.#step(stream)
    this.#silenceMs = Math.min(this.#silenceMs, this.#silentAtMs(stream))
  }

  /** @hot Next copy that is due, into `streamId` and the bytes (valid until the next `store`); false when none is. */
  take(nowMs: number): boolean {
    if (nowMs >= this.#silenceMs) this.#passSilence(nowMs)
    while (this.#waitingFirst < this.#waitingEnd) {
      const entry = this.#waitingFirst & WAITING_MASK
      this.#waitingFirst += 1
      const stream = this.#waitingStream[entry]!
      const place = this.#waitingPlace[entry]!
      this.#waitingStream[entry] = undefined
      if (this.#find(stream, place)) return true
    }
    return false
  }

  /** When a copy is due: at once, after a silence begins, or Infinity. */
  nextDeadlineMs(): number {
    return this.#waitingFirst < this.#waitingEnd ? 0 : this.#silenceMs
  }

  forget(streamId: number): void {
    this.#streams.delete(streamId)
  }

  /** One place further: the frames that lie a distance behind it are due. */
  #step(stream: Stream): void {
    const place = stream.places
    stream.places += 1
    for (let i = 0; i < this.#distanceCount; i++) {
      const due = place - this.#distances[i]!
      if (due >= 0 && stream.sizeBytes[due & FRAME_MASK] !== 0) this.#enqueue(stream, due)
    }
  }

  #enqueue(stream: Stream, place: number): void {
    if (this.#waitingEnd - this.#waitingFirst === AUDIO_COPIES_WAITING_MAX) this.#waitingFirst += 1
    const entry = this.#waitingEnd & WAITING_MASK
    this.#waitingStream[entry] = stream
    this.#waitingPlace[entry] = place
    this.#waitingEnd += 1
  }

  #find(stream: Stream, place: number): boolean {
    const slot = place & FRAME_MASK
    const position = stream.position[slot]!
    if (place < stream.places - AUDIO_COPY_FRAMES) return false
    if (position < stream.written - AUDIO_COPY_BYTES_KEPT) return false
    this.streamId = stream.streamId
    this.bytes = stream.slab
    this.start = position % AUDIO_COPY_BYTES_KEPT
    this.end = this.start + stream.sizeBytes[slot]!
    return true
  }

  /** When the next frame of a stream has not come though half as long again has passed. */
  #silentAtMs(stream: Stream): number {
    if (stream.silent >= this.#distanceMax) return Number.POSITIVE_INFINITY
    return stream.storedMs + (stream.silent + 1.5) * stream.frameMs
  }

  /** The end of what was said has copies too: empty places move it on. */
  #passSilence(nowMs: number): void {
    let nextMs = Number.POSITIVE_INFINITY
    for (const stream of this.#streams.values()) {
      while (this.#silentAtMs(stream) <= nowMs) {
        stream.sizeBytes[stream.places & FRAME_MASK] = 0
        stream.silent += 1
        this.#step(stream)
      }
      nextMs = Math.min(nextMs, this.#silentAtMs(stream))
    }
    this.#silenceMs = nextMs
  }

  #add(streamId: number): Stream {
    if (this.#streams.size >= AUDIO_COPY_STREAMS_MAX) this.#forgetOldest()
    const stream = new Stream()
    stream.streamId = streamId
    this.#streams.set(streamId, stream)
    return stream
  }

  #forgetOldest(): void {
    let oldest: Stream | undefined
    for (const stream of this.#streams.values()) {
      if (oldest === undefined || stream.storedMs < oldest.storedMs) oldest = stream
    }
    if (oldest !== undefined) this.#streams.delete(oldest.streamId)
  }
}
