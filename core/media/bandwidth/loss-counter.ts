/**
 * The losses of one path: intervals long enough to mean something, runs, and apart from these what
 * was lost while a queue stood, which may be its overflow. Counts only; loss-baseline.ts and
 * path-estimator.ts judge.
 */

const INTERVAL_MS = 500
const INTERVAL_MS_MAX = 3000
export const INTERVAL_PACKETS = 50
/** Weight of one run of losses, when there were many. */
const RUN_SHARE = 0.02
/** So many packets beside a queue without one too many lost, and they are forgotten. */
const QUEUED_PACKETS = 100

/** One per path. */
export class LossCounter {
  /** Mean length of runs of lost packets, >= 1. */
  burst = 1
  /** Of the last interval, 0..1, and the packets that it stands on. */
  lossRatio = 0
  packets = 0
  #fromMs: number
  #expected = 0
  #lost = 0
  #queuedExpected = 0
  #queuedLost = 0
  #run = 0
  #runs = 0

  constructor(nowMs: number) {
    this.#fromMs = nowMs
  }

  /** @hot The fate of the next packet. */
  onFate(isLost: boolean, isQueued: boolean): void {
    const lost = isLost ? 1 : 0
    if (isQueued) {
      this.#queuedExpected += 1
      this.#queuedLost += lost
    } else {
      this.#expected += 1
      this.#lost += lost
    }
    if (isLost) this.#run += 1
    else if (this.#run > 0) this.#endRun()
  }

  /** True when an interval has just ended: `lossRatio` and `packets` are of it. */
  close(nowMs: number): boolean {
    const elapsedMs = nowMs - this.#fromMs
    const few = this.#expected < INTERVAL_PACKETS && elapsedMs < INTERVAL_MS_MAX
    if (elapsedMs < INTERVAL_MS || few || this.#expected === 0) return false
    this.lossRatio = this.#lost / this.#expected
    this.packets = this.#expected
    this.restart(nowMs)
    return true
  }

  /** What was lost until now says nothing. */
  restart(nowMs: number): void {
    this.#fromMs = nowMs
    this.#expected = 0
    this.#lost = 0
  }

  /** Once for each overflow: more was lost beside a queue than `baseline`, 0..1, explains. */
  takeOverflow(baseline: number): boolean {
    const expected = this.#queuedExpected
    const noise = 2 * Math.sqrt(expected * baseline * (1 - baseline))
    const isOverflow = this.#queuedLost > expected * baseline + noise
    if (!isOverflow && expected < QUEUED_PACKETS) return false
    this.#queuedExpected = 0
    this.#queuedLost = 0
    return isOverflow
  }

  #endRun(): void {
    this.#runs += 1
    this.burst += Math.max(RUN_SHARE, 1 / this.#runs) * (this.#run - this.burst)
    this.#run = 0
  }
}
