/**
 * Synthetic Opus and VP8 (RFC 7587, RFC 7741): right headers, key and delta frames, temporal layers
 * and picture ids, a stamp in every packet. A VP8 decoder accepts the frames: the first partition
 * is zeros, which decode to a grey picture (RFC 6386 §9, §19.2), and the stamps stand in the
 * second, as noise. Nobody encoded anything.
 */
import { machineMs } from './machine-clock.ts'
import { type Addressing, type BuiltPacket, PacketStream } from './packet-stream.ts'
import { SEAL_BYTES, STAMP_BYTES, Stamp, writeStamp } from './stamp.ts'

const PACKET_BYTES_MAX = 1150
const OPUS_TICKS = 960
const VIDEO_CLOCK = 90_000
/** Silence, in -dBov; from here on a source with DTX sends next to nothing. */
export const SILENT_DBOV = 127
/** RFC 7587 §3.1.3: a DTX source says every 400 ms that it is there. */
const DTX_FRAMES = 20

/** Which publisher, and which of its layers, the stamps name. */
export type StampOf = { publisher: number; layer: number }

/** 50 packets a second of a given size, with RFC 6464 levels. */
export class OpusSource {
  readonly ssrc: number
  readonly stream: PacketStream
  timestamp = 0
  readonly #payloadBytes: number
  readonly #dtx: boolean
  readonly #stamp = new Stamp()
  #frame = 0
  #silentFrames = 0
  #startsSpurt = true

  constructor(
    addressing: Addressing,
    { payloadBytes, dtx = false }: { payloadBytes: number; dtx?: boolean },
    { publisher }: StampOf,
  ) {
    this.ssrc = addressing.ssrc
    this.stream = new PacketStream(addressing, '')
    this.#payloadBytes = Math.max(payloadBytes, 1 + STAMP_BYTES + SEAL_BYTES)
    this.#dtx = dtx
    this.#stamp.publisher = publisher
  }

  get sent(): { packets: number; octets: number } {
    return this.stream
  }

  /** Time for which nothing was captured: it is silence that was meant. */
  skip(frames: number): void {
    this.timestamp += frames * OPUS_TICKS
    this.#startsSpurt = true
  }

  /** One frame of `levelDbov` 0 (loud)..127 (silent). */
  next(nowMs: number, levelDbov: number, emit: BuiltPacket): void {
    const isSilent = this.#dtx && levelDbov >= SILENT_DBOV
    this.#silentFrames = isSilent ? this.#silentFrames + 1 : 0
    if (!isSilent) this.#emit(nowMs, levelDbov, emit)
    else if (this.#silentFrames % DTX_FRAMES === 1) this.#emitSilence(emit)
    this.#startsSpurt = isSilent
    this.timestamp += OPUS_TICKS
    this.#frame += 1
  }

  #emit(nowMs: number, levelDbov: number, emit: BuiltPacket): void {
    const { stream } = this
    const isVoice = levelDbov < SILENT_DBOV ? 0x80 : 0
    const start = stream.begin(
      this.timestamp >>> 0,
      this.#startsSpurt,
      (levelDbov & 0x7f) | isVoice,
    )
    const end = start + this.#payloadBytes
    // TOC: CELT fullband, 20 ms, one frame (RFC 6716 §3.1).
    stream.bytes[start] = 0xf8
    this.#stamp.frame = this.#frame >>> 0
    this.#stamp.isLast = true
    this.#stamp.sentMs = machineMs(nowMs)
    writeStamp(stream.view, start + 1, end, this.#stamp)
    stream.count(this.#payloadBytes)
    emit(stream.bytes, end, stream.index)
  }

  #emitSilence(emit: BuiltPacket): void {
    const { stream } = this
    const start = stream.begin(this.timestamp >>> 0, false, SILENT_DBOV)
    stream.bytes[start] = 0xf8
    stream.count(1)
    emit(stream.bytes, start + 1, stream.index)
  }
}

/** What one simulcast layer sends at most. */
export type LayerPlan = { rid: string; bitrateBps: number; width: number; height: number }

/** Temporal layers in the usual order of four frames: 0 2 1 2. */
const TEMPORAL_ORDER = [0, 2, 1, 2]
const DESCRIPTOR_BYTES = 6
/**
 * Frame tag, start code and size of a key frame, and one byte of first partition; a delta frame
 * fills the same.
 */
const HEAD_BYTES = 11
/** A key frame is this much larger than a delta frame. */
const KEY_FACTOR = 6
/**
 * RFC 6386 §9.1: bit 0 = delta, bit 4 = shown, from bit 5 the size of the first partition (1, or 8
 * where a key frame has more).
 */
const KEY_TAG = 0x10 | (1 << 5)
const DELTA_TAG = 0x11 | (8 << 5)

/** One VP8 layer. Frames are cut into even packets of at most 1,150 bytes. */
export class Vp8Source {
  readonly ssrc: number
  readonly stream: PacketStream
  timestamp = 0
  /** Of the frames to come; the plan's at first. */
  bitrateBps: number
  keyframes = 0
  readonly plan: LayerPlan
  readonly #framesPerSecond: number
  readonly #temporal: boolean
  readonly #stamp = new Stamp()
  #frame = 0
  #tl0 = 0
  #wantsKey = true

