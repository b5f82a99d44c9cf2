/**
 * The one place that reads clocks. Engines take `nowMs` as an argument; the shell takes a Clock, so that tests can
 * hand over a virtual one. Not a timer: timers belong to whoever owns a deadline.
 */
import { performance } from 'node:perf_hooks'

export type Clock = {
  /** Monotonic milliseconds with a fraction; only differences mean something. Never steps. */
  nowMs(): number
  /** Milliseconds since the Unix epoch; may step when the operator sets the clock. */
  wallMs(): number
}

/** The clock of this process. `nowMs` counts from its start, in every thread alike: times may cross threads. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
}
