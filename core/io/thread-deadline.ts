/**
 * What the thread around a media worker or a trunk carrier owns: one timer for whatever is due next, how late it was,
 * and random numbers. Nothing is decided here.
 */
import { randomFillSync } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { systemClock } from './clock.ts'

/** What runs in the thread. */
export type Due = { nextDeadlineMs(): number; onDeadline(): void }

/**
 * Since the last figures: the longest delay of a due timer, and the share of the time in which the loop was not idle.
 */
export type DueFigures = { stallMs: number; cpuRatio: number }

/** One per thread. Call `arm` after each turn. */
export class Deadline {
  readonly #due: Due
  #timer: NodeJS.Timeout | undefined
  #armedMs = Number.POSITIVE_INFINITY
  #stallMs = 0
  #utilization = performance.eventLoopUtilization()

  constructor(due: Due) {
    this.#due = due
  }

  /** Moves the timer when something is due before it; firing too early costs less than moving it back. */
  arm(): void {
    const nextMs = this.#due.nextDeadlineMs()
    if (nextMs >= this.#armedMs) return
    clearTimeout(this.#timer)
    this.#armedMs = nextMs
    const waitMs = Math.max(0, Math.ceil(nextMs - systemClock.nowMs()))
    this.#timer = setTimeout(() => this.#fire(), waitMs)
  }

  takeFigures(): DueFigures {
    const before = this.#utilization
    this.#utilization = performance.eventLoopUtilization()
    const cpuRatio = performance.eventLoopUtilization(this.#utilization, before).utilization
    const stallMs = this.#stallMs
    this.#stallMs = 0
    return { stallMs, cpuRatio }
  }

  #fire(): void {
    const nowMs = systemClock.nowMs()
    this.#stallMs = Math.max(this.#stallMs, nowMs - this.#armedMs)
    this.#armedMs = Number.POSITIVE_INFINITY
    // It may have woken a fraction of a millisecond early.
    if (this.#due.nextDeadlineMs() <= nowMs) this.#due.onDeadline()
    this.arm()
  }
}

const randomWords = new Uint32Array(256)
let randomUsed = randomWords.length

/** Uniform; from the system, 256 at a time. */
export function randomUint32(): number {
  if (randomUsed === randomWords.length) {
    randomFillSync(randomWords)
    randomUsed = 0
  }
  return randomWords[randomUsed++]!
}