  constructor(
    addressing: Addressing,
    plan: LayerPlan,
    {
      framesPerSecond,
      temporal,
      publisher,
      layer,
    }: { framesPerSecond: number; temporal: boolean } & StampOf,
  ) {
    this.ssrc = addressing.ssrc
    this.stream = new PacketStream(addressing, plan.rid)
    this.plan = plan
    this.bitrateBps = plan.bitrateBps
    this.#framesPerSecond = framesPerSecond
    this.#temporal = temporal
    this.#stamp.publisher = publisher
    this.#stamp.layer = layer
  }

  get sent(): { packets: number; octets: number } {
    return this.stream
  }

  /** The next frame is a key frame. */
  requestKeyframe(): void {
    this.#wantsKey = true
  }

  /** Time passes without a frame; what follows begins anew. */
  skip(): void {
    this.timestamp += VIDEO_CLOCK / this.#framesPerSecond
    this.#wantsKey = true
  }

  next(nowMs: number, emit: BuiltPacket): void {
    const key = this.#wantsKey
    const temporalId = this.#temporal && !key ? (TEMPORAL_ORDER[this.#frame % 4] ?? 0) : 0
    if (temporalId === 0) this.#tl0 = (this.#tl0 + 1) & 0xff
    if (key) this.keyframes += 1
    this.#wantsKey = false
    const mean = this.bitrateBps / 8 / this.#framesPerSecond
    const leastBytes = HEAD_BYTES + STAMP_BYTES + SEAL_BYTES
    const frameBytes = Math.max(leastBytes, Math.round(mean * (key ? KEY_FACTOR : 1)))
    const parts = Math.ceil(frameBytes / PACKET_BYTES_MAX)
    const stamp = this.#stamp
    stamp.frame = this.#frame >>> 0
    stamp.isKey = key
    stamp.sentMs = machineMs(nowMs)
    let left = frameBytes
    for (let part = 0; part < parts; part++) {
      const take = Math.ceil(left / (parts - part))
      left -= take
      stamp.part = part
      stamp.isLast = left === 0
      this.#emit(take, temporalId, emit)
    }
    this.timestamp += VIDEO_CLOCK / this.#framesPerSecond
    this.#frame += 1
  }

  #emit(payloadBytes: number, temporalId: number, emit: BuiltPacket): void {
    const { stream } = this
    const { part, isLast, isKey } = this.#stamp
    const start = stream.begin(this.timestamp >>> 0, isLast, 0)
    const payload = this.#describe(start, { first: part === 0, temporalId })
    const end = payload + payloadBytes
    stream.bytes.fill(0, payload, end)
    if (part === 0) this.#head(payload, isKey)
    writeStamp(stream.view, part === 0 ? payload + HEAD_BYTES : payload, end, this.#stamp)
    stream.count(DESCRIPTOR_BYTES + payloadBytes)
    emit(stream.bytes, end, stream.index)
  }

  /** X N S | I L T | 15-bit picture id | TL0PICIDX | TID Y (RFC 7741 §4.2). */
  #describe(start: number, { first, temporalId }: { first: boolean; temporalId: number }): number {
    const { bytes } = this.stream
    bytes[start] = 0x80 | (temporalId === 2 ? 0x20 : 0) | (first ? 0x10 : 0)
    bytes[start + 1] = 0x80 | 0x40 | 0x20
    bytes[start + 2] = 0x80 | ((this.#frame >> 8) & 0x7f)
    bytes[start + 3] = this.#frame & 0xff
    bytes[start + 4] = this.#tl0
    bytes[start + 5] = (temporalId << 6) | (temporalId === 0 ? 0 : 0x20)
    return start + DESCRIPTOR_BYTES
  }

  /** RFC 6386 §9.1; what is not written is zero. */
  #head(start: number, key: boolean): void {
    const { bytes, view } = this.stream
    const tag = key ? KEY_TAG : DELTA_TAG
    bytes[start] = tag & 0xff
    bytes[start + 1] = tag >> 8
    if (!key) return
    bytes[start + 3] = 0x9d
    bytes[start + 4] = 0x01
    bytes[start + 5] = 0x2a
    view.setUint16(start + 6, this.plan.width, true)
    view.setUint16(start + 8, this.plan.height, true)
  }
}

/**
 * Offset of the stamp in an Opus payload, and behind the descriptor in the first and in later
 * packets of a VP8 frame.
 */
export const OPUS_STAMP_OFFSET = 1
export const VP8_STAMP_OFFSET = DESCRIPTOR_BYTES + HEAD_BYTES
export const VP8_LATER_STAMP_OFFSET = DESCRIPTOR_BYTES
