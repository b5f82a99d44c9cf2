/**
 * A site that watches: counts every packet by its header, opens as many as its depth says, judges
 * what would be heard and seen, and sends feedback as a browser does (RFC 3550, RFC 4585,
 * transport-wide feedback). About 1 µs of JavaScript a packet beside the kernel's share; opening
 * costs 3 µs more.
 */
import { SITE_STREAMS_MAX } from '../../config/limits.ts'
import { TransportFeedbackGenerator } from '../../core/media/receive/index.ts'
import {
  ReportBlock,
  RtcpParser,
  RtcpWriter,
  type SenderReport,
} from '../../core/media/rtcp/index.ts'
import { readUint16, readUint32 } from '../../core/media/rtp/index.ts'
import type { SiteDepth } from './contract.ts'
import type { SiteSums } from './figures.ts'
import { RTX_PAYLOAD_TYPE, VP8_PAYLOAD_TYPE } from './offer.ts'
import { type OnLatency, PacketCheck } from './packet-check.ts'
import { payloadStart, transportNumber } from './protected-packet.ts'
import { ReceivedAudio, ReceivedStream, ReceivedVideo } from './received-stream.ts'
import { ResyncMeter } from './resync-meter.ts'
import type { MediaSite } from './site.ts'
import { type StreamTally, TALLY_DUPLICATE, TALLY_NEXT } from './stream-tally.ts'

const CNAME = Buffer.from('bench')
const RECEIVER_SSRC = 0x10001
/** The longest SRTP tag that we negotiate is 16 bytes, the shortest 10. */
const TAG_BYTES = 10
/** RFC 7587 §3.1.3: no more than this in a packet without sound. */
const DTX_BYTES_MAX = 2
const COMPOUND_BYTES_MAX = 1_200
/**
 * A decoder that cannot go on asks after this; with NACK on the way it waits until repair has
 * become unlikely.
 */
const STUCK_MS = 60
const STUCK_WITH_NACK_MS = 1_000

const scratch = new Uint8Array(COMPOUND_BYTES_MAX)
const nackScratch = new Uint16Array(256)
const writer = new RtcpWriter()
const block = new ReportBlock()

export type ReceiverOptions = {
  /**
   * One packet in `sampleEvery` is opened at depth `sampled`; `phase` spreads the samples over
   * sites.
   */
  sampleEvery: number
  phase: number
  onLatency: OnLatency
  /** Default `sampled`. */
  depth?: SiteDepth
  /** Default: neither is sent. */
  nack?: boolean
  pli?: boolean
}

/** What was negotiated for one transport. */
export type Negotiated = {
  /** Extension id of the transport-wide number; 0 = not negotiated. */
  transportWideId: number
  /** RTX SSRC to the SSRC that it repairs, as the answer says. */
  repairs: ReadonlyMap<number, number>
}

/** One per watching site; `connect` for each of its transports. */
export class ReceiverSite {
  readonly tallies = new Map<number, StreamTally>()
  readonly audio: ReceivedAudio[] = []
  readonly video: ReceivedVideo[] = []
  readonly resync = new ResyncMeter()
  readonly check: PacketCheck
  packets = 0
  bytes = 0
  nacksSent = 0
  keyframesAsked = 0
  /** Of the first frame heard, and shown; NaN before. */
  firstSoundMs = Number.NaN
  firstPictureMs = Number.NaN
  /** When `feedback` has something to send; Infinity while nothing is due. */
  feedbackDeadlineMs = Number.POSITIVE_INFINITY
  readonly #streams = new Map<number, ReceivedStream>()
  readonly #options: ReceiverOptions
  readonly #depth: SiteDepth
  #transportWide: TransportFeedbackGenerator | undefined
  #transportWideId = 0
  #repairs: ReadonlyMap<number, number> = new Map()
  readonly #parser: RtcpParser
  #untilSample: number
  #nowMs = 0

  constructor(options: ReceiverOptions) {
    this.#options = options
    this.#depth = options.depth ?? 'sampled'
    this.#untilSample = options.phase % options.sampleEvery
    this.check = new PacketCheck(options.onLatency)
    this.#parser = this.#createParser()
  }

