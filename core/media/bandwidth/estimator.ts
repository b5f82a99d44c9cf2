/**
 * How much one peer can take, from what it reports: delay gradient, loss above a learned baseline, probes; or REMB and
 * receiver reports where transport-wide feedback was not negotiated. After draft-ietf-rmcat-gcc-02 §5, with the
 * differences in loss-baseline.ts and prober.ts. Pure; one per transport.
 */
import { ESTIMATE_MAX_BPS, ESTIMATE_MIN_BPS, ESTIMATE_START_BPS } from '../../../config/limits.ts'
import { TICKS_PER_MS, type TransportFeedback } from '../rtcp/index.ts'
import { AckedRate } from './acked-rate.ts'
import { DelayTrend } from './delay-trend.ts'
import { LossBaseline } from './loss-baseline.ts'
import { Prober } from './prober.ts'
import type { Estimator } from './seam.ts'
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
/** One-way delay this far above the least is a standing queue, not jitter. */
const STANDING_QUEUE_MS = 80
const STANDING_QUEUE_HOLD_MS = 700
/** The least one-way delay is forgotten after this, for routes and clocks change. */
const LEAST_DELAY_MS = 30_000
const FEEDBACK_SILENCE_MS = 2000
const REMB_FRESH_MS = 10_000
const TICKS_WRAP = 2 ** 24 * 256

/** A fresh estimator at the documented starting rate. */
export function createEstimator(nowMs: number): Estimator {
  return new SendEstimator(nowMs)
}

class SendEstimator implements Estimator {
  #estimateBps = ESTIMATE_START_BPS
  #rembBps = 0
  #rembAtMs = Number.NEGATIVE_INFINITY
  #rttMs = 100
  #history: SentHistory | undefined
  readonly #trend = new DelayTrend()
  readonly #acked = new AckedRate()
  readonly #prober = new Prober()
  readonly #baseline = new LossBaseline()
  #updatedMs: number
  #feedbackAtMs = Number.NEGATIVE_INFINITY
  #lastSentMs = Number.NEGATIVE_INFINITY
  #decreasedAtMs = Number.NEGATIVE_INFINITY
  /** Rate at which the last queue grew; 0 = unknown. */
  #ceilingBps = 0
  #lossFromMs: number
  #expected = 0
  #lost = 0
  #lossHolds = false
  #leastDelayMs = Number.POSITIVE_INFINITY
  #nextLeastDelayMs = Number.POSITIVE_INFINITY
  #leastDelayFromMs = 0
  #queueMs = 0
  #queueingSinceMs = Number.POSITIVE_INFINITY
  #silent = false
  #previousTicks = -1
  /** One wrap ahead, so that a receiver's negative reference times become positive. */
  #arrivalOffsetMs = TICKS_WRAP / TICKS_PER_MS

  constructor(nowMs: number) {
    this.#updatedMs = nowMs
    this.#lossFromMs = nowMs
  }

