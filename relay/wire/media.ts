/**
 * A media packet as a frame: the RTP header is gone, numbers are short, the payload is as it was.
 * Not a decision about what crosses.
 *
 *   form NEXT     [flags A]                                         follows the media frame before it in the datagram
 *   form SHORT    stream | sequence (16) | timestamp (24)           Opus, nothing special
 *   form FLAGGED  stream | flags A | flags B | sequence (16) | timestamp (24)
 *   form FULL     stream | flags A | flags B | run (8) | sequence (32) | timestamp (32)
 *
 *   flags A: late? 7 padding | 6 late | 5 temporal switch | 4-3 temporal layer | 2 frame start | 1 keyframe | 0 marker
 *   flags B: 4-2 codec | 1-0 spatial layer
 *
 * NEXT is the same stream and layer, one number on. After a form with flags it is the same picture:
 * flags A follow, the timestamp stays; after SHORT the timestamp moves by what the Opus packet
 * before it plays (RFC 6716 §3.1).
 */
import { LAYERS_PER_PUBLICATION_MAX } from '../../config/limits.ts'
import type { CodecName } from '../../core/media/control.ts'
import {
  opusDurationTicks,
  writeUint16,
  writeUint24,
  writeUint32,
} from '../../core/media/rtp/index.ts'
import { type WireReader, writeVarint } from './varint.ts'

export const MEDIA_NEXT = 0
export const MEDIA_SHORT = 1
export const MEDIA_FLAGGED = 2
export const MEDIA_FULL = 3

const MARKER = 1
const KEYFRAME = 2
const FRAME_START = 4
const TEMPORAL_SHIFT = 3
const TEMPORAL_SWITCH = 0x20
const LATE = 0x40
const PADDING = 0x80
const FLAGS_SHORT = KEYFRAME | FRAME_START | TEMPORAL_SWITCH

/** Positions are the wire's numbers. */
export const WIRE_CODECS: readonly CodecName[] = ['opus', 'red', 'vp8', 'h264', 'vp9', 'av1']
/** Longest head of a media frame's body: FULL with a stream of three bytes. */
export const MEDIA_HEAD_BYTES_MAX = 14

/** One media frame, to be written or as read; reused. */
export class MediaFrame {
  streamId = 0
  layer = 0
  /** Position in WIRE_CODECS. */
  codec = 0
  marker = false
  keyframe = false
  frameStart = false
  temporalLayer = 0
  temporalSwitch = false
  late = false
  isPadding = false
  /** Of the sender's numbering of this stream, 0..255. Only FULL says it. */
  run = 0
  /** FULL: all 32 bits, signed; else the low 16. */
  sequence = 0
  /** FULL: all 32 bits; else the low 24. */
  timestamp = 0
  form = MEDIA_FULL
  payloadStart = 0
  payloadEnd = 0
}

/** @hot All but form, numbers and payload, in one byte each. */
function flagsA(frame: MediaFrame): number {
  return (
    (frame.marker ? MARKER : 0) |
    (frame.keyframe ? KEYFRAME : 0) |
    (frame.frameStart ? FRAME_START : 0) |
    (frame.temporalLayer << TEMPORAL_SHIFT) |
    (frame.temporalSwitch ? TEMPORAL_SWITCH : 0) |
    (frame.late ? LATE : 0) |
    (frame.isPadding ? PADDING : 0)
  )
}

/** @hot */
function setFlagsA(frame: MediaFrame, flags: number): void {
  frame.marker = (flags & MARKER) !== 0
  frame.keyframe = (flags & KEYFRAME) !== 0
  frame.frameStart = (flags & FRAME_START) !== 0
  frame.temporalLayer = (flags >> TEMPORAL_SHIFT) & 3
  frame.temporalSwitch = (flags & TEMPORAL_SWITCH) !== 0
  frame.late = (flags & LATE) !== 0
  frame.isPadding = (flags & PADDING) !== 0
}

/**
 * @hot The shortest form that says it without the frame before: SHORT or FLAGGED; FULL is asked for
 * by the caller.
 */
export function mediaForm(frame: MediaFrame): number {
  const isPlain = frame.codec === 0 && frame.layer === 0 && flagsA(frame) === FLAGS_SHORT
  return isPlain ? MEDIA_SHORT : MEDIA_FLAGGED
}

/**
 * @hot Writes what stands before the payload, by `frame.form` (not NEXT); returns where the payload
 * goes.
 */
export function writeMediaHead(out: Uint8Array, offset: number, frame: MediaFrame): number {
  let at = writeVarint(out, offset, frame.streamId)
  if (frame.form === MEDIA_SHORT) {
    at = writeUint16(out, at, frame.sequence)
    return writeUint24(out, at, frame.timestamp)
  }
  out[at++] = flagsA(frame)
  out[at++] = (frame.codec << 2) | frame.layer
  if (frame.form === MEDIA_FLAGGED) {
    at = writeUint16(out, at, frame.sequence)
    return writeUint24(out, at, frame.timestamp)
  }
  out[at++] = frame.run
  at = writeUint32(out, at, frame.sequence)
  return writeUint32(out, at, frame.timestamp)
}

