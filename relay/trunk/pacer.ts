/**
 * When video may leave: a bucket of bytes filled at the estimate. Audio and control take from it
 * without asking, so that video makes room for them.
 */

/** What may be sent at once after a pause. */
const BURST_MS = 10
const BURST_BYTES_MIN = 50
/** Debt that audio and control may leave to video. */
const DEBT_MS = 500
const WAIT_MS_MIN = 1

/** One per end. Sizes are the wire's. */
export class Pacer {
  #rateBps = 0
  #bytes = 0
  #updatedMs: number

  constructor(nowMs: number) {
    this.#updatedMs = nowMs
  }

  /** @hot */
  update(rateBps: number, nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#updatedMs)
    this.#updatedMs = nowMs
    this.#rateBps = rateBps
    const most = Math.max(BURST_BYTES_MIN, (rateBps * BURST_MS) / 8_000)
    this.#bytes = Math.min(most, this.#bytes + (rateBps * elapsedMs) / 8_000)
  }

  /** @hot */
  get isOpen(): boolean {
    return this.#bytes > 0
  }

  /** @hot */
  spend(bytes: number): void {
    this.#bytes = Math.max(-(this.#rateBps * DEBT_MS) / 8_000 - bytes, this.#bytes - bytes)
  }

  /** @hot How long what was sent too much of takes to pass. */
  get debtMs(): number {
    return this.#bytes >= 0 ? 0 : (-this.#bytes * 8_000) / Math.max(1, this.#rateBps)
  }

  /** @hot When it will be open. */
  get openMs(): number {
    if (this.#bytes > 0) return this.#updatedMs
    const waitMs = (-this.#bytes * 8_000) / Math.max(1, this.#rateBps)
    return this.#updatedMs + Math.max(WAIT_MS_MIN, waitMs + 0.01)
  }
}
