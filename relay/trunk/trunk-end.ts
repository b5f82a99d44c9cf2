/**
 * One end of a trunk's media flow (see contract.ts): puts the parts together and keeps their time.
 * Sends what the far end wants as far as the budget goes; hands what comes to the node.
 */
import { TRUNK_ESTIMATE_MAX_BPS, TRUNK_RTP_BYTES, TRUNK_TAG_BYTES } from '../../config/limits.ts'
import { createTrunkEstimator, type TrunkEstimator } from '../estimate/index.ts'
import { PARITY_OVERHEAD_BYTES_MAX } from '../repair/index.ts'
import { ArrivalLog } from './arrival-log.ts'
import { Arrivals } from './arrivals.ts'
import {
  type StreamPlace,
  TRUNK_CLASSES,
  type TrunkEnd,
  type TrunkEndOptions,
  type TrunkReport,
  type TrunkStreamSpec,
} from './contract.ts'
import { ControlFrames } from './control-frames.ts'
import { WantsIn, WantsOut } from './demand.ts'
import { Departures } from './departures.ts'
import { FeedbackIntake } from './feedback-intake.ts'
import { IncomingStreams } from './incoming-streams.ts'
import { KeyframeAsks } from './keyframe-asks.ts'
import { OutgoingStreams } from './outgoing-streams.ts'
import { RepairIn } from './repair-in.ts'
import { RepairOut } from './repair-out.ts'

/** The budget is asked so often, at least. */
const REVIEW_MS = 100
/** The estimator hears of the demand. */
const DEMAND_MS = 250
const DEFAULT_RTT_MS = 100
/** Weight of one review in the mean of the estimate: of the last five seconds or so. */
const MEAN_WEIGHT = 0.02
/** A dip of the estimate is borne down to this share of its mean, while no queue stands. */
const DIP_SHARE = 0.85
const DIP_QUEUE_MS = 60
/** Steps in which a hold changes, so that it does not swing. */
const QUEUE_STEP_MS = 60
/** Repair is planned so often. */
const REPAIR_MS = 1_000
/** Of a datagram: RTP header, tag, head and length of the frame, and what parity adds. */
const FRAME_ROOM_BYTES = TRUNK_RTP_BYTES + TRUNK_TAG_BYTES + 3 + PARITY_OVERHEAD_BYTES_MAX + 3

/**
 * The far end has a like one. `randomUint32` is asked a few times at the start and for each stream.
 */
export function createTrunkEnd(options: TrunkEndOptions): TrunkEnd {
  return new MediaFlowEnd(options)
}

class MediaFlowEnd implements TrunkEnd {
  readonly #estimator: TrunkEstimator
  readonly #wantsIn = new WantsIn()
  readonly #wantsOut = new WantsOut()
  readonly #asks = new KeyframeAsks()
  readonly #log = new ArrivalLog()
  readonly #incoming: IncomingStreams
  readonly #outgoing: OutgoingStreams
  readonly #repairIn: RepairIn
  readonly #repairOut = new RepairOut()
  readonly #control: ControlFrames
  readonly #departures: Departures
  readonly #arrivals: Arrivals
  #heardMs: number
  #nowMs: number
  #reviewMs: number
  #demandMs: number
  #reportedMs: number
  #demandSentBytes = 0
  #repairMs: number
  #repairAudioBytes = 0
  #repairIndex = 0
  /** The estimate without its swings. */
  #meanBps = 0
  #meanCount = 0
  #reportedFrames = 0
  #reportedAudioBytes = 0
  #reportedSentBytes = 0

