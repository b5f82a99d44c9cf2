/**
 * UDP over a line: one flow per client address, each with an upstream socket of its own, as a NAT
 * does. Answers are taken only from the address that the flow talks to. Not a firewall and not a
 * router: one listening address leads to one target.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { LINE_SEND_QUEUE_MAX } from '../../../config/limits.ts'
import type { Cargo } from '../index.ts'
import type { Endpoint } from './endpoint.ts'
import type { LineDriver } from './line-driver.ts'
import { numericLookup } from './numeric-lookup.ts'

const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024

/** Since the start. `socketFull`: the kernel did not take it; `strangers`: not from the target. */
export type UdpCounters = {
  flows: number
  flowsOpened: number
  flowsExpired: number
  flowsRefused: number
  rebinds: number
  socketFull: number
  socketErrors: number
  strangers: number
}

export type UdpMappingOptions = {
  driver: LineDriver
  listen: Endpoint
  to: Endpoint
  /** A flow without a packet from its client for this long is forgotten. */
  idleMs: number
  flowsMax: number
}

type Flow = {
  client: Endpoint
  /** Undefined after the end. */
  upstream: Socket | undefined
  usedMs: number
}

type Direction = 'down' | 'up'

class Datagram implements Cargo {
  readonly #mapping: UdpMapping
  readonly #flow: Flow
  readonly #bytes: Uint8Array
  readonly #direction: Direction

  constructor(mapping: UdpMapping, parts: { flow: Flow; bytes: Uint8Array; direction: Direction }) {
    this.#mapping = mapping
    this.#flow = parts.flow
    this.#bytes = parts.bytes
    this.#direction = parts.direction
  }

  arrive(atMs: number): void {
    this.#mapping.deliver(this.#flow, this.#bytes, this.#direction)
    this.#mapping.noteLateness(this.#direction, atMs)
  }
}

/** `open` first; `close` is idempotent and ends all flows. */
export class UdpMapping {
  readonly counters: UdpCounters = {
    flows: 0,
    flowsOpened: 0,
    flowsExpired: 0,
    flowsRefused: 0,
    rebinds: 0,
    socketFull: 0,
    socketErrors: 0,
    strangers: 0,
  }
  readonly #options: UdpMappingOptions
  readonly #flows = new Map<string, Flow>()
  readonly #listener: Socket
  #closed = false

  constructor(options: UdpMappingOptions) {
    this.#options = options
    this.#listener = this.#socket(options.listen.host)
  }

  /** Rejects when the address cannot be bound. Resolves with the real one. */
  async open(): Promise<Endpoint> {
    const { host, port } = this.#options.listen
    const listening = once(this.#listener, 'listening')
    this.#listener.bind(port, host)
    await listening
    this.#listener.on('error', () => this.#noteError())
    this.#listener.on('message', (bytes, from) => this.#onClient(bytes, from))
    const { address, port: bound } = this.#listener.address()
    return { host: address, port: bound }
  }

  /** Gives every flow a new source port; answers to the old one find nobody. */
  rebind(): void {
    for (const flow of this.#flows.values()) {
      this.counters.rebinds += 1
      flow.upstream?.close()
      flow.upstream = this.#upstream(flow)
    }
  }

  /** Forgets idle flows. */
  expire(nowMs: number): void {
    for (const [key, flow] of this.#flows) {
      if (nowMs - flow.usedMs < this.#options.idleMs) continue
      this.counters.flowsExpired += 1
      this.#end(key, flow)
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const [key, flow] of this.#flows) this.#end(key, flow)
    this.#listener.close()
  }

  /** Only for cargo: hands a datagram to the kernel. */
  deliver(flow: Flow, bytes: Uint8Array, direction: Direction): void {
    const socket = direction === 'up' ? flow.upstream : this.#listener
    if (this.#closed || socket === undefined || flow.upstream === undefined) return
    if (socket.getSendQueueCount() >= LINE_SEND_QUEUE_MAX) {
      this.counters.socketFull += 1
      return
    }
    const { host, port } = direction === 'up' ? this.#options.to : flow.client
    socket.send(bytes, 0, bytes.length, port, host)
  }

  /** Only for cargo. */
  noteLateness(direction: Direction, atMs: number): void {
    const { driver } = this.#options
    driver.lateness[direction].add(driver.nowMs() - atMs)
  }

  #onClient(bytes: Uint8Array, from: RemoteInfo): void {
    const { driver } = this.#options
    const nowMs = driver.nowMs()
    const key = `${from.address} ${from.port}`
    const flow = this.#flows.get(key) ?? this.#admit(key, from)
    if (flow === undefined) return
    flow.usedMs = nowMs
    driver.line.up.send(new Datagram(this, { flow, bytes, direction: 'up' }), bytes.length, nowMs)
    driver.wake(nowMs)
  }

  #onAnswer(flow: Flow, bytes: Uint8Array, from: RemoteInfo): void {
    const { driver, to } = this.#options
    if (from.port !== to.port || from.address !== to.host) {
      this.counters.strangers += 1
      return
    }
    const nowMs = driver.nowMs()
    const datagram = new Datagram(this, { flow, bytes, direction: 'down' })
    driver.line.down.send(datagram, bytes.length, nowMs)
    driver.wake(nowMs)
  }

  #admit(key: string, { address, port }: RemoteInfo): Flow | undefined {
    if (this.#flows.size >= this.#options.flowsMax) {
      this.counters.flowsRefused += 1
      return undefined
    }
    const flow: Flow = { client: { host: address, port }, upstream: undefined, usedMs: 0 }
    flow.upstream = this.#upstream(flow)
    this.#flows.set(key, flow)
    this.counters.flowsOpened += 1
    this.counters.flows = this.#flows.size
    return flow
  }

  #end(key: string, flow: Flow): void {
    flow.upstream?.close()
    flow.upstream = undefined
    this.#flows.delete(key)
    this.counters.flows = this.#flows.size
  }

  /** Bound by its first send. */
  #upstream(flow: Flow): Socket {
    const socket = this.#socket(this.#options.to.host)
    socket.on('error', () => this.#noteError())
    socket.on('message', (bytes, from) => this.#onAnswer(flow, bytes, from))
    return socket
  }

  #socket(host: string): Socket {
    const type = isIPv6(host) ? 'udp6' : 'udp4'
    return createSocket({
      type,
      lookup: numericLookup,
      recvBufferSize: SOCKET_BUFFER_BYTES,
      sendBufferSize: SOCKET_BUFFER_BYTES,
    })
  }

  #noteError(): void {
    this.counters.socketErrors += 1
  }
}
