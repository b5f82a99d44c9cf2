/**
 * When each packet of a slot was last sent again, so that a NACK which crossed the answer is not
 * answered twice. Made at a slot's first NACK; 1 KB.
 */
import { RESENT_LOG_PACKETS } from '../../../config/limits.ts'

const MASK = RESENT_LOG_PACKETS - 1
/** Time is kept in 16 bits of 4 ms. */
const UNIT_MS = 4

/** Bounded by RESENT_LOG_PACKETS; a newer packet takes the place of an older one. */
export class ResentLog {
  /** Upper half: sequence; lower half: time. */
  readonly #entries = new Uint32Array(RESENT_LOG_PACKETS)
  readonly #used = new Uint8Array(RESENT_LOG_PACKETS)

  /** True, and noted, when the packet was not sent again within `pauseMs`. */
  mayResend(sequence: number, nowMs: number, pauseMs: number): boolean {
    const place = sequence & MASK
    const time = Math.floor(nowMs / UNIT_MS) & 0xffff
    const entry = this.#entries[place]!
    const isSame = this.#used[place] === 1 && entry >>> 16 === (sequence & 0xffff)
    if (isSame && ((time - entry) & 0xffff) * UNIT_MS < pauseMs) return false
    this.#entries[place] = ((sequence & 0xffff) << 16) | time
    this.#used[place] = 1
    return true
  }
}
