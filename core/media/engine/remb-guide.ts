/**
 * What to tell a publisher that has no transport-wide feedback (REMB): by the loss that we see,
 * after draft-ietf-rmcat-gcc-02 §6 on the receiver's side. Not used for anyone who can measure
 * delay.
 */

const START_BPS = 1_000_000
const MIN_BPS = 60_000
const MAX_BPS = 4_000_000
const LOSS_LOW = 0.02
const LOSS_HIGH = 0.1
const GROWTH = 1.08
/** Further ahead of what arrives a figure means nothing. */
const AHEAD = 2

/** One per publisher that needs it; 60 kbit/s to 4 Mbit/s. */
export class RembGuide {
  bitrateBps = START_BPS

  /** Once per report interval of about a second. */
  update(lossRatio: number, receivedBps: number): number {
    let bps = this.bitrateBps
    if (lossRatio > LOSS_HIGH) bps = Math.min(bps, receivedBps) * (1 - lossRatio / 2)
    else if (lossRatio < LOSS_LOW) bps = Math.min(bps * GROWTH, receivedBps * AHEAD + START_BPS)
    this.bitrateBps = Math.max(MIN_BPS, Math.min(MAX_BPS, Math.round(bps)))
    return this.bitrateBps
  }
}
