/**
 * Flows over two sockets that are looked at once a millisecond: the kernel hands 64 datagrams over at a time and
 * tells when each came, so the line is exact though nobody is woken for a packet. Each flow has an address of
 * 127.0.0.0/8 towards the target, which must be on this machine; a new source port for all of them is a new socket.
 * IPv4 only.
 */
import {
  type BatchArrival,
  BatchSocket,
  loadNativeUdp,
  type NativeUdp,
  socketAddress,
} from '../../../core/io/udp-native/index.ts'
import { AddressPool } from '../../process/address-pool.ts'
import type { Endpoint } from './endpoint.ts'
import type { FlowPath, FlowSockets, FlowSocketsOptions } from './flow-sockets.ts'

const ANY_ADDRESS = new Uint8Array(4)
const FIRST_SOURCE = '127.2.0.1'
const SOURCES_MAX = 0xfffe

/** The calls that it needs, where this mapping can use them. */
export function nativeFor({
  listen,
  to,
}: {
  listen: Endpoint
  to: Endpoint
}): NativeUdp | undefined {
  if (!to.host.startsWith('127.') || listen.host.includes(':')) return undefined
  const native = loadNativeUdp()
  return typeof native === 'string' ? undefined : native
}

/** `open` first; then `poll` once a millisecond. */
export class BatchSockets implements FlowSockets {
  readonly to: Int32Array
  readonly #native: NativeUdp
  readonly #options: FlowSocketsOptions
  readonly #paths = new Map<number, BatchPath>()
  readonly #sources = new AddressPool(FIRST_SOURCE, SOURCES_MAX)
  #listener: BatchSocket | undefined
  #upstream: BatchSocket | undefined

  constructor(native: NativeUdp, options: FlowSocketsOptions) {
    this.#native = native
    this.#options = options
    this.to = socketAddress(octetsOf(options.to.host), options.to.port)
  }

  open(): Promise<Endpoint> {
    const { host, port } = this.#options.listen
    const native = this.#native
    const onDatagram = (bytes: Uint8Array, from: BatchArrival): void => this.#onClient(bytes, from)
    const listener = new BatchSocket({ native, address: octetsOf(host), port, onDatagram })
    this.#listener = listener
    this.#upstream = this.#createUpstream()
    return Promise.resolve({ host, port: listener.port })
  }

  /** Takes what has come; it goes on the line with the time at which it came. */
  poll(): void {
    this.#listener?.take()
    this.#upstream?.take()
  }

  rebind(): void {
    this.#upstream?.close()
    this.#upstream = this.#createUpstream()
  }

  close(): void {
    this.#listener?.close()
    this.#upstream?.close()
    this.#paths.clear()
  }

  sendUp(bytes: Uint8Array, source: number): void {
    this.#upstream?.add(bytes, this.to, source)
  }

  sendDown(bytes: Uint8Array, client: Int32Array): void {
    this.#listener?.add(bytes, client, 0)
  }

  forget(source: number): void {
    this.#paths.delete(source)
    this.#sources.giveBack(source)
  }

  #createUpstream(): BatchSocket {
    const onDatagram = (bytes: Uint8Array, from: BatchArrival): void => this.#onAnswer(bytes, from)
    return new BatchSocket({ native: this.#native, address: ANY_ADDRESS, port: 0, onDatagram })
  }

  #onClient(bytes: Uint8Array, { sourceAddress, atMs }: BatchArrival): void {
    const [family = 0, address = 0] = sourceAddress
    // Port (the upper half of the first word) and address: 48 bits.
    const key = (family >>> 16) * 2 ** 32 + (address >>> 0)
    const received = { bytes: Buffer.from(bytes), atMs }
    this.#options.events.onClient(key, received, () => this.#openPath(sourceAddress.slice()))
  }

  #onAnswer(bytes: Uint8Array, { sourceAddress, destination, atMs }: BatchArrival): void {
    const { events } = this.#options
    const path = this.#paths.get(destination)
    if (path === undefined) return
    if (sourceAddress[0] !== this.to[0] || sourceAddress[1] !== this.to[1]) events.onStranger()
    else events.onAnswer(path, { bytes: Buffer.from(bytes), atMs })
  }

  #openPath(client: Int32Array): BatchPath {
    const source = this.#sources.take()
    const path = new BatchPath(this, client, source)
    this.#paths.set(source, path)
    return path
  }
}

class BatchPath implements FlowPath {
  readonly #owner: BatchSockets
  readonly #client: Int32Array
  readonly #source: number
  #closed = false

  constructor(owner: BatchSockets, client: Int32Array, source: number) {
    this.#owner = owner
    this.#client = client
    this.#source = source
  }

  sendUp(bytes: Uint8Array): boolean {
    if (!this.#closed) this.#owner.sendUp(bytes, this.#source)
    return true
  }

  sendDown(bytes: Uint8Array): boolean {
    if (!this.#closed) this.#owner.sendDown(bytes, this.#client)
    return true
  }

  close(): void {
    // Its address may be another's by now.
    if (this.#closed) return
    this.#closed = true
    this.#owner.forget(this.#source)
  }
}

function octetsOf(host: string): Uint8Array {
  return Uint8Array.from(host.split('.'), Number)
}
