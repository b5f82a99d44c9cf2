/**
 * How unevenly datagrams come at the far end, as it tells their arrivals: interarrival jitter (RFC 3550 §6.4.1), with
 * the gain of its appendix A.8.
 */

const GAIN = 1 / 16

/** One per direction, at the end that sends. Clocks need not agree: only differences count. */
export class PathJitter {
  jitterMs = 0
  #transitMs = Number.NaN

  /** @hot In the order of sending; what was lost is left out. */
  onArrived(sentMs: number, arrivedMs: number): void {
    const transitMs = arrivedMs - sentMs
    const stepMs = Math.abs(transitMs - this.#transitMs)
    this.#transitMs = transitMs
    if (!Number.isNaN(stepMs)) this.jitterMs += (stepMs - this.jitterMs) * GAIN
  }
}
