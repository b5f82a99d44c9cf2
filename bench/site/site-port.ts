/**
 * How the datagrams of a synthetic site come and go. Usually each site has a socket of its own. On
 * loopback, and where addresses are routed to it, a thousand sites of one process share one: each
 * has an address to itself, so that the server sees a thousand 5-tuples, and the kernel hands 64
 * datagrams over at a time, each with the moment of its arrival. That costs half of the CPU, and
 * what waits for this process is not counted as latency of the server. Not ICE, not SRTP.
 */
import { createSocket, type Socket } from 'node:dgram'
import {
  BatchSocket,
  loadNativeUdp,
  type NativeUdp,
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
  const isHere = options.remote.address === '127.0.0.1'
  const shared = isHere || ROUTED_SEAT !== undefined ? sharedSocket() : undefined
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

/**
 * How long an idle socket is left alone: the clock of arrival is the kernel's, so nothing is
 * measured wrong by it.
 */
const IDLE_MS = 1
/**
 * The first of the addresses that are routed to this process from elsewhere, such as 10.77.0.1; up
 * to 65,534 of them.
 */
const ROUTED_SEAT = process.env['NHIPCAU_BENCH_SEATS']
const FIRST_SEAT = addressNumber(ROUTED_SEAT ?? '127.1.0.1')
const SEATS_MAX = 0xfffe

/** One per process: the socket that the seats share. */
class SharedSocket {
  readonly #socket: BatchSocket
  readonly #seats = new Map<number, Seat>()
  #next = 0
  #flushing = false
  #polling: NodeJS.Timeout | undefined

  constructor(native: NativeUdp) {
    this.#socket = new BatchSocket({
      native,
      address: new Uint8Array(4),
      port: 0,
      onDatagram: (bytes, { destination, atMs }) =>
        this.#seats.get(destination)?.onDatagram(bytes, atMs),
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
    this.#socket.add(datagram, to, source)
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      this.#socket.flush()
    })
  }

  #poll(): void {
    this.#polling = undefined
    if (this.#seats.size === 0) return
    this.#socket.take()
    this.#polling = setTimeout(() => this.#poll(), IDLE_MS)
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

function addressNumber(dotted: string): number {
  return dotted.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
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
