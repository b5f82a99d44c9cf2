/**
 * Hybrid logical time (Kulkarni et al. 2014) in one safe integer: milliseconds since 2020 times
 * 4096, plus a counter. It lasts until 2089. Deliberately not a source of time: the wall clock is
 * an argument and may step either way.
 */
import { CLOCK_AHEAD_MS_MAX } from '../../config/limits.ts'

const EPOCH_MS = 1_577_836_800_000
const TICKS_PER_MS = 4096

/** Smallest hybrid time of a Unix ms, at least 0. */
export function hybridTime(wallMs: number): number {
  return Math.max(0, Math.floor(wallMs) - EPOCH_MS) * TICKS_PER_MS
}

/** Unix ms of a hybrid time. */
export function wallMsOfTime(time: number): number {
  return Math.floor(time / TICKS_PER_MS) + EPOCH_MS
}

/** Hands out strictly growing times that follow the wall clock and everything observed. */
export class HybridClock {
  #last: number

  /** `last` is the highest time already used or seen (0 when none). */
  constructor(last: number) {
    this.#last = last
  }

  /** A time greater than all before, whatever the wall clock does. */
  tick(wallMs: number): number {
    this.#last = Math.max(this.#last + 1, hybridTime(wallMs))
    return this.#last
  }

  /** Takes note of another node's time; false, and not followed, when it is CLOCK_AHEAD_MS_MAX ahead of us. */
  observe(time: number, wallMs: number): boolean {
    if (wallMsOfTime(time) > wallMs + CLOCK_AHEAD_MS_MAX) return false
    this.#last = Math.max(this.#last, time)
    return true
  }
}
