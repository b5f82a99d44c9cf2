/**
 * A line: both directions of one link, shared by everything that goes over it, with the timetable
 * of what happens to it. Pure: time comes in, cargo arrives by its own method, and the next
 * deadline goes out.
 */
import { Link } from './link.ts'
import { type LinkProfile, PROFILES } from './profiles.ts'
import { mergeSettings } from './settings.ts'
import type { LineChange, LinkDirection } from './timetable.ts'

/** What travels: a datagram, a segment, an acknowledgement. `atMs` is its time by schedule. */
export type Cargo = { arrive: (atMs: number) => void }

export type LineOptions = {
  profile: LinkProfile
  /** Sorted by time; `atMs` counts from `startMs`. */
  timetable: readonly LineChange[]
  /** 32 bits; each direction has its own sequence made from it. */
  seed: number
  startMs: number
  /** Called for each change after it was made, in time order. */
  onChange: (change: LineChange) => void
}

/**
 * Throws a RangeError when the timetable leads to settings that cannot be, such as a rate without a
 * queue.
 */
export class Line {
  readonly down: Link<Cargo>
  readonly up: Link<Cargo>
  readonly #options: LineOptions
  #next = 0

  constructor(options: LineOptions) {
    const { profile, seed, timetable } = options
    rehearse(profile, timetable)
    this.#options = options
    this.down = new Link(profile.down, seed)
    // Any constant that is not 0: the directions must not lose the same packets.
    this.up = new Link(profile.up, (seed ^ 0x5bd1e995) >>> 0)
  }

  /** When `advance` has something to do next; Infinity when never. */
  nextDeadlineMs(): number {
    const change = this.#options.timetable[this.#next]
    const changeMs =
      change === undefined ? Number.POSITIVE_INFINITY : this.#options.startMs + change.atMs
    return Math.min(changeMs, this.down.nextDeadlineMs(), this.up.nextDeadlineMs())
  }

  /**
   * Makes the changes that are due, each at its own time, and lets arrive what has arrived by then.
   */
  advance(nowMs: number): void {
    const { timetable, startMs } = this.#options
    for (;;) {
      const change = timetable[this.#next]
      if (change === undefined || startMs + change.atMs > nowMs) break
      this.#next += 1
      this.#deliver(startMs + change.atMs)
      this.apply(change, startMs + change.atMs)
    }
    this.#deliver(nowMs)
  }

  /**
   * Changes the line now, outside the timetable. Throws a RangeError, with nothing changed, when it
   * cannot be.
   */
  apply(change: LineChange, nowMs: number): void {
    const steps = change.directions.map((direction) => ({
      link: this[direction],
      settings: settingsOf(change, direction),
    }))
    for (const { link, settings } of steps) mergeSettings(link.settings, settings)
    for (const { link, settings } of steps) link.change(settings, nowMs)
    this.#options.onChange(change)
  }

  #deliver(nowMs: number): void {
    this.down.poll(nowMs, arrive)
    this.up.poll(nowMs, arrive)
  }
}

function arrive(cargo: Cargo, atMs: number): void {
  cargo.arrive(atMs)
}

/** A profile replaces everything but whether the line is up. */
function settingsOf({ profile, settings }: LineChange, direction: LinkDirection) {
  if (profile === undefined) return settings
  const { up: _, ...whole } = { burstLoss: undefined, ...PROFILES[profile][direction] }
  return { ...whole, ...settings }
}

function rehearse(profile: LinkProfile, timetable: readonly LineChange[]): void {
  const current = { down: profile.down, up: profile.up }
  for (const change of timetable) {
    for (const direction of change.directions) {
      try {
        current[direction] = mergeSettings(current[direction], settingsOf(change, direction))
      } catch (error) {
        throw new RangeError(`at ${change.atMs} ms, ${direction}: ${(error as Error).message}`)
      }
    }
  }
}
