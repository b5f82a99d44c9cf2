/**
 * The estimate of one direction of a trunk: the path estimator of the media core, with bounds of a
 * trunk, and the figures that repair and operators need of the path.
 */
import {
  TRUNK_ESTIMATE_MAX_BPS,
  TRUNK_ESTIMATE_MIN_BPS,
  TRUNK_ESTIMATE_START_BPS,
} from '../../config/limits.ts'
import { PathEstimator } from '../../core/media/bandwidth/index.ts'
import type { PathState, TrunkEstimator } from './contract.ts'

const BOUNDS = {
  startBps: TRUNK_ESTIMATE_START_BPS,
  minBps: TRUNK_ESTIMATE_MIN_BPS,
  maxBps: TRUNK_ESTIMATE_MAX_BPS,
}
/** The path estimator counts modulo a power of two. */
const SEQUENCE_MASK = 0x7fff_ffff
/** Nobody keeps a feedback longer. */
const HELD_MS_MAX = 10_000

/** A fresh estimator at the documented starting rate. */
export function createTrunkEstimator(nowMs: number): TrunkEstimator {
  return new PathOfTrunk(nowMs)
}

class PathOfTrunk implements TrunkEstimator {
  readonly #path: PathEstimator
  readonly #state: PathState = {
    rttMs: 0,
    queueDelayMs: 0,
    lossRatio: 0,
    lossBaseline: 0,
    lossBurst: 1,
    competing: false,
  }

  constructor(nowMs: number) {
    this.#path = new PathEstimator(BOUNDS, nowMs)
  }

  /** @hot */
  onSent(sequence: number, sizeBytes: number, nowMs: number): void {
    this.#path.onSent(sequence & SEQUENCE_MASK, sizeBytes, nowMs)
  }

  /** @hot */
  onArrived(sequence: number, arrivedMs: number): void {
    // One figure that is none would spoil every mean that it enters.
    if (Math.abs(arrivedMs) <= Number.MAX_SAFE_INTEGER)
      this.#path.onArrived(sequence & SEQUENCE_MASK, arrivedMs)
  }

  /** @hot */
  onLost(sequence: number): void {
    this.#path.onLost(sequence & SEQUENCE_MASK)
  }

  onFeedbackEnd(heldMs: number, nowMs: number): void {
    const isSane = heldMs >= 0 && heldMs <= HELD_MS_MAX
    this.#path.onFeedbackEnd(isSane ? heldMs : 0, nowMs)
  }

  onDemand(sentBps: number, wantedBps: number, nowMs: number): void {
    this.#path.onDemand(sentBps, wantedBps, nowMs)
  }

  availableBps(nowMs: number): number {
    return this.#path.availableBps(nowMs)
  }

  isProbing(nowMs: number): boolean {
    return this.#path.isProbing(nowMs)
  }

  probeBytes(nowMs: number): number {
    return this.#path.probeBytes(nowMs)
  }

  state(): PathState {
    const state = this.#state
    state.rttMs = this.#path.rttMs
    state.queueDelayMs = this.#path.queue.queueMs
    state.lossRatio = this.#path.losses.lossRatio
    state.lossBaseline = this.#path.baseline.baseline
    state.lossBurst = this.#path.losses.burst
    state.competing = this.#path.competition.isThere
    return state
  }
}
