/**
 * Synthetic Opus and VP8 as RTP packets (RFC 7587, RFC 7741): right headers, key and delta frames,
 * temporal layers and picture ids, stamps inside. What is behind the frame header is filler: a
 * decoder is not meant to see it.
 */
import { ExtensionWriter, writeRtpHeader } from '../../core/media/rtp/index.ts'
import { STAMP_BYTES, writeStamp } from './stamp.ts'

/** Ids that the answer negotiated; 0 = none. */
export type SourceExtensions = { mid: number; rid: number; level: number }

type Addressing = { ssrc: number; payloadType: number; mid: string; extensions: SourceExtensions }

/** A built packet lies in `bytes[0, end)` until the next call; `index` is its 48-bit SRTP index. */
export type BuiltPacket = (bytes: Uint8Array, end: number, index: number) => void

const PACKET_BYTES_MAX = 1150
const OPUS_TICKS = 960
const VIDEO_CLOCK = 90_000

/** One SSRC: numbering, header and extensions. */
class PacketStream {
  readonly bytes = new Uint8Array(1400)
  readonly view = new DataView(this.bytes.buffer)
  packets = 0
  octets = 0
  index = 0
  readonly #addressing: Addressing & { rid: string }
  readonly #extensions = new ExtensionWriter()

  constructor(addressing: Addressing & { rid: string }) {
    this.#addressing = addressing
  }

  /** Writes header and extensions; returns where the payload starts. */
  begin(timestamp: number, marker: boolean, level: number): number {
    const { ssrc, payloadType, mid, rid, extensions } = this.#addressing
    this.index += 1
    const header = { payloadType, marker, sequenceNumber: this.index & 0xffff, timestamp, ssrc }
    writeRtpHeader(this.bytes, 0, header)
    this.#extensions.begin(this.bytes, 0)
    if (extensions.mid > 0) this.#extensions.addBytes(extensions.mid, Buffer.from(mid))
    if (extensions.rid > 0 && rid !== '')
      this.#extensions.addBytes(extensions.rid, Buffer.from(rid))
    if (extensions.level > 0) this.#extensions.addUint8(extensions.level, level)
    return this.#extensions.finish()
  }

  count(payloadBytes: number): void {
    this.packets += 1
    this.octets += payloadBytes
  }
}

/** 50 packets a second of a given size, with RFC 6464 levels. */
export class OpusSource {
  readonly ssrc: number
  timestamp = 0
  readonly #stream: PacketStream
  readonly #payloadBytes: number
  #frame = 0

  constructor(addressing: Addressing, payloadBytes: number) {
    this.ssrc = addressing.ssrc
    this.#stream = new PacketStream({ ...addressing, rid: '' })
    this.#payloadBytes = Math.max(payloadBytes, 1 + STAMP_BYTES)
  }

  get sent(): { packets: number; octets: number } {
    return this.#stream
  }

