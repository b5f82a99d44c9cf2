/**
 * How the datagrams of a synthetic site come and go. Usually each site has a socket of its own. On loopback, a thousand sites of one
 * process share one: each has an address of 127.0.0.0/8 to itself, so that the server sees a thousand 5-tuples, and the kernel hands
 * 64 datagrams over at a time, each with the moment of its arrival. That costs a third of the CPU, and what waits for this process
 * is not counted as latency of the server. Not ICE, not SRTP.
 */
import { createSocket, type Socket } from 'node:dgram'
import {
  type Arrival,
  loadNativeUdp,
  type NativeUdp,
  ReceiveBatch,
  SendBatch,
  socketAddress,
} from '../../core/io/udp-native/index.ts'

/** A site's own way to the server. */
export interface SitePort {
  /** Ready to send. */
  open(onReady: () => void): void
  /** The bytes may be sent later: they must not be reused. */
  send(datagram: Uint8Array): void
  close(): void
}

export type SitePortOptions = {
  remote: { address: string; port: number }
  /** `arrivedMs` is of `performance.now()`; the buffer is reused after the call. */
  onDatagram: (datagram: Buffer, arrivedMs: number) => void
  onError: (why: string) => void
}

/** The shared socket where server and machine allow it, else one of its own. */
export function createSitePort(options: SitePortOptions): SitePort {
  const shared = options.remote.address === '127.0.0.1' ? sharedSocket() : undefined
  return shared === undefined ? new OwnPort(options) : shared.seat(options)
}

class OwnPort implements SitePort {
  readonly #options: SitePortOptions
  readonly #socket: Socket

  constructor(options: SitePortOptions) {
    this.#options = options
    this.#socket = createSocket({ type: 'udp4', lookup: numericLookup, recvBufferSize: 1 << 19 })
    this.#socket.on('message', (datagram) => options.onDatagram(datagram, performance.now()))
    this.#socket.on('error', (error) => options.onError(error.message))
  }

  open(onReady: () => void): void {
    // A site stays on loopback when its server is there; in a namespace pair it is elsewhere.
    const isHere = this.#options.remote.address === '127.0.0.1'
    this.#socket.bind(0, isHere ? '127.0.0.1' : '0.0.0.0', onReady)
  }

  send(datagram: Uint8Array): void {
    const { address, port } = this.#options.remote
    this.#socket.send(datagram, port, address)
  }

  close(): void {
    this.#socket.close()
  }
}

const BATCH = 64
const SLOT_BYTES = 2048
const BUFFER_BYTES = 4 << 20
/** How long an idle socket is left alone: the clock of arrival is the kernel's, so nothing is measured wrong by it. */
const IDLE_MS = 1
/** The wall clock may be slewed against the monotonic one: they are compared again so often. */
const CLOCK_MS = 1000
const FIRST_SEAT = 0x7f_01_00_01
const SEATS_MAX = 0xff_0000

/** One per process: the socket that the seats share. */
class SharedSocket {
  readonly #native: NativeUdp
  readonly #receive: ReceiveBatch
  readonly #send: SendBatch
  readonly #out = Buffer.alloc(BATCH * SLOT_BYTES)
  readonly #seats = new Map<number, Seat>()
  readonly #arrival: Arrival = { destination: 0, wallMs: 0 }
  #next = 0
  #clockMs = 0
  #wallAheadMs = 0
  #flushing = false
  #polling: NodeJS.Timeout | undefined

