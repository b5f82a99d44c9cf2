/**
 * A microphone and a camera with layers, as an engine would export them: handoff frames under a
 * virtual clock. Tests only.
 */
import { createRandom, type Random } from '../../bench/link/index.ts'
import { writeHandoffPacket, writeHandoffStatus } from '../../core/media/engine/index.ts'
import { type SourceClock, SourceLayer } from '../../core/media/forward/index.ts'
import {
  describePayload,
  MediaPacket,
  writeUint16,
  writeUint32,
} from '../../core/media/rtp/index.ts'
import type { TrunkStreamSpec } from './contract.ts'

/** CELT, full band, 20 ms, one frame. */
const OPUS_TOC = 0xf8
const VOICE_MS = 20
const STATUS_MS = 250
const PACKET_PAYLOAD_MAX = 1_100
const NTP_AT_ZERO_MS = 1_700_000_000_000

export type FrameOutlet = (streamId: number, bytes: Uint8Array, start: number, end: number) => void

/** What was sent, to be compared with what arrives: by payload, in hex. */
export type SentPacket = {
  atMs: number
  layer: number
  payload: string
  keyframe: boolean
  frame: number
}

abstract class Source {
  readonly spec: TrunkStreamSpec
  readonly sent: SentPacket[] = []
  mask = 0
  protected readonly layers: SourceLayer[] = []
  protected readonly packet = new MediaPacket()
  readonly #frame = new Uint8Array(1_536)
  #statusMs = 0
  levelDbov = 30
  /** Packets lost before they reached this node. */
  lossRatio = 0
  protected readonly random: Random
  protected readonly outlet: FrameOutlet

  constructor(spec: TrunkStreamSpec, outlet: FrameOutlet) {
    this.spec = spec
    this.outlet = outlet
    this.random = createRandom(spec.streamId)
    const { streamId, kind, clockRate } = spec
    for (let i = 0; i < spec.layerCount; i++) {
      this.layers.push(
        new SourceLayer({ publicationId: streamId, kind, spatialLayer: i, clockRate }),
      )
    }
  }

  abstract nextMs: number
  protected abstract produce(nowMs: number): void

  advance(nowMs: number): void {
    if (nowMs >= this.#statusMs) {
      this.#statusMs += STATUS_MS
      this.#tellStatus()
    }
    while (this.nextMs <= nowMs) this.produce(this.nextMs)
  }

