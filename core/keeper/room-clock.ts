/**
 * From a track's RTP timestamps to room time: Unix ms by this node. The sender's reports tell it when they are known
 * (so that voice and picture of one participant fit), else the arrival does; from one segment to the next the media
 * clock leads, so that they join.
 */
import type { SourceClock } from '../media/forward/index.ts'

/** A report that is this far from the arrival is not believed. */
const CLOCK_ERROR_MS_MAX = 10_000
/** Beyond this the media clock has lost touch, and the segment begins where it is measured. */
const REPORTED_STEP_MS_MAX = 150
const ARRIVED_STEP_MS_MAX = 500
/** How much of a smaller difference is made good per segment. */
const REPORTED_SLEW = 0.05
const ARRIVED_SLEW = 0.02

export type Arrival = {
  timestamp: number
  /** Monotonic. */
  arrivalMs: number
  /** Unix time minus monotonic time now. */
  wallOffsetMs: number
}

/** One per track. */
export class RoomClock {
  readonly #clockRate: number
  #lastMs = Number.NaN
  #lastTimestamp = 0

  constructor(clockRate: number) {
    this.#clockRate = clockRate
  }

  /** The source has begun anew. */
  restart(): void {
    this.#lastMs = Number.NaN
  }

  /** Room time of the first frame of a segment; in the order of segments. */
  startOf({ timestamp, arrivalMs, wallOffsetMs }: Arrival, clock: SourceClock): number {
    const reportedMs = clock.isKnown ? clock.ntpMsAt(timestamp) : Number.NaN
    const isReported = Math.abs(reportedMs - arrivalMs) < CLOCK_ERROR_MS_MAX
    const measuredMs = (isReported ? reportedMs : arrivalMs) + wallOffsetMs
    const ticks = (timestamp - this.#lastTimestamp) | 0
    const predictedMs = this.#lastMs + (ticks / this.#clockRate) * 1_000
    const error = measuredMs - predictedMs
    const isNear = Math.abs(error) < (isReported ? REPORTED_STEP_MS_MAX : ARRIVED_STEP_MS_MAX)
    const slew = isReported ? REPORTED_SLEW : ARRIVED_SLEW
    this.#lastMs = isNear ? predictedMs + error * slew : measuredMs
    this.#lastTimestamp = timestamp
    return this.#lastMs
  }
}