  constructor({ outlet, ssrc, randomUint32, nowMs }: TrunkEndOptions) {
    this.#heardMs = nowMs
    this.#nowMs = nowMs
    this.#reviewMs = nowMs
    this.#demandMs = nowMs
    this.#reportedMs = nowMs
    this.#repairMs = nowMs + REPAIR_MS
    const estimator = createTrunkEstimator(nowMs)
    this.#estimator = estimator
    this.#repairIn = new RepairIn({
      recovered: (index, bytes, start, end) => this.#arrivals.onRecovered(index, bytes, start, end),
    })
    const repair = this.#repairIn
    // 31 bits, with room for the runs of each stream.
    const epochBase = (randomUint32() >>> 1) & 0x7fff_ff00
    this.#incoming = new IncomingStreams({ epochBase, outlet, repair })
    const wantsIn = this.#wantsIn
    const wantsOut = this.#wantsOut
    const asks = this.#asks
    const outgoing = new OutgoingStreams({ wants: wantsIn, outlet, randomUint32 })
    this.#outgoing = outgoing
    const lists = { wantsIn, wantsOut, asks }
    const parts = { ...lists, arrivals: this.#log, streams: outgoing, repairIn: repair }
    this.#control = new ControlFrames(parts, nowMs)
    const control = this.#control
    this.#departures = new Departures({
      outlet,
      ssrc,
      estimator,
      streams: outgoing,
      control,
      repair: this.#repairOut,
      nowMs,
    })
    const { sent, mtu, proven, jitter } = this.#departures
    this.#arrivals = new Arrivals({
      outlet,
      arrivalLog: this.#log,
      intake: new FeedbackIntake({
        sent,
        mtu,
        estimator,
        proven,
        jitter,
        meter: this.#repairOut.meter,
      }),
      incoming: this.#incoming,
      outgoing,
      ...lists,
      repairIn: repair,
      repairOut: this.#repairOut,
      nackContext: () => ({
        newestIndex: sent.nextIndex - 1,
        rttMs: control.rttMs,
        roomBytes: this.#departures.roomBytes,
      }),
      onWants: () => {
        this.#reviewMs = this.#nowMs
      },
    })
  }

  get heardMs(): number {
    return this.#heardMs
  }

  offer(spec: TrunkStreamSpec, place: StreamPlace): void {
    if (this.#outgoing.offer(spec, place)) this.#reviewMs = this.#nowMs
  }

  withdraw(streamId: number): void {
    this.#outgoing.withdraw(streamId)
    this.#repairOut.forget(streamId)
  }

  expect(spec: TrunkStreamSpec): void {
    if (this.#incoming.expect(spec)) {
      this.#incoming.want(spec.streamId, this.#wantsOut.mask(spec.streamId))
    }
  }

  unexpect(streamId: number): void {
    this.#incoming.unexpect(streamId)
    this.#asks.forget(streamId)
    this.#wantsOut.set(streamId, 0, this.#nowMs)
  }

  want(streamId: number, layerMask: number): void {
    if (!this.#wantsOut.set(streamId, layerMask, this.#nowMs)) return
    this.#incoming.want(streamId, layerMask)
    if (layerMask === 0) this.#asks.forget(streamId)
  }

  requestKeyframe(streamId: number, layer: number): void {
    this.#asks.ask(streamId, layer, this.#nowMs)
  }

  saturate(untilMs: number): void {
    this.#departures.saturateUntilMs = untilMs
    this.#reviewMs = this.#nowMs
    this.#demandMs = Math.min(this.#demandMs, this.#nowMs - DEMAND_MS)
  }

  /** @hot */
  onFrame(streamId: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    this.#nowMs = nowMs
    this.#outgoing.onFrame(streamId, bytes, start, end, nowMs)
    this.#departures.serve(nowMs)
  }

  /** @hot */
  onDatagram(bytes: Uint8Array, start: number, end: number, index: number, nowMs: number): void {
    this.#nowMs = nowMs
    this.#heardMs = nowMs
    this.#arrivals.onDatagram(bytes, start, end, index, nowMs)
    this.#departures.serve(nowMs)
  }

  nextDeadlineMs(): number {
    const releaseMs = this.#incoming.deadlineMs()
    return Math.min(this.#reviewMs, releaseMs, this.#departures.deadlineMs(this.#nowMs))
  }

  onDeadline(nowMs: number): void {
    this.#nowMs = nowMs
    if (nowMs >= this.#reviewMs) this.#review(nowMs)
    this.#incoming.release(nowMs)
    this.#departures.serve(nowMs)
  }

  #review(nowMs: number): void {
    this.#reviewMs = nowMs + REVIEW_MS
    const availableBps = this.#estimator.availableBps(nowMs)
    const { datagramBytes } = this.#departures
    this.#outgoing.frameBytesMax =
      Math.min(datagramBytes, this.#departures.mtu.datagramBytes) - FRAME_ROOM_BYTES
    this.#averageRate(availableBps)
    const spendableBps = this.#spendableBps(availableBps)
    this.#outgoing.review({ availableBps: spendableBps, datagramBytes }, nowMs)
    this.#control.look(nowMs)
    if (nowMs >= this.#repairMs) this.#planRepair(this.#meanBps, nowMs)
    const elapsedMs = nowMs - this.#demandMs
    if (elapsedMs < DEMAND_MS) return
    const sentBytes = this.#departures.sentBytes - this.#demandSentBytes
    this.#demandSentBytes = this.#departures.sentBytes
    this.#demandMs = nowMs
    const isFilling = nowMs < this.#departures.saturateUntilMs
    const wantedBps = isFilling ? TRUNK_ESTIMATE_MAX_BPS : this.#outgoing.budget.wantedBps
    this.#estimator.onDemand((sentBytes * 8_000) / elapsedMs, wantedBps, nowMs)
    const { rttMs } = this.#estimator.state()
    this.#control.rttMs = rttMs > 0 ? rttMs : DEFAULT_RTT_MS
  }

  /**
   * What the budget may spend: a dip of the estimate without a queue is an experiment about loss, not
   * worth a frozen picture. The pacer keeps to the estimate all the same.
   */
  #spendableBps(availableBps: number): number {
    const isQueued = this.#estimator.state().queueDelayMs > DIP_QUEUE_MS
    return isQueued ? availableBps : Math.max(availableBps, this.#meanBps * DIP_SHARE)
  }

  /** A plain mean at the start, so that it is near at once. */
  #averageRate(availableBps: number): void {
    this.#meanCount += 1
    const weight = Math.max(MEAN_WEIGHT, 1 / this.#meanCount)
    this.#meanBps += (availableBps - this.#meanBps) * weight
  }

  #planRepair(rateBps: number, nowMs: number): void {
    const elapsedMs = Math.max(1, nowMs - this.#repairMs + REPAIR_MS)
    this.#repairMs = nowMs + REPAIR_MS
    const departures = this.#departures
    const repair = this.#repairOut
    const { budget } = this.#outgoing
    const { lossRatio, lossBurst } = repair.meter
    const { rttMs } = this.#control
    const audioBps = ((departures.audioBytes - this.#repairAudioBytes) * 8_000) / elapsedMs
    this.#repairAudioBytes = departures.audioBytes
    const datagramsPerS = ((departures.sent.nextIndex - this.#repairIndex) * 1_000) / elapsedMs
    this.#repairIndex = departures.sent.nextIndex
    const facts = { lossRatio, lossBurst, rttMs, rateBps, audioBps, datagramsPerS }
    const { redundancyRatio, bundleMs } = budget.audio
    const { isMoving } = this.#outgoing
    const queueMs = QUEUE_STEP_MS * Math.round(departures.interferenceMs / QUEUE_STEP_MS)
    repair.update(facts, { copies: redundancyRatio, bundleMs, isMoving, queueMs }, nowMs)
    budget.audioRedundancyRatio = repair.redundancyWanted
    budget.baseParityRatio = repair.parityRatio
    this.#outgoing.bundleMs = repair.bundleMs
    this.#repairIn.configure(rttMs)
  }

  report(nowMs: number): TrunkReport {
    const elapsedMs = Math.max(1, nowMs - this.#reportedMs)
    this.#reportedMs = nowMs
    const departures = this.#departures
    const path = this.#estimator.state()
    const sentBytes = departures.sentBytes - this.#reportedSentBytes
    this.#reportedSentBytes = departures.sentBytes
    const { receivedBytes } = this.#arrivals
    this.#arrivals.receivedBytes = 0
    const shares = TRUNK_CLASSES.map((_, i) => (departures.classBytes[i]! * 8_000) / elapsedMs)
    departures.classBytes.fill(0)
    const lossReceivedRatio = this.#log.takeLossRatio()
    const frames = this.#incoming.frameCount - this.#reportedFrames
    this.#reportedFrames = this.#incoming.frameCount
    const skipped = this.#incoming.takeSkipped()
    const { plan, copyBytes, parityBytes } = this.#repairOut
    this.#repairOut.copyBytes = 0
    this.#repairOut.parityBytes = 0
    const audioBytes = departures.audioBytes - this.#reportedAudioBytes
    this.#reportedAudioBytes = departures.audioBytes
    const { audio: speech } = this.#outgoing.budget
    return {
      rttMs: path.rttMs,
      lossSentRatio: path.lossRatio,
      lossReceivedRatio,
      lossResidualRatio: skipped === 0 ? 0 : skipped / (skipped + frames),
      lossBurst: path.lossBurst,
      queueDelayMs: path.queueDelayMs,
      jitterMs: departures.jitter.jitterMs,
      estimateBps: this.#estimator.availableBps(nowMs),
      provenBps: departures.proven.bitrateBps,
      sentBps: (sentBytes * 8_000) / elapsedMs,
      receivedBps: (receivedBytes * 8_000) / elapsedMs,
      mtuBytes: departures.datagramBytes,
      shares,
      repair: {
        nack: plan.nack === 'all',
        redundancyRatio: audioBytes === 0 ? 0 : copyBytes / audioBytes,
        parityRatio: sentBytes === 0 ? 0 : parityBytes / sentBytes,
      },
      speech: { packetMs: speech.packetTimeMs, bitrateBps: speech.bitrateBpsMax },
      streams: this.#outgoing.reports(elapsedMs),
    }
  }
}
