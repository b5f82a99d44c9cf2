/**
 * A publisher for tests: layers that produce frames as a VP8 encoder would, with all numbers
 * starting wherever a test wants, so that every wrap comes soon. Used by tests only.
 */
import { MediaPacket } from '../rtp/index.ts'
import { type SourceClock, SourceLayer } from './source-layer.ts'

/** Temporal layers of successive frames, as libwebrtc's three-layer pattern. */
const TEMPORAL_PATTERN = [0, 2, 1, 2]
const HEADER_BYTES = 12
const PICTURE_ID_OFFSET = HEADER_BYTES + 2
const TL0_OFFSET = HEADER_BYTES + 4
const DESCRIPTOR_BYTES = 6

export type SourceStart = {
  publicationId: number
  spatialLayer?: number
  sequence: number
  timestamp: number
  pictureId: number
  tl0PicIdx: number
  /** 0 = temporal layers off. */
  temporalMax?: number
  /** Sender's NTP at virtual time 0, when the layer has sent a report. */
  ntpMsAtZero?: number
}

/** One encoder; `frame` makes the packets of the next one. */
export class SimulatedSource {
  readonly layer: SourceLayer
  epoch = 1
  sequence: number
  timestampAtZero: number
  pictureId: number
  tl0PicIdx: number
  keyframeWanted = true
  readonly #temporalMax: number
  #position = 0

  constructor(start: SourceStart) {
    this.layer = new SourceLayer({
      publicationId: start.publicationId,
      kind: 'video',
      spatialLayer: start.spatialLayer ?? 0,
      clockRate: 90_000,
    })
    this.sequence = start.sequence
    this.timestampAtZero = start.timestamp
    this.pictureId = start.pictureId
    this.tl0PicIdx = start.tl0PicIdx
    this.#temporalMax = start.temporalMax ?? 2
    const { ntpMsAtZero, timestamp } = start
    if (ntpMsAtZero !== undefined) this.layer.clock = clockOf(ntpMsAtZero, timestamp)
  }

  /** The packets of the frame captured at `nowMs`. */
  frame(nowMs: number, packetCount: number): MediaPacket[] {
    const keyframe = this.keyframeWanted
    this.keyframeWanted = false
    if (keyframe) this.#position = 0
    const temporal = TEMPORAL_PATTERN[this.#position % TEMPORAL_PATTERN.length]!
    const temporalLayer = Math.min(temporal, this.#temporalMax)
    // The first frame of each layer after a TID 0 frame depends on that frame alone.
    const temporalSwitch = temporalLayer === 0 || this.#position % TEMPORAL_PATTERN.length < 3
    this.#position += 1
    this.pictureId = (this.pictureId + 1) & 0x7fff
    if (temporalLayer === 0) this.tl0PicIdx = (this.tl0PicIdx + 1) & 0xff
    const timestamp = (this.timestampAtZero + Math.round(nowMs * 90)) >>> 0
    const packets: MediaPacket[] = []
    for (let i = 0; i < packetCount; i++) {
      const packet = this.#packet(timestamp, nowMs)
      packet.keyframe = keyframe && i === 0
      packet.frameStart = i === 0
      packet.marker = i === packetCount - 1
      packet.temporalLayer = temporalLayer
      packet.temporalSwitch = temporalSwitch
      packets.push(packet)
    }
    return packets
  }

  /** A number used for padding. */
  padding(nowMs: number): MediaPacket {
    return this.#packet(0, nowMs)
  }

  #packet(timestamp: number, nowMs: number): MediaPacket {
    const packet = new MediaPacket()
    packet.bytes = new Uint8Array(HEADER_BYTES + DESCRIPTOR_BYTES + 20)
    packet.end = packet.bytes.length
    packet.bytes[0] = 0x80
    packet.codec = 'vp8'
    packet.sequence = this.sequence
    packet.epoch = this.epoch
    packet.timestamp = timestamp
    packet.arrivalMs = nowMs
    packet.pictureIdOffset = PICTURE_ID_OFFSET
    packet.pictureIdBits = 15
    packet.pictureId = this.pictureId
    packet.tl0PicIdxOffset = TL0_OFFSET
    packet.tl0PicIdx = this.tl0PicIdx
    // Each payload is told apart by its source number.
    new DataView(packet.bytes.buffer).setInt32(HEADER_BYTES + DESCRIPTOR_BYTES, this.sequence)
    this.sequence += 1
    return packet
  }
}

function clockOf(ntpMsAtZero: number, timestampAtZero: number): SourceClock {
  return {
    isKnown: true,
    ntpMsAt: (timestamp) => ntpMsAtZero + ((timestamp - timestampAtZero) | 0) / 90,
    timestampAt: (ntpMs) => (timestampAtZero + (ntpMs - ntpMsAtZero) * 90) >>> 0,
  }
}