/**
 * What the media frame before says about a NEXT; one per writer or reader, reset at each datagram.
 */
export class MediaContext {
  #isKnown = false
  #streamId = 0
  #layer = 0
  #codec = 0
  #form = MEDIA_SHORT
  #run = 0
  #sequence = 0
  #timestamp = 0
  /** Ticks that the last one plays; 0 = same picture. */
  #stepTicks = 0

  /** @hot */
  reset(): void {
    this.#isKnown = false
  }

  /**
   * @hot Takes note of a frame that was written or read; its payload is `bytes[payloadStart,
   * payloadEnd)`.
   */
  note(frame: MediaFrame, bytes: Uint8Array): void {
    const form = frame.form === MEDIA_NEXT ? this.#form : frame.form
    this.#isKnown = true
    this.#streamId = frame.streamId
    this.#layer = frame.layer
    this.#codec = frame.codec
    this.#form = form
    this.#run = frame.run
    this.#sequence = frame.sequence
    this.#timestamp = frame.timestamp
    const isShort = form === MEDIA_SHORT
    this.#stepTicks = isShort ? opusDurationTicks(bytes, frame.payloadStart, frame.payloadEnd) : 0
  }

  /** @hot Whether this frame (form SHORT or FLAGGED, numbers low) may be written as NEXT. */
  fits(frame: MediaFrame): boolean {
    if (!this.#isKnown || frame.streamId !== this.#streamId) return false
    if (frame.layer !== this.#layer || frame.codec !== this.#codec) return false
    const isShort = this.#form === MEDIA_SHORT
    if (isShort !== (frame.form === MEDIA_SHORT) || frame.form === MEDIA_FULL) return false
    if (((this.#sequence + 1) & 0xffff) !== (frame.sequence & 0xffff)) return false
    if (isShort && this.#stepTicks === 0) return false
    return ((this.#timestamp + this.#stepTicks) & 0xff_ffff) === (frame.timestamp & 0xff_ffff)
  }

  /** Bytes of the head of a NEXT that `fits`. */
  get nextHeadBytes(): number {
    return this.#form === MEDIA_SHORT ? 0 : 1
  }

  /** @hot Writes the head of a NEXT that `fits`; returns where the payload goes. */
  writeNext(out: Uint8Array, offset: number, frame: MediaFrame): number {
    if (this.#form === MEDIA_SHORT) return offset
    out[offset] = flagsA(frame)
    return offset + 1
  }

  /**
   * @hot Reads a frame of any form and takes note of it; false when it is malformed or has nothing
   * to follow.
   */
  read(frame: MediaFrame, form: number, reader: WireReader): boolean {
    frame.form = form
    const isGood = form === MEDIA_NEXT ? this.#readNext(frame, reader) : readHead(frame, reader)
    if (!isGood || reader.failed) return false
    frame.payloadStart = reader.at
    frame.payloadEnd = reader.end
    this.note(frame, reader.bytes)
    return true
  }

  /** @hot */
  #readNext(frame: MediaFrame, reader: WireReader): boolean {
    if (!this.#isKnown) return false
    frame.streamId = this.#streamId
    frame.layer = this.#layer
    frame.codec = this.#codec
    frame.run = this.#run
    const isShort = this.#form === MEDIA_SHORT
    if (isShort && this.#stepTicks === 0) return false
    setFlagsA(frame, isShort ? FLAGS_SHORT : reader.uint8())
    // Whoever followed a FULL knows all bits, who followed a short form the low ones: callers take
    // the low ones.
    frame.sequence = (this.#sequence + 1) & 0xffff
    frame.timestamp = (this.#timestamp + this.#stepTicks) & 0xff_ffff
    return true
  }
}

/** @hot */
function readHead(frame: MediaFrame, reader: WireReader): boolean {
  frame.streamId = reader.varint()
  if (frame.streamId < 1 || frame.streamId > 0xffff) return false
  frame.run = 0
  if (frame.form === MEDIA_SHORT) {
    setFlagsA(frame, FLAGS_SHORT)
    frame.layer = 0
    frame.codec = 0
  } else {
    setFlagsA(frame, reader.uint8())
    const flags = reader.uint8()
    frame.layer = flags & 3
    frame.codec = (flags >> 2) & 7
    if (frame.layer >= LAYERS_PER_PUBLICATION_MAX || frame.codec >= WIRE_CODECS.length) return false
  }
  if (frame.form === MEDIA_FULL) {
    frame.run = reader.uint8()
    frame.sequence = reader.uint32() | 0
    frame.timestamp = reader.uint32()
  } else {
    frame.sequence = reader.uint16()
    frame.timestamp = reader.uint24()
  }
  return true
}