  /**
   * A transport begins: what is missing now will not come, pauses go on until its first packets.
   */
  connect({ transportWideId, repairs }: Negotiated): void {
    const isNumbered = transportWideId > 0
    this.#transportWide = isNumbered ? new TransportFeedbackGenerator(RECEIVER_SSRC, 0) : undefined
    this.#transportWideId = transportWideId
    this.#repairs = repairs
    this.feedbackDeadlineMs = Number.POSITIVE_INFINITY
    for (const [ssrc, stream] of this.#streams) {
      stream.cut()
      this.tallies.set(ssrc, stream.tally)
    }
  }

  /** @hot The `onMedia` of its Site. */
  onMedia(site: MediaSite, datagram: Buffer, isRtcp: boolean): void {
    const nowMs = site.link.arrivedMs
    if (isRtcp) {
      const end = site.link.receiver?.openRtcp(datagram, 0, datagram.length) ?? -1
      if (end > 0) this.onRtcp(datagram, end, nowMs)
    } else this.onRtp(site, datagram, nowMs)
  }

  /** An opened compound `bytes[0, end)`. */
  onRtcp(bytes: Uint8Array, end: number, nowMs: number): void {
    this.#nowMs = nowMs
    this.#parser.parse(bytes, 0, end)
  }

  /** @hot A protected RTP packet that arrived at `nowMs`. */
  onRtp(site: MediaSite, datagram: Buffer, nowMs: number): void {
    const size = datagram.length
    if (size < 22) return
    this.packets += 1
    this.bytes += size
    if (this.#transportWide !== undefined) this.#noteNumber(datagram, nowMs)
    const ssrc = readUint32(datagram, 8)
    const stream = this.#streams.get(ssrc) ?? this.#admit(ssrc, datagram[1]! & 0x7f)
    if (stream === undefined) return
    const placed = stream.tally.add(readUint16(datagram, 2), size)
    if (placed === TALLY_DUPLICATE) return
    if (stream instanceof ReceivedAudio) {
      this.resync.onPacket(nowMs)
      if (placed === TALLY_NEXT) stream.measureJitter(readUint32(datagram, 4), nowMs)
      this.#onAudio(site, stream, datagram, nowMs)
    } else if (stream instanceof ReceivedVideo) {
      this.#beforeVideo(stream, nowMs)
      if (placed === TALLY_NEXT) stream.measureJitter(readUint32(datagram, 4), nowMs)
      this.#onVideo(site, stream, datagram, nowMs)
    } else this.#onRepair(site, datagram, nowMs)
  }

  /** Sends one receiver report over all streams. */
  report(site: MediaSite): void {
    const nowMs = performance.now()
    writer.reset(scratch, 0, scratch.length)
    writer.receiverReport(RECEIVER_SSRC)
    for (const stream of this.#streams.values()) {
      stream.fillBlock(block, nowMs)
      writer.reportBlock(block)
    }
    writer.cname(RECEIVER_SSRC, CNAME)
    site.sendRtcp(scratch, writer.end)
  }

  /** Sends what is due of NACK, PLI and transport-wide feedback; call at `feedbackDeadlineMs`. */
  feedback(site: MediaSite, nowMs: number): void {
    writer.reset(scratch, 0, scratch.length)
    writer.receiverReport(RECEIVER_SSRC)
    const emptyEnd = writer.end
    for (const stream of this.video) this.#ask(stream, nowMs)
    this.#transportWide?.collect(nowMs, writer)
    this.#planFeedback()
    if (writer.end > emptyEnd) site.sendRtcp(scratch, writer.end)
  }

  /** Adds what was seen since the site was made. */
  addTo(sums: SiteSums, nowMs: number): void {
    for (const stream of this.audio) stream.addTo(sums, nowMs)
    for (const stream of this.video) stream.addTo(sums, nowMs)
    sums.outages += this.resync.outages
    sums.rtpPackets += this.packets
    this.check.addTo(sums)
    sums.nacksSent += this.nacksSent
    sums.keyframesAsked += this.keyframesAsked
  }

  /** Extremes and means are looked for anew; sums go on. */
  restart(nowMs: number): void {
    this.resync.restart()
    for (const { gaps } of this.audio) gaps.restart()
    for (const { freezes, layers } of this.video) {
      freezes.restart()
      layers.restart(nowMs)
    }
  }

  /** The slot of this SSRC shows nothing, and is not meant to, until its next packet. */
  pause(ssrc: number, nowMs: number): void {
    const stream = this.#streams.get(ssrc)
    if (stream instanceof ReceivedAudio) stream.pause(nowMs)
    else if (stream instanceof ReceivedVideo) stream.pause(nowMs)
  }

  #createParser(): RtcpParser {
    const nothing = (): void => {}
    return new RtcpParser({
      onSenderReport: (report: SenderReport) =>
        this.#streams.get(report.ssrc)?.onSenderReport(report, this.#nowMs),
      onReportBlock: nothing,
      onCname: nothing,
      onBye: nothing,
      onNack: nothing,
      onPli: nothing,
      onFir: nothing,
      onRemb: nothing,
      onTransportFeedback: nothing,
    })
  }

