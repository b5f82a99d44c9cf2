/**
 * Forwarding latency: from the socket's callback to the send call, in buckets that merge by addition. The kernel's
 * own queues are not in it. The clock is read for one send in eight: the others are counted with it.
 */
import type { Clock } from './clock.ts'

/** Upper edges in microseconds; one more bucket takes what is above. */
export const LATENCY_BUCKETS_US = [
  50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 102_400,
] as const

const SENDS_PER_READING = 8

/** One per worker; `counts` only ever grow. */
export class LatencyHistogram {
  readonly #clock: Clock
  /** Counts by bucket (not cumulative), the last one for all above; then the sum in ms. Cumulative since start. */
  readonly counts = new Float64Array(LATENCY_BUCKETS_US.length + 2)
  #startMs = -1
  #pending = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @hot A datagram has come in at `nowMs`; what is sent from now on is measured from it. */
  begin(nowMs: number): void {
    this.#startMs = nowMs
  }

  /** What is sent from now on answers a timer or a command and is not measured. */
  pause(): void {
    this.#flush()
    this.#startMs = -1
  }

  /** @hot So many packets have just been given to the socket. */
  sent(count: number): void {
    this.#pending += count
    if (this.#pending >= SENDS_PER_READING) this.#flush()
  }

  /** Counts what waits, at the end of a burst. */
  #flush(): void {
    const count = this.#pending
    this.#pending = 0
    if (count === 0 || this.#startMs < 0) return
    const latencyMs = this.#clock.nowMs() - this.#startMs
    const latencyUs = latencyMs * 1000
    let bucket = 0
    while (bucket < LATENCY_BUCKETS_US.length && latencyUs > LATENCY_BUCKETS_US[bucket]!) bucket++
    this.counts[bucket]! += count
    this.counts[LATENCY_BUCKETS_US.length + 1]! += count * latencyMs
  }
}
