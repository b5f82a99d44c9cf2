/**
 * How much of the loss is ours? A radio or satellite link loses 10-20 % whatever we send, and textbook congestion
 * control walks to its floor there. So a baseline is learned: it follows falling loss at once, and rises slowly
 * while loss persists although we do not push and no queue grows. Only what exceeds it counts against the rate.
 */

/** The baseline never excuses more than this. */
const BASELINE_MAX = 0.3
/** Loss below this is nobody's fault. */
const TOLERANCE = 0.02
const FALL = 0.5
/** Time constant of the rise. */
const RISE_MS = 4000

/** One per transport (and one for receiver reports alone). */
export class LossBaseline {
  /** Learned ratio, 0..0.3. */
  baseline = 0

  /** Ratio by which `lossRatio` (0..1) exceeds what this path loses anyway; 0 = harmless. */
  excess(lossRatio: number): number {
    return Math.max(0, lossRatio - Math.max(this.baseline, 0) - TOLERANCE)
  }

  /** Learns from one interval. `pushing`: the rate rose or a queue grew, so the loss may be our own. */
  learn(
    lossRatio: number,
    { intervalMs, pushing }: { intervalMs: number; pushing: boolean },
  ): void {
    if (lossRatio < this.baseline) {
      this.baseline += FALL * (lossRatio - this.baseline)
    } else if (!pushing) {
      const share = 1 - Math.exp(-intervalMs / RISE_MS)
      this.baseline = Math.min(BASELINE_MAX, this.baseline + share * (lossRatio - this.baseline))
    }
  }
}
