/**
 * How much of the loss is ours? A radio or satellite link loses 10-20 % whatever we send, and textbook congestion
 * control walks to its floor there. So loss above the known baseline starts an experiment: the rate is lowered, and
 * when it has fallen by a fifth the loss is looked at again. A full queue loses clearly less then; a bad link loses
 * as before, and that is its new baseline.
 */

/** The baseline never excuses more than this. */
const BASELINE_MAX = 0.35
/** Loss below this is nobody's fault. */
const TOLERANCE = 0.02
/** An interval of n packets can show this many standard deviations more than the truth. */
const NOISE_SIGMAS = 1.5
const FALL = 0.2
/** The experiment: lower the rate to this share ... */
const EXPERIMENT_SHARE = 0.8
/** ... and if this share of the loss is still there, the link did it. */
const PERSISTENT_SHARE = 0.7
const LEARN = 0.8
/** Ends an experiment that never got anywhere. */
const EXPERIMENT_MS_MAX = 15_000

/** One measured interval. */
export type LossInterval = {
  /** 0..1. */
  lossRatio: number
  /** Packets that the ratio stands on. */
  packets: number
  /** Rate that was allowed, bit/s. */
  rateBps: number
  /** A queue stands on the way, so the loss may be its overflow. */
  queueing: boolean
  nowMs: number
}

/** What one interval means for the rate. */
export type LossVerdict = {
  /** Ratio beyond what this path loses anyway; 0 = harmless. */
  excess: number
  /** The experiment has just shown that the link loses whatever we send: the rate may go back up. */
  acquitted: boolean
}

/** One per transport. */
export class LossBaseline {
  /** Learned ratio, 0..0.35. */
  baseline = 0
  #fromBps = 0
  #fromLoss = 0
  #fromMs = 0

  /** Weighs one interval and learns from it. */
  weigh(interval: LossInterval): LossVerdict {
    const { lossRatio, packets, rateBps } = interval
    const noise = NOISE_SIGMAS * Math.sqrt((this.baseline * (1 - this.baseline)) / packets)
    const excess = Math.max(0, lossRatio - this.baseline - TOLERANCE - noise)
    if (lossRatio < this.baseline) this.baseline += FALL * (lossRatio - this.baseline)
    if (excess === 0 || interval.queueing) {
      this.#fromBps = 0
      return { excess, acquitted: false }
    }
    if (this.#fromBps === 0 || interval.nowMs - this.#fromMs > EXPERIMENT_MS_MAX) {
      this.#fromBps = rateBps
      this.#fromLoss = lossRatio
      this.#fromMs = interval.nowMs
      return { excess, acquitted: false }
    }
    if (rateBps > EXPERIMENT_SHARE * this.#fromBps) return { excess, acquitted: false }
    const acquitted = lossRatio >= PERSISTENT_SHARE * this.#fromLoss
    if (acquitted) {
      this.baseline = Math.min(BASELINE_MAX, this.baseline + LEARN * (lossRatio - this.baseline))
    }
    this.#fromBps = 0
    return { excess: acquitted ? 0 : excess, acquitted }
  }
}
