/**
 * One layer of one publication as it comes in: its media SSRC and its RTX SSRC. Puts packets in
 * their place, fills MediaPacket, and knows all that is to be told to the sender: NACK, PLI, report
 * blocks. Which SSRC belongs here is the StreamTable's matter; who gets the packet is the
 * forwarders'.
 */
import { NACK_BATCH_MAX } from '../../../config/limits.ts'
import type { CodecSpec, IncomingSection } from '../control.ts'
import type { ReportBlock, RtcpWriter, SenderReport } from '../rtcp/index.ts'
import {
  DROP_CODE,
  describePayload,
  type MediaPacket,
  RTP_HEADER_BYTES,
  type RtpPacket,
  readAudioLevel,
  sequenceDelta32,
  unwrapRtx,
  writeRtpHeader,
} from '../rtp/index.ts'
import { KeyframeRequester } from './keyframe-requester.ts'
import { LevelMeter } from './level-meter.ts'
import { NackGenerator } from './nack-generator.ts'
import { RateMeter } from './rate-meter.ts'
import type { SectionCodecs } from './section-codecs.ts'
import { SenderClock } from './sender-clock.ts'
import {
  SequenceTracker,
  TRACK_DUPLICATE,
  TRACK_JUMP,
  TRACK_LATE,
  TRACK_NEXT,
  TRACK_PROBATION,
} from './sequence-tracker.ts'

/** Consumed: a probe, which used no number of the source. */
export const RECEIVED_NOTHING = 0
/** The MediaPacket is filled: forward it. */
export const RECEIVED_MEDIA = 1
/**
 * Only padding: forward nothing, but `sequence` and `epoch` are set and the number must be closed
 * over.
 */
export const RECEIVED_PADDING = 2

const DUPLICATE = -DROP_CODE.duplicate
const JUMP = -DROP_CODE['sequence-jump']
const PAYLOAD_MALFORMED = -DROP_CODE['payload-malformed']
const PAYLOAD_TYPE_UNKNOWN = -DROP_CODE['payload-type-unknown']
const PROBATION = -DROP_CODE.probation
const TOO_OLD = -DROP_CODE['too-old']

/** An RTP timestamp that no picture has had yet. */
const NO_TIMESTAMP = -1
const NO_SSRC = -1

const nackScratch = new Uint16Array(NACK_BATCH_MAX)

/** One layer as it comes in; created and bound by the StreamTable, which alone calls `bind`. */
export class IncomingStream {
  readonly section: IncomingSection
  readonly publicationId: number
  /** Index of the RID, 0 the lowest picture; 0 without simulcast. */
  readonly spatialLayer: number
  readonly clock: SenderClock
  readonly keyframes = new KeyframeRequester()
  /** Undefined when NACK was not negotiated. */
  readonly nacks: NackGenerator | undefined
  readonly rate = new RateMeter()
  /** Audio has one stream, so this is the publication's level. */
  readonly level = new LevelMeter()

  /** -1 until bound. */
  ssrc = NO_SSRC
  rtxSsrc = NO_SSRC
  packetCount = 0
  bytesCount = 0
  paddingCount = 0
  /** When the last packet came, RTX included. */
  arrivalMs = Number.NEGATIVE_INFINITY

  readonly #codecs: SectionCodecs
  readonly #isVideo: boolean
  readonly #clockRate: number
  readonly #audioLevelId: number
  readonly #tracker = new SequenceTracker()
  readonly #rtxTracker = new SequenceTracker()
  #jitterTicks = 0
  #transitTicks = Number.NaN
  #timestamp = NO_TIMESTAMP
  #keyframeTimestamp = NO_TIMESTAMP