  get deadlineMs(): number {
    return Math.min(this.nextMs, this.#statusMs)
  }

  protected write(layer: number, nowMs: number, frame: number): void {
    const { packet } = this
    packet.arrivalMs = nowMs
    this.layers[layer]!.lastTimestamp = packet.timestamp
    const payload = Buffer.from(packet.bytes.subarray(packet.start + 12, packet.end)).toString(
      'hex',
    )
    if ((this.mask & (1 << layer)) === 0) return
    this.sent.push({ atMs: nowMs, layer, payload, keyframe: packet.keyframe, frame })
    const { streamId } = this.spec
    const place = { publicationId: streamId, spatialLayer: layer, isPadding: false }
    const end = writeHandoffPacket(this.#frame, packet, place)
    this.outlet(streamId, this.#frame, 0, end)
  }

  #tellStatus(): void {
    const { streamId, clockRate } = this.spec
    for (const layer of this.layers) {
      layer.clock = clockAt(NTP_AT_ZERO_MS, clockRate)
      const facts = { publicationId: streamId, levelDbov: this.levelDbov, clockOffsetMs: 0 }
      this.outlet(streamId, this.#frame, 0, writeHandoffStatus(this.#frame, layer, facts))
    }
  }
}

/** Timestamp 0 at virtual time 0. */
/** What the payload of a camera's packet says of its picture; see `Camera`. */
export function pictureOf(payload: string): {
  frame: number
  ref: number
  part: number
  count: number
} {
  const bytes = Buffer.from(payload.slice(14, 34), 'hex')
  return {
    frame: bytes.readUInt32BE(0),
    ref: bytes.readUInt32BE(4),
    part: bytes[8]!,
    count: bytes[9]!,
  }
}

function clockAt(ntpMsAtZero: number, clockRate: number): SourceClock {
  return {
    isKnown: true,
    ntpMsAt: (timestamp) => ntpMsAtZero + (timestamp / clockRate) * 1_000,
    timestampAt: (ntpMs) => ((ntpMs - ntpMsAtZero) * clockRate) / 1_000,
  }
}

/** Opus, 20 ms. The payload carries its number. */
export class Voice extends Source {
  nextMs: number
  #count = 0
  readonly #payloadBytes: number

  constructor(streamId: number, outlet: FrameOutlet, { bitrateBps = 32_000, startMs = 0 } = {}) {
    super(voiceSpec(streamId), outlet)
    this.nextMs = startMs
    this.#payloadBytes = Math.round((bitrateBps * VOICE_MS) / 8_000)
    this.layers[0]!.rate.bitrateBps = bitrateBps
  }

  protected produce(nowMs: number): void {
    this.nextMs += VOICE_MS
    const { packet } = this
    packet.bytes = new Uint8Array(12 + this.#payloadBytes)
    for (let i = 13; i < packet.bytes.length; i++) packet.bytes[i] = this.random.next() * 256
    packet.bytes[12] = OPUS_TOC
    writeUint32(packet.bytes, 13, this.#count)
    packet.start = 0
    packet.end = packet.bytes.length
    packet.codec = 'opus'
    packet.payloadType = 111
    packet.sequence = 65_530 + this.#count
    packet.epoch = 1
    packet.timestamp = (this.#count * 960) >>> 0
    packet.marker = false
    describePayload(packet)
    packet.temporalSwitch = true
    this.#count += 1
    this.write(0, nowMs, this.#count - 1)
  }
}

export type CameraLayer = { bitrateBps: number; heightPx: number }

/** VP8 in layers with three temporal ones; keyframes when asked for. */
export class Camera extends Source {
  nextMs: number
  readonly #rates: CameraLayer[]
  readonly #frameMs: number
  readonly #keyframeWanted: boolean[]
  readonly #position: number[]
  readonly #sequence: number[]
  readonly #keyframeMs: number[]
  readonly #refs: { base: number; middle: number }[]
  #frame = 0

  constructor(
    streamId: number,
    outlet: FrameOutlet,
    rates: CameraLayer[],
    { fps = 25, startMs = 3 } = {},
  ) {
    super(cameraSpec(streamId, rates.length), outlet)
    this.nextMs = startMs
    this.#rates = rates
    this.#frameMs = 1_000 / fps
    this.#keyframeWanted = rates.map(() => true)
    this.#position = rates.map(() => 0)
    this.#refs = rates.map(() => ({ base: 0, middle: 0 }))
    this.#sequence = rates.map((_, i) => 65_000 + i * 100)
    this.#keyframeMs = rates.map(() => Number.NEGATIVE_INFINITY)
    rates.forEach(({ bitrateBps, heightPx }, i) => {
      const layer = this.layers[i]!
      layer.rate.bitrateBps = bitrateBps
      layer.rate.temporalMax = 2
      ;[0.4, 0.65, 1, 1].forEach((share, at) => {
        layer.rate.temporalShare[at] = share
      })
      layer.heightPx = heightPx
      layer.widthPx = Math.round((heightPx * 16) / 9)
    })
  }

  /** An encoder makes one at the next frame, at most every 300 ms. */
  askKeyframe(layer: number): void {
    this.#keyframeWanted[layer] = true
  }

  protected produce(nowMs: number): void {
    this.nextMs += this.#frameMs
    this.#frame += 1
    this.#rates.forEach(({ bitrateBps }, layer) => {
      if ((this.mask & (1 << layer)) === 0) return
      const mayBeKey = nowMs - this.#keyframeMs[layer]! >= 300
      const isKey = this.#keyframeWanted[layer]! && mayBeKey
      if (isKey) {
        this.#keyframeWanted[layer] = false
        this.#position[layer] = 0
        this.#keyframeMs[layer] = nowMs
      }
      const temporal = [0, 2, 1, 2][this.#position[layer]! % 4]!
      const isSwitch = temporal === 0 || this.#position[layer]! % 4 < 3
      const ref = this.#refOf(layer, this.#position[layer]! % 4)
      this.#position[layer]! += 1
      const meanBytes = (bitrateBps * this.#frameMs) / 8_000
      const share = isKey ? 5 : [1.6, 1, 0.7][temporal]!
      const sizeBytes = Math.max(40, Math.round(meanBytes * share))
      this.#writeFrame(layer, { sizeBytes, isKey, temporal, isSwitch, ref, nowMs })
    })
  }

  /** The frame that this one needs, for places 0..3 of the temporal pattern. */
  #refOf(layer: number, place: number): number {
    const refs = this.#refs[layer]!
    const ref = place === 3 ? refs.middle : refs.base
    if (place === 0) refs.base = this.#frame
    if (place === 2) refs.middle = this.#frame
    return ref
  }

  #writeFrame(
    layer: number,
    frame: {
      sizeBytes: number
      isKey: boolean
      temporal: number
      isSwitch: boolean
      ref: number
      nowMs: number
    },
  ): void {
    const count = Math.ceil(frame.sizeBytes / PACKET_PAYLOAD_MAX)
    for (let i = 0; i < count; i++) {
      const payloadBytes = Math.max(20, Math.ceil(frame.sizeBytes / count))
      const bytes = new Uint8Array(12 + 6 + payloadBytes)
      for (let at = 18; at < bytes.length; at++) bytes[at] = this.random.next() * 256
      // X, S at the first; I, L, T; PictureID of 15 bits; TL0PICIDX; TID and Y.
      bytes[12] = i === 0 ? 0x90 : 0x80
      bytes[13] = 0xe0
      writeUint16(bytes, 14, 0x8000 | (this.#frame & 0x7fff))
      bytes[16] = (this.#frame >> 2) & 0xff
      bytes[17] = (frame.temporal << 6) | (frame.isSwitch ? 0x20 : 0)
      // Bit 0 of the first byte of a VP8 frame: 0 = keyframe.
      bytes[18] = frame.isKey && i === 0 ? bytes[18]! & 0xfe : bytes[18]! | 1
      writeUint32(bytes, 19, this.#frame)
      writeUint32(bytes, 23, frame.isKey ? 0 : frame.ref)
      bytes[27] = i
      bytes[28] = count
      const { packet } = this
      packet.bytes = bytes
      packet.start = 0
      packet.end = bytes.length
      packet.codec = 'vp8'
      packet.payloadType = 96
      packet.sequence = this.#sequence[layer]!
      this.#sequence[layer]! += 1
      packet.epoch = 1
      packet.timestamp = Math.round(frame.nowMs * 90) >>> 0
      packet.marker = i === count - 1
      describePayload(packet)
      if (this.lossRatio > 0 && this.random.next() < this.lossRatio) continue
      this.write(layer, frame.nowMs, this.#frame)
    }
  }
}

export function voiceSpec(streamId: number): TrunkStreamSpec {
  return {
    streamId,
    kind: 'audio',
    use: 'microphone',
    codec: 'opus',
    payloadType: 111,
    clockRate: 48_000,
    layerCount: 1,
  }
}

export function cameraSpec(streamId: number, layerCount: number): TrunkStreamSpec {
  return {
    streamId,
    kind: 'video',
    use: 'camera',
    codec: 'vp8',
    payloadType: 96,
    clockRate: 90_000,
    layerCount,
  }
}
