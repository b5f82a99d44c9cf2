/**
 * Finds out whether the link carries more than we send, by short bursts of padding: at the start in
 * doubling steps, later when someone below would use more. One cluster at a time, measured by its
 * own arrivals.
 */

const CLUSTER_MS = 40
const CLUSTER_MS_MAX = 250
/** The engine asks for padding about this often. */
const TICK_MS = 10
/** A cluster with fewer bytes or packets says more about the clock than about the link. */
const CLUSTER_BYTES_MIN = 1200
const CLUSTER_PACKETS_MIN = 5
/** Planned for, since some are lost. */
const CLUSTER_PACKETS = 7
/** How long its arrivals are awaited beyond the RTT. */
const VERDICT_MS = 400
const STEP = 2
/** A cluster that arrived at this share of its target was not limited by the link. */
const FULL_SHARE = 0.75
const PAUSE_MS_MIN = 500
const PAUSE_MS = 2000
const PAUSE_MS_MAX = 5000
/**
 * Below this a burst has the same few packets whatever its rate: a slower one would be no smaller.
 */
const REACH_MIN_BPS = 150_000
/**
 * Whoever allocates wants some to spare before it takes a step up: so much must be known, and a
 * little more tried.
 */
const HEADROOM = 1.25
const HEADROOM_TRIED = 1.4
const REACH_MAX_BPS = 20_000_000

type Cluster = {
  targetBps: number
  durationMs: number
  startMs: number
  firstSequence: number
  nextSequence: number
  sentBytes: number
}

/** When a probe may be useful. */
export type ProbeOccasion = {
  estimateBps: number
  /** What everyone below would take. */
  wantedBps: number
  /** Of the packets sent of late. */
  meanBytes: number
  nowMs: number
}

/** One per transport. */
export class Prober {
  #cluster: Cluster | undefined
  /** True while padding is to be sent; after it the verdict is awaited. */
  #sending = false
  #sentUntilMs = 0
  #nextAtMs = 0
  #pauseMs = PAUSE_MS
  #bytes = 0
  #packets = 0
  #firstArrivedMs = 0
  #lastArrivedMs = 0
  #firstSizeBytes = 0

  /** Starts a cluster when one is due and useful. */
  consider({ estimateBps, wantedBps, meanBytes, nowMs }: ProbeOccasion): void {
    if (this.#cluster !== undefined) {
      if (!this.#sending && nowMs > this.#sentUntilMs + 5000) this.#cluster = undefined
      return
    }
    if (nowMs < this.#nextAtMs || wantedBps * HEADROOM <= estimateBps) return
    const reachBps = Math.max(estimateBps * STEP, REACH_MIN_BPS)
    const targetBps = Math.min(reachBps, wantedBps * HEADROOM_TRIED, REACH_MAX_BPS)
    // A slow cluster lasts longer, until its bytes say something.
    const sizeBytes = Math.max(CLUSTER_BYTES_MIN * 1.3, CLUSTER_PACKETS * meanBytes)
    const durationMs = Math.max(CLUSTER_MS, (sizeBytes * 8000) / targetBps)
    this.#cluster = {
      targetBps,
      durationMs: Math.min(CLUSTER_MS_MAX, durationMs),
      startMs: nowMs,
      firstSequence: -1,
      nextSequence: -1,
      sentBytes: 0,
    }
    this.#sending = true
    this.#sentUntilMs = nowMs
    this.#bytes = 0
    this.#packets = 0
  }

  /** A burst is being sent: ask for padding every 10 ms. */
  isSending(nowMs: number): boolean {
    const cluster = this.#cluster
    if (cluster === undefined || !this.#sending) return false
    if (nowMs - cluster.startMs < cluster.durationMs) return true
    this.#sending = false
    this.#sentUntilMs = nowMs
    return false
  }

  /**
   * Padding due now, bytes; what left as media during the burst counts towards its target, so that
   * it may be 0 although the burst goes on.
   */
  paddingBytes(nowMs: number): number {
    if (!this.isSending(nowMs)) return 0
    const cluster = this.#cluster!
    const elapsedMs = nowMs - cluster.startMs
    const dueBytes = (cluster.targetBps * (elapsedMs + TICK_MS)) / 8000
    return Math.max(0, dueBytes - cluster.sentBytes)
  }

  /** @hot Every packet that leaves, padding included. */
  onSent(sequence: number, sizeBytes: number, nowMs: number): void {
    const cluster = this.#cluster
    if (cluster === undefined || !this.isSending(nowMs)) return
    if (cluster.firstSequence < 0) cluster.firstSequence = sequence
    cluster.nextSequence = (sequence + 1) & 0xffff
    cluster.sentBytes += sizeBytes
  }

  /**
   * A packet was reported as arrived; true when it belongs to a burst, whose delay is of our own
   * making.
   */
  onArrived(sequence: number, sizeBytes: number, arrivedMs: number): boolean {
    const cluster = this.#cluster
    if (cluster === undefined || cluster.firstSequence < 0) return false
    const offset = (sequence - cluster.firstSequence) & 0xffff
    if (offset >= ((cluster.nextSequence - cluster.firstSequence) & 0xffff)) return false
    if (this.#packets === 0) {
      this.#firstArrivedMs = arrivedMs
      this.#firstSizeBytes = sizeBytes
    }
    this.#packets += 1
    this.#bytes += sizeBytes
    this.#lastArrivedMs = arrivedMs
    return true
  }

  /**
   * Bit/s that the last cluster proved, once, when its verdict is due; 0 = none due or nothing
   * proved. `rttMs` says how long to wait, `overusing` that the burst met a queue, `lossRatio` what
   * the link takes of anything.
   */
  verdictBps(
    nowMs: number,
    { rttMs, overusing, lossRatio }: { rttMs: number; overusing: boolean; lossRatio: number },
  ): number {
    const cluster = this.#cluster
    if (cluster === undefined || this.#sending) return 0
    if (nowMs < this.#sentUntilMs + rttMs + VERDICT_MS / 4) return 0
    const spanMs = Math.max(1, this.#lastArrivedMs - this.#firstArrivedMs)
    const enough = this.#packets >= CLUSTER_PACKETS_MIN && this.#bytes >= CLUSTER_BYTES_MIN
    const waiting = !enough && nowMs < this.#sentUntilMs + rttMs + VERDICT_MS
    if (waiting) return 0
    this.#cluster = undefined
    const arrivedBps = enough ? ((this.#bytes - this.#firstSizeBytes) * 8000) / spanMs : 0
    const provedBps = arrivedBps / (1 - lossRatio)
    const full = provedBps >= FULL_SHARE * cluster.targetBps && !overusing
    if (full) this.#pauseMs = PAUSE_MS
    else if (enough) this.#pauseMs = Math.min(PAUSE_MS_MAX, this.#pauseMs * 1.5)
    this.#nextAtMs = full ? nowMs : nowMs + this.#pauseMs
    return Math.min(provedBps, cluster.targetBps)
  }

  /** The path is new, or back after an outage: what was learned of it is old. */
  restart(nowMs: number): void {
    this.#cluster = undefined
    this.#sending = false
    this.#pauseMs = PAUSE_MS
    this.#nextAtMs = nowMs
  }

  /**
   * Congestion: end the burst and wait. What filled the queue may be gone as soon as it is empty.
   */
  stop(nowMs: number): void {
    this.#cluster = undefined
    this.#sending = false
    this.#nextAtMs = nowMs + PAUSE_MS_MIN
  }
}
