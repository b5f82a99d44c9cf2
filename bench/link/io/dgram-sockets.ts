/** Flows over `node:dgram`: one listening socket, and one towards the target for each flow. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { LINE_SEND_QUEUE_MAX } from '../../../config/limits.ts'
import { numericLookup } from '../../process/numeric-lookup.ts'
import type { Endpoint } from './endpoint.ts'
import type { FlowPath, FlowSockets, FlowSocketsOptions } from './flow-sockets.ts'

const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024

/** `open` first. */
export class DgramSockets implements FlowSockets {
  readonly options: FlowSocketsOptions
  readonly paths = new Set<DgramPath>()
  readonly #listener: Socket

  constructor(options: FlowSocketsOptions) {
    this.options = options
    this.#listener = createUdp(options.listen.host)
  }

  async open(): Promise<Endpoint> {
    const { host, port } = this.options.listen
    const { events } = this.options
    const listening = once(this.#listener, 'listening')
    this.#listener.bind(port, host)
    await listening
    this.#listener.on('error', events.onError)
    this.#listener.on('message', (bytes, from) => {
      const key = `${from.address} ${from.port}`
      events.onClient(key, { bytes, atMs: performance.now() }, () => this.#openPath(from))
    })
    const { address, port: bound } = this.#listener.address()
    return { host: address, port: bound }
  }

  rebind(): void {
    for (const path of this.paths) path.rebind()
  }

  close(): void {
    for (const path of this.paths) path.close()
    this.#listener.close()
  }

  #openPath(client: RemoteInfo): DgramPath {
    const path = new DgramPath(this, this.#listener, client)
    this.paths.add(path)
    return path
  }
}

class DgramPath implements FlowPath {
  readonly #owner: DgramSockets
  readonly #listener: Socket
  readonly #client: RemoteInfo
  /** Undefined after the end. */
  #upstream: Socket | undefined

  constructor(owner: DgramSockets, listener: Socket, client: RemoteInfo) {
    this.#owner = owner
    this.#listener = listener
    this.#client = { ...client }
    this.#upstream = this.#createUpstream()
  }

  sendUp(bytes: Uint8Array): boolean {
    const { host, port } = this.#owner.options.to
    return this.#upstream === undefined || sendTo(this.#upstream, bytes, host, port)
  }

  sendDown(bytes: Uint8Array): boolean {
    const { address, port } = this.#client
    return this.#upstream === undefined || sendTo(this.#listener, bytes, address, port)
  }

  rebind(): void {
    this.#upstream?.close()
    this.#upstream = this.#createUpstream()
  }

  close(): void {
    this.#upstream?.close()
    this.#upstream = undefined
    this.#owner.paths.delete(this)
  }

  /** Bound by its first send. */
  #createUpstream(): Socket {
    const { to, events } = this.#owner.options
    const socket = createUdp(to.host)
    socket.on('error', events.onError)
    socket.on('message', (bytes, { address, port }) => {
      if (port !== to.port || address !== to.host) events.onStranger()
      else events.onAnswer(this, { bytes, atMs: performance.now() })
    })
    return socket
  }
}

function sendTo(socket: Socket, bytes: Uint8Array, address: string, port: number): boolean {
  if (socket.getSendQueueCount() >= LINE_SEND_QUEUE_MAX) return false
  socket.send(bytes, 0, bytes.length, port, address)
  return true
}

function createUdp(host: string): Socket {
  return createSocket({
    type: isIPv6(host) ? 'udp6' : 'udp4',
    lookup: numericLookup,
    recvBufferSize: SOCKET_BUFFER_BYTES,
    sendBufferSize: SOCKET_BUFFER_BYTES,
  })
}
