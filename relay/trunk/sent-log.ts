/**
 * What became of each datagram that we sent, by its index: a fixed ring, for feedback to be matched
 * against.
 */
import { TRUNK_SENT_LOG } from '../../config/limits.ts'

export const FATE_UNKNOWN = 0
const FATE_SENT = 1
export const FATE_ARRIVED = 2
export const FATE_LOST = 3

/** Index 0 is the first datagram. */
export class SentLog {
  readonly #sentMs = new Float64Array(TRUNK_SENT_LOG)
  readonly #sizes = new Uint16Array(TRUNK_SENT_LOG)
  readonly #fates = new Uint8Array(TRUNK_SENT_LOG)
  /** Of the next datagram. */
  nextIndex = 0

  /** @hot Takes the next index. `sizeBytes` of UDP payload. */
  add(sizeBytes: number, nowMs: number): number {
    const index = this.nextIndex
    this.#sentMs[index % TRUNK_SENT_LOG] = nowMs
    this.#sizes[index % TRUNK_SENT_LOG] = sizeBytes
    this.#fates[index % TRUNK_SENT_LOG] = FATE_SENT
    this.nextIndex = index + 1
    return index
  }

  /** @hot FATE_UNKNOWN when it was never sent or is forgotten. */
  fate(index: number): number {
    if (index < 0 || index >= this.nextIndex || index < this.nextIndex - TRUNK_SENT_LOG) {
      return FATE_UNKNOWN
    }
    return this.#fates[index % TRUNK_SENT_LOG]!
  }

  /**
   * @hot The first fate counts, but what was thought lost may still arrive; false when nothing
   * changed.
   */
  settle(index: number, fate: number): boolean {
    const before = this.fate(index)
    if (before === FATE_UNKNOWN || before === FATE_ARRIVED || before === fate) return false
    this.#fates[index % TRUNK_SENT_LOG] = fate
    return true
  }

  /** @hot */
  sizeBytes(index: number): number {
    return this.#sizes[index % TRUNK_SENT_LOG]!
  }

  /** @hot */
  sentMs(index: number): number {
    return this.#sentMs[index % TRUNK_SENT_LOG]!
  }
}
