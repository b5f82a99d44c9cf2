/** What one site saw of one incoming SSRC, from headers alone: received, lost, out of order. */

const HALF = 0x8000

/** One per SSRC and site. */
export class StreamTally {
  packets = 0
  bytes = 0
  reordered = 0
  #first = -1
  #highest = -1

  /** @hot `sequenceNumber` 16 bits. */
  add(sequenceNumber: number, sizeBytes: number): void {
    this.packets += 1
    this.bytes += sizeBytes
    if (this.#first < 0) {
      this.#first = sequenceNumber
      this.#highest = sequenceNumber
      return
    }
    const step = (sequenceNumber - this.#highest) & 0xffff
    if (step === 0) return
    if (step < HALF) this.#highest += step
    else this.reordered += 1
  }

  /** Packets between the first and the highest number. */
  get expected(): number {
    return this.#first < 0 ? 0 : this.#highest - this.#first + 1
  }

  /** Extended highest sequence number, for receiver reports. */
  get highest(): number {
    return Math.max(0, this.#highest)
  }

  get lost(): number {
    return Math.max(0, this.expected - this.packets)
  }
}
