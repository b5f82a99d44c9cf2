/**
 * Which slot of the slab may be written next. A datagram that the kernel does not take at once stays in libuv's queue
 * by reference, so a slot that may still be read is never handed out. While nothing is queued the same few slots go
 * round: they stay in the CPU's cache.
 */
import { SRTP_SLAB_SLOTS } from '../../../config/index.ts'
import { SLAB, SLOT_BYTES } from './hmac-sha1.ts'

/** Slots handed out between two looks at the socket's queue. */
const LAP_SLOTS = 64

export class SendSlab {
  #inFlightCount: () => number
  #next = 0
  #lapEnd = LAP_SLOTS
  /** Slots taken since the slab was last known to be unread. */
  #taken = 0
  /** Of those, how many were never given to the socket: they sit between those that were. */
  #unsent = 0

  constructor(inFlightCount: () => number) {
    this.#inFlightCount = inFlightCount
  }

  /** True when `take` will ask the socket; whatever was taken must have been sent (or given up) by then. */
  get lapEnds(): boolean {
    return this.#next === this.#lapEnd
  }

  /** @hot Address of a free slot, or -1 when all of them may still be read. */
  take(): number {
    if (this.#next === this.#lapEnd && !this.#startLap()) return -1
    const slot = this.#next
    this.#next += 1
    this.#taken += 1
    return SLAB + slot * SLOT_BYTES
  }

  /** The slot taken last, or any before it, will not be sent. */
  giveUp(): void {
    this.#unsent += 1
  }

  #startLap(): boolean {
    const queued = this.#inFlightCount()
    if (queued === 0) {
      this.#next = 0
      this.#lapEnd = LAP_SLOTS
      this.#taken = 0
      this.#unsent = 0
      return true
    }
    const read = Math.min(queued + this.#unsent, this.#taken, SRTP_SLAB_SLOTS)
    const free = SRTP_SLAB_SLOTS - read
    if (free === 0) return false
    const start = this.#next === SRTP_SLAB_SLOTS ? 0 : this.#next
    this.#next = start
    this.#lapEnd = Math.min(start + Math.min(LAP_SLOTS, free), SRTP_SLAB_SLOTS)
    return true
  }
}
