/**
 * How much one client can take, from what it reports: transport-wide feedback (path-estimator.ts),
 * or REMB and receiver reports where that was not negotiated. Pure; one per transport.
 */
import { ESTIMATE_MAX_BPS, ESTIMATE_MIN_BPS, ESTIMATE_START_BPS } from '../../../config/limits.ts'
import { TICKS_PER_MS, type TransportFeedback } from '../rtcp/index.ts'
import { PathEstimator } from './path-estimator.ts'
import type { Estimator } from './seam.ts'

const REMB_FRESH_MS = 10_000
const TICKS_WRAP = 2 ** 24 * 256
const BOUNDS = {
  startBps: ESTIMATE_START_BPS,
  minBps: ESTIMATE_MIN_BPS,
  maxBps: ESTIMATE_MAX_BPS,
}

/** A fresh estimator at the documented starting rate. */
export function createEstimator(nowMs: number): Estimator {
  return new ClientEstimator(nowMs)
}

class ClientEstimator implements Estimator {
  readonly #path: PathEstimator
  #rembBps = 0
  #rembAtMs = Number.NEGATIVE_INFINITY
  #previousTicks = -1
  /** One wrap ahead, so that a receiver's negative reference times become positive. */
  #arrivalOffsetMs = TICKS_WRAP / TICKS_PER_MS

  constructor(nowMs: number) {
    this.#path = new PathEstimator(BOUNDS, nowMs)
  }

  /** @hot */
  onPacketSent(twccSequence: number, sizeBytes: number, nowMs: number): void {
    this.#path.onSent(twccSequence, sizeBytes, nowMs)
  }

  onFeedback(feedback: TransportFeedback, nowMs: number): void {
    const path = this.#path
    if (path.isBlind) return
    feedback.rewind()
    while (feedback.next()) {
      const { sequenceNumber, received } = feedback
      if (received) path.onArrived(sequenceNumber, this.#unwrapArrival(feedback.arrivalTicks))
      else path.onLost(sequenceNumber)
    }
    path.onFeedbackEnd(0, nowMs)
  }

  onReceiverReport(lossRatio: number, rttMs: number, nowMs: number): void {
    this.#path.onLossReport(lossRatio, rttMs, nowMs)
  }

  onRemb(bitrateBps: number, nowMs: number): void {
    if (!(bitrateBps >= 0)) return
    this.#rembBps = Math.min(ESTIMATE_MAX_BPS, Math.max(ESTIMATE_MIN_BPS, bitrateBps))
    this.#rembAtMs = nowMs
  }

  availableBps(nowMs: number): number {
    const estimateBps = this.#path.availableBps(nowMs)
    if (nowMs - this.#rembAtMs >= REMB_FRESH_MS || !this.#path.isBlind) return estimateBps
    // REMB is the peer's own estimate: it leads, our view of the loss may only lower it.
    return this.#path.isHeldByLoss ? Math.min(this.#rembBps, estimateBps) : this.#rembBps
  }

  onDemand(sentBps: number, wantedBps: number, nowMs: number): void {
    this.#path.onDemand(sentBps, wantedBps, nowMs)
  }

  isProbing(nowMs: number): boolean {
    return this.#path.isProbing(nowMs)
  }

  probeBytes(nowMs: number): number {
    return this.#path.probeBytes(nowMs)
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
