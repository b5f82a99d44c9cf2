/**
 * Is a queue growing on the way? The delay-gradient detector of Google congestion control (draft-ietf-rmcat-gcc-02
 * §4, with a least-squares trend line instead of the Kalman filter): packets sent within 5 ms are one group; the
 * slope of the accumulated one-way delay variation against a threshold that adapts itself.
 */

/** What the detector sees of the path. */
export type DelayState = 'normal' | 'overuse' | 'underuse'

const GROUP_SPAN_MS = 5
const WINDOW = 20
const SMOOTHING = 0.9
const GAIN = 4
const DELTAS_MAX = 60
const OVERUSE_MS = 10
const THRESHOLD_START_MS = 12.5
const THRESHOLD_MIN_MS = 6
const THRESHOLD_MAX_MS = 600
const THRESHOLD_UP = 0.0087
const THRESHOLD_DOWN = 0.039
/** A gap this long in sending or arrival says nothing of queues: start anew. */
const GAP_MS = 2000

/** One per transport. Times are monotonic; arrival times only need a constant offset to ours. */
export class DelayTrend {
  state: DelayState = 'normal'
  #groupFirstSentMs = -1
  #groupSentMs = 0
  #groupArrivedMs = 0
  #previousSentMs = -1
  #previousArrivedMs = 0
  #accumulatedMs = 0
  #smoothedMs = 0
  #deltas = 0
  #firstArrivedMs = 0
  readonly #times = new Float64Array(WINDOW)
  readonly #delays = new Float64Array(WINDOW)
  #previousTrend = 0
  #thresholdMs = THRESHOLD_START_MS
  #thresholdAtMs = -1
  #overusingSinceMs = -1

  /** Feed every received packet in the order of its transport-wide sequence. */
  onPacket(sentMs: number, arrivedMs: number): void {
    if (this.#groupFirstSentMs < 0) {
      this.#startGroup(sentMs, arrivedMs)
      return
    }
    if (sentMs < this.#groupFirstSentMs) return
    if (sentMs - this.#groupSentMs > GAP_MS || arrivedMs - this.#groupArrivedMs > GAP_MS) {
      this.reset()
      this.#startGroup(sentMs, arrivedMs)
      return
    }
    if (sentMs - this.#groupFirstSentMs <= GROUP_SPAN_MS) {
      this.#groupSentMs = Math.max(this.#groupSentMs, sentMs)
      this.#groupArrivedMs = Math.max(this.#groupArrivedMs, arrivedMs)
      return
    }
    this.#endGroup()
    this.#startGroup(sentMs, arrivedMs)
  }

  /** Forgets the path, not the learned threshold. */
  reset(): void {
    this.state = 'normal'
    this.#groupFirstSentMs = -1
    this.#previousSentMs = -1
    this.#accumulatedMs = 0
    this.#smoothedMs = 0
    this.#deltas = 0
    this.#previousTrend = 0
    this.#overusingSinceMs = -1
  }

  #startGroup(sentMs: number, arrivedMs: number): void {
    this.#groupFirstSentMs = sentMs
    this.#groupSentMs = sentMs
    this.#groupArrivedMs = arrivedMs
  }

  #endGroup(): void {
    if (this.#previousSentMs >= 0) {
      const sentDeltaMs = this.#groupSentMs - this.#previousSentMs
      const variationMs = this.#groupArrivedMs - this.#previousArrivedMs - sentDeltaMs
      this.#onVariation(variationMs, sentDeltaMs)
    }
    this.#previousSentMs = this.#groupSentMs
    this.#previousArrivedMs = this.#groupArrivedMs
  }

  #onVariation(variationMs: number, sentDeltaMs: number): void {
    if (this.#deltas === 0) this.#firstArrivedMs = this.#groupArrivedMs
    const slot = this.#deltas % WINDOW
    this.#deltas += 1
    this.#accumulatedMs += variationMs
    this.#smoothedMs = SMOOTHING * this.#smoothedMs + (1 - SMOOTHING) * this.#accumulatedMs
    this.#times[slot] = this.#groupArrivedMs - this.#firstArrivedMs
    this.#delays[slot] = this.#smoothedMs
    const trend = this.#deltas >= WINDOW ? this.#slope() : this.#previousTrend
    this.#detect(trend, sentDeltaMs)
  }

  #slope(): number {
    let timeSum = 0
    let delaySum = 0
    for (let index = 0; index < WINDOW; index += 1) {
      timeSum += this.#times[index]!
      delaySum += this.#delays[index]!
    }
    const timeMean = timeSum / WINDOW
    const delayMean = delaySum / WINDOW
    let covariance = 0
    let variance = 0
    for (let index = 0; index < WINDOW; index += 1) {
      const offset = this.#times[index]! - timeMean
      covariance += offset * (this.#delays[index]! - delayMean)
      variance += offset * offset
    }
    return variance === 0 ? this.#previousTrend : covariance / variance
  }

  #detect(trend: number, sentDeltaMs: number): void {
    const modifiedMs = Math.min(this.#deltas, DELTAS_MAX) * trend * GAIN
    const atMs = this.#groupArrivedMs
    if (modifiedMs > this.#thresholdMs) {
      if (this.#overusingSinceMs < 0) this.#overusingSinceMs = atMs - sentDeltaMs / 2
      const lasted = atMs - this.#overusingSinceMs > OVERUSE_MS
      if (lasted && trend >= this.#previousTrend) this.state = 'overuse'
    } else {
      this.#overusingSinceMs = -1
      this.state = modifiedMs < -this.#thresholdMs ? 'underuse' : 'normal'
    }
    this.#previousTrend = trend
    this.#adaptThreshold(modifiedMs, atMs)
  }

  #adaptThreshold(modifiedMs: number, atMs: number): void {
    const size = Math.abs(modifiedMs)
    // A spike (a route change, a stalled host) must not make us deaf.
    if (size <= this.#thresholdMs + 15) {
      const factor = size < this.#thresholdMs ? THRESHOLD_DOWN : THRESHOLD_UP
      const elapsedMs = this.#thresholdAtMs < 0 ? 0 : Math.min(atMs - this.#thresholdAtMs, 100)
      const moved = this.#thresholdMs + factor * (size - this.#thresholdMs) * elapsedMs
      this.#thresholdMs = Math.min(THRESHOLD_MAX_MS, Math.max(THRESHOLD_MIN_MS, moved))
    }
    this.#thresholdAtMs = atMs
  }
}
