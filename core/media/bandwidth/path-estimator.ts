/**
 * How much one path carries, from the fate of each packet sent over it: delay gradient, standing queues, loss above a
 * learned baseline, probes. After draft-ietf-rmcat-gcc-02 §5, with the differences in loss-baseline.ts,
 * queue-delay.ts and prober.ts. Knows no message format: clients (estimator.ts) and trunks (relay/estimate) tell it
 * the fates.
 */
import { Competition } from './competition.ts'
import { DelayTrend } from './delay-trend.ts'
import { LossBaseline } from './loss-baseline.ts'
import { INTERVAL_PACKETS, LossCounter } from './loss-counter.ts'
import { Prober } from './prober.ts'
import { QueueDelay, STANDING_QUEUE_MS } from './queue-delay.ts'
import { RateWindow } from './rate-window.ts'
import { SentHistory } from './sent-history.ts'

/**
 * When a queue grows: a little less than what passes, and as much less again as empties it in a second.
 */
const DECREASE = 0.95
const DRAIN_MS = 1000
const DECREASE_MIN = 0.35
/**
 * Growth per second while nothing is known of the ceiling, and back to just below the last known one.
 */
const GROWTH_FAR = 0.15
const GROWTH_BACK = 0.4
const BACK_SHARE = 0.93
/**
 * Growth near the ceiling, bit/s per second for the root of the rate: 16 % of 64 kbit/s, 4 % of 1 Mbit/s. What grows
 * by a share never gets even with a larger flow; what grows by an amount does not fit all rates.
 */
const GROWTH_NEAR = 40
/** The estimate never runs further ahead of what arrives than this; probes go beyond. */
const AHEAD_OF_ACKED = 1.5
const AHEAD_EXTRA_BPS = 30_000
/** Overuse answers are this far apart at least, plus the RTT: the first must show its effect. */
const DECREASE_PAUSE_MS = 200
/** An answer that is this much too high is mended at once. */
const FAR_OFF = 0.85
/**
 * Beside a download: growth by one packet of this size a round trip, and how much less after an overflow.
 */
const COMPETE_BYTES = 1200
const COMPETE_DECREASE = 0.7
/** Whoever uses less than this share of what it may learns nothing from it. */
const USED_SHARE = 0.7
/** Rates are taken over so many packets, but over this time. */
const RATE_PACKETS = 20
const RATE_MS_MIN = 500
const RATE_MS_MAX = 2000
/** A burst is seen over so long, and so many packets. */
const BURST_MS = 200
const BURST_PACKETS = 8
/**
 * Without the fate of single packets nothing is probed: the rate grows by itself, this far beyond what is wanted.
 */
const BLIND_HEADROOM = 1.3
const GROWTH_LOW = 0.25
const GROWTH_GUESS = 0.04
const BLIND_QUIET_MS = 3000
/** Rates are measured not quite exactly. */
const PASSED_SHARE = 0.9
/** A gradient without this much of a queue is jitter. */
const QUEUE_MS_MIN = 15
/** Less than this share of what passed when the last queue grew leaves no queue. */
const UNDERUSED = 0.95
/** A queue that stands this long, beyond the RTT, is congestion. */
const STANDING_QUEUE_HOLD_MS = 700
/** After a decrease, beyond the RTT: its effect is seen before more is tried. */
const PROBE_PAUSE_MS = 500
const FEEDBACK_SILENCE_MS = 2000
/** Of the estimate before an outage, when it is over. */
const WAKE_SHARE = 0.25

/** Bit/s: where an estimate begins, and between what it stays. */
export type EstimateBounds = { startBps: number; minBps: number; maxBps: number }