  constructor(native: NativeUdp) {
    this.#native = native
    const address = new Uint8Array(4)
    const open = {
      family: 0,
      address,
      port: 0,
      bufferBytes: BUFFER_BYTES,
      tellArrival: true,
    } as const
    const descriptor = native.open(open)
    this.#receive = new ReceiveBatch({ native, descriptor, capacity: BATCH, slotBytes: SLOT_BYTES })
    this.#send = new SendBatch({
      native,
      descriptor,
      memory: this.#out,
      capacity: BATCH,
      choosesSource: true,
    })
  }

  seat(options: SitePortOptions): Seat {
    if (this.#seats.size >= SEATS_MAX) throw new Error(`more than ${SEATS_MAX} sites`)
    let address = 0
    do {
      address = swapped(FIRST_SEAT + (this.#next++ % SEATS_MAX))
    } while (this.#seats.has(address))
    const seat = new Seat(this, address, options)
    this.#seats.set(address, seat)
    if (this.#polling === undefined) this.#poll()
    return seat
  }

  leave(address: number): void {
    this.#seats.delete(address)
  }

  add(source: number, datagram: Uint8Array, to: Int32Array): void {
    const start = this.#send.count * SLOT_BYTES
    this.#out.set(datagram.length > SLOT_BYTES ? datagram.subarray(0, SLOT_BYTES) : datagram, start)
    this.#send.addFrom(source, [start, start + datagram.length], to)
    if (this.#send.count === BATCH) this.#flush()
    else if (!this.#flushing) {
      this.#flushing = true
      setImmediate(() => {
        this.#flushing = false
        this.#flush()
      })
    }
  }

  #flush(): void {
    let from = 0
    while (from < this.#send.count) {
      const taken = this.#send.send(from)
      // Lost, as on any network: a server that has gone away answers with ICMP.
      from += taken > 0 ? taken : 1
    }
    this.#send.clear()
  }

  #poll(): void {
    this.#polling = undefined
    if (this.#seats.size === 0) return
    this.#setClock(performance.now())
    let rounds = 0
    let count = this.#take()
    while (count === BATCH && ++rounds < BATCH) count = this.#take()
    this.#polling = setTimeout(() => this.#poll(), IDLE_MS)
  }

  /** @hot */
  #take(): number {
    const count = this.#receive.receive()
    for (let at = 0; at < count; at += 1) {
      this.#receive.arrival(at, this.#arrival)
      const seat = this.#seats.get(this.#arrival.destination)
      if (seat === undefined) continue
      seat.onDatagram(this.#receive.datagram(at), this.#arrival.wallMs - this.#wallAheadMs)
    }
    return count
  }

  #setClock(nowMs: number): void {
    if (nowMs - this.#clockMs < CLOCK_MS) return
    this.#clockMs = nowMs
    this.#wallAheadMs = this.#native.wallMs() - performance.now()
  }
}

/** A site's address at the shared socket. */
class Seat implements SitePort {
  readonly onDatagram: SitePortOptions['onDatagram']
  readonly #shared: SharedSocket
  readonly #address: number
  readonly #to: Int32Array

  constructor(shared: SharedSocket, address: number, { remote, onDatagram }: SitePortOptions) {
    this.#shared = shared
    this.#address = address
    this.#to = socketAddress(Uint8Array.from(remote.address.split('.'), Number), remote.port)
    this.onDatagram = onDatagram
  }

  open(onReady: () => void): void {
    setImmediate(onReady)
  }

  send(datagram: Uint8Array): void {
    this.#shared.add(this.#address, datagram, this.#to)
  }

  close(): void {
    this.#shared.leave(this.#address)
  }
}

let shared: SharedSocket | undefined

function sharedSocket(): SharedSocket | undefined {
  const native = loadNativeUdp()
  if (typeof native === 'string') return undefined
  shared ??= new SharedSocket(native)
  return shared
}

/** A number as a word that stands in memory in network order. */
function swapped(address: number): number {
  const word = ((address & 0xff) << 24) | ((address & 0xff00) << 8)
  return word | ((address >>> 8) & 0xff00) | (address >>> 24)
}

type Lookup = NonNullable<
  Parameters<typeof createSocket>[0] extends { lookup?: infer L } ? L : never
>

/** Addresses are numeric: without this every send would go through a promise. */
const numericLookup = ((address: string, ...rest: unknown[]) => {
  const done = rest.at(-1) as (error: null, address: string, family: number) => void
  done(null, address, 4)
}) as Lookup
