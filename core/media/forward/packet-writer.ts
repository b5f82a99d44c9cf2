/**
 * One scratch packet: the payload is loaded once, then header and VP8 numbers are patched for each
 * receiver. Not a decision (Forwarder) and not a loop (engine).
 *
 *   ... | header of this receiver (12..24 bytes, grows to the left) | payload at PAYLOAD_AT
 */
import { FORWARDED_BYTES_MAX } from '../../../config/limits.ts'
import type { OutgoingStream } from './outgoing-stream.ts'

/** A multiple of 4, so that every header starts at one too. */
const PAYLOAD_AT = 64
/** Header of a source packet: extensions and CSRCs were removed at ingress. */
const SOURCE_HEADER_BYTES = 12
/** RTP padding counts itself in one byte. */
export const PADDING_BYTES_MAX = 252

/** A Forwarder after `accept`, or the like. */
export type OutNumbers = { outIndex: number; outTimestamp: number }

/** Reused for every packet; one per direction of use. */
export class PacketWriter {
  readonly bytes = new Uint8Array(PAYLOAD_AT + FORWARDED_BYTES_MAX + 8)
  /** One past the last payload byte. */
  end = PAYLOAD_AT
  #shift = 0
  #index = 0

  /** @hot Copies the payload of a source packet; false when it is too large. */
  load(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start - SOURCE_HEADER_BYTES
    if (length < 0 || length > FORWARDED_BYTES_MAX - SOURCE_HEADER_BYTES) return false
    const from = start + SOURCE_HEADER_BYTES
    const out = this.bytes
    for (let i = 0; i < length; i++) out[PAYLOAD_AT + i] = bytes[from + i]!
    this.end = PAYLOAD_AT + length
    this.#shift = 0
    return true
  }

  /**
   * Makes an RTX payload (RFC 4588 §4) of what is loaded: the original sequence number goes before
   * it.
   */
  wrapRtx(originalSequence: number): void {
    this.bytes.copyWithin(PAYLOAD_AT + 2, PAYLOAD_AT, this.end)
    this.bytes[PAYLOAD_AT] = (originalSequence >> 8) & 0xff
    this.bytes[PAYLOAD_AT + 1] = originalSequence & 0xff
    this.end += 2
    this.#shift = 2
  }

  /** Loads padding alone, 1..PADDING_BYTES_MAX bytes; the P bit is set by `markPadding`. */
  loadPadding(sizeBytes: number): void {
    this.bytes.fill(0, PAYLOAD_AT, PAYLOAD_AT + sizeBytes)
    this.bytes[PAYLOAD_AT + sizeBytes - 1] = sizeBytes
    this.end = PAYLOAD_AT + sizeBytes
    this.#shift = 0
  }

  markPadding(start: number): void {
    this.bytes[start] = this.bytes[start]! | 0x20
  }

  /**
   * @hot VP8 numbers at their offsets within the source packet; PictureID is always 15 bits wide
   * here.
   */
  patchPictureId(offset: number, pictureId: number): void {
    const at = PAYLOAD_AT - SOURCE_HEADER_BYTES + this.#shift + offset
    this.bytes[at] = 0x80 | (pictureId >> 8)
    this.bytes[at + 1] = pictureId & 0xff
  }

  /** @hot */
  patchTl0PicIdx(offset: number, tl0PicIdx: number): void {
    this.bytes[PAYLOAD_AT - SOURCE_HEADER_BYTES + this.#shift + offset] = tl0PicIdx
  }

  /**
   * @hot Writes the whole header before the payload and returns its offset. `markerAndType` is the
   * header's second byte; extension values are left for `stamp`.
   */
  header(stream: OutgoingStream, markerAndType: number, numbers: OutNumbers): number {
    const out = this.bytes
    const start = PAYLOAD_AT - stream.headerBytes
    const { ssrc, extension } = stream
    this.#index = numbers.outIndex
    const sequence = numbers.outIndex & 0xffff
    const timestamp = numbers.outTimestamp
    out[start] = extension === undefined ? 0x80 : 0x90
    out[start + 1] = markerAndType
    out[start + 2] = sequence >> 8
    out[start + 3] = sequence & 0xff
    out[start + 4] = timestamp >>> 24
    out[start + 5] = (timestamp >> 16) & 0xff
    out[start + 6] = (timestamp >> 8) & 0xff
    out[start + 7] = timestamp & 0xff
    out[start + 8] = ssrc >>> 24
    out[start + 9] = (ssrc >> 16) & 0xff
    out[start + 10] = (ssrc >> 8) & 0xff
    out[start + 11] = ssrc & 0xff
    if (extension !== undefined) {
      for (let i = 0; i < extension.length; i++) out[start + 12 + i] = extension[i]!
    }
    return start
  }

  /**
   * @hot Fills the values of a header that has an extension, and tells the link's log about the
   * packet.
   */
  stamp(stream: OutgoingStream, start: number, nowMs: number): void {
    const out = this.bytes
    if (stream.transportSequenceAt > 0) {
      const { link } = stream
      const sequence = link.transportSequence
      link.transportSequence = (sequence + 1) & 0xffff
      const at = start + stream.transportSequenceAt
      out[at] = sequence >> 8
      out[at + 1] = sequence & 0xff
      link.sent.onPacketSent(sequence, this.end - start, nowMs)
      const kept = stream.sentTransportSequences
      if (kept !== undefined) kept[this.#index & (kept.length - 1)] = sequence
    } else {
      // 24 bits of 6.18 fixed-point seconds.
      const value = Math.floor((nowMs % 64_000) * 262.144) & 0xffffff
      const at = start + stream.absSendTimeAt
      out[at] = value >> 16
      out[at + 1] = (value >> 8) & 0xff
      out[at + 2] = value & 0xff
    }
  }

  /**
   * Instead of `stamp`, where the bytes must be those of the first time: false when they are not
   * known.
   */
  stampAgain(stream: OutgoingStream, start: number): boolean {
    const kept = stream.sentTransportSequences
    if (stream.transportSequenceAt === 0) return stream.absSendTimeAt === 0
    if (kept === undefined) return false
    const sequence = kept[this.#index & (kept.length - 1)]!
    const at = start + stream.transportSequenceAt
    this.bytes[at] = sequence >> 8
    this.bytes[at + 1] = sequence & 0xff
    return true
  }
}
