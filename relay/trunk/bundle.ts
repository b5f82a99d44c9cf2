/**
 * The datagram in the making: an RTP header, then frames until it is full. Not a decision about
 * what goes in.
 *
 *   0x80 | payload type 97 | low 16 bits of the index | sender's clock, 250 us (32) | SSRC (32) | frames
 */
import { TRUNK_DATAGRAM_BYTES_MAX, TRUNK_RTP_BYTES, TRUNK_TAG_BYTES } from '../../config/limits.ts'
import { writeUint16, writeUint32 } from '../../core/media/rtp/index.ts'
import {
  FEEDBACK_TICKS_PER_MS,
  FRAME_MEDIA,
  frameBytes,
  frameKind,
  MEDIA_NEXT,
  MediaContext,
  MediaFrame,
  TRUNK_PAYLOAD_TYPE,
  WireReader,
  writeFrameHead,
} from '../wire/index.ts'

const KIND_NEXT = frameKind(FRAME_MEDIA, MEDIA_NEXT)
/** A hint that a reader alone needs: where media frames may follow each other. */
const NEXT_HEAD_BYTES_MAX = 4

/** One per end; reused. */
export class Bundle {
  readonly bytes = new Uint8Array(TRUNK_DATAGRAM_BYTES_MAX + 64)
  end = TRUNK_RTP_BYTES
  #limit = TRUNK_DATAGRAM_BYTES_MAX
  readonly #context = new MediaContext()
  readonly #written = new MediaContext()
  readonly #frame = new MediaFrame()
  readonly #reader = new WireReader()

  constructor(ssrc: number) {
    this.bytes[0] = 0x80
    this.bytes[1] = TRUNK_PAYLOAD_TYPE
    writeUint32(this.bytes, 8, ssrc)
  }

  get isEmpty(): boolean {
    return this.end === TRUNK_RTP_BYTES
  }

  /** Bytes of frames, with their heads, that still fit. */
  get room(): number {
    return this.#limit - TRUNK_TAG_BYTES - this.end
  }

  /** @hot Starts anew; `datagramBytes`: of UDP payload, tag included. */
  begin(datagramBytes: number): void {
    this.end = TRUNK_RTP_BYTES
    this.#limit = datagramBytes
    this.#context.reset()
  }

  /** @hot A body under this head byte; false when it does not fit. */
  add(kind: number, bytes: Uint8Array, start: number, end: number): boolean {
    const bodyBytes = end - start
    if (frameBytes(bodyBytes) > this.room) return false
    const at = writeFrameHead(this.bytes, this.end, kind, bodyBytes)
    for (let i = 0; i < bodyBytes; i++) this.bytes[at + i] = bytes[start + i]!
    this.end = at + bodyBytes
    return true
  }

  /**
   * @hot A frame that stands for itself, head byte first (not NEXT); a media frame is shortened
   * where it follows the one before.
   */
  addFrame(bytes: Uint8Array, start: number, end: number): boolean {
    const kind = bytes[start]!
    const frame = this.#frame
    const reader = this.#reader
    reader.begin(bytes, start + 1, end)
    if (kind >> 3 !== FRAME_MEDIA || !this.#written.read(frame, kind & 3, reader)) {
      return this.add(kind, bytes, start + 1, end)
    }
    const payloadBytes = frame.payloadEnd - frame.payloadStart
    if (!this.#context.fits(frame) || payloadBytes + NEXT_HEAD_BYTES_MAX > this.room) {
      if (!this.add(kind, bytes, start + 1, end)) return false
      this.#context.note(frame, bytes)
      return true
    }
    const flagBytes = this.#context.nextHeadBytes
    const from = writeFrameHead(this.bytes, this.end, KIND_NEXT, payloadBytes + flagBytes)
    const at = this.#context.writeNext(this.bytes, from, frame)
    for (let i = 0; i < payloadBytes; i++) this.bytes[at + i] = bytes[frame.payloadStart + i]!
    this.end = at + payloadBytes
    frame.form = MEDIA_NEXT
    this.#context.note(frame, bytes)
    return true
  }

  /** @hot Fills in what is known only when it leaves. */
  stamp(index: number, nowMs: number): void {
    writeUint16(this.bytes, 2, index % 0x1_0000)
    writeUint32(this.bytes, 4, Math.round(nowMs * FEEDBACK_TICKS_PER_MS) % 0x1_0000_0000)
  }
}
