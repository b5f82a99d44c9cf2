/**
 * Datagrams of one memory, gathered and handed to the kernel in one sendmmsg(2). The kernel copies within the call:
 * when `send` returns, nothing is read any more. Not a queue: what the kernel does not take stays with the caller.
 */
import type { NativeUdp } from './libc.ts'
import { MessageHeaders, PACKET_INFO_BYTES, writePacketInfo } from './message-headers.ts'

const SOCKADDR_IN_BYTES = 16

export type SendBatchOptions = {
  native: NativeUdp
  descriptor: number
  /** All datagrams lie in it; it never moves. */
  memory: Uint8Array
  /** Datagrams of one call. */
  capacity: number
  /** Each datagram says from which of this machine's IPv4 addresses it goes. */
  choosesSource?: boolean
}

/** One per socket. */
export class SendBatch {
  readonly capacity: number
  readonly #native: NativeUdp
  readonly #descriptor: number
  readonly #base: number
  readonly #headers: MessageHeaders
  readonly #words: Int32Array
  #count = 0

  constructor({ native, descriptor, memory, capacity, choosesSource }: SendBatchOptions) {
    this.#native = native
    this.#descriptor = descriptor
    this.#base = native.addressOf(memory)
    this.#headers = new MessageHeaders({
      native,
      count: capacity,
      controlBytes: choosesSource === true ? PACKET_INFO_BYTES : 0,
    })
    this.#words = this.#headers.words
    this.capacity = capacity
  }

  get count(): number {
    return this.#count
  }

  /** Adds as `add` does, from the IPv4 address in `source` (as it stands in memory); needs `choosesSource`. */
  addFrom(source: number, [start, end]: readonly [number, number], to: Int32Array): void {
    writePacketInfo(this.#headers, this.#count, source)
    this.add(start, end, to)
  }

  /** @hot Adds as `add` does, for the first two words of a sockaddr_in; all others of this batch must be such too. */
  addIpv4(start: number, end: number, word0: number, word1: number): void {
    const at = this.#count
    this.#count = at + 1
    this.#headers.setData(at, this.#base + start, end - start)
    this.#headers.setNameBytes(at, SOCKADDR_IN_BYTES)
    const name = this.#headers.nameWord(at)
    this.#words[name] = word0
    this.#words[name + 1] = word1
  }

  /** @hot Adds `memory.subarray(start, end)` for the sockaddr in `to`; there must be room. */
  add(start: number, end: number, to: Int32Array): void {
    const at = this.#count
    this.#count = at + 1
    this.#headers.setData(at, this.#base + start, end - start)
    this.#headers.setNameBytes(at, to.length << 2)
    const name = this.#headers.nameWord(at)
    for (let word = 0; word < to.length; word += 1) this.#words[name + word] = to[word]!
  }

  /**
   * @hot Hands over what was added from number `from` on: how many the kernel took of these, or the negative errno
   * of the first one. The caller goes on behind them, then calls `clear`.
   */
  send(from: number): number {
    const first = this.#headers.addressAt(from)
    return this.#native.send(this.#descriptor, first, this.#count - from)
  }

  clear(): void {
    this.#count = 0
  }
}
