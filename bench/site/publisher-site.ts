/**
 * A site that speaks: Opus at 50 packets a second and VP8 in one or three layers, key frames on
 * request, sender reports, answers to NACK from a short memory. Paced by its owner's ticks.
 */
import { RtcpParser, RtcpWriter, SenderReport, setNtpTime } from '../../core/media/rtcp/index.ts'
import { type LayerPlan, OpusSource, Vp8Source } from './media-source.ts'
import {
  LEVEL_EXTENSION,
  MID_EXTENSION,
  OPUS_PAYLOAD_TYPE,
  RID_EXTENSION,
  VP8_PAYLOAD_TYPE,
} from './offer.ts'
import type { MediaSite } from './site.ts'

/** What it sends. */
export type PublisherPlan = {
  audio?: { mid: string; payloadBytes: number }
  video?: { mid: string; framesPerSecond: number; temporal: boolean; layers: readonly LayerPlan[] }
  /** Distinguishes publishers: SSRCs are derived from it. */
  number: number
}

const AUDIO_MS = 20
const REPORT_MS = 1000
const LOUD_DBOV = 20
const MEMORY_PACKETS = 256
const scratch = new Uint8Array(512)

type Remembered = { bytes: Uint8Array; index: number }
type Track = {
  source: OpusSource | Vp8Source
  stream: number
  clockRate: number
  memory: Remembered[]
}

/** One per speaking site; created when its Site is connected. */
export class PublisherSite {
  readonly #site: MediaSite
  readonly #audio: Track | undefined
  readonly #video: Track[]
  readonly #videoMs: number
  readonly #parser: RtcpParser
  readonly #writer = new RtcpWriter()
  #nextAudioMs: number
  #nextVideoMs: number
  #nextReportMs: number
  /** Loudness, 0 (loud)..127 (silent) -dBov; the owner makes speakers take turns with it. */
  levelDbov = LOUD_DBOV

  constructor(site: MediaSite, plan: PublisherPlan, nowMs: number) {
    this.#site = site
    const base = 0x5000_0000 + plan.number * 16
    this.#audio = plan.audio === undefined ? undefined : this.#audioTrack(base, plan.audio)
    const { video } = plan
    this.#video = (video?.layers ?? []).map((layer, index) =>
      this.#videoTrack(base + 1 + index, video!, layer),
    )
    this.#videoMs = 1000 / (video?.framesPerSecond ?? 25)
    this.#nextAudioMs = nowMs
    this.#nextVideoMs = nowMs + 7
    this.#nextReportMs = nowMs + 100
    this.#parser = this.#createParser()
  }

  /** Packets sent so far, repetitions not counted. */
  get packetsSent(): { audio: number; video: number } {
    let video = 0
    for (const { source } of this.#video) video += source.sent.packets
    return { audio: this.#audio?.source.sent.packets ?? 0, video }
  }

  /** When `tick` has something to do next. */
  nextDeadlineMs(): number {
    const videoMs = this.#video.length === 0 ? Number.POSITIVE_INFINITY : this.#nextVideoMs
    const audioMs = this.#audio === undefined ? Number.POSITIVE_INFINITY : this.#nextAudioMs
    return Math.min(audioMs, videoMs, this.#nextReportMs)
  }

  /** Sends what is due. A late tick sends late, it does not bunch up. */
  tick(nowMs: number): void {
    if (this.#audio !== undefined && nowMs >= this.#nextAudioMs) {
      const track = this.#audio
      const audio = track.source as OpusSource
      audio.next(nowMs, this.levelDbov, (bytes, end, index) =>
        this.#emit(track, bytes, { end, index }),
      )
      this.#nextAudioMs = Math.max(this.#nextAudioMs + AUDIO_MS, nowMs - AUDIO_MS)
    }
    if (this.#video.length > 0 && nowMs >= this.#nextVideoMs) {
      for (const track of this.#video) {
        const video = track.source as Vp8Source
        video.next(nowMs, (bytes, end, index) => this.#emit(track, bytes, { end, index }))
      }
      this.#nextVideoMs = Math.max(this.#nextVideoMs + this.#videoMs, nowMs - this.#videoMs)
    }
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
    if (end > 0) this.#parser.parse(datagram, 0, end)
  }

  #emit(track: Track, bytes: Uint8Array, { end, index }: { end: number; index: number }): void {
    const { sender } = this.#site.context
    sender.seal(track.stream, bytes, 0, end, index)
    track.memory.push({ bytes: bytes.slice(0, end), index })
    if (track.memory.length > MEMORY_PACKETS) track.memory.shift()
  }

  #audioTrack(ssrc: number, { mid, payloadBytes }: { mid: string; payloadBytes: number }): Track {
    const source = new OpusSource(this.#addressing(ssrc, mid, OPUS_PAYLOAD_TYPE), payloadBytes)
    return this.#track(source, 48_000)
  }

  #videoTrack(ssrc: number, video: NonNullable<PublisherPlan['video']>, layer: LayerPlan): Track {
    const source = new Vp8Source(this.#addressing(ssrc, video.mid, VP8_PAYLOAD_TYPE), layer, video)
    return this.#track(source, 90_000)
  }

  #track(source: OpusSource | Vp8Source, clockRate: number): Track {
    const stream = this.#site.context.sender.openStream(this.#site.sealing, source.ssrc)
    return { source, stream, clockRate, memory: [] }
  }

  #addressing(ssrc: number, mid: string, payloadType: number) {
    const id = (uri: string) => this.#site.extensionId(mid, uri)
    const extensions = {
      mid: id(MID_EXTENSION),
      rid: id(RID_EXTENSION),
      level: id(LEVEL_EXTENSION),
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
      const track = this.#video.find(({ source }) => source.ssrc === ssrc)
      if (track !== undefined) (track.source as Vp8Source).requestKeyframe()
    }
    return new RtcpParser({
      onSenderReport: nothing,
      onReportBlock: nothing,
      onCname: nothing,
      onBye: nothing,
      onRemb: nothing,
      onTransportFeedback: nothing,
      onPli: keyframe,
      onFir: keyframe,
      onNack: (ssrc, sequenceNumber) => this.#resend(ssrc, sequenceNumber),
    })
  }

  #resend(ssrc: number, sequenceNumber: number): void {
    const track = this.#tracks().find(({ source }) => source.ssrc === ssrc)
    const kept = track?.memory.find(({ index }) => (index & 0xffff) === sequenceNumber)
    if (track === undefined || kept === undefined) return
    this.#site.context.sender.seal(track.stream, kept.bytes, 0, kept.bytes.length, kept.index)
  }
}
