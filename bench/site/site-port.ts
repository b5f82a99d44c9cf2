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
import { AddressPool } from '../process/address-pool.ts'
import { numericLookup } from '../process/numeric-lookup.ts'

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
const FIRST_SEAT = ROUTED_SEAT ?? '127.1.0.1'
const SEATS_MAX = 0xfffe

/** One per process: the socket that the seats share. */
class SharedSocket {
  readonly #socket: BatchSocket
  readonly #seats = new Map<number, Seat>()
  readonly #addresses = new AddressPool(FIRST_SEAT, SEATS_MAX)
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
    const address = this.#addresses.take()
    const seat = new Seat(this, address, options)
    this.#seats.set(address, seat)
    if (this.#polling === undefined) this.#poll()
    return seat
  }

  leave(address: number): void {
    this.#seats.delete(address)
    this.#addresses.giveBack(address)
  }

  add(source: number, datagram: Uint8Array, to: Int32Array): void {
    this.#socket.add(datagram, to, source)
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
  #closed = false

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
    // Its address may be another's by now.
    if (this.#closed) return
    this.#closed = true
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
