/**
 * What the far end says of our datagrams: each fate goes to the estimator once, oldest first, and
 * to the search for the largest datagram. Not a reckoning of rates (relay/estimate).
 */
import { TRUNK_IP_UDP_BYTES, TRUNK_SENT_LOG } from '../../config/limits.ts'
import type { TrunkEstimator } from '../estimate/index.ts'
import type { LossMeter } from '../repair/index.ts'
import { FEEDBACK_TICKS_PER_MS, FeedbackReader, nearest24, type WireReader } from '../wire/index.ts'
import type { MtuSearch } from './mtu-search.ts'
import type { PathJitter } from './path-jitter.ts'
import type { ProvenRate } from './proven-rate.ts'
import { FATE_ARRIVED, FATE_LOST, FATE_UNKNOWN, type SentLog } from './sent-log.ts'

/** The newest few may only have been overtaken: they are told of again. */
const REORDERED_MAX = 3
const LOST = Number.NaN

export type FeedbackParts = {
  sent: SentLog
  mtu: MtuSearch
  estimator: TrunkEstimator
  meter: LossMeter
  proven: ProvenRate
  jitter: PathJitter
}

/** One per end. */
export class FeedbackIntake {
  readonly #sent: SentLog
  readonly #mtu: MtuSearch
  readonly #estimator: TrunkEstimator
  readonly #meter: LossMeter
  readonly #proven: ProvenRate
  readonly #jitter: PathJitter
  readonly #reader = new FeedbackReader()
  /** Arrival in ticks by distance from the newest, NaN = did not come. */
  readonly #ticks = new Float64Array(TRUNK_SENT_LOG)
  #newestTicks = -1
  #highest = -1

  constructor(parts: FeedbackParts) {
    this.#sent = parts.sent
    this.#mtu = parts.mtu
    this.#estimator = parts.estimator
    this.#meter = parts.meter
    this.#proven = parts.proven
    this.#jitter = parts.jitter
  }

  /** Body of a FEEDBACK; false when it is malformed or tells of what was never sent. */
  read(reader: WireReader, nowMs: number): boolean {
    const feedback = this.#reader
    if (!feedback.begin(reader)) return false
    const newest = nearest24(this.#sent.nextIndex - 1, feedback.newestLow)
    if (this.#sent.fate(newest) === FATE_UNKNOWN) return false
    const newestTicks = this.#unwrap(feedback.newestLowTicks)
    const count = this.#collect(newest, newestTicks)
    for (let behind = count - 1; behind >= 0; behind--) {
      const ticks = this.#ticks[behind]!
      if (!Number.isNaN(ticks)) this.#settle(newest - behind, ticks, nowMs)
      else if (behind >= REORDERED_MAX) this.#settle(newest - behind, LOST, nowMs)
    }
    // An overtaken feedback says nothing new of the round trip.
    const isNewest = newest > this.#highest
    if (isNewest) this.#highest = newest
    this.#estimator.onFeedbackEnd(isNewest ? feedback.heldTicks / FEEDBACK_TICKS_PER_MS : 0, nowMs)
    return !reader.failed
  }

  /** How many indexes it tells of, the newest included. */
  #collect(newest: number, newestTicks: number): number {
    const feedback = this.#reader
    const ticks = this.#ticks
    const most = Math.min(TRUNK_SENT_LOG, newest + 1)
    ticks[0] = newestTicks
    let count = 1
    while (count < most && feedback.next()) {
      const until = Math.min(most, count + feedback.count)
      for (; count < until; count++) {
        ticks[count] = feedback.came ? newestTicks - feedback.ticksBefore : LOST
      }
    }
    return count
  }

  /** @hot */
  #settle(index: number, ticks: number, nowMs: number): void {
    const came = !Number.isNaN(ticks)
    const isFirst = this.#sent.fate(index) !== FATE_LOST
    if (!this.#sent.settle(index, came ? FATE_ARRIVED : FATE_LOST)) return
    if (isFirst) this.#meter.onDatagram(!came)
    const sizeBytes = this.#sent.sizeBytes(index)
    if (came) {
      this.#proven.onArrived(ticks / FEEDBACK_TICKS_PER_MS, sizeBytes + TRUNK_IP_UDP_BYTES)
      this.#estimator.onArrived(index, ticks / FEEDBACK_TICKS_PER_MS)
      this.#jitter.onArrived(this.#sent.sentMs(index), ticks / FEEDBACK_TICKS_PER_MS)
    } else this.#estimator.onLost(index)
    this.#mtu.onFate(index, sizeBytes, came, nowMs)
  }

  #unwrap(lowTicks: number): number {
    const near = this.#newestTicks
    const ticks = near < 0 ? 0x100_0000 + lowTicks : nearest24(near, lowTicks)
    if (ticks > near) this.#newestTicks = ticks
    return ticks
  }
}