/** One per path and direction; about 30 kB from the first packet on. */
export class PathEstimator {
  rttMs = 100
  readonly queue = new QueueDelay()
  readonly baseline = new LossBaseline()
  readonly losses: LossCounter
  #estimateBps: number
  readonly #bounds: EstimateBounds
  #history: SentHistory | undefined
  readonly #trend = new DelayTrend()
  readonly competition = new Competition()
  readonly #sent = new RateWindow()
  readonly #acked = new RateWindow()
  readonly #prober = new Prober()
  #updatedMs: number
  #feedbackAtMs = Number.NEGATIVE_INFINITY
  #newestSentMs = -1
  #lastSentMs = Number.NEGATIVE_INFINITY
  #decreasedAtMs = Number.NEGATIVE_INFINITY
  /** Rate at which the last queue grew; 0 = unknown. */
  #ceilingBps = 0
  #meanBytes = 0
  /** As the owner says. */
  #demandSentBps = 0
  #isRttKnown = false
  #demandWantedBps = 0
  #silent = false
  /** What left until then may have gone into the last outage. */
  #outageSentMs = -1
  /** The estimate when feedback ended. */
  #lastGoodBps = 0

  constructor(bounds: EstimateBounds, nowMs: number) {
    this.#bounds = bounds
    this.#estimateBps = bounds.startBps
    this.#updatedMs = nowMs
    this.losses = new LossCounter(nowMs)
  }

  /** Nothing was ever sent with a sequence: the fate of single packets is not known. */
  get isBlind(): boolean {
    return this.#history === undefined
  }

  /** Loss above the baseline keeps the estimate from growing. */
  get isHeldByLoss(): boolean {
    return this.baseline.isHolding
  }

