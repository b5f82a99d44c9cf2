/**
 * Packets from one worker to another: a single-producer, single-consumer byte ring in shared memory, without locks.
 * Frames are opaque. Not a queue that grows: a full ring refuses, and the caller counts a drop.
 *
 *   0   u32 written    bytes ever written, mod 2^32        (producer)
 *   4   u32 read       bytes ever read, mod 2^32           (consumer)
 *   8   i32 asleep     1 = the consumer waits to be woken  (both)
 *   64  data           frames: u32 length, bytes, padding to 4; length 0xffffffff = go on at the beginning
 */
const WRITTEN = 0
const READ = 1
const ASLEEP = 2
const HEADER_BYTES = 64
const WRAP = 0xffffffff

/** Memory for a ring that holds about `capacityBytes`, a power of two of at least 64. */
export function createRingMemory(capacityBytes: number): SharedArrayBuffer {
  if (capacityBytes < 64 || (capacityBytes & (capacityBytes - 1)) !== 0) {
    throw new RangeError(`ring capacity ${capacityBytes} is not a power of two >= 64`)
  }
  return new SharedArrayBuffer(HEADER_BYTES + capacityBytes)
}

class Ring {
  readonly control: Int32Array
  readonly words: Uint32Array
  readonly data: Uint8Array
  readonly capacity: number

  constructor(memory: SharedArrayBuffer) {
    this.control = new Int32Array(memory, 0, HEADER_BYTES / 4)
    this.words = new Uint32Array(memory, HEADER_BYTES)
    this.data = new Uint8Array(memory, HEADER_BYTES)
    this.capacity = this.data.length
  }

  load(index: number): number {
    return Atomics.load(this.control, index) >>> 0
  }
}

/** The writing end. One thread only. */
export class PacketRingWriter {
  readonly #ring: Ring
  #written: number

  constructor(memory: SharedArrayBuffer) {
    this.#ring = new Ring(memory)
    this.#written = this.#ring.load(WRITTEN)
  }

  /** @hot Copies `bytes.subarray(start, end)` in as one frame; false when there is no room for it now. */
  push(bytes: Uint8Array, start: number, end: number): boolean {
    const ring = this.#ring
    const length = end - start
    const frame = 4 + ((length + 3) & ~3)
    const free = ring.capacity - ((this.#written - ring.load(READ)) >>> 0)
    const at = this.#written & (ring.capacity - 1)
    const toEnd = ring.capacity - at
    // A frame stands in one piece: what is left before the end is skipped when it is too short.
    const skip = toEnd < frame ? toEnd : 0
    if (free < skip + frame) return false
    if (skip > 0) ring.words[at >>> 2] = WRAP
    const head = skip > 0 ? 0 : at
    ring.words[head >>> 2] = length
    for (let from = start, to = head + 4; from < end; from++, to++) ring.data[to] = bytes[from]!
    this.#written = (this.#written + skip + frame) >>> 0
    Atomics.store(ring.control, WRITTEN, this.#written | 0)
    return true
  }

  /** True when the consumer sleeps and must be woken, once: it is then taken to be awake. */
  takeSleeper(): boolean {
    return Atomics.exchange(this.#ring.control, ASLEEP, 0) === 1
  }
}

/** The reading end. One thread only. */
export class PacketRingReader {
  readonly #ring: Ring
  #read: number

  constructor(memory: SharedArrayBuffer) {
    this.#ring = new Ring(memory)
    this.#read = this.#ring.load(READ)
  }

  /** @hot Copies the oldest frame into `out` and returns its length; -1 when there is none. */
  pop(out: Uint8Array): number {
    const ring = this.#ring
    if (ring.load(WRITTEN) === this.#read) return -1
    let at = this.#read & (ring.capacity - 1)
    if (ring.words[at >>> 2] === WRAP) {
      this.#read = (this.#read + ring.capacity - at) >>> 0
      at = 0
    }
    const length = ring.words[at >>> 2]!
    for (let i = 0, from = at + 4; i < length; i++, from++) out[i] = ring.data[from]!
    this.#read = (this.#read + 4 + ((length + 3) & ~3)) >>> 0
    Atomics.store(ring.control, READ, this.#read | 0)
    return length
  }

  /** Goes to sleep unless a frame has come meanwhile; false then, and the caller must go on reading. */
  sleep(): boolean {
    Atomics.store(this.#ring.control, ASLEEP, 1)
    if (this.#ring.load(WRITTEN) === this.#read) return true
    Atomics.store(this.#ring.control, ASLEEP, 0)
    return false
  }
}
