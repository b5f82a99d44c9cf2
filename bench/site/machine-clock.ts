/**
 * The clock that all processes of one machine share (CLOCK_MONOTONIC), so that one load process can
 * time what another sent. Not wall time: never set, never sent to a server.
 */

/** What to add to `performance.now()`, which begins anew in every process. */
const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now()

/**
 * Milliseconds of the machine's clock for a `performance.now()` of this process; fractions count.
 */
export function machineMs(nowMs: number): number {
  return nowMs + OFFSET_MS
}