  /** @hot Any sequence that ascends by 1 and wraps at a power of two from 2 ** 16 to 2 ** 31. */
  onSent(sequence: number, sizeBytes: number, nowMs: number): void {
    if (this.#history === undefined) this.#history = new SentHistory()
    this.#history.add(sequence, sizeBytes, nowMs)
    this.#lastSentMs = nowMs
    this.#sent.add(nowMs, sizeBytes)
    if (this.#meanBytes === 0) this.#meanBytes = sizeBytes
    this.#meanBytes += (sizeBytes - this.#meanBytes) / 50
    this.#prober.onSent(sequence, sizeBytes, nowMs)
  }

  /** @hot False when its fate was known or it is too old. `arrivedMs` on the receiver's clock. */
  onArrived(sequence: number, arrivedMs: number): boolean {
    const sentMs = this.#history?.take(sequence) ?? -1
    if (sentMs < 0) return false
    const sizeBytes = this.#history!.sizeBytes(sequence)
    this.losses.onFate(false, this.#isQueued)
    this.#acked.add(arrivedMs, sizeBytes)
    this.queue.onPacket(arrivedMs - sentMs, arrivedMs)
    // The queue of a burst is of our own making, and no trend.
    if (this.#prober.onArrived(sequence, sizeBytes, arrivedMs)) this.#trend.reset()
    else this.#trend.onPacket(sentMs, arrivedMs)
    this.#newestSentMs = Math.max(this.#newestSentMs, sentMs)
    return true
  }

  /** @hot False when its fate was known or it is too old. */
  onLost(sequence: number): boolean {
    const sentMs = this.#history?.take(sequence) ?? -1
    // What went into an outage says nothing of the line after it.
    if (sentMs <= this.#outageSentMs) return false
    this.losses.onFate(true, this.#isQueued)
    return true
  }

  /**
   * All fates of one feedback were told: decides. `heldMs`: time between newest arrival and feedback.
   */
  onFeedbackEnd(heldMs: number, nowMs: number): void {
    if (this.#newestSentMs >= 0) this.smoothRtt(nowMs - this.#newestSentMs - heldMs)
    this.#feedbackAtMs = nowMs
    if (this.#silent) this.#wakeUp(nowMs)
    this.#newestSentMs = -1
    this.#update(nowMs)
  }

  /** What a peer says who counts loss only. `rttMs` 0 = unknown. */
  onLossReport(lossRatio: number, rttMs: number, nowMs: number): void {
    if (rttMs > 0) this.smoothRtt(rttMs)
    // Whoever tells the fate of packets is not heard on the rest: it comes late.
    if (this.#feedbackAtMs > 0) return
    // There is no other news of the queue than a longer round trip.
    if (rttMs > 0) {
      this.queue.onPacket(rttMs, nowMs)
      this.#isRttKnown = true
    }
    this.#onLossInterval({ lossRatio, packets: INTERVAL_PACKETS }, nowMs)
    this.#growBlindly(nowMs)
  }

  #growBlindly(nowMs: number): void {
    const elapsedS = Math.min(1000, Math.max(0, nowMs - this.#updatedMs)) / 1000
    this.#updatedMs = nowMs
    const rateBps = this.#estimateBps
    if (this.baseline.isHolding || this.#isQueued) return
    if (rateBps > BLIND_HEADROOM * this.#demandWantedBps) return
    // Beyond what is sent nothing is known: a step up may be far too much, and must be rare. Below
    // the start it may be the only way back to a picture.
    const isGuess = rateBps > BLIND_HEADROOM * this.#demandSentBps
    const isLow = rateBps < this.#bounds.startBps
    const growth = isLow ? GROWTH_LOW : isGuess ? GROWTH_GUESS : GROWTH_FAR
    this.#estimateBps = this.#clamp(rateBps * (1 + growth) ** elapsedS)
  }

  smoothRtt(rttMs: number): void {
    this.rttMs += 0.1 * (Math.min(5000, Math.max(1, rttMs)) - this.rttMs)
  }

  availableBps(nowMs: number): number {
    this.#answerSilence(nowMs)
    return this.#estimateBps
  }

  onDemand(sentBps: number, wantedBps: number, nowMs: number): void {
    this.#demandSentBps = sentBps
    this.#demandWantedBps = wantedBps
    // Where next to nothing is sent, nothing is reported, and that must not be the end.
    if (this.isBlind && nowMs - this.#updatedMs > BLIND_QUIET_MS) {
      this.baseline.abandon()
      this.queue.forget()
      this.#growBlindly(nowMs)
    }
    const blind = this.isBlind || nowMs - this.#feedbackAtMs > FEEDBACK_SILENCE_MS
    if (blind || this.baseline.isHolding || this.#trend.state === 'overuse') return
    if (this.competition.isThere || nowMs - this.#decreasedAtMs < PROBE_PAUSE_MS + this.rttMs)
      return
    if (this.#isQueued) return
    this.#prober.consider({
      estimateBps: this.#estimateBps,
      wantedBps,
      meanBytes: this.#meanBytes,
      nowMs,
    })
  }

  isProbing(nowMs: number): boolean {
    return this.#prober.isSending(nowMs)
  }

  probeBytes(nowMs: number): number {
    return this.#prober.paddingBytes(nowMs)
  }

  #update(nowMs: number): void {
    this.#keepBook(nowMs)
    // The longer the queue, the shorter the patience.
    const patienceMs = (STANDING_QUEUE_HOLD_MS + this.rttMs) * this.queue.limitMs
    const standing = this.queue.standingMs * this.queue.queueMs > patienceMs
    const growing = this.#trend.state === 'overuse' && this.queue.queueMs > QUEUE_MS_MIN
    const overusing = (growing || standing) && !this.competition.isThere
    const draining = this.#trend.state !== 'normal' && this.queue.queueMs > QUEUE_MS_MIN
    if (this.losses.close(nowMs)) this.#onLossInterval(this.losses, nowMs)
    if (this.competition.isThere) this.#compete(nowMs)
    else if (overusing) this.#decrease(nowMs)
    else if (!draining && !this.baseline.isHolding) this.#increase(nowMs)
    const provedBps = this.#prober.verdictBps(nowMs, {
      rttMs: this.rttMs,
      overusing,
      lossRatio: this.baseline.baseline,
    })
    if (provedBps * 0.95 > this.#estimateBps && !overusing) {
      this.#estimateBps = this.#clamp(provedBps * 0.95)
      if (this.#estimateBps > this.#ceilingBps) this.#ceilingBps = 0
    }
    this.#updatedMs = nowMs
  }

  #keepBook(nowMs: number): void {
    // What one packet takes on the line is no queue.
    this.queue.limitMs = STANDING_QUEUE_MS + (this.#meanBytes * 8000) / this.#estimateBps
    this.competition.update({
      queueMs: this.queue.queueMs,
      limitMs: this.queue.limitMs / 2,
      sentBps: this.#sent.bitrateBps(this.#windowMs()),
      passedBps: this.#passedBps(),
      lagMs: this.rttMs + this.#windowMs(),
      nowMs,
    })
  }

  #decrease(nowMs: number): void {
    const ackedBps = Math.max(this.#passedBps(), this.#burstBps())
    const drain = Math.max(DECREASE_MIN, DECREASE - this.queue.queueMs / DRAIN_MS)
    // Without a measured rate, and on a path that we hardly use, halving is the best guess.
    const targetBps = ackedBps > 0 ? ackedBps * drain : this.#estimateBps / 2
    const isRecent = nowMs - this.#decreasedAtMs < DECREASE_PAUSE_MS + this.rttMs
    // While a queue stands, what arrives is what the line carries: it cannot lead us astray.
    const isFarOff =
      targetBps < this.#estimateBps * FAR_OFF && this.queue.queueMs > STANDING_QUEUE_MS
    if (isRecent && !isFarOff) return
    this.#prober.stop(nowMs)
    if (ackedBps > 0) this.#ceilingBps = ackedBps
    this.#estimateBps = this.#clamp(Math.min(this.#estimateBps, targetBps))
    this.#decreasedAtMs = nowMs
  }

  /**
   * Others fill the queue: as TCP does (RFC 5681 §3.1), a packet more each round trip, less when it overflows.
   */
  #compete(nowMs: number): void {
    const elapsedMs = Math.min(1000, Math.max(0, nowMs - this.#updatedMs))
    const packetBps = (Math.max(COMPETE_BYTES, this.#meanBytes) * 8000) / this.rttMs
    // Without a queue we wait for it to come back, or for proof that they are gone.
    if (this.#isQueued && this.#sent.bitrateBps(this.#windowMs()) > USED_SHARE * this.#estimateBps)
      this.#estimateBps = this.#clamp(this.#estimateBps + (packetBps * elapsedMs) / this.rttMs)
    if (nowMs - this.#decreasedAtMs < this.rttMs) return
    if (!this.losses.takeOverflow(this.baseline.baseline)) return
    this.#estimateBps = this.#clamp(this.#estimateBps * COMPETE_DECREASE)
    this.#decreasedAtMs = nowMs
  }

  #increase(nowMs: number): void {
    // What passes without a queue is no guess.
    if (!this.#isQueued)
      this.#estimateBps = this.#clamp(Math.max(this.#estimateBps, PASSED_SHARE * this.#passedBps()))
    const before = this.#estimateBps
    if (before > 1.2 * this.#ceilingBps) this.#ceilingBps = 0
    this.#estimateBps = this.#grown(nowMs)
    const ackedBps = this.#passedBps()
    const leadBps = ackedBps * AHEAD_OF_ACKED + AHEAD_EXTRA_BPS
    if (this.#estimateBps > leadBps) this.#estimateBps = Math.max(before, leadBps)
  }

  #grown(nowMs: number): number {
    const rateBps = this.#estimateBps
    const elapsedS = Math.min(1000, Math.max(0, nowMs - this.#updatedMs)) / 1000
    const backBps = BACK_SHARE * this.#ceilingBps
    if (backBps === 0) return this.#clamp(rateBps * (1 + GROWTH_FAR) ** elapsedS)
    if (rateBps >= backBps)
      return this.#clamp(rateBps + GROWTH_NEAR * Math.sqrt(rateBps) * elapsedS)
    // Not while the queue still stands that was to be emptied.
    if (this.#isQueued) return rateBps
    return this.#clamp(Math.min(backBps, rateBps * (1 + GROWTH_BACK) ** elapsedS))
  }

  #onLossInterval(
    { lossRatio, packets }: { lossRatio: number; packets: number },
    nowMs: number,
  ): void {
    const toBps = this.baseline.weigh({
      lossRatio,
      packets,
      burst: this.losses.burst,
      rateBps: this.#estimateBps,
      sentBps: this.isBlind ? this.#demandSentBps : this.#sent.bitrateBps(this.#windowMs()),
      isBlind: this.isBlind && !this.#isRttKnown,
      queueing: this.#isQueued,
      underused: this.#estimateBps < UNDERUSED * this.#ceilingBps,
      rttMs: this.rttMs,
      nowMs,
    })
    if (this.baseline.isHolding) this.#prober.stop(nowMs)
    if (toBps === 0) return
    if (toBps < this.#estimateBps) {
      this.#ceilingBps = this.#passedBps()
      this.#decreasedAtMs = nowMs
    }
    this.#estimateBps = this.#clamp(toBps)
  }

  /** Delay speaks while this is so, and the loss may be overflow. */
  get #isQueued(): boolean {
    return this.queue.queueMs > this.queue.limitMs / 2
  }

  /** What arrives, and what the link takes of it whatever is sent: so much can be sent. */
  #passedBps(): number {
    return this.#acked.bitrateBps(this.#windowMs()) / (1 - this.baseline.baseline)
  }

  /**
   * What arrived just now, where the sender has used little of the estimate before: a burst met the queue, and while
   * there is one, what arrives is what the line carries.
   */
  #burstBps(): number {
    if (this.#sent.bitrateBps(this.#windowMs()) > USED_SHARE * this.#estimateBps) return 0
    const burstMs = Math.max(BURST_MS, (BURST_PACKETS * this.#meanBytes * 8000) / this.#estimateBps)
    const burstBps = this.#acked.bitrateBps(burstMs) / (1 - this.baseline.baseline)
    return Math.min(burstBps, this.#estimateBps)
  }

  /**
   * Feedback again after an outage: what was lost in it says nothing, and what was known of the path is old.
   */
  #wakeUp(nowMs: number): void {
    this.#silent = false
    // Mostly it is the same line as before; where it is not, a quarter is mended in a second.
    this.#estimateBps = this.#clamp(Math.max(this.#estimateBps, this.#lastGoodBps * WAKE_SHARE))
    this.#outageSentMs = nowMs
    this.#prober.restart(nowMs)
    this.baseline.abandon()
    this.competition.forget()
    this.#ceilingBps = 0
    this.losses.restart(nowMs)
    this.#decreasedAtMs = Number.NEGATIVE_INFINITY
  }

  /** Long enough for a rate to be more than chance. */
  #windowMs(): number {
    const packetMs = (this.#meanBytes * 8000) / this.#estimateBps
    return Math.min(RATE_MS_MAX, Math.max(RATE_MS_MIN, RATE_PACKETS * packetMs))
  }

  /** No feedback while we send: the way back may be dead, or all of it. */
  #answerSilence(nowMs: number): void {
    if (this.isBlind || this.#feedbackAtMs < 0) return
    const silentMs = Math.min(nowMs, this.#lastSentMs) - this.#feedbackAtMs
    if (silentMs < FEEDBACK_SILENCE_MS + 2 * this.rttMs) return
    if (!this.#silent) this.#lastGoodBps = this.#estimateBps
    this.#estimateBps = this.#clamp(this.#estimateBps / 2)
    this.#feedbackAtMs = nowMs
    this.#silent = true
    this.#trend.reset()
  }

  #clamp(bitrateBps: number): number {
    return Math.min(this.#bounds.maxBps, Math.max(this.#bounds.minBps, bitrateBps))
  }
}
