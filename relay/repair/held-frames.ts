/**
 * Frames of one stream layer that wait for their turn, by sequence: the memory of a ReleaseBuffer. Bytes lie in a
 * ring that grows to its bound; when that is full, `fits` says so and the owner hands frames out.
 */
import { RELEASE_BYTES_MIN, RELEASE_FRAMES_MAX } from '../../config/limits.ts'

const MASK = RELEASE_FRAMES_MAX - 1

export class HeldFrames {
  readonly #bytesMax: number
  slab = new Uint8Array(RELEASE_BYTES_MIN)
  #written = 0
  readonly #sequence = new Float64Array(RELEASE_FRAMES_MAX).fill(-1)
  readonly #position = new Float64Array(RELEASE_FRAMES_MAX)
  readonly #sizeBytes = new Uint16Array(RELEASE_FRAMES_MAX)
  readonly #index = new Float64Array(RELEASE_FRAMES_MAX)
  readonly #timeMs = new Float64Array(RELEASE_FRAMES_MAX)
  /** No held frame lies before this position. */
  #firstPosition = 0
  #lowest = -1
  #highest = -1
  count = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Lowest held sequence; -1 when none. */
  get lowest(): number {
    return this.#lowest
  }

  /** True when a frame can be put now without another being handed out. */
  fits(sequence: number, length: number): boolean {
    if (this.count === 0) return true
    if (Math.max(sequence, this.#highest) - Math.min(sequence, this.#lowest) >= RELEASE_FRAMES_MAX)
      return false
    return this.#makeRoom(length)
  }

  has(sequence: number): boolean {
    return this.#sequence[sequence & MASK] === sequence
  }

  /** Copies; only after `fits`. `timeMs` is the caller's (arrival, or release). */
  put(
    frame: { sequence: number; index: number; timeMs: number },
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (this.count === 0) this.#makeRoom(end - start)
    const { sequence } = frame
    const length = end - start
    const capacity = this.slab.length
    let at = this.#written % capacity
    if (at + length > capacity) {
      this.#written += capacity - at
      at = 0
    }
    const { slab } = this
    for (let i = 0; i < length; i++) slab[at + i] = bytes[start + i]!
    const slot = sequence & MASK
    this.#sequence[slot] = sequence
    this.#position[slot] = this.#written
    this.#sizeBytes[slot] = length
    this.#index[slot] = frame.index
    this.#timeMs[slot] = frame.timeMs
    if (this.count === 0 || sequence < this.#lowest) this.#lowest = sequence
    if (this.count === 0 || sequence > this.#highest) this.#highest = sequence
    this.#written += length
    this.count += 1
  }

  indexOf(sequence: number): number {
    return this.#index[sequence & MASK]!
  }

  timeMsOf(sequence: number): number {
    return this.#timeMs[sequence & MASK]!
  }

  startOf(sequence: number): number {
    return this.#position[sequence & MASK]! % this.slab.length
  }

  sizeBytesOf(sequence: number): number {
    return this.#sizeBytes[sequence & MASK]!
  }

  /** Forgets the lowest; its bytes stay as they are until the next `put`. */
  dropLowest(): void {
    this.#sequence[this.#lowest & MASK] = -1
    this.count -= 1
    if (this.count === 0) {
      this.#lowest = -1
      this.#highest = -1
      return
    }
    do this.#lowest += 1
    while (this.#sequence[this.#lowest & MASK] !== this.#lowest)
  }

  /** Whether `length` more bytes overwrite nothing that is held; grows where the bound allows. */
  #makeRoom(length: number): boolean {
    if (this.count === 0) this.#firstPosition = this.#written
    while (!this.#hasRoom(length)) {
      this.#firstPosition = this.#oldestPosition()
      if (this.#hasRoom(length)) return true
      if (this.slab.length >= this.#bytesMax) return false
      this.#grow()
    }
    return true
  }

  #hasRoom(length: number): boolean {
    const capacity = this.slab.length
    const at = this.#written % capacity
    const skipped = at + length > capacity ? capacity - at : 0
    return this.#written + skipped + length - this.#firstPosition <= capacity
  }

  #oldestPosition(): number {
    let oldest = this.#written
    for (let sequence = this.#lowest; sequence >= 0 && sequence <= this.#highest; sequence++) {
      if (this.has(sequence)) oldest = Math.min(oldest, this.#position[sequence & MASK]!)
    }
    return oldest
  }

  /** Twice the room. A frame never crosses the old edge, so none crosses the new one. */
  #grow(): void {
    const old = this.slab
    const slab = new Uint8Array(Math.min(this.#bytesMax, old.length * 2))
    for (let sequence = this.#lowest; sequence >= 0 && sequence <= this.#highest; sequence++) {
      if (!this.has(sequence)) continue
      const position = this.#position[sequence & MASK]!
      const from = position % old.length
      slab.set(old.subarray(from, from + this.#sizeBytes[sequence & MASK]!), position % slab.length)
    }
    this.slab = slab
  }
}
