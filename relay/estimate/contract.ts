/**
 * What a trunk end tells the estimator of one direction, and what it asks. Pure: one per trunk and
 * direction, at the end that sends. The unit of all rates and sizes is the wire's: IPv4 and UDP
 * headers included, for on a thin link they are a good part of what is sent.
 */

/** Created with `createTrunkEstimator(nowMs)`. None of it throws. */
export interface TrunkEstimator {
  /**
   * @hot A datagram left, of media or padding. `sequence`: the trunk's own, ascending by 1, up to 2
   * ** 48. `sizeBytes` on the wire, headers of IP and UDP included.
   */
  onSent(sequence: number, sizeBytes: number, nowMs: number): void
  /**
   * @hot The far end has it since `arrivedMs` of its own clock: monotonic, fractions count, its
   * zero is of no interest but must stay the same. Tell in the order of `sequence` within one
   * feedback. Only the first fate of a datagram counts.
   */
  onArrived(sequence: number, arrivedMs: number): void
  /**
   * @hot The far end has later ones but not this one. Tell it in its place among the arrived ones:
   * runs are counted.
   */
  onLost(sequence: number): void
  /**
   * One feedback was told to its end: the estimate is renewed now, not before. `heldMs`: how long
   * the far end kept it after the newest datagram in it had arrived, so that the rest is the round
   * trip; 0 when unknown.
   */
  onFeedbackEnd(heldMs: number, nowMs: number): void
  /**
   * About four times a second: bit/s sent of late, and what would be sent were the link free.
   * Nothing is probed that nobody wants.
   */
  onDemand(sentBps: number, wantedBps: number, nowMs: number): void
  /**
   * What may be sent in all, padding and headers included, bit/s; never 0 or NaN. Ask at each
   * pacing turn.
   */
  availableBps(nowMs: number): number
  /** A burst of padding is under way: ask for it every 10 ms. */
  isProbing(nowMs: number): boolean
  /**
   * Padding to send now, bytes; while `isProbing`, ask about every 10 ms and send at once, beside
   * the pacer, in datagrams of at least 60 bytes that pass `onSent`. 0 most of the time.
   */
  probeBytes(nowMs: number): number
  /** What is known of the path now. The object is reused. */
  state(): PathState
}

/** Of one direction. */
export type PathState = {
  /** Round trip, queues included, smoothed. */
  rttMs: number
  /**
   * Wait in queues on the way there: one-way delay above the least of the last minute, smoothed.
   */
  queueDelayMs: number
  /** 0..1, of the last half second to 3 s: as long as fifty datagrams take. */
  lossRatio: number
  /** What this link loses whatever is sent, as learned; 0..0.35. */
  lossBaseline: number
  /** Mean length of runs of lost datagrams, over the last fifty runs or so; 1 at first. */
  lossBurst: number
  /**
   * Something else fills the link's queue (a download): the estimate goes by loss, not by delay.
   */
  competing: boolean
}
