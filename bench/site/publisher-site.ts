/**
 * A site that speaks: Opus at 50 packets a second and VP8 in one or three layers. Key frames on
 * request, sender reports, answers to NACK from a short memory; obeys transport-wide feedback and
 * REMB by the engine's own estimator: the highest layer goes first. Paced by its owner's ticks.
 */
import { createEstimator } from '../../core/media/bandwidth/index.ts'
import {
  compactNtp,
  RtcpParser,
  RtcpWriter,
  rttMsOf,
  SenderReport,
  setNtpTime,
} from '../../core/media/rtcp/index.ts'
import { writeUint16 } from '../../core/media/rtp/index.ts'
import { budgetLayers } from './layer-budget.ts'
import { type LayerPlan, OpusSource, SILENT_DBOV, Vp8Source } from './media-source.ts'
import {
  LEVEL_EXTENSION,
  MID_EXTENSION,
  OPUS_PAYLOAD_TYPE,
  REPAIRED_RID_EXTENSION,
  RID_EXTENSION,
  RTX_PAYLOAD_TYPE,
  TRANSPORT_WIDE_EXTENSION,
  VP8_PAYLOAD_TYPE,
} from './offer.ts'
import { Pacer } from './pacer.ts'
import { type Addressing, PacketStream, TRANSPORT_WIDE_AT } from './packet-stream.ts'
import { SendTrack } from './send-track.ts'
import type { MediaSite } from './site.ts'

/** What it sends. */
export type PublisherPlan = {
  audio?: { mid: string; payloadBytes: number; dtx?: boolean }
  video?: { mid: string; framesPerSecond: number; temporal: boolean; layers: readonly LayerPlan[] }
  /** Distinguishes publishers, 0..2^24-1: SSRCs are derived from it, and stamps name it. */
  number: number
}

const AUDIO_MS = 20
const REPORT_MS = 1000
const CONTROL_MS = 20
const BUDGET_MS = 100
const LOUD_DBOV = 20
/** A tick that comes later than this leaves frames out instead of making them up. */
const LATE_FRAMES_MAX = 10
const PADDING_BYTES = 250
/** Header, extensions and payload descriptor, as a share of video. */
const OVERHEAD = 0.95
const AUDIO_HEADER_BYTES = 28
const REMB_MS = 10_000
const scratch = new Uint8Array(512)

type Track = SendTrack<OpusSource> | SendTrack<Vp8Source>
type Waiting = { track: Track; bytes: Uint8Array; index: number }

/** One per speaking site and transport; created when its Site is connected. */
export class PublisherSite {
  readonly #site: MediaSite
  readonly #audio: SendTrack<OpusSource> | undefined
  readonly #video: SendTrack<Vp8Source>[]
  readonly #layers: readonly LayerPlan[]
  readonly #bitratesBps: Float64Array
  readonly #videoMs: number
  readonly #parser: RtcpParser
  readonly #writer = new RtcpWriter()
  readonly #estimator
  readonly #pacer = new Pacer<Waiting>()
  readonly #isNumbered: boolean
  #transportNumber = 0
  #nextAudioMs: number
  #nextVideoMs: number
  #nextReportMs: number
  #nextControlMs: number
  #nextBudgetMs: number
  #rembMs = Number.NEGATIVE_INFINITY
  #nowMs: number
  #bytesSent = 0
  #bytesBefore = 0
  #sentBps = 0
  /** Loudness, 0 (loud)..127 (silent) -dBov; the owner makes speakers take turns with it. */
  levelDbov = LOUD_DBOV
  /** A muted microphone sends silence, a camera that is not live nothing. */
  muted = false
  live = true
  resent = 0
  keyframesAsked = 0