  /** `levelDbov` 0 (loud)..127 (silent). */
  next(nowMs: number, levelDbov: number, emit: BuiltPacket): void {
    const stream = this.#stream
    const start = stream.begin(this.timestamp >>> 0, this.#frame === 0, (levelDbov & 0x7f) | 0x80)
    // TOC: CELT fullband, 20 ms, one frame (RFC 6716 §3.1).
    stream.bytes[start] = 0xf8
    writeStamp(stream.view, start + 1, { frame: this.#frame, sentMs: nowMs })
    this.timestamp += OPUS_TICKS
    this.#frame += 1
    stream.count(this.#payloadBytes)
    emit(stream.bytes, start + this.#payloadBytes, stream.index)
  }
}

/** What one simulcast layer sends. */
export type LayerPlan = { rid: string; bitrateBps: number; width: number; height: number }

/** Temporal layers in the usual order of four frames: 0 2 1 2. */
const TEMPORAL_ORDER = [0, 2, 1, 2]
const DESCRIPTOR_BYTES = 6
const KEY_HEADER_BYTES = 10
/** A key frame is this much larger than a delta frame. */
const KEY_FACTOR = 6

/** One VP8 layer. Frames are cut into packets of at most 1,150 bytes. */
export class Vp8Source {
  readonly ssrc: number
  timestamp = 0
  readonly #stream: PacketStream
  readonly #plan: LayerPlan
  readonly #framesPerSecond: number
  readonly #temporal: boolean
  #frame = 0
  #tl0 = 0
  #wantsKey = true
  keyframes = 0

  constructor(
    addressing: Addressing,
    plan: LayerPlan,
    { framesPerSecond, temporal }: { framesPerSecond: number; temporal: boolean },
  ) {
    this.ssrc = addressing.ssrc
    this.#stream = new PacketStream({ ...addressing, rid: plan.rid })
    this.#plan = plan
    this.#framesPerSecond = framesPerSecond
    this.#temporal = temporal
  }

  get sent(): { packets: number; octets: number } {
    return this.#stream
  }

  /** The next frame is a key frame. */
  requestKeyframe(): void {
    this.#wantsKey = true
  }

  next(nowMs: number, emit: BuiltPacket): void {
    const key = this.#wantsKey
    const temporalId = this.#temporal && !key ? (TEMPORAL_ORDER[this.#frame % 4] ?? 0) : 0
    if (temporalId === 0) this.#tl0 = (this.#tl0 + 1) & 0xff
    if (key) this.keyframes += 1
    this.#wantsKey = false
    const mean = this.#plan.bitrateBps / 8 / this.#framesPerSecond
    const headBytes = KEY_HEADER_BYTES + STAMP_BYTES
    let left = Math.max(headBytes, Math.round(mean * (key ? KEY_FACTOR : 1)) - DESCRIPTOR_BYTES)
    for (let first = true; left > 0; first = false) {
      const take = Math.min(left, PACKET_BYTES_MAX)
      left -= take
      const start = this.#stream.begin(this.timestamp >>> 0, left === 0, 0)
      const payload = this.#describe(start, { first, temporalId })
      if (first) this.#head(payload, key, nowMs)
      this.#stream.count(DESCRIPTOR_BYTES + take)
      emit(this.#stream.bytes, payload + take, this.#stream.index)
    }
    this.timestamp += VIDEO_CLOCK / this.#framesPerSecond
    this.#frame += 1
  }

  /** X N S | I L T | 15-bit picture id | TL0PICIDX | TID Y (RFC 7741 §4.2). */
  #describe(start: number, { first, temporalId }: { first: boolean; temporalId: number }): number {
    const { bytes } = this.#stream
    bytes[start] = 0x80 | (temporalId === 2 ? 0x20 : 0) | (first ? 0x10 : 0)
    bytes[start + 1] = 0x80 | 0x40 | 0x20
    bytes[start + 2] = 0x80 | ((this.#frame >> 8) & 0x7f)
    bytes[start + 3] = this.#frame & 0xff
    bytes[start + 4] = this.#tl0
    bytes[start + 5] = (temporalId << 6) | (temporalId === 0 ? 0 : 0x20)
    return start + DESCRIPTOR_BYTES
  }

  /** Frame tag, start code and size of a key frame (RFC 6386 §9.1), then the stamp. */
  #head(start: number, key: boolean, nowMs: number): void {
    const { bytes, view } = this.#stream
    const { width, height } = this.#plan
    bytes[start] = key ? 0x10 : 0x11
    bytes[start + 1] = 0
    bytes[start + 2] = 0
    bytes[start + 3] = 0x9d
    bytes[start + 4] = 0x01
    bytes[start + 5] = 0x2a
    view.setUint16(start + 6, width, true)
    view.setUint16(start + 8, height, true)
    writeStamp(view, start + KEY_HEADER_BYTES, { frame: this.#frame, sentMs: nowMs })
  }
}

/** Offset of the stamp in the payload of a first VP8 packet as our forwarder sends it, and in an Opus payload. */
export const VP8_STAMP_OFFSET = DESCRIPTOR_BYTES + KEY_HEADER_BYTES
export const OPUS_STAMP_OFFSET = 1
