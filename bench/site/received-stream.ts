/**
 * What one site keeps of one received stream: its numbers, its meters, and what it asks again for.
 */
import { KeyframeRequester, NackGenerator } from '../../core/media/receive/index.ts'
import { compactNtpOf, type ReportBlock, type SenderReport } from '../../core/media/rtcp/index.ts'
import type { SiteSums } from './figures.ts'
import { FrameAssembler, type FrameListener, FramePacket } from './frame-assembler.ts'
import { FreezeMeter } from './freeze-meter.ts'
import { GapMeter } from './gap-meter.ts'
import { LayerTrack } from './layer-track.ts'
import { PlayoutModel } from './playout-model.ts'
import { StreamTally } from './stream-tally.ts'

/** Numbers, jitter and clock: what every SSRC has, RTX as well. */
export class ReceivedStream {
  readonly ssrc: number
  tally = new StreamTally()
  /** Of former transports. */
  packetsBefore = 0
  lostBefore = 0
  readonly #ticksPerMs: number
  #transitTicks = Number.NaN
  #jitterTicks = 0
  #reportNtp = 0
  #reportMs = 0

  constructor(ssrc: number, clockRate: number) {
    this.ssrc = ssrc
    this.#ticksPerMs = clockRate / 1_000
  }

  /** @hot RFC 3550 A.8, for packets in order. */
  measureJitter(timestamp: number, nowMs: number): void {
    const transitTicks = (nowMs * this.#ticksPerMs - timestamp) % 0x1_0000_0000
    const difference = Math.abs((transitTicks - this.#transitTicks) | 0)
    if (!Number.isNaN(this.#transitTicks))
      this.#jitterTicks += (difference - this.#jitterTicks) / 16
    this.#transitTicks = transitTicks
  }

  /** A new transport: other numbers, another clock. */
  cut(): void {
    this.packetsBefore += this.tally.packets
    this.lostBefore += this.tally.lost
    this.tally = new StreamTally()
    this.#transitTicks = Number.NaN
    this.#reportNtp = 0
  }

  /** Over all transports. */
  get packets(): number {
    return this.packetsBefore + this.tally.packets
  }

  get lost(): number {
    return this.lostBefore + this.tally.lost
  }

  onSenderReport(report: SenderReport, nowMs: number): void {
    this.#reportNtp = compactNtpOf(report)
    this.#reportMs = nowMs
  }

  /** Fills the block of a receiver report and begins its next interval. */
  fillBlock(block: ReportBlock, nowMs: number): void {
    block.ssrc = this.ssrc
    block.fractionLost = this.tally.takeFractionLost()
    block.cumulativeLost = this.tally.lost
    block.highestSequence = this.tally.highest
    block.jitterTicks = Math.round(this.#jitterTicks)
    block.lastSenderReport = this.#reportNtp
    const delayMs = this.#reportNtp === 0 ? 0 : nowMs - this.#reportMs
    block.delaySinceLastSenderReport = Math.round((delayMs / 1_000) * 0x10000)
  }
}

/** An audio slot. */
export class ReceivedAudio extends ReceivedStream {
  readonly playout = new PlayoutModel()
  readonly gaps = new GapMeter()

  constructor(ssrc: number) {
    super(ssrc, 48_000)
  }

  /** Nothing is to be heard until the next packet. */
  pause(nowMs: number): void {
    this.playout.pause(nowMs)
    this.gaps.pause(nowMs)
  }

  addTo(sums: SiteSums, nowMs: number): void {
    const { gaps, silentMs } = this.gaps.read(nowMs)
    const { frames, concealed } = this.playout.read(nowMs)
    sums.audioPackets += this.packets
    sums.audioLost += this.lost
    sums.audioGaps += gaps
    sums.audioSilentMs += silentMs
    sums.audioFrames += frames
    sums.audioConcealed += concealed
  }

  override cut(): void {
    super.cut()
    this.playout.cut()
  }
}

/** A video slot. */
export class ReceivedVideo extends ReceivedStream {
  readonly frames: FrameAssembler
  readonly freezes = new FreezeMeter()
  readonly layers = new LayerTrack()
  readonly keyframes = new KeyframeRequester()
  readonly packet = new FramePacket()
  /** Made at the first gap: most sites of a good line never need it. */
  nacks: NackGenerator | undefined
  repaired = 0
  /** Packets lost when the present outage ended, to tell whether the picture just went on. */
  lostAtOutage = 0

  constructor(ssrc: number, decodes: boolean, listener: FrameListener) {
    super(ssrc, 90_000)
    this.frames = new FrameAssembler(listener, decodes)
  }

  /** @hot Numbers before this one are missing; false when there are too many to ask for. */
  onGap(first: number, last: number, nowMs: number): boolean {
    if (this.nacks === undefined) this.nacks = new NackGenerator()
    return this.nacks.onGap(first, last, nowMs)
  }

  /** Nothing is to be seen until the next packet. */
  pause(nowMs: number): void {
    this.freezes.pause(nowMs)
    this.layers.pause(nowMs)
  }

  addTo(sums: SiteSums, nowMs: number): void {
    const { complete, late, incomplete } = this.frames.read(nowMs)
    const { freezes, frozenMs, watchedMs } = this.freezes.read(nowMs)
    sums.videoPackets += this.packets
    sums.videoLost += this.lost
    sums.videoRepaired += this.repaired
    sums.framesComplete += complete
    sums.framesLate += late
    sums.framesIncomplete += incomplete
    sums.freezes += freezes
    sums.frozenMs += frozenMs
    sums.watchedMs += watchedMs
  }

  override cut(): void {
    super.cut()
    this.frames.cut()
    this.nacks = undefined
    this.keyframes.cancel()
    this.lostAtOutage = -1
  }
}