  constructor(site: MediaSite, plan: PublisherPlan, nowMs: number) {
    this.#site = site
    const base = 0x5000_0000 + plan.number * 16
    const { audio, video } = plan
    this.#audio = audio === undefined ? undefined : this.#audioTrack(base, audio, plan.number)
    this.#layers = video?.layers ?? []
    this.#video = this.#layers.map((_, index) =>
      this.#videoTrack(base + 1, video!, { plan, index }),
    )
    this.#bitratesBps = Float64Array.from(this.#layers, ({ bitrateBps }) => bitrateBps)
    this.#isNumbered = this.#tracks().some(({ source }) => source.stream.isNumbered)
    this.#videoMs = 1000 / (video?.framesPerSecond ?? 25)
    this.#estimator = createEstimator(nowMs)
    this.#nowMs = nowMs
    this.#nextAudioMs = nowMs
    this.#nextVideoMs = nowMs + 7
    this.#nextReportMs = nowMs + 100
    this.#nextControlMs = this.#isNumbered ? nowMs : Number.POSITIVE_INFINITY
    this.#nextBudgetMs = nowMs
    this.#parser = this.#createParser()
    if (this.#isNumbered) this.#bitratesBps.fill(0)
  }

  /** Packets sent so far, repetitions not counted. */
  get packetsSent(): { audio: number; video: number } {
    let video = 0
    for (const { source } of this.#video) video += source.sent.packets
    return { audio: this.#audio?.source.sent.packets ?? 0, video }
  }

  get bytesSent(): number {
    return this.#bytesSent
  }

  get keyframesSent(): number {
    return this.#video.reduce((sum, { source }) => sum + source.keyframes, 0)
  }

  /** What may be sent, bit/s; Infinity where nobody said anything. */
  availableBps(nowMs: number): number {
    const isTold = this.#isNumbered || nowMs - this.#rembMs < REMB_MS
    return isTold ? this.#estimator.availableBps(nowMs) : Number.POSITIVE_INFINITY
  }

  /** Layers that are being sent. */
  get layersSending(): number {
    return this.live ? this.#bitratesBps.reduce((sum, bps) => sum + (bps > 0 ? 1 : 0), 0) : 0
  }

  /** When `tick` has something to do next. */
  nextDeadlineMs(): number {
    const videoMs = this.#video.length === 0 ? Number.POSITIVE_INFINITY : this.#nextVideoMs
    const audioMs = this.#audio === undefined ? Number.POSITIVE_INFINITY : this.#nextAudioMs
    return Math.min(audioMs, videoMs, this.#nextReportMs, this.#nextControlMs)
  }

  /**
   * Sends what is due. A tick that is late by a little makes up for it, one that is late by much
   * leaves frames out.
   */
  tick(nowMs: number): void {
    this.#nowMs = nowMs
    if (this.#audio !== undefined) this.#tickAudio(this.#audio, nowMs)
    if (this.#video.length > 0) this.#tickVideo(nowMs)
    if (nowMs >= this.#nextControlMs) this.#control(nowMs)
    if (nowMs >= this.#nextReportMs) {
      this.#nextReportMs = nowMs + REPORT_MS
      this.#report()
    }
    this.#site.context.sender.flush()
  }

  /** The `onMedia` of its Site: feedback. */
  onMedia(site: MediaSite, datagram: Buffer, isRtcp: boolean): void {
    if (!isRtcp) return
    const end = site.link.receiver?.openRtcp(datagram, 0, datagram.length) ?? -1
    if (end > 0) this.onRtcp(datagram, end, performance.now())
  }

  /** An opened compound `bytes[0, end)`. */
  onRtcp(bytes: Uint8Array, end: number, nowMs: number): void {
    this.#nowMs = nowMs
    this.#parser.parse(bytes, 0, end)
  }

  #tickAudio(track: SendTrack<OpusSource>, nowMs: number): void {
    const lateFrames = Math.floor((nowMs - this.#nextAudioMs) / AUDIO_MS)
    if (lateFrames > LATE_FRAMES_MAX) {
      track.source.skip(lateFrames)
      this.#nextAudioMs += lateFrames * AUDIO_MS
    }
    while (nowMs >= this.#nextAudioMs) {
      const levelDbov = this.muted ? SILENT_DBOV : this.levelDbov
      track.source.next(nowMs, levelDbov, (bytes, end, index) =>
        this.#send({ track, bytes: bytes.slice(0, end), index }),
      )
      this.#nextAudioMs += AUDIO_MS
    }
  }

  #tickVideo(nowMs: number): void {
    if (nowMs >= this.#nextBudgetMs) this.#budget(nowMs)
    const lateFrames = Math.floor((nowMs - this.#nextVideoMs) / this.#videoMs)
    if (lateFrames > 1) {
      for (let frame = 1; frame < lateFrames; frame++) this.#pass()
      this.#nextVideoMs += (lateFrames - 1) * this.#videoMs
    }
    while (nowMs >= this.#nextVideoMs) {
      this.#video.forEach((track, index) => {
        if (this.live && this.#bitratesBps[index]! > 0) this.#film(track, nowMs)
        else track.source.skip()
      })
      this.#nextVideoMs += this.#videoMs
    }
    if (this.#isNumbered) this.#release(nowMs)
  }

  /** Time passes for a frame that was not taken; the picture goes on all the same. */
  #pass(): void {
    for (const { source } of this.#video) source.timestamp += this.#videoMs * 90
  }

  #film(track: SendTrack<Vp8Source>, nowMs: number): void {
    track.source.next(nowMs, (bytes, end, index) => {
      const packet = { track, bytes: bytes.slice(0, end), index }
      if (this.#isNumbered) this.#pacer.push(packet, end, nowMs)
      else this.#send(packet)
    })
  }

  #release(nowMs: number): void {
    this.#pacer.release(nowMs, this.availableBps(nowMs), (packet) => this.#send(packet))
  }

  /** The number goes in last, in the order of leaving. */
  #send({ track, bytes, index }: Waiting): void {
    this.#number(bytes, bytes.length)
    this.#site.context.sender.seal(track.stream, bytes, 0, bytes.length, index)
    // Nobody may ask for sound over again: NACK is not negotiated for it.
    if (track !== this.#audio) track.remember(bytes, index)
  }

  #number(bytes: Uint8Array, end: number): void {
    this.#bytesSent += end
    if (!this.#isNumbered) return
    this.#transportNumber = (this.#transportNumber + 1) & 0xffff
    writeUint16(bytes, TRANSPORT_WIDE_AT, this.#transportNumber)
    this.#estimator.onPacketSent(this.#transportNumber, end, this.#nowMs)
  }

  /** What may be sent has changed: layers and rates follow. */
  #budget(nowMs: number): void {
    this.#nextBudgetMs = nowMs + BUDGET_MS
    const availableBps = this.availableBps(nowMs)
    if (availableBps === Number.POSITIVE_INFINITY) return
    const videoBps = Math.max(0, availableBps - this.#audioBps()) * OVERHEAD
    budgetLayers(this.#layers, videoBps, this.#bitratesBps)
    this.#video.forEach(({ source }, index) => {
      if (this.#bitratesBps[index]! > 0) source.bitrateBps = this.#bitratesBps[index]!
    })
  }

  #audioBps(): number {
    const packets = this.#audio?.source.sent
    if (packets === undefined || packets.packets === 0) return 0
    return (packets.octets / packets.packets + AUDIO_HEADER_BYTES) * 8 * (1000 / AUDIO_MS)
  }

  /** Pacing and probes, where there is transport-wide feedback. */
  #control(nowMs: number): void {
    this.#nextControlMs = nowMs + CONTROL_MS
    const sentBps = ((this.#bytesSent - this.#bytesBefore) * 8_000) / CONTROL_MS
    this.#bytesBefore = this.#bytesSent
    this.#sentBps += (sentBps - this.#sentBps) * 0.05
    const plannedBps = this.#layers.reduce((sum, { bitrateBps }) => sum + bitrateBps, 0)
    const wantedBps = this.live ? plannedBps / OVERHEAD + this.#audioBps() : this.#audioBps()
    this.#estimator.onDemand(this.#sentBps, wantedBps, nowMs)
    this.#release(nowMs)
    let paddingBytes = this.#estimator.probeBytes(nowMs)
    const track = this.#video[0]
    if (track?.repair === undefined) return
    while (paddingBytes > 0) {
      const end = track.repair.padding(track.source.timestamp >>> 0, PADDING_BYTES)
      this.#number(track.repair.bytes, end)
      const { sender } = this.#site.context
      sender.seal(track.repairStream, track.repair.bytes, 0, end, track.repair.index)
      paddingBytes -= end
    }
  }

  #audioTrack(
    ssrc: number,
    audio: NonNullable<PublisherPlan['audio']>,
    publisher: number,
  ): SendTrack<OpusSource> {
    const addressing = this.#addressing(ssrc, audio.mid, OPUS_PAYLOAD_TYPE)
    const source = new OpusSource(addressing, audio, { publisher, layer: 0 })
    return new SendTrack(source, this.#open(ssrc), undefined)
  }

  #videoTrack(
    base: number,
    video: NonNullable<PublisherPlan['video']>,
    { plan, index }: { plan: PublisherPlan; index: number },
  ): SendTrack<Vp8Source> {
    const layer = video.layers[index]!
    const addressing = this.#addressing(base + index, video.mid, VP8_PAYLOAD_TYPE)
    const { framesPerSecond, temporal } = video
    const how = { framesPerSecond, temporal, publisher: plan.number, layer: index }
    const source = new Vp8Source(addressing, layer, how)
    if (!source.stream.isNumbered) return new SendTrack(source, this.#open(source.ssrc), undefined)
    // Sent again under the same number, a packet would be timed twice: RTX has numbers of its own.
    const rtx = this.#addressing(base + 8 + index, video.mid, RTX_PAYLOAD_TYPE)
    const packets = new PacketStream(rtx, layer.rid, true)
    const repair = { packets, stream: this.#open(rtx.ssrc) }
    return new SendTrack(source, this.#open(source.ssrc), repair)
  }

  #open(ssrc: number): number {
    return this.#site.context.sender.openStream(this.#site.sealing, ssrc)
  }

  #addressing(ssrc: number, mid: string, payloadType: number): Addressing {
    const id = (uri: string) => this.#site.extensionId(mid, uri)
    const extensions = {
      mid: id(MID_EXTENSION),
      rid: id(RID_EXTENSION),
      level: id(LEVEL_EXTENSION),
      transportWide: id(TRANSPORT_WIDE_EXTENSION),
      repairedRid: id(REPAIRED_RID_EXTENSION),
    }
    return { ssrc, payloadType, mid, extensions }
  }

  #tracks(): Track[] {
    return this.#audio === undefined ? this.#video : [this.#audio, ...this.#video]
  }

  #report(): void {
    for (const { source } of this.#tracks()) {
      const report = new SenderReport()
      report.ssrc = source.ssrc
      report.rtpTimestamp = source.timestamp >>> 0
      report.packetCount = source.sent.packets
      report.octetCount = source.sent.octets
      setNtpTime(report, performance.timeOrigin + performance.now())
      this.#writer.reset(scratch, 0, scratch.length)
      this.#writer.senderReport(report)
      this.#writer.cname(source.ssrc, Buffer.from('bench'))
      this.#site.sendRtcp(scratch, this.#writer.end)
    }
  }

  #createParser(): RtcpParser {
    const nothing = () => {}
    const keyframe = (ssrc: number) => {
      this.keyframesAsked += 1
      this.#video.find(({ source }) => source.ssrc === ssrc)?.source.requestKeyframe()
    }
    return new RtcpParser({
      onSenderReport: nothing,
      onCname: nothing,
      onBye: nothing,
      onPli: keyframe,
      onFir: keyframe,
      onReportBlock: (_, block) => {
        if (!this.#video.some(({ source }) => source.ssrc === block.ssrc)) return
        const rttMs = rttMsOf(block, compactNtp(performance.timeOrigin + this.#nowMs))
        this.#estimator.onReceiverReport(block.fractionLost / 256, Math.max(0, rttMs), this.#nowMs)
      },
      onRemb: (bitrateBps) => {
        this.#rembMs = this.#nowMs
        this.#estimator.onRemb(bitrateBps, this.#nowMs)
      },
      onTransportFeedback: (feedback) => this.#estimator.onFeedback(feedback, this.#nowMs),
      onNack: (ssrc, sequenceNumber) => this.#resend(ssrc, sequenceNumber),
    })
  }

  #resend(ssrc: number, sequenceNumber: number): void {
    const track = this.#tracks().find(({ source }) => source.ssrc === ssrc)
    const kept = track?.recall(sequenceNumber)
    if (track === undefined || kept === undefined) return
    this.resent += 1
    const { sender } = this.#site.context
    if (track.repair === undefined) {
      this.#bytesSent += kept.bytes.length
      sender.seal(track.stream, kept.bytes, 0, kept.bytes.length, kept.index)
      return
    }
    const end = track.repair.repeat(kept.bytes)
    this.#number(track.repair.bytes, end)
    sender.seal(track.repairStream, track.repair.bytes, 0, end, track.repair.index)
  }
}
