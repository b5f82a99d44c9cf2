/**
 * One layer of a publication as the slots see it: its clock, its measured rate, its cache, and who
 * is subscribed. Not the incoming stream (receive) and not a decision about who gets it (Forwarder,
 * allocator).
 */
import type { CodecName, MediaKind } from '../control.ts'
import type { MediaPacket } from '../rtp/index.ts'
import type { Forwarder } from './forwarder.ts'
import { PacketCache } from './packet-cache.ts'
import { RateMeter } from './rate-meter.ts'

/** Sender's NTP against its RTP timestamps, from sender reports; `receive`'s SenderClock fits. */
export interface SourceClock {
  readonly isKnown: boolean
  /** Sender's NTP time in ms of a 32-bit RTP timestamp; NaN when unknown. */
  ntpMsAt(timestamp: number): number
  /** The reverse. */
  timestampAt(ntpMs: number): number
}

/** A source whose sender has told nothing yet. */
const UNKNOWN_CLOCK: SourceClock = Object.freeze({
  isKnown: false,
  ntpMsAt: () => Number.NaN,
  timestampAt: () => Number.NaN,
})

export type SourceLayerOptions = {
  publicationId: number
  kind: MediaKind
  /** 0 = lowest picture. */
  spatialLayer: number
  /** Hz. */
  clockRate: number
}

/** Owned by its publication; forwarders hold references until `close`. */
export class SourceLayer {
  readonly publicationId: number
  readonly kind: MediaKind
  readonly spatialLayer: number
  readonly clockRate: number
  readonly rate = new RateMeter()
  clock: SourceClock = UNKNOWN_CLOCK
  /** RED counts as Opus. */
  codec: CodecName
  /** As negotiated with the publisher. */
  fmtp: string | undefined
  /** Dense; order means nothing. Each forwarder knows its places. */
  readonly subscribers: Forwarder[] = []
  /** Only where someone may NACK; kept from then on. */
  cache: PacketCache | undefined
  /** Picture size from the bitstream, 0 while unknown. */
  widthPx = 0
  heightPx = 0
  /** `nowMs` of the newest packet, -Infinity before the first. */
  lastPacketMs = Number.NEGATIVE_INFINITY
  /** 32-bit timestamp of the newest packet. */
  lastTimestamp = 0
  closed = false
  #pictureIdWide = -1

  constructor(options: SourceLayerOptions) {
    this.publicationId = options.publicationId
    this.kind = options.kind
    this.spatialLayer = options.spatialLayer
    this.clockRate = options.clockRate
    this.codec = options.kind === 'audio' ? 'opus' : 'vp8'
  }

  /** From now on packets are kept for NACK answers. Idempotent. */
  keepPackets(): void {
    this.cache ??= new PacketCache()
  }

  /** Lets go of the cache; forwarders must have been detached. */
  close(): void {
    this.closed = true
    this.cache = undefined
    this.clock = UNKNOWN_CLOCK
  }

  /**
   * Rewrites a VP8 packet whose PictureID has 7 bits into one with 15, once for all subscribers, in
   * `out` (at least one byte longer than the packet). Returns false when it had nothing to do.
   */
  widenPictureId(packet: MediaPacket, out: Uint8Array): boolean {
    if (packet.pictureIdOffset < 0) return false
    if (packet.pictureIdBits === 15) {
      this.#pictureIdWide = packet.pictureId
      return false
    }
    const cut = packet.start + packet.pictureIdOffset
    out.set(packet.bytes.subarray(packet.start, cut + 1), 0)
    out.set(packet.bytes.subarray(cut + 1, packet.end), packet.pictureIdOffset + 2)
    const previous = this.#pictureIdWide < 0 ? packet.pictureId : this.#pictureIdWide
    const step = (((packet.pictureId - previous) & 0x7f) ^ 0x40) - 0x40
    const wide = (previous + step) & 0x7fff
    if (step > 0 || this.#pictureIdWide < 0) this.#pictureIdWide = wide
    out[packet.pictureIdOffset] = 0x80 | (wide >> 8)
    out[packet.pictureIdOffset + 1] = wide & 0xff
    packet.end = packet.end - packet.start + 1
    packet.start = 0
    packet.bytes = out
    packet.pictureId = wide
    packet.pictureIdBits = 15
    if (packet.tl0PicIdxOffset > packet.pictureIdOffset) packet.tl0PicIdxOffset += 1
    return true
  }
}
