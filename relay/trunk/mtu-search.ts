/**
 * The largest datagram that the path carries, found by padded probes (RFC 8899: DPLPMTUD) between
 * 1,200 and 1,452 bytes of UDP payload, and given up again when large datagrams alone vanish. Below
 * 1,200 only when even those do.
 */
import {
  TRUNK_DATAGRAM_BYTES_MAX,
  TRUNK_DATAGRAM_BYTES_MIN,
  TRUNK_DATAGRAM_BYTES_START,
} from '../../config/limits.ts'

/** Steps worth a probe: tunnels and DSL on the way up, IPv6's least and below on the way down. */
const SIZES = [
  TRUNK_DATAGRAM_BYTES_MIN,
  1_000,
  TRUNK_DATAGRAM_BYTES_START,
  1_352,
  1_400,
  TRUNK_DATAGRAM_BYTES_MAX,
]
const FIRST = SIZES.indexOf(TRUNK_DATAGRAM_BYTES_START)
/** RFC 8899 §5.1.2: MAX_PROBES. */
const TRIES = 3
const FIRST_MS = 2_000
const PAUSE_MS = 1_000
/** RFC 8899 §5.1.1: PMTU_RAISE_TIMER. */
const RAISE_MS = 600_000
/** So many large datagrams lost in a row, while small ones come, are a black hole. */
const BLACK_HOLE = 6

/** One per direction, at the end that sends. */
export class MtuSearch {
  #step = FIRST
  #tries = 0
  #probeIndex = -1
  #nextMs: number
  /** Lost in a row, while none as large came; the least of them. */
  #largeLost = 0
  #leastLostBytes = Number.POSITIVE_INFINITY
  #smallCame = 0

  constructor(nowMs: number) {
    this.#nextMs = nowMs + FIRST_MS
  }

  /** Bytes of UDP payload that a datagram may have now. */
  get datagramBytes(): number {
    return SIZES[this.#step]!
  }

  /** Size of the probe that is due, 0 = none. */
  probeBytes(nowMs: number): number {
    if (this.#probeIndex >= 0 || nowMs < this.#nextMs || this.#step + 1 >= SIZES.length) return 0
    return SIZES[this.#step + 1]!
  }

  deadlineMs(): number {
    return this.#step + 1 < SIZES.length && this.#probeIndex < 0
      ? this.#nextMs
      : Number.POSITIVE_INFINITY
  }

  onProbeSent(index: number): void {
    this.#probeIndex = index
  }

  /** The path is too thin for probes to be worth it now. */
  postpone(nowMs: number): void {
    this.#nextMs = nowMs + PAUSE_MS
  }

  /** @hot A datagram's fate. Lost ones are told once. */
  onFate(index: number, sizeBytes: number, came: boolean, nowMs: number): void {
    if (index === this.#probeIndex) {
      this.#probeIndex = -1
      if (came) this.#onProbeCame(nowMs)
      else this.#onProbeLost(nowMs)
      return
    }
    if (came) {
      if (sizeBytes >= this.#leastLostBytes) this.#forgetLosses()
      else this.#smallCame += 1
    } else if (sizeBytes > SIZES[0]!) {
      if (this.#largeLost === 0) this.#smallCame = 0
      this.#largeLost += 1
      this.#leastLostBytes = Math.min(this.#leastLostBytes, sizeBytes)
      if (this.#largeLost >= BLACK_HOLE && this.#smallCame >= BLACK_HOLE / 2) this.#fall(nowMs)
    }
  }

  #onProbeCame(nowMs: number): void {
    this.#step += 1
    this.#tries = 0
    this.#forgetLosses()
    this.#nextMs = nowMs + PAUSE_MS
  }

  #onProbeLost(nowMs: number): void {
    this.#tries += 1
    const isOver = this.#tries >= TRIES
    if (isOver) this.#tries = 0
    this.#nextMs = nowMs + (isOver ? RAISE_MS : PAUSE_MS)
  }

  /** To the largest size below all that were lost. */
  #fall(nowMs: number): void {
    while (this.#step > 0 && SIZES[this.#step]! >= this.#leastLostBytes) this.#step -= 1
    this.#forgetLosses()
    this.#tries = 0
    this.#nextMs = nowMs + RAISE_MS
  }

  #forgetLosses(): void {
    this.#largeLost = 0
    this.#leastLostBytes = Number.POSITIVE_INFINITY
  }
}
