/**
 * Frames that wait to be sent: one ring of bytes in order of arrival. A frame stands as it would in
 * a datagram, but without a length: its head byte (type and form), then its body. Not a decision
 * about what waits.
 */

/** Frames of one queue at a time; a power of two. */
const ENTRIES = 1_024

/** Fixed memory, taken at the first frame. */
export class FrameQueue {
  readonly #sizeBytes: number
  #slab: Uint8Array | undefined
  readonly #offsets = new Int32Array(ENTRIES)
  readonly #lengths = new Int32Array(ENTRIES)
  readonly #streamIds = new Uint16Array(ENTRIES)
  readonly #classes = new Uint8Array(ENTRIES)
  readonly #sinceMs = new Float64Array(ENTRIES)
  #first = 0
  #next = 0
  /** Where the next frame may start, and the oldest starts. */
  #head = 0
  #tail = 0
  /** Of what waits. */
  queuedBytes = 0
  droppedCount = 0

  /** `sizeBytes`: of the slab. */
  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes
  }

  get count(): number {
    return this.#next - this.#first
  }

  get slab(): Uint8Array {
    this.#slab ??= new Uint8Array(this.#sizeBytes)
    return this.#slab
  }

  /**
   * @hot Room for up to `bytesMax` in one piece of the slab: its offset, or -1 (counted) when it is
   * full.
   */
  reserve(bytesMax: number): number {
    const isEmpty = this.#first === this.#next
    if (isEmpty) {
      this.#head = 0
      this.#tail = 0
    }
    if (this.#next - this.#first < ENTRIES) {
      const isBehind = this.#head < this.#tail || (this.#head === this.#tail && !isEmpty)
      const limit = isBehind ? this.#tail : this.#sizeBytes
      if (limit - this.#head >= bytesMax) return this.#head
      if (!isBehind && this.#tail > bytesMax) {
        this.#head = 0
        return 0
      }
    }
    this.droppedCount += 1
    return -1
  }

  /** @hot What was written at the reserved place: its class, and since when it waits. */
  commit(lengthBytes: number, trunkClass: number, nowMs: number, streamId = 0): void {
    const at = this.#next & (ENTRIES - 1)
    this.#offsets[at] = this.#head
    this.#lengths[at] = lengthBytes
    this.#classes[at] = trunkClass
    this.#streamIds[at] = streamId
    this.#sinceMs[at] = nowMs
    this.#head += lengthBytes
    this.#next += 1
    this.queuedBytes += lengthBytes
  }

  /** @hot Of the oldest; only while `count` is above 0. */
  get start(): number {
    return this.#offsets[this.#first & (ENTRIES - 1)]!
  }

  get lengthBytes(): number {
    return this.#lengths[this.#first & (ENTRIES - 1)]!
  }

  /** 0 where it was not told. */
  get streamId(): number {
    return this.#streamIds[this.#first & (ENTRIES - 1)]!
  }

  get trunkClass(): number {
    return this.#classes[this.#first & (ENTRIES - 1)]!
  }

  get sinceMs(): number {
    return this.#sinceMs[this.#first & (ENTRIES - 1)]!
  }

  /** @hot */
  pop(): void {
    this.queuedBytes -= this.lengthBytes
    this.#first += 1
    this.#tail = this.#first === this.#next ? this.#head : this.start
  }
}
