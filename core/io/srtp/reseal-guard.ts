/**
 * Keeps a sender from ever using a keystream twice with different bytes, which would give both plaintexts away
 * (RFC 3711 §9.1). Remembers 32 bits of the authentication tag of each recent index: the tag costs nothing
 * extra, and other bytes have another tag but for one case in 2^32. Indexes that fell out of the window are refused.
 */
import { SRTP_RESEAL_WINDOW } from '../../../config/index.ts'

const INITIAL = 64
const EMPTY = new Uint32Array(0)

export class ResealGuard {
  /** Highest index that was sealed, -1 before the first. */
  highest = -1
  #first = 0
  /** Ring by index; 0 = not sealed. Grows to the window: most slots of most receivers are silent. */
  #tags: Uint32Array = EMPTY

  /** @hot False when the index is too old for `admit` to know. */
  isKnown(index: number): boolean {
    return this.highest - index < Math.max(this.#tags.length, INITIAL)
  }

  /** @hot False when this index was sealed before with another tag. `tag`: its first 32 bits. */
  admit(index: number, tag: number): boolean {
    const mark = tag === 0 ? 1 : tag
    if (index > this.highest) {
      this.#advance(index)
      this.#tags[index & (this.#tags.length - 1)] = mark
      return true
    }
    if (!this.isKnown(index)) return false
    const place = index & (this.#tags.length - 1)
    if (this.#tags[place] === 0) this.#tags[place] = mark
    return this.#tags[place] === mark
  }

  #advance(index: number): void {
    if (this.highest < 0) this.#first = index
    const size = this.#tags.length
    if (size <= index - this.#first && size < SRTP_RESEAL_WINDOW) this.#grow(index)
    const mask = this.#tags.length - 1
    if (index - this.highest > mask) this.#tags.fill(0)
    else for (let i = this.highest + 1; i < index; i += 1) this.#tags[i & mask] = 0
    this.highest = index
  }

  #grow(index: number): void {
    const before = this.#tags
    let size = Math.max(before.length, INITIAL)
    while (size <= index - this.#first && size < SRTP_RESEAL_WINDOW) size *= 2
    this.#tags = new Uint32Array(size)
    for (let i = Math.max(0, this.highest - before.length + 1); i <= this.highest; i += 1) {
      this.#tags[i & (size - 1)] = before[i & (before.length - 1)] as number
    }
  }
}