  /** @hot */
  onPacketSent(twccSequence: number, sizeBytes: number, nowMs: number): void {
    if (this.#history === undefined) this.#history = new SentHistory()
    this.#history.add(twccSequence, sizeBytes, nowMs)
    this.#lastSentMs = nowMs
    this.#prober.onSent(twccSequence, sizeBytes)
  }

  onFeedback(feedback: TransportFeedback, nowMs: number): void {
    const history = this.#history
    if (history === undefined) return
    feedback.rewind()
    let newestSentMs = -1
    while (feedback.next()) {
      const sequence = feedback.sequenceNumber
      if (!feedback.received) {
        if (history.peek(sequence) >= 0) this.#countLoss(1, 1)
        continue
      }
      const sentMs = history.take(sequence)
      if (sentMs < 0) continue
      const arrivedMs = this.#unwrapArrival(feedback.arrivalTicks)
      const sizeBytes = history.sizeBytes(sequence)
      this.#countLoss(1, 0)
      this.#trend.onPacket(sentMs, arrivedMs)
      this.#acked.add(arrivedMs, sizeBytes)
      this.#onOneWayDelay(arrivedMs - sentMs, nowMs)
      this.#prober.onArrived(sequence, sizeBytes, arrivedMs)
      newestSentMs = Math.max(newestSentMs, sentMs)
    }
    if (newestSentMs >= 0) this.#smoothRtt(nowMs - newestSentMs)
    this.#feedbackAtMs = nowMs
    if (this.#silent) this.#prober.restart(nowMs)
    this.#silent = false
    this.#update(nowMs)
  }

  onReceiverReport(lossRatio: number, rttMs: number, nowMs: number): void {
    if (rttMs > 0) this.#smoothRtt(rttMs)
    if (this.#history !== undefined && nowMs - this.#feedbackAtMs < FEEDBACK_SILENCE_MS) return
    this.#onLossInterval(lossRatio, { packets: LOSS_PACKETS_MIN, nowMs })
    if (!this.#lossHolds) this.#grow(nowMs, GROWTH_FAR)
    this.#updatedMs = nowMs
  }

  onRemb(bitrateBps: number, nowMs: number): void {
    if (!(bitrateBps >= 0)) return
    this.#rembBps = clamp(bitrateBps)
    this.#rembAtMs = nowMs
  }

  availableBps(nowMs: number): number {
    this.#answerSilence(nowMs)
    const remb = nowMs - this.#rembAtMs < REMB_FRESH_MS && this.#history === undefined
    if (!remb) return this.#estimateBps
    // REMB is the peer's own estimate: it leads, our view of the loss may only lower it.
    return this.#lossHolds ? Math.min(this.#rembBps, this.#estimateBps) : this.#rembBps
  }

  onDemand(_sentBps: number, wantedBps: number, nowMs: number): void {
    const blind = this.#history === undefined || nowMs - this.#feedbackAtMs > FEEDBACK_SILENCE_MS
    if (blind || this.#lossHolds || this.#trend.state === 'overuse') return
    if (nowMs - this.#decreasedAtMs < 1000 + this.#rttMs) return
    this.#prober.consider(this.#estimateBps, wantedBps, nowMs)
  }

  probeBytes(nowMs: number): number {
    return this.#prober.paddingBytes(nowMs)
  }

  #update(nowMs: number): void {
    const standing = nowMs - this.#queueingSinceMs > STANDING_QUEUE_HOLD_MS + this.#rttMs
    const overusing = this.#trend.state === 'overuse' || standing
    this.#closeLossInterval(nowMs)
    if (overusing) this.#decrease(nowMs)
    else if (this.#trend.state === 'normal' && !this.#lossHolds) this.#increase(nowMs)
    const provedBps = this.#prober.verdictBps(nowMs, { rttMs: this.#rttMs, overusing })
    if (provedBps * 0.95 > this.#estimateBps && !overusing) {
      this.#estimateBps = clamp(provedBps * 0.95)
      if (this.#estimateBps > this.#ceilingBps) this.#ceilingBps = 0
    }
    this.#updatedMs = nowMs
  }

  #decrease(nowMs: number): void {
    if (nowMs - this.#decreasedAtMs < DECREASE_PAUSE_MS + this.#rttMs) return
    const ackedBps = this.#acked.bitrateBps()
    // Without a measured rate, and on a path that we hardly use, halving is the best guess.
    const targetBps = ackedBps > 0 ? ackedBps * DECREASE : this.#estimateBps / 2
    this.#prober.stop(nowMs)
    if (ackedBps > 0) this.#ceilingBps = ackedBps
    this.#estimateBps = clamp(Math.min(this.#estimateBps, targetBps))
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
    this.#estimateBps = clamp(this.#estimateBps * (1 + perSecond) ** (elapsedMs / 1000))
  }

  #countLoss(expected: number, lost: number): void {
    this.#expected += expected
    this.#lost += lost
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
    const queueing = this.#queueMs > STANDING_QUEUE_MS / 2
    const rateBps = this.#estimateBps
    const verdict = this.#baseline.weigh({ lossRatio, packets, rateBps, queueing, nowMs })
    this.#lossHolds = verdict.excess > 0
    if (verdict.acquitted) this.#estimateBps = clamp(rateBps * ACQUITTAL)
    if (!this.#lossHolds) return
    this.#prober.stop(nowMs)
    const ackedBps = this.#acked.bitrateBps()
    if (ackedBps > 0) this.#ceilingBps = ackedBps
    if (nowMs - this.#decreasedAtMs < DECREASE_PAUSE_MS + this.#rttMs) return
    this.#estimateBps = clamp(rateBps * (1 - Math.max(LOSS_STEP_MIN, verdict.excess / 2)))
    this.#decreasedAtMs = nowMs
  }

  /** A queue that stands full shows no gradient: it is seen as delay above the least. */
  #onOneWayDelay(delayMs: number, nowMs: number): void {
    if (nowMs - this.#leastDelayFromMs > LEAST_DELAY_MS) {
      this.#leastDelayMs = this.#nextLeastDelayMs
      this.#nextLeastDelayMs = Number.POSITIVE_INFINITY
      this.#leastDelayFromMs = nowMs
    }
    this.#leastDelayMs = Math.min(this.#leastDelayMs, delayMs)
    this.#nextLeastDelayMs = Math.min(this.#nextLeastDelayMs, delayMs)
    this.#queueMs += 0.1 * (delayMs - this.#leastDelayMs - this.#queueMs)
    if (this.#queueMs < STANDING_QUEUE_MS) this.#queueingSinceMs = Number.POSITIVE_INFINITY
    else if (this.#queueingSinceMs === Number.POSITIVE_INFINITY) this.#queueingSinceMs = nowMs
  }

  /** No feedback while we send: the way back may be dead, or all of it. */
  #answerSilence(nowMs: number): void {
    if (this.#history === undefined || this.#feedbackAtMs < 0) return
    const silentMs = Math.min(nowMs, this.#lastSentMs) - this.#feedbackAtMs
    if (silentMs < FEEDBACK_SILENCE_MS + 2 * this.#rttMs) return
    this.#estimateBps = clamp(this.#estimateBps / 2)
    this.#feedbackAtMs = nowMs
    this.#silent = true
    this.#trend.reset()
  }

  #smoothRtt(rttMs: number): void {
    this.#rttMs += 0.1 * (Math.min(5000, Math.max(1, rttMs)) - this.#rttMs)
  }

  /** The reference time wraps every 12 days of a receiver's clock. */
  #unwrapArrival(ticks: number): number {
    if (this.#previousTicks >= 0) {
      const step = ticks - this.#previousTicks
      if (step < -TICKS_WRAP / 2) this.#arrivalOffsetMs += TICKS_WRAP / TICKS_PER_MS
      else if (step > TICKS_WRAP / 2) this.#arrivalOffsetMs -= TICKS_WRAP / TICKS_PER_MS
    }
    this.#previousTicks = ticks
    return ticks / TICKS_PER_MS + this.#arrivalOffsetMs
  }
}

function clamp(bitrateBps: number): number {
  return Math.min(ESTIMATE_MAX_BPS, Math.max(ESTIMATE_MIN_BPS, bitrateBps))
}
