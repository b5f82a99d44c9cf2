/**
 * What the engine counts, as plain numbers that the shell copies out: no names, no labels, no clock.
 */
import { createDropCounters } from '../rtp/index.ts'

/** Upper edges of the forwarding-latency buckets, microseconds; one more bucket holds the rest. */
export const LATENCY_EDGES_US: readonly number[] = [
  50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000,
]

/** Only ever grow (wrap at 2^53; `drops` at 2^32). */
export class EngineCounters {
  /** By DROP_CODE. Place 0 stays 0. */
  readonly drops = createDropCounters()
  packetsIn = 0
  bytesIn = 0
  packetsOut = 0
  bytesOut = 0
  rtcpIn = 0
  rtcpOut = 0
  /** Packets sent again in answer to NACK, by RTX or sealed again. */
  retransmitted = 0
  /** Padding-only packets sent as probes. */
  paddingOut = 0
  keyframesRequested = 0
  /** By LATENCY_EDGES_US: from arrival at the socket to the last copy handed to it. */
  readonly latencyBuckets = new Float64Array(LATENCY_EDGES_US.length + 1)
  latencySumUs = 0

  /** @hot Counted by the shell, which has the clock: once per packet that came in. */
  recordLatency(latencyUs: number): void {
    let bucket = 0
    while (bucket < LATENCY_EDGES_US.length && latencyUs > LATENCY_EDGES_US[bucket]!) bucket++
    this.latencyBuckets[bucket] = this.latencyBuckets[bucket]! + 1
    this.latencySumUs += latencyUs
  }

  drop(code: number): void {
    this.drops[code] = this.drops[code]! + 1
  }
}
