/**
 * How much of the loss is ours? A radio or satellite link loses 10-20 % whatever we send, and
 * textbook congestion control walks to its floor there. So loss above the known baseline starts an
 * experiment: the rate is lowered by a fifth, and the loss looked at again. Had a queue overflowed,
 * it would lose clearly less now; a bad link loses as before, that is its new baseline, and the
 * rate is given back.
 */

/** The baseline never excuses more than this. */
const BASELINE_MAX = 0.35
/** Loss this far above the baseline is nobody's fault. */
const TOLERANCE = 0.02
/** An interval of n packets can show this many standard deviations more than the truth. */
const NOISE_SIGMAS = 2.5
/** Where nothing was lost yet, this much would not surprise. */
const LOSS_EXPECTED_MIN = 0.01
/** Beyond this it is not left to the rate allowed. */
const LOSS_GRAVE = 0.2
/** No link that is worth having loses so much by itself. */
const LOSS_ABSURD = 0.45
/** The rate must have fallen by this before its loss says anything. */
const FELL_MIN = 1.1
/** Without an experiment: the rate falls by half the excess, and by this at least. */
const STEP_MIN = 0.04
/** The experiment lowers the rate to this share ... */
const EXPERIMENT_SHARE = 0.8
/** ... and looks at so many packets that were sent then, or for so long. */
const EXPERIMENT_PACKETS = 100
const EXPERIMENT_MS_MAX = 4000
/** Weight of what was known, in packets, when an ordinary interval teaches. */
const MEMORY_PACKETS = 400

/** One measured interval. */
export type LossInterval = {
  /** 0..1. */
  lossRatio: number
  /** Packets that the ratio stands on. */
  packets: number
  /** Mean length of runs of lost packets, >= 1: losses in runs say less. */
  burst: number
  /** Rate that was allowed, bit/s. */
  rateBps: number
  /** Rate that was used, bit/s; 0 = unknown. */
  sentBps: number
  /** Nothing is known of delay. */
  isBlind: boolean
  /** A queue stands on the way, so the loss may be its overflow. */
  queueing: boolean
  /** Less is sent than is known to pass, so all loss is the link's. */
  underused: boolean
  rttMs: number
  nowMs: number
}

/**
 * One per path. `weigh` answers with the rate to go to, bit/s, or 0 when the loss says nothing
 * about it.
 */
export class LossBaseline {
  /** Learned ratio, 0..0.35. */
  baseline = 0
  /** An experiment runs, or the last interval lost too much: no time to grow. */
  isHolding = false
  /** 0 = no experiment. */
  #fromBps = 0
  /** What falls: the rate used, or the one allowed. */
  #isByUse = false
  #basisBps = 0
  #fromLoss = 0
  #fellAtMs = 0
  #packets = 0
  #lost = 0

  /** Weighs one interval and learns from it. */
  weigh(interval: LossInterval): number {
    return this.#fromBps > 0 ? this.#watch(interval) : this.#look(interval)
  }

  /** Ends an experiment without a verdict. */
  abandon(): void {
    this.#fromBps = 0
    this.isHolding = false
  }

  #look(interval: LossInterval): number {
    const { lossRatio, rateBps, sentBps, queueing, nowMs } = interval
    const noise = this.#noise(interval)
    const excess = lossRatio - this.baseline - TOLERANCE - noise
    this.isHolding = excess > 0
    if (excess <= 0) {
      if (!queueing) this.#learn(interval, noise)
      return 0
    }
    // So much is nobody's but ours: down to what passes.
    if (lossRatio > LOSS_ABSURD)
      return Math.min(rateBps / 2, this.#used(interval) * (1 - lossRatio))
    // Whoever sends less than allowed lowers nothing by being allowed less: where much is at stake,
    // go below what is used.
    const isByUse = sentBps > 0 && (interval.isBlind || excess > LOSS_GRAVE)
    const basisBps = isByUse ? this.#used(interval) : rateBps
    if (queueing) return basisBps * (1 - Math.max(STEP_MIN, excess / 2))
    this.#fromBps = rateBps
    this.#isByUse = isByUse
    this.#basisBps = isByUse ? sentBps : rateBps
    this.#fromLoss = lossRatio
    this.#fellAtMs = nowMs
    this.#packets = 0
    this.#lost = 0
    return basisBps * Math.min(1 - excess / 2, EXPERIMENT_SHARE)
  }

  #used({ rateBps, sentBps }: LossInterval): number {
    return sentBps > 0 ? Math.min(rateBps, sentBps) : rateBps
  }

  #watch(interval: LossInterval): number {
    const { lossRatio, packets, rateBps, sentBps, queueing, rttMs, nowMs } = interval
    const elapsedMs = nowMs - this.#fellAtMs
    // What is reported within a round trip was sent before.
    if (elapsedMs > rttMs && !queueing) {
      this.#packets += packets
      this.#lost += lossRatio * packets
    }
    const isEnough = this.#packets >= EXPERIMENT_PACKETS || elapsedMs > EXPERIMENT_MS_MAX + rttMs
    if (!isEnough && !queueing) return 0
    const { baseline } = this
    const fromBps = this.#fromBps
    this.#fromBps = 0
    this.isHolding = false
    if (queueing || this.#packets === 0) return 0
    const remains = this.#lost / this.#packets
    // Had all of it been overflow, so much would be lost at the lower rate.
    const fell = this.#basisBps / Math.max(1, this.#isByUse ? sentBps : rateBps)
    const ifOverflow = Math.max(baseline, 1 - (1 - this.#fromLoss) * fell)
    const isLink = fell > FELL_MIN && remains > (ifOverflow + this.#fromLoss) / 2
    if (isLink) this.baseline = Math.min(BASELINE_MAX, Math.max(baseline, remains))
    return isLink ? fromBps : 0
  }

  /**
   * Chance must not teach: the baseline moves by what is lost when less is sent than passes, or by
   * what stands out.
   */
  #learn({ lossRatio, packets, underused }: LossInterval, noise: number): void {
    const difference = lossRatio - this.baseline
    if (underused) this.baseline += (packets / (packets + MEMORY_PACKETS)) * difference
    else if (difference < -noise) this.baseline += difference / 4
    this.baseline = Math.min(BASELINE_MAX, this.baseline)
  }

  #noise({ packets, burst }: LossInterval): number {
    const expected = Math.max(LOSS_EXPECTED_MIN, this.baseline)
    // Runs of mean length B have 2B - 1 times the variance of single losses.
    const variance = (expected * (1 - expected) * (2 * burst - 1)) / packets
    return NOISE_SIGMAS * Math.sqrt(variance)
  }
}