  constructor(codecs: SectionCodecs, spatialLayer: number) {
    const section = codecs.section
    this.section = section
    this.publicationId = section.publicationId
    this.spatialLayer = spatialLayer
    this.nacks = section.feedback.nack ? new NackGenerator() : undefined
    this.#codecs = codecs
    this.#isVideo = section.kind === 'video'
    this.#clockRate = section.codecs[0]?.clockRate ?? (this.#isVideo ? 90_000 : 48_000)
    this.#audioLevelId = section.extensions.audioLevel ?? 0
    this.clock = new SenderClock(this.#clockRate)
  }

  /** Jitter by RFC 3550 A.8. */
  get jitterMs(): number {
    return (this.#jitterTicks / this.#clockRate) * 1_000
  }

  /** 0..1 over the interval between the last two report blocks. */
  get lossRatio(): number {
    return this.#tracker.lossRatio
  }

  /** Grows with each restart of the source; the same as in its MediaPackets. */
  get epoch(): number {
    return this.#tracker.epoch
  }

  /** False until the first media packet was accepted. */
  get isStarted(): boolean {
    return this.#tracker.isStarted
  }

  /**
   * Takes a (new) media SSRC; all numbers begin anew. `probation` when only a payload type vouches
   * for it.
   */
  bind(ssrc: number, probation: boolean): void {
    this.ssrc = ssrc
    this.#tracker.restart(probation)
    this.#startAnew()
    this.clock.reset()
    this.level.reset()
  }

  /** Takes a (new) RTX SSRC. */
  bindRtx(ssrc: number): void {
    this.rtxSsrc = ssrc
    this.#rtxTracker.restart(false)
  }

  /**
   * @hot Takes a packet of this stream's SSRCs. Returns RECEIVED_MEDIA with `out` filled,
   * RECEIVED_PADDING with `out.sequence`, `out.epoch` and `out.timestamp` set, RECEIVED_NOTHING, or
   * minus a DropReason code. The bytes before the payload are overwritten by the new header, so
   * extensions must have been read before.
   */
  receive(packet: RtpPacket, nowMs: number, out: MediaPacket): number {
    this.arrivalMs = nowMs
    this.bytesCount += packet.end - packet.start
    const primary = this.#codecs.primaryOf(packet.payloadType)
    if (primary >= 0) return this.#receiveRtx(packet, nowMs, out)
    const codec = this.#codecs.codecOf(packet.payloadType)
    if (codec === undefined) return PAYLOAD_TYPE_UNKNOWN
    const tracker = this.#tracker
    const epoch = tracker.epoch
    const placed = tracker.track(packet.sequenceNumber)
    if (placed !== TRACK_NEXT && placed !== TRACK_LATE) return dropOf(placed)
    if (tracker.epoch !== epoch) this.#startAnew()
    this.packetCount += 1
    this.rate.add(packet.end - packet.start, nowMs)
    if (this.#audioLevelId !== 0) this.#readLevel(packet, nowMs)
    if (placed === TRACK_NEXT) {
      this.#measureJitter(packet.timestamp, nowMs)
      this.#noteGap(nowMs)
    } else {
      this.nacks?.onReceived(tracker.sequence, nowMs)
    }
    out.late = placed === TRACK_LATE
    return this.#fill(packet, codec, out)
  }

  /** @hot The original comes out as a late packet. A probe has no payload, or repeats what came. */
  #receiveRtx(packet: RtpPacket, nowMs: number, out: MediaPacket): number {
    this.rate.add(packet.end - packet.start, nowMs)
    const placedRtx = this.#rtxTracker.track(packet.sequenceNumber)
    if (placedRtx !== TRACK_NEXT && placedRtx !== TRACK_LATE) return dropOf(placedRtx)
    const primary = this.#codecs.primaryOf(packet.payloadType)
    const codec = this.#codecs.codecOf(primary)
    const tracker = this.#tracker
    if (codec === undefined) return PAYLOAD_TYPE_UNKNOWN
    if (!tracker.isStarted || !unwrapRtx(packet, this.ssrc, primary)) return RECEIVED_NOTHING
    const placed = tracker.recover(packet.sequenceNumber)
    // Chromium fills probes with packets that we already have: nothing wrong, nothing new.
    if (placed === TRACK_DUPLICATE) return RECEIVED_NOTHING
    if (placed !== TRACK_NEXT && placed !== TRACK_LATE) return dropOf(placed)
    if (placed === TRACK_NEXT) this.#noteGap(nowMs)
    else this.nacks?.onReceived(tracker.sequence, nowMs)
    out.late = true
    return this.#fill(packet, codec, out)
  }

  /** @hot Header of 12 bytes right before the payload: no CSRC, extension or padding. */
  #fill(packet: RtpPacket, codec: CodecSpec, out: MediaPacket): number {
    out.sequence = this.#tracker.sequence
    out.epoch = this.#tracker.epoch
    out.timestamp = packet.timestamp
    out.marker = packet.marker
    out.payloadType = packet.payloadType
    out.codec = codec.codec
    out.arrivalMs = this.arrivalMs
    out.bytes = packet.bytes
    out.start = packet.payloadStart - RTP_HEADER_BYTES
    out.end = packet.payloadEnd
    writeRtpHeader(packet.bytes, out.start, packet)
    if (packet.payloadEnd === packet.payloadStart) {
      this.paddingCount += 1
      return RECEIVED_PADDING
    }
    if (!describePayload(out)) return PAYLOAD_MALFORMED
    if (this.#isVideo) this.#placePicture(out)
    return RECEIVED_MEDIA
  }

  /**
   * @hot What the payload alone cannot say: H.264 and AV1 pictures begin where the timestamp
   * changes.
   */
  #placePicture(out: MediaPacket): void {
    if (out.codec === 'h264' || out.codec === 'av1') {
      out.frameStart = out.frameStart && out.timestamp !== this.#timestamp
      // Parameter sets may stand several times in one picture: the first is where to start.
      if (out.keyframe) {
        out.keyframe = out.timestamp !== this.#keyframeTimestamp
        this.#keyframeTimestamp = out.timestamp
      }
    }
    if (out.late) return
    this.#timestamp = out.timestamp
    // A recovered keyframe cannot be switched to, so it does not answer a request.
    if (out.keyframe) this.keyframes.onKeyframe()
  }

  /** @hot */
  #readLevel(packet: RtpPacket, nowMs: number): void {
    const levelDbov = readAudioLevel(packet, this.#audioLevelId)
    if (levelDbov >= 0) this.level.onLevel(levelDbov, nowMs)
  }

  /** @hot Numbers between the highest before and now are missing. */
  #noteGap(nowMs: number): void {
    const { sequence, previousHighest } = this.#tracker
    if (sequence === previousHighest + 1 || this.nacks === undefined) return
    const isRepairable = this.nacks.onGap(previousHighest + 1, sequence - 1, nowMs)
    if (!isRepairable && this.#isVideo) this.requestKeyframe()
  }

  /** @hot RFC 3550 A.8, over packets in order. */
  #measureJitter(timestamp: number, nowMs: number): void {
    // Modulo 2^32 like the timestamp, so that a wrap of either is no jump.
    const transitTicks = ((nowMs * this.#clockRate) / 1_000 - timestamp) % 0x1_0000_0000
    const difference = Math.abs(sequenceDelta32(this.#transitTicks, transitTicks))
    if (!Number.isNaN(this.#transitTicks)) {
      this.#jitterTicks += (difference - this.#jitterTicks) / 16
    }
    this.#transitTicks = transitTicks
  }

  #startAnew(): void {
    this.nacks?.clear()
    this.#transitTicks = Number.NaN
    this.#jitterTicks = 0
    this.#timestamp = NO_TIMESTAMP
    this.#keyframeTimestamp = NO_TIMESTAMP
  }

  /** SR about this stream's media SSRC; those about RTX are of no use. */
  onSenderReport(report: SenderReport, nowMs: number): void {
    if (report.ssrc === this.ssrc) this.clock.onSenderReport(report, nowMs)
  }

  /** Round trip to the sender, measured by whoever can. */
  setRttMs(rttMs: number): void {
    this.nacks?.setRttMs(rttMs)
    this.keyframes.setRttMs(rttMs)
  }

  /**
   * Fills the block about the media SSRC and begins the next interval; false when nothing was
   * received yet.
   */
  fillReportBlock(block: ReportBlock, nowMs: number): boolean {
    const tracker = this.#tracker
    if (!tracker.isStarted) return false
    block.ssrc = this.ssrc
    block.fractionLost = tracker.takeFractionLost()
    block.cumulativeLost = tracker.cumulativeLost
    block.highestSequence = tracker.extendedHighest
    block.jitterTicks = Math.round(this.#jitterTicks)
    block.lastSenderReport = this.clock.lastSenderReport
    block.delaySinceLastSenderReport = this.clock.delaySinceLastSenderReport(nowMs)
    return true
  }

  /** The same about the RTX SSRC, which has no clock and no jitter of its own. */
  fillRtxReportBlock(block: ReportBlock): boolean {
    const tracker = this.#rtxTracker
    if (!tracker.isStarted) return false
    block.ssrc = this.rtxSsrc
    block.fractionLost = tracker.takeFractionLost()
    block.cumulativeLost = tracker.cumulativeLost
    block.highestSequence = tracker.extendedHighest
    block.jitterTicks = 0
    block.lastSenderReport = 0
    block.delaySinceLastSenderReport = 0
    return true
  }

  /** Asks the encoder for a keyframe, throttled; repeated until one comes. Cheap to call often. */
  requestKeyframe(): void {
    if (this.section.feedback.pli) this.keyframes.request()
  }

  /** When NACK or PLI are due; Infinity when neither. In the past means now. */
  nextDeadlineMs(): number {
    if (this.ssrc === NO_SSRC) return Number.POSITIVE_INFINITY
    const keyframeMs = this.keyframes.nextDeadlineMs()
    return this.nacks === undefined ? keyframeMs : Math.min(keyframeMs, this.nacks.nextDeadlineMs())
  }

  /** Writes NACK and PLI that are due into the compound, which should have 1,100 bytes of room. */
  collect(nowMs: number, writer: RtcpWriter, senderSsrc: number): void {
    if (this.ssrc === NO_SSRC) return
    if (this.nacks !== undefined && nowMs >= this.nacks.nextDeadlineMs()) {
      const count = this.nacks.collect(nowMs, nackScratch)
      writer.nack({ senderSsrc, mediaSsrc: this.ssrc }, nackScratch, count)
    }
    if (this.keyframes.collect(nowMs)) writer.pli(senderSsrc, this.ssrc)
  }
}

/** @hot What a place that is not NEXT or LATE means. */
function dropOf(placed: number): number {
  switch (placed) {
    case TRACK_DUPLICATE:
      return DUPLICATE
    case TRACK_JUMP:
      return JUMP
    case TRACK_PROBATION:
      return PROBATION
    default:
      return TOO_OLD
  }
}
