/**
 * One end of a trunk's media flow (see contract.ts): puts the parts together and keeps their time. Sends what the far end wants as
 * far as the budget goes; hands what comes to the node.
 */
import { createTrunkEstimator, type TrunkEstimator } from '../estimate/index.ts'
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

/** The budget is asked so often, at least. */
const REVIEW_MS = 100
/** The estimator hears of the demand. */
const DEMAND_MS = 250
const DEFAULT_RTT_MS = 100

/** The far end has a like one. `randomUint32` is asked a few times at the start and for each stream. */
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
  readonly #control: ControlFrames
  readonly #departures: Departures
  readonly #arrivals: Arrivals
  #heardMs: number
  #nowMs: number
  #reviewMs: number
  #demandMs: number
  #reportedMs: number
  #demandSentBytes = 0
  #reportedSentBytes = 0

  constructor({ outlet, ssrc, randomUint32, nowMs }: TrunkEndOptions) {
    this.#heardMs = nowMs
    this.#nowMs = nowMs
    this.#reviewMs = nowMs
    this.#demandMs = nowMs
    this.#reportedMs = nowMs
    const estimator = createTrunkEstimator(nowMs)
    this.#estimator = estimator
    // 31 bits, with room for the runs of each stream.
    this.#incoming = new IncomingStreams((randomUint32() >>> 1) & 0x7fff_ff00)
    const wantsIn = this.#wantsIn
    const wantsOut = this.#wantsOut
    const asks = this.#asks
    const outgoing = new OutgoingStreams({ wants: wantsIn, outlet, randomUint32 })
    this.#outgoing = outgoing
    const parts = { arrivals: this.#log, wantsIn, wantsOut, asks, streams: outgoing }
    this.#control = new ControlFrames(parts, nowMs)
    const control = this.#control
    this.#departures = new Departures({
      outlet,
      ssrc,
      estimator,
      streams: outgoing,
      control,
      nowMs,
    })
    const { sent, mtu } = this.#departures
    this.#arrivals = new Arrivals({
      outlet,
      log: this.#log,
      intake: new FeedbackIntake({ sent, mtu, estimator }),
      incoming: this.#incoming,
      outgoing,
      wantsIn,
      wantsOut,
      asks,
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
  }

  expect(spec: TrunkStreamSpec): void {
    this.#incoming.expect(spec)
  }

  unexpect(streamId: number): void {
    this.#incoming.unexpect(streamId)
    this.#asks.forget(streamId)
    this.#wantsOut.set(streamId, 0, this.#nowMs)
  }

  want(streamId: number, layerMask: number): void {
    this.#wantsOut.set(streamId, layerMask, this.#nowMs)
    if (layerMask === 0) this.#asks.forget(streamId)
  }

  requestKeyframe(streamId: number, layer: number): void {
    this.#asks.ask(streamId, layer, this.#nowMs)
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
    return Math.min(this.#reviewMs, this.#departures.deadlineMs(this.#nowMs))
  }

  onDeadline(nowMs: number): void {
    this.#nowMs = nowMs
    if (nowMs >= this.#reviewMs) this.#review(nowMs)
    this.#departures.serve(nowMs)
  }

  #review(nowMs: number): void {
    this.#reviewMs = nowMs + REVIEW_MS
    const availableBps = this.#estimator.availableBps(nowMs)
    const { datagramBytes } = this.#departures
    this.#outgoing.review({ availableBps, datagramBytes }, nowMs)
    this.#control.look(nowMs)
    const elapsedMs = nowMs - this.#demandMs
    if (elapsedMs < DEMAND_MS) return
    const sentBytes = this.#departures.sentBytes - this.#demandSentBytes
    this.#demandSentBytes = this.#departures.sentBytes
    this.#demandMs = nowMs
    const { wantedBps } = this.#outgoing.budget
    this.#estimator.onDemand((sentBytes * 8_000) / elapsedMs, wantedBps, nowMs)
    const { rttMs } = this.#estimator.state()
    this.#control.rttMs = rttMs > 0 ? rttMs : DEFAULT_RTT_MS
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
    return {
      rttMs: path.rttMs,
      lossSentRatio: path.lossRatio,
      lossReceivedRatio,
      lossResidualRatio: lossReceivedRatio,
      lossBurst: path.lossBurst,
      queueDelayMs: path.queueDelayMs,
      estimateBps: this.#estimator.availableBps(nowMs),
      sentBps: (sentBytes * 8_000) / elapsedMs,
      receivedBps: (receivedBytes * 8_000) / elapsedMs,
      mtuBytes: departures.datagramBytes,
      shares,
      repair: { nack: false, redundancyRatio: 0, parityRatio: 0 },
      streams: this.#outgoing.reports(elapsedMs),
    }
  }
}
