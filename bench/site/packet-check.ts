/**
 * Opening packets and looking whether they are what a publisher of ours sent: authentic, VP8 where
 * it should be, stamped, and with the end that belongs to the stamp. One per watching site. Which
 * packets are opened is decided by receiver-site.ts.
 */
import { describePayload, MediaPacket } from '../../core/media/rtp/index.ts'
import type { SiteSums } from './figures.ts'
import { machineMs } from './machine-clock.ts'
import { OPUS_STAMP_OFFSET, VP8_LATER_STAMP_OFFSET, VP8_STAMP_OFFSET } from './media-source.ts'
import { payloadStart } from './protected-packet.ts'
import type { ReceivedVideo } from './received-stream.ts'
import type { MediaSite } from './site.ts'
import { isSealed, readStamp, Stamp } from './stamp.ts'

/** Called with each latency measured, ms. */
export type OnLatency = (latencyMs: number, isAudio: boolean) => void

const stamp = new Stamp()
const described = new MediaPacket()
described.codec = 'vp8'

export class PacketCheck {
  /** Opened and found authentic. */
  opened = 0
  /** Refused by SRTP. */
  refused = 0
  /** Without a stamp of ours: somebody else's. */
  unstamped = 0
  /** Not VP8, or with an end that is not that of the stamp. */
  damaged = 0
  /** Stamps read, and with them latencies. */
  stamped = 0
  readonly #onLatency: OnLatency

  constructor(onLatency: OnLatency) {
    this.#onLatency = onLatency
  }

  /** Authenticates and decrypts in place; the end of the plain packet, -1 when refused. */
  open(site: MediaSite, datagram: Buffer): number {
    const end = site.link.receiver?.openRtp(datagram, 0, datagram.length) ?? -1
    if (end < 0) this.refused += 1
    else this.opened += 1
    return end
  }

  /** An Opus packet with sound. */
  audio(site: MediaSite, datagram: Buffer, nowMs: number): void {
    const end = this.open(site, datagram)
    if (end < 0) return
    if (!readStamp(datagram, payloadStart(datagram) + OPUS_STAMP_OFFSET, end, stamp)) {
      this.unstamped += 1
      return
    }
    this.#onStamp(datagram, end)
    this.#onLatency(machineMs(nowMs) - stamp.sentMs, true)
  }

  /** A VP8 packet that came by itself; fills the stream's packet. */
  video(site: MediaSite, stream: ReceivedVideo, datagram: Buffer, nowMs: number): void {
    const end = this.open(site, datagram)
    if (end < 0) return
    const isStamped = this.describe(stream, { datagram, end, nowMs, start: payloadStart(datagram) })
    if (isStamped) this.#onLatency(machineMs(nowMs) - stamp.sentMs, false)
  }

  /** Fills the stream's packet from the plain payload at `start`; true when it has a stamp. */
  describe(
    stream: ReceivedVideo,
    at: { datagram: Buffer; start: number; end: number; nowMs: number },
  ): boolean {
    const { datagram, start, end } = at
    const { packet } = stream
    described.bytes = datagram
    described.start = start - 12
    described.end = end
    if (!describePayload(described)) {
      this.damaged += 1
      return false
    }
    packet.isOpened = true
    packet.isStart = described.frameStart
    packet.isKey = described.keyframe
    packet.temporalLayer = described.temporalLayer
    packet.isSync = described.temporalSwitch
    packet.tl0PicIdx = described.tl0PicIdx
    const offset = described.frameStart ? VP8_STAMP_OFFSET : VP8_LATER_STAMP_OFFSET
    if (!readStamp(datagram, start + offset, end, stamp)) {
      this.unstamped += 1
      return false
    }
    this.#onStamp(datagram, end)
    stream.layers.onLayer(stamp.layer, at.nowMs)
    return true
  }

  addTo(sums: SiteSums): void {
    sums.opened += this.opened
    sums.checked += this.opened + this.refused
    sums.checkFailed += this.refused + this.damaged
    sums.unstamped += this.unstamped
  }

  #onStamp(datagram: Buffer, end: number): void {
    this.stamped += 1
    if (!isSealed(datagram, end, stamp)) this.damaged += 1
  }
}
