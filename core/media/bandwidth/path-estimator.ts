/**
 * How much one path carries, from the fate of each packet sent over it: delay gradient, standing queues, loss above a
 * learned baseline, probes. After draft-ietf-rmcat-gcc-02 §5, with the differences in loss-baseline.ts, queue-delay.ts
 * and prober.ts. Knows no message format: clients (estimator.ts) and trunks (relay/estimate) tell it the fates.
 */
import { AckedRate } from './acked-rate.ts'
import { DelayTrend } from './delay-trend.ts'
import { LossBaseline } from './loss-baseline.ts'
import { Prober } from './prober.ts'
import { QueueDelay, STANDING_QUEUE_MS } from './queue-delay.ts'
import { SentHistory } from './sent-history.ts'

/** Factor on what arrived, when a queue grows. */
const DECREASE = 0.85
/** Growth per second while nothing is known of the ceiling, and near the last known one. */
const GROWTH_FAR = 0.15
const GROWTH_NEAR = 0.04
/** The estimate never runs further ahead of what arrives than this; probes go beyond. */
const AHEAD_OF_ACKED = 1.5
const AHEAD_EXTRA_BPS = 30_000
/** Overuse answers are this far apart at least, plus the RTT: the first must show its effect. */
const DECREASE_PAUSE_MS = 200
const LOSS_INTERVAL_MS = 500
const LOSS_INTERVAL_MS_MAX = 3000
const LOSS_PACKETS_MIN = 50
/** The rate falls by half the excess loss, but by this at least: the experiment must get somewhere. */
const LOSS_STEP_MIN = 0.04
/** Given back when the link turns out to lose whatever we send. */
const ACQUITTAL = 1.15
/** A queue that stands this long, beyond the RTT, is congestion. */
const STANDING_QUEUE_HOLD_MS = 700
const FEEDBACK_SILENCE_MS = 2000

/** Bit/s: where an estimate begins, and between what it stays. */
export type EstimateBounds = { startBps: number; minBps: number; maxBps: number }

/** One per path and direction; about 30 kB from the first packet on. */
export class PathEstimator {
  rttMs = 100
  /** Of the last interval of 0.5-3 s, 0..1. */
  lossRatio = 0
  readonly queue = new QueueDelay()
  readonly baseline = new LossBaseline()
  #estimateBps: number
  readonly #bounds: EstimateBounds
  #history: SentHistory | undefined
  readonly #trend = new DelayTrend()
  readonly #acked = new AckedRate()
  readonly #prober = new Prober()
  #updatedMs: number
  #feedbackAtMs = Number.NEGATIVE_INFINITY
  #newestSentMs = -1
  #lastSentMs = Number.NEGATIVE_INFINITY
  #decreasedAtMs = Number.NEGATIVE_INFINITY
  /** Rate at which the last queue grew; 0 = unknown. */
  #ceilingBps = 0
  #lossFromMs: number
  #expected = 0
  #lost = 0
  #lossHolds = false
  #silent = false

  constructor(bounds: EstimateBounds, nowMs: number) {
    this.#bounds = bounds
    this.#estimateBps = bounds.startBps
    this.#updatedMs = nowMs
    this.#lossFromMs = nowMs
  }

  /** Nothing was ever sent with a sequence: the fate of single packets is not known. */
  get isBlind(): boolean {
    return this.#history === undefined
  }

  /** Loss above the baseline keeps the estimate from growing. */
  get isHeldByLoss(): boolean {
    return this.#lossHolds
  }

