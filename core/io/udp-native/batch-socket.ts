/**
 * An IPv4 socket that is asked for its datagrams, up to 64 per system call, each with the time at which the kernel
 * took it in: cheap for whoever looks once a millisecond, and exact however late it looks. For load generators and
 * emulators; a server wants to be woken instead. Owns no timer; what is added goes out at the end of this turn.
 */
import type { NativeUdp } from './libc.ts'
import { socketAddress } from './libc.ts'
import type { Arrival } from './message-headers.ts'
import { ReceiveBatch } from './receive-batch.ts'
import { SendBatch } from './send-batch.ts'

const BATCH = 64
const SLOT_BYTES = 2048
const BUFFER_BYTES = 4 << 20
/**
 * Half a second of a thousand sites, should this process not get the CPU: a lost one would look
 * like the server's loss.
 */
const RECEIVE_BYTES = 64 << 20
const ROUNDS_MAX = 64
/** The wall clock may be slewed against the monotonic one: they are compared again so often. */
const CLOCK_MS = 1000

export type BatchSocketOptions = {
  native: NativeUdp
  /** Four octets. */
  address: Uint8Array
  /** 0 = any free one. */
  port: number
  /** Called by `take`. Valid only during the call; the bytes may be written into. */
  onDatagram: (bytes: Buffer, arrival: BatchArrival) => void
}

/** Addresses are words as they stand in memory in network order; `sourceAddress` is a whole sockaddr_in. */
export type BatchArrival = {
  /** The local address that it was sent to. */
  destination: number
  sourceAddress: Int32Array
  /** Of `performance.now()`. */
  atMs: number
}

/** Made bound; throws NativeUdpError. `close` sends what was added first, and is idempotent. */
export class BatchSocket {
  readonly #native: NativeUdp
  readonly #descriptor: number
  readonly #onDatagram: BatchSocketOptions['onDatagram']
  readonly #receive: ReceiveBatch
  readonly #send: SendBatch
  readonly #out = Buffer.alloc(BATCH * SLOT_BYTES)
  readonly #kernel: Arrival = { destination: 0, wallMs: 0 }
  readonly #arrival: BatchArrival
  #clockMs = Number.NEGATIVE_INFINITY
  #wallAheadMs = 0
  #open = true
  #isFlushDue = false
  /** Datagrams that the kernel would not take: they are lost, as behind a full device. */
  refused = 0
  /** Datagrams of more than 2,048 bytes that came in: dropped, never handed out in part. */
  cut = 0

  constructor({ native, address, port, onDatagram }: BatchSocketOptions) {
    this.#native = native
    this.#onDatagram = onDatagram
    const options = { family: 0, address, port, bufferBytes: BUFFER_BYTES } as const
    const receiveBytes = RECEIVE_BYTES
    const descriptor = native.open({ ...options, receiveBytes, tellArrival: true })
    this.#descriptor = descriptor
    this.#receive = new ReceiveBatch({ native, descriptor, capacity: BATCH, slotBytes: SLOT_BYTES })
    const memory = this.#out
    this.#send = new SendBatch({ native, descriptor, memory, capacity: BATCH, choosesSource: true })
    this.#arrival = { destination: 0, sourceAddress: new Int32Array(4), atMs: 0 }
  }

  /** Octets and port that it is bound to. */
  get port(): number {
    return this.#native.portOf(this.#descriptor)
  }

  /** @hot Hands out what has come; how many. */
  take(): number {
    if (!this.#open) return 0
    this.#compareClocks()
    let total = 0
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const count = this.#receive.receive()
      for (let at = 0; at < count && this.#open; at += 1) this.#handOut(at)
      total += Math.max(0, count)
      if (count < BATCH) break
    }
    return total
  }

  /** @hot Copies a datagram that goes out soon; from `source`, or 0 for the bound address. */
  add(bytes: Uint8Array, to: Int32Array, source: number): void {
    if (bytes.length > SLOT_BYTES) {
      this.#sendLarge(bytes, to, source)
      return
    }
    const start = this.#send.count * SLOT_BYTES
    this.#out.set(bytes, start)
    this.#send.addFrom(source, [start, start + bytes.length], to)
    if (this.#send.count === BATCH) this.#flush()
    else if (!this.#isFlushDue) {
      this.#isFlushDue = true
      setImmediate(this.#flushLate)
    }
  }

  /** One that needs the places of many goes alone. */
  #sendLarge(bytes: Uint8Array, to: Int32Array, source: number): void {
    this.#flush()
    if (bytes.length > this.#out.length) {
      this.refused += 1
      return
    }
    this.#out.set(bytes)
    this.#send.addFrom(source, [0, bytes.length], to)
    this.#flush()
  }

  readonly #flushLate = (): void => {
    this.#isFlushDue = false
    this.#flush()
  }

  #flush(): void {
    if (!this.#open) return
    let from = 0
    while (from < this.#send.count) {
      const taken = this.#send.send(from)
      if (taken <= 0) this.refused += 1
      from += Math.max(1, taken)
    }
    this.#send.clear()
  }

  close(): void {
    if (!this.#open) return
    this.#flush()
    this.#open = false
    this.#native.close(this.#descriptor)
  }

  #handOut(at: number): void {
    if (this.#receive.isCut(at)) {
      this.cut += 1
      return
    }
    this.#receive.arrival(at, this.#kernel)
    this.#receive.source(at, this.#arrival.sourceAddress)
    this.#arrival.destination = this.#kernel.destination
    this.#arrival.atMs = this.#kernel.wallMs - this.#wallAheadMs
    this.#onDatagram(this.#receive.datagram(at), this.#arrival)
  }

  #compareClocks(): void {
    const nowMs = performance.now()
    if (nowMs - this.#clockMs < CLOCK_MS) return
    this.#clockMs = nowMs
    this.#wallAheadMs = this.#native.wallMs() - performance.now()
  }
}

/** Four octets of an IPv4 address in text as a word that stands in memory in network order. */
export function addressWord(text: string): number {
  return socketAddress(Uint8Array.from(text.split('.'), Number), 0)[1]!
}
