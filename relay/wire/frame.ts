/**
 * The heads of frames in a trunk datagram: what kind, and how long. Frames of unknown kinds are
 * skipped by their length, so versions N and N+1 understand each other. See docs/RELAY-WIRE.md.
 *
 *   | type (5) | L (1) | form (2) |  length varint, if L  | body |     without L the body goes to the end
 */
import { varintBytes, WireReader, writeVarint } from './varint.ts'

/** RTP payload type of trunk datagrams; all that is framed as drawn above has it. */
export const TRUNK_PAYLOAD_TYPE = 97
export const FRAME_PADDING = 0
export const FRAME_MEDIA = 1
export const FRAME_STATUS = 2
export const FRAME_LEVELS = 3
export const FRAME_FEEDBACK = 4
export const FRAME_DEMAND = 5
export const FRAME_KNOWN = 6
export const FRAME_KEYFRAME = 7
export const FRAME_NACK = 8
export const FRAME_PARITY = 9
export const FRAME_FRAGMENT = 10
export const FRAME_HOLD = 11
export const FRAME_RESENT = 12

const HAS_LENGTH = 4

/** @hot Head with length; returns where the body goes. */
export function writeFrameHead(
  out: Uint8Array,
  offset: number,
  kind: number,
  bodyBytes: number,
): number {
  out[offset] = kind | HAS_LENGTH
  return writeVarint(out, offset + 1, bodyBytes)
}

/** @hot Type and form as they stand in a head: `writeFrameHead` takes them so. */
export function frameKind(type: number, form: number): number {
  return (type << 3) | form
}

/** @hot Bytes of a whole frame with its length. */
export function frameBytes(bodyBytes: number): number {
  return 1 + varintBytes(bodyBytes) + bodyBytes
}

/** Goes over the frames of a bundle; reused. */
export class FrameReader {
  type = 0
  form = 0
  /** The body: `bytes[start, end)`. */
  start = 0
  end = 0
  /** A length that leaves the bundle: what stood before it was good. */
  isMalformed = false
  readonly #reader = new WireReader()

  /** @hot */
  begin(bytes: Uint8Array, start: number, end: number): void {
    this.#reader.begin(bytes, start, end)
    this.isMalformed = false
  }

  /** @hot Moves to the next frame; false at the end. */
  next(): boolean {
    const reader = this.#reader
    if (!reader.hasMore) return false
    const head = reader.uint8()
    this.type = head >> 3
    this.form = head & 3
    const length = (head & HAS_LENGTH) === 0 ? reader.end - reader.at : reader.varint()
    if (reader.failed || length > reader.end - reader.at) {
      this.isMalformed = true
      reader.failed = true
      return false
    }
    this.start = reader.at
    this.end = reader.at + length
    reader.at = this.end
    return true
  }
}
