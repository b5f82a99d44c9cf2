/**
 * How much a link loses and in how long runs, from each datagram's fate in order: what the repair's plan is
 * made from (a Gilbert model has just these two parameters). Not what the bandwidth estimate needs.
 */

/** Weight of one datagram: the last thousand or so count. */
const SMOOTHING = 1 / 1_000
/** The first ones count more, so that a bad link is known within a second. */
const SMOOTHING_AT_START = 1 / 100

/** Exponentially weighted; no state but numbers. */
export class LossMeter {
  #lost = 0
  #runs = 0
  #weight = 0
  #wasLost = false

  /** Share of lost datagrams, 0..1; 0 before the first. */
  get lossRatio(): number {
    return this.#weight === 0 ? 0 : this.#lost / this.#weight
  }

  /** Mean length of runs of lost datagrams; 1 when none was lost. */
  get lossBurst(): number {
    return this.#runs < 1e-6 ? 1 : Math.max(1, this.#lost / this.#runs)
  }

  /** @hot The fate of the next datagram in order of index. */
  onDatagram(isLost: boolean): void {
    const weightAfter = this.#weight + 1
    const smoothing = Math.max(SMOOTHING, Math.min(SMOOTHING_AT_START, 1 / weightAfter))
    const keep = 1 - smoothing
    const isRun = isLost && !this.#wasLost
    this.#lost = this.#lost * keep + (isLost ? 1 : 0)
    this.#runs = this.#runs * keep + (isRun ? 1 : 0)
    this.#weight = this.#weight * keep + 1
    this.#wasLost = isLost
  }
}