  #admit(ssrc: number, payloadType: number): ReceivedStream | undefined {
    if (this.#streams.size >= SITE_STREAMS_MAX) return undefined
    const stream = this.#createStream(ssrc, payloadType)
    this.#streams.set(ssrc, stream)
    this.tallies.set(ssrc, stream.tally)
    if (stream instanceof ReceivedAudio) this.audio.push(stream)
    else if (stream instanceof ReceivedVideo) this.video.push(stream)
    this.#transportWide?.setMediaSsrc(ssrc)
    return stream
  }

  #createStream(ssrc: number, payloadType: number): ReceivedStream {
    if (payloadType === RTX_PAYLOAD_TYPE) return new ReceivedStream(ssrc, 90_000)
    if (payloadType !== VP8_PAYLOAD_TYPE) return new ReceivedAudio(ssrc)
    const video: ReceivedVideo = new ReceivedVideo(ssrc, this.#depth === 'full', {
      onShown: (nowMs) => {
        video.freezes.onShown(nowMs)
        if (Number.isNaN(this.firstPictureMs)) this.firstPictureMs = nowMs
        const goesOn = this.#depth !== 'sampled' || video.tally.lost === video.lostAtOutage
        if (this.resync.awaitsVideo && goesOn) this.resync.onPicture(nowMs)
      },
      onKeyframe: (nowMs) => {
        video.keyframes.onKeyframe()
        this.resync.onPicture(nowMs)
      },
    })
    return video
  }

  /** @hot */
  #onAudio(site: MediaSite, stream: ReceivedAudio, datagram: Buffer, nowMs: number): void {
    const start = payloadStart(datagram)
    const isSilence = datagram.length - TAG_BYTES - start <= DTX_BYTES_MAX
    if (isSilence) {
      stream.pause(nowMs)
      return
    }
    const { tally } = stream
    const startsSpurt = (datagram[1]! & 0x80) !== 0 && tally.sequence > tally.previousHighest
    stream.playout.add(readUint32(datagram, 4), startsSpurt, nowMs)
    stream.gaps.onArrival(nowMs)
    if (Number.isNaN(this.firstSoundMs)) this.firstSoundMs = nowMs
    this.resync.onAudio(nowMs)
    if (this.#isDue()) this.check.audio(site, datagram, nowMs)
  }

  /** Before the packet is counted into the outage that it may end. */
  #beforeVideo(stream: ReceivedVideo, nowMs: number): void {
    const { outages } = this.resync
    this.resync.onPacket(nowMs)
    this.resync.onVideo(nowMs)
    if (this.resync.outages !== outages) stream.lostAtOutage = stream.tally.lost
  }

  /** @hot */
  #onVideo(site: MediaSite, stream: ReceivedVideo, datagram: Buffer, nowMs: number): void {
    const { tally, packet } = stream
    stream.layers.onPacket(nowMs)
    if (tally.sequence > tally.previousHighest + 1 && tally.previousHighest >= 0) {
      this.#onGap(stream, nowMs)
    } else if (tally.sequence < tally.previousHighest) {
      stream.nacks?.onReceived(tally.sequence, nowMs)
    }
    // Padding has no frame, only a number.
    if ((datagram[0]! & 0x20) !== 0) return
    packet.sequence = tally.sequence
    packet.timestamp = readUint32(datagram, 4)
    packet.marker = (datagram[1]! & 0x80) !== 0
    packet.isOpened = false
    if (this.#isDue() || this.#looksForKey(stream)) {
      this.check.video(site, stream, datagram, nowMs)
    }
    stream.frames.add(packet, nowMs)
    if (this.#options.pli === true) this.#checkStuck(stream, nowMs)
  }

  /**
   * A packet over again (RFC 4588); padding and probes are no repair. Always opened: its number
   * stands inside.
   */
  #onRepair(site: MediaSite, datagram: Buffer, nowMs: number): void {
    if ((datagram[0]! & 0x20) !== 0) return
    const ssrc = this.#repairs.get(readUint32(datagram, 8))
    const stream = ssrc === undefined ? undefined : this.#streams.get(ssrc)
    if (!(stream instanceof ReceivedVideo)) return
    const end = this.check.open(site, datagram)
    const start = payloadStart(datagram)
    if (end < start + 3) return
    if (stream.tally.repair(readUint16(datagram, start)) === TALLY_DUPLICATE) return
    stream.repaired += 1
    stream.nacks?.onReceived(stream.tally.sequence, nowMs)
    const { packet } = stream
    packet.sequence = stream.tally.sequence
    packet.timestamp = readUint32(datagram, 4)
    packet.marker = (datagram[1]! & 0x80) !== 0
    this.check.describe(stream, { datagram, start: start + 2, end, nowMs })
    stream.frames.add(packet, nowMs)
  }

  #onGap(stream: ReceivedVideo, nowMs: number): void {
    const { tally } = stream
    const { nack, pli } = this.#options
    if (nack === true) {
      if (!stream.onGap(tally.previousHighest + 1, tally.sequence - 1, nowMs) && pli === true) {
        stream.keyframes.request()
      }
    } else if (pli === true && this.#depth !== 'full') stream.keyframes.request()
    this.#planFeedback()
  }

  /** @hot Only where all is opened is it known that a decoder could not go on. */
  #checkStuck(stream: ReceivedVideo, nowMs: number): void {
    const patienceMs = this.#options.nack === true ? STUCK_WITH_NACK_MS : STUCK_MS
    if (nowMs - stream.frames.stuckSinceMs < patienceMs || stream.keyframes.isWanted) return
    stream.keyframes.request()
    this.#planFeedback()
  }

  #ask(stream: ReceivedVideo, nowMs: number): void {
    const { nacks, keyframes } = stream
    const address = { senderSsrc: RECEIVER_SSRC, mediaSsrc: stream.ssrc }
    if (nacks !== undefined && nowMs >= nacks.nextDeadlineMs()) {
      const before = nacks.givenUpCount
      const count = nacks.collect(nowMs, nackScratch)
      if (writer.nack(address, nackScratch, count)) this.nacksSent += count
      const isGivenUp = nacks.givenUpCount > before
      if (isGivenUp && this.#options.pli === true && this.#depth !== 'full') keyframes.request()
    }
    if (!keyframes.collect(nowMs)) return
    if (writer.pli(RECEIVER_SSRC, stream.ssrc)) this.keyframesAsked += 1
    // Who opens nothing cannot see the answer.
    if (this.#depth === 'headers') keyframes.cancel()
  }

  #planFeedback(): void {
    let deadlineMs = this.#transportWide?.nextDeadlineMs() ?? Number.POSITIVE_INFINITY
    for (const { nacks, keyframes } of this.video) {
      if (nacks !== undefined) deadlineMs = Math.min(deadlineMs, nacks.nextDeadlineMs())
      deadlineMs = Math.min(deadlineMs, keyframes.nextDeadlineMs())
    }
    this.feedbackDeadlineMs = deadlineMs
  }

  /** @hot */
  #isDue(): boolean {
    if (this.#depth === 'full') return true
    if (this.#depth === 'headers') return false
    if (this.#untilSample > 0) {
      this.#untilSample -= 1
      return false
    }
    this.#untilSample = this.#options.sampleEvery - 1
    return true
  }

  /** @hot */
  #looksForKey(stream: ReceivedVideo): boolean {
    if (this.#depth === 'headers') return false
    return this.resync.awaitsVideo || stream.keyframes.isWanted
  }

  /** @hot The number stands in clear (RFC 8285 one-byte form). */
  #noteNumber(datagram: Buffer, nowMs: number): void {
    const number = transportNumber(datagram, this.#transportWideId)
    if (number < 0) return
    const generator = this.#transportWide!
    generator.onPacket(number, nowMs)
    const dueMs = generator.nextDeadlineMs()
    if (dueMs < this.feedbackDeadlineMs) this.feedbackDeadlineMs = dueMs
  }
}