  /** @hot Any sequence that ascends by 1 and wraps at a power of two from 2 ** 16 to 2 ** 31. */
  onSent(sequence: number, sizeBytes: number, nowMs: number): void {
    if (this.#history === undefined) this.#history = new SentHistory()
    this.#history.add(sequence, sizeBytes, nowMs)
    this.#lastSentMs = nowMs
    this.#prober.onSent(sequence, sizeBytes)
  }

  /** @hot False when its fate was known or it is too old. `arrivedMs` on the receiver's clock. */
  onArrived(sequence: number, arrivedMs: number): boolean {
    const sentMs = this.#history?.take(sequence) ?? -1
    if (sentMs < 0) return false
    const sizeBytes = this.#history!.sizeBytes(sequence)
    this.#expected += 1
    this.#trend.onPacket(sentMs, arrivedMs)
    this.#acked.add(arrivedMs, sizeBytes)
    this.queue.onPacket(arrivedMs - sentMs, arrivedMs)
    this.#prober.onArrived(sequence, sizeBytes, arrivedMs)
    this.#newestSentMs = Math.max(this.#newestSentMs, sentMs)
    return true
  }

  /** @hot False when its fate was known or it is too old. */
  onLost(sequence: number): boolean {
    if ((this.#history?.take(sequence) ?? -1) < 0) return false
    this.#expected += 1
    this.#lost += 1
    return true
  }

  /** All fates of one feedback were told: decides. `heldMs`: time between newest arrival and feedback. */
  onFeedbackEnd(heldMs: number, nowMs: number): void {
    if (this.#newestSentMs >= 0) this.smoothRtt(nowMs - this.#newestSentMs - heldMs)
    this.#newestSentMs = -1
    this.#feedbackAtMs = nowMs
    if (this.#silent) this.#prober.restart(nowMs)
    this.#silent = false
    this.#update(nowMs)
  }

  /** What a peer says who counts loss only. */
  onLossReport(lossRatio: number, nowMs: number): void {
    if (!this.isBlind && nowMs - this.#feedbackAtMs < FEEDBACK_SILENCE_MS) return
    this.#onLossInterval(lossRatio, { packets: LOSS_PACKETS_MIN, nowMs })
    if (!this.#lossHolds) this.#grow(nowMs, GROWTH_FAR)
    this.#updatedMs = nowMs
  }

  smoothRtt(rttMs: number): void {
    this.rttMs += 0.1 * (Math.min(5000, Math.max(1, rttMs)) - this.rttMs)
  }

  availableBps(nowMs: number): number {
    this.#answerSilence(nowMs)
    return this.#estimateBps
  }

  onDemand(_sentBps: number, wantedBps: number, nowMs: number): void {
    const blind = this.isBlind || nowMs - this.#feedbackAtMs > FEEDBACK_SILENCE_MS
    if (blind || this.#lossHolds || this.#trend.state === 'overuse') return
    if (nowMs - this.#decreasedAtMs < 1000 + this.rttMs) return
    this.#prober.consider(this.#estimateBps, wantedBps, nowMs)
  }

  probeBytes(nowMs: number): number {
    return this.#prober.paddingBytes(nowMs)
  }

  #update(nowMs: number): void {
    const standing = this.queue.standingMs > STANDING_QUEUE_HOLD_MS + this.rttMs
    const overusing = this.#trend.state === 'overuse' || standing
    this.#closeLossInterval(nowMs)
    if (overusing) this.#decrease(nowMs)
    else if (this.#trend.state === 'normal' && !this.#lossHolds) this.#increase(nowMs)
    const provedBps = this.#prober.verdictBps(nowMs, { rttMs: this.rttMs, overusing })
    if (provedBps * 0.95 > this.#estimateBps && !overusing) {
      this.#estimateBps = this.#clamp(provedBps * 0.95)
      if (this.#estimateBps > this.#ceilingBps) this.#ceilingBps = 0
    }
    this.#updatedMs = nowMs
  }

  #decrease(nowMs: number): void {
    if (nowMs - this.#decreasedAtMs < DECREASE_PAUSE_MS + this.rttMs) return
    const ackedBps = this.#acked.bitrateBps()
    // Without a measured rate, and on a path that we hardly use, halving is the best guess.
    const targetBps = ackedBps > 0 ? ackedBps * DECREASE : this.#estimateBps / 2
    this.#prober.stop(nowMs)
    if (ackedBps > 0) this.#ceilingBps = ackedBps
    this.#estimateBps = this.#clamp(Math.min(this.#estimateBps, targetBps))
    this.#decreasedAtMs = nowMs
  }

  #increase(nowMs: number): void {
    const near = this.#ceilingBps > 0 && this.#estimateBps > 0.9 * this.#ceilingBps
    if (this.#ceilingBps > 0 && this.#estimateBps > 1.2 * this.#ceilingBps) this.#ceilingBps = 0
    const before = this.#estimateBps
    this.#grow(nowMs, near ? GROWTH_NEAR : GROWTH_FAR)
    const ackedBps = this.#acked.bitrateBps()
    const leadBps = ackedBps * AHEAD_OF_ACKED + AHEAD_EXTRA_BPS
    if (this.#estimateBps > leadBps) this.#estimateBps = Math.max(before, leadBps)
  }

  #grow(nowMs: number, perSecond: number): void {
    const elapsedMs = Math.min(1000, Math.max(0, nowMs - this.#updatedMs))
    this.#estimateBps = this.#clamp(this.#estimateBps * (1 + perSecond) ** (elapsedMs / 1000))
  }

  #closeLossInterval(nowMs: number): void {
    const intervalMs = nowMs - this.#lossFromMs
    const few = this.#expected < LOSS_PACKETS_MIN && intervalMs < LOSS_INTERVAL_MS_MAX
    if (intervalMs < LOSS_INTERVAL_MS || few || this.#expected === 0) return
    this.#onLossInterval(this.#lost / this.#expected, { packets: this.#expected, nowMs })
    this.#expected = 0
    this.#lost = 0
  }

  #onLossInterval(lossRatio: number, { packets, nowMs }: { packets: number; nowMs: number }): void {
    this.#lossFromMs = nowMs
    this.lossRatio = lossRatio
    const queueing = this.queue.queueMs > STANDING_QUEUE_MS / 2
    const rateBps = this.#estimateBps
    const verdict = this.baseline.weigh({ lossRatio, packets, rateBps, queueing, nowMs })
    this.#lossHolds = verdict.excess > 0
    if (verdict.acquitted) this.#estimateBps = this.#clamp(rateBps * ACQUITTAL)
    if (!this.#lossHolds) return
    this.#prober.stop(nowMs)
    const ackedBps = this.#acked.bitrateBps()
    if (ackedBps > 0) this.#ceilingBps = ackedBps
    if (nowMs - this.#decreasedAtMs < DECREASE_PAUSE_MS + this.rttMs) return
    this.#estimateBps = this.#clamp(rateBps * (1 - Math.max(LOSS_STEP_MIN, verdict.excess / 2)))
    this.#decreasedAtMs = nowMs
  }

  /** No feedback while we send: the way back may be dead, or all of it. */
  #answerSilence(nowMs: number): void {
    if (this.isBlind || this.#feedbackAtMs < 0) return
    const silentMs = Math.min(nowMs, this.#lastSentMs) - this.#feedbackAtMs
    if (silentMs < FEEDBACK_SILENCE_MS + 2 * this.rttMs) return
    this.#estimateBps = this.#clamp(this.#estimateBps / 2)
    this.#feedbackAtMs = nowMs
    this.#silent = true
    this.#trend.reset()
  }

  #clamp(bitrateBps: number): number {
    return Math.min(this.#bounds.maxBps, Math.max(this.#bounds.minBps, bitrateBps))
  }
}
