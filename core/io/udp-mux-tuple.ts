/**
 * The 5-tuples that authenticated STUN has bound, found once per datagram. The local half is fixed by the socket, so
 * a tuple is (remote address, remote port); text of IPv4 and IPv6 addresses never coincides.
 */
import { parseIpOctets } from './ip-address.ts'
import type { MuxTransport } from './udp-mux-transport.ts'
import { socketAddress } from './udp-native/index.ts'

/** One bound 5-tuple. */
export class Tuple {
  readonly address: string
  readonly port: number
  /** 0 = the IPv4 socket, 1 = the IPv6 socket. */
  readonly family: 0 | 1
  readonly socketAddress: Int32Array | undefined
  transport: MuxTransport
  /** Monotonic time of the last authenticated datagram from it. */
  lastHeardMs: number

  constructor(source: TupleSource, transport: MuxTransport, nowMs: number) {
    this.address = source.address
    this.port = source.port
    this.family = source.family
    this.socketAddress = source.address.includes('%') ? undefined : encoded(source)
    this.transport = transport
    this.lastHeardMs = nowMs
  }
}

export type TupleSource = {
  address: string
  port: number
  family: 0 | 1
  /** As the kernel wants it; undefined for link-local addresses, whose zone only dgram resolves. */
  socketAddress?: Int32Array | undefined
}

function encoded({ address, port }: TupleSource): Int32Array | undefined {
  const octets = parseIpOctets(address)
  return octets === undefined ? undefined : socketAddress(octets, port)
}

/**
 * Address first, then port: many sites behind one NAT share the address, many sites with the same habit share the
 * port, and neither makes a chain. Bounded by TRANSPORTS_PER_WORKER_MAX × TUPLES_PER_TRANSPORT_MAX.
 */
export class TupleTable {
  readonly #byAddress = new Map<string, Map<number, Tuple>>()
  #count = 0

  get count(): number {
    return this.#count
  }

  /** @hot */
  find(address: string, port: number): Tuple | undefined {
    const byPort = this.#byAddress.get(address)
    return byPort === undefined ? undefined : byPort.get(port)
  }

  add(tuple: Tuple): void {
    let byPort = this.#byAddress.get(tuple.address)
    if (byPort === undefined) {
      byPort = new Map()
      this.#byAddress.set(tuple.address, byPort)
    }
    if (!byPort.has(tuple.port)) this.#count++
    byPort.set(tuple.port, tuple)
  }

  /** Forgets exactly this tuple; another one in its place stays. */
  remove(tuple: Tuple): void {
    const byPort = this.#byAddress.get(tuple.address)
    if (byPort?.get(tuple.port) !== tuple) return
    byPort.delete(tuple.port)
    this.#count--
    if (byPort.size === 0) this.#byAddress.delete(tuple.address)
  }
}
