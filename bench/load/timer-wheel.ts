/**
 * Time for thousands of sites with one timer: tasks lie in slots of a few milliseconds, and whoever
 * holds the clock calls `advance`. Knows no clock itself; a task that is due later than one turn
 * stays where it is until its turn comes.
 */
const SLOT_MS = 4
const SLOTS = 1024

/** Does what is due and returns when it is due again, ms; NEVER ends it. */
export type Task = (nowMs: number) => number

export const NEVER = Number.POSITIVE_INFINITY

type Entry = { dueMs: number; run: Task; cancelled: boolean }

/** Something that was added, to be taken out again. */
export type Ticket = { cancel: () => void }

/** One per process. `nowMs` is the same clock in all calls and never goes back. */
export class TimerWheel {
  readonly #slots: Entry[][] = Array.from({ length: SLOTS }, () => [])
  /** Number of the next slot to look at, counted from the clock's zero. */
  #next: number
  #running: Entry[] = []
  size = 0
  /** Of the latest `advance`. */
  nowMs: number

  constructor(nowMs: number) {
    this.nowMs = nowMs
    this.#next = Math.floor(nowMs / SLOT_MS)
  }

  /** Runs `run` once it is `dueMs`, and then whenever it says. */
  add(dueMs: number, run: Task): Ticket {
    const entry: Entry = { dueMs, run, cancelled: false }
    this.size += 1
    this.#place(entry)
    return {
      cancel: () => {
        entry.cancelled = true
      },
    }
  }

  /** When to call `advance` next, ms: the end of the slot that comes. */
  nextDeadlineMs(): number {
    return (this.#next + 1) * SLOT_MS
  }

  /** Runs what was due in the slots that are over by `nowMs`, in order of slots. */
  advance(nowMs: number): void {
    this.nowMs = nowMs
    const end = Math.floor(nowMs / SLOT_MS)
    // After a long sleep each slot is looked at once.
    if (end - this.#next > SLOTS) this.#next = end - SLOTS
    while (this.#next < end) {
      const index = this.#next % SLOTS
      this.#next += 1
      this.#runSlot(index, nowMs)
    }
  }

  #runSlot(index: number, nowMs: number): void {
    const due = this.#slots[index] as Entry[]
    if (due.length === 0) return
    this.#slots[index] = this.#running
    this.#running = due
    for (const entry of due) {
      if (!entry.cancelled && entry.dueMs <= nowMs) entry.dueMs = entry.run(nowMs)
      if (entry.cancelled || entry.dueMs === NEVER) this.size -= 1
      else this.#place(entry)
    }
    due.length = 0
  }

  #place(entry: Entry): void {
    const slot = Math.max(Math.floor(entry.dueMs / SLOT_MS), this.#next)
    ;(this.#slots[slot % SLOTS] as Entry[]).push(entry)
  }
}
