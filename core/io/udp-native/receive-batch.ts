/**
 * Many datagrams from the kernel in one recvmmsg(2), each with the local address that it was sent to and the time at
 * which the kernel took it in. Never waits; the bytes stand until the next call.
 */
import type { NativeUdp } from './libc.ts'
import { type Arrival, MessageHeaders, readArrival } from './message-headers.ts'

const CONTROL_BYTES = 64
const NAME_BYTES = 16

export type ReceiveBatchOptions = {
  native: NativeUdp
  /** Opened with `tellArrival`. */
  descriptor: number
  /** Datagrams of one call. */
  capacity: number
  /** Room for each; what is longer is cut. */
  slotBytes: number
}

/** One per socket. */
export class ReceiveBatch {
  readonly capacity: number
  readonly memory: Buffer
  readonly #native: NativeUdp
  readonly #descriptor: number
  readonly #slotBytes: number
  readonly #headers: MessageHeaders
  readonly #views: Buffer[]
  /** Headers, from the first on, that the kernel may have written into. */
  #written: number

  constructor({ native, descriptor, capacity, slotBytes }: ReceiveBatchOptions) {
    this.capacity = capacity
    this.memory = Buffer.alloc(capacity * slotBytes)
    this.#native = native
    this.#descriptor = descriptor
    this.#slotBytes = slotBytes
    this.#written = capacity
    this.#headers = new MessageHeaders({ native, count: capacity, controlBytes: CONTROL_BYTES })
    this.#views = new Array<Buffer>(capacity).fill(this.memory.subarray(0, 0))
    const base = native.addressOf(this.memory)
    for (let at = 0; at < capacity; at += 1) {
      this.#headers.setData(at, base + at * slotBytes, slotBytes)
    }
  }

  /** @hot Takes what is there: how many, 0 for nothing, or a negative errno that is not "nothing". */
  receive(): number {
    for (let at = 0; at < this.#written; at += 1) {
      this.#headers.setNameBytes(at, NAME_BYTES)
      this.#headers.setControlBytes(at, CONTROL_BYTES)
    }
    const count = this.#native.receive(this.#descriptor, this.#headers.address, this.capacity)
    this.#written = Math.max(0, count)
    return count === NOTHING ? 0 : count
  }

  /** @hot Bytes of datagram `at`; may be written into. */
  datagram(at: number): Buffer {
    const bytes = this.#headers.receivedBytes(at)
    const cached = this.#views[at]!
    if (cached.length === bytes) return cached
    const start = at * this.#slotBytes
    const view = this.memory.subarray(start, start + bytes)
    this.#views[at] = view
    return view
  }

  /** @hot True when datagram `at` was longer than its room. */
  isCut(at: number): boolean {
    return this.#headers.isCut(at)
  }

  /** @hot The sockaddr_in of the sender, four words. */
  source(at: number, into: Int32Array): void {
    const word = this.#headers.nameWord(at)
    for (let index = 0; index < 4; index += 1) into[index] = this.#headers.words[word + index]!
  }

  /** @hot */
  arrival(at: number, into: Arrival): void {
    readArrival(this.#headers, at, into)
  }
}

/** EAGAIN. */
const NOTHING = -11
