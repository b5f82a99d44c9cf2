/**
 * UDP over a line: one flow per client address, each with a way of its own to the target, as a NAT
 * does. Answers are taken only from the address that the flow talks to. Not a firewall and not a
 * router: one listening address leads to one target.
 */
import type { Cargo } from '../index.ts'
import { BatchSockets, nativeFor } from './batch-sockets.ts'
import { DgramSockets } from './dgram-sockets.ts'
import type { Endpoint } from './endpoint.ts'
import type { FlowPath, FlowSockets, Received } from './flow-sockets.ts'
import type { LineDriver } from './line-driver.ts'

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
  /** Many datagrams per system call, where the target is on this machine. */
  batching: boolean
}

type Flow = { path: FlowPath; usedMs: number; key: string | number }

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
  readonly #flows = new Map<string | number, Flow>()
  readonly #byPath = new Map<FlowPath, Flow>()
  readonly #sockets: FlowSockets
  /** Takes what has come, where nobody is woken for it: to be called once a millisecond. */
  readonly poll: (() => void) | undefined
  #closed = false

  constructor(options: UdpMappingOptions) {
    this.#options = options
    const { listen, to } = options
    const events = {
      onClient: this.#onClient,
      onAnswer: this.#onAnswer,
      onStranger: () => this.#count('strangers'),
      onError: () => this.#count('socketErrors'),
    }
    const native = options.batching ? nativeFor(options) : undefined
    if (native === undefined) {
      this.#sockets = new DgramSockets({ listen, to, events })
      return
    }
    const sockets = new BatchSockets(native, { listen, to, events })
    this.#sockets = sockets
    this.poll = () => sockets.poll()
  }

  /** Rejects when the address cannot be bound. Resolves with the real one. */
  async open(): Promise<Endpoint> {
    return await this.#sockets.open()
  }

  /** Gives every flow a new source port; answers to the old one find nobody. */
  rebind(): void {
    this.counters.rebinds += this.#flows.size
    this.#sockets.rebind()
  }

  /** Forgets idle flows. */
  expire(nowMs: number): void {
    for (const flow of this.#flows.values()) {
      if (nowMs - flow.usedMs < this.#options.idleMs) continue
      this.counters.flowsExpired += 1
      this.#end(flow)
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const flow of this.#flows.values()) this.#end(flow)
    this.#sockets.close()
  }

  /** Only for cargo: hands a datagram to the kernel. */
  deliver(flow: Flow, bytes: Uint8Array, direction: Direction): void {
    if (this.#closed) return
    const taken = direction === 'up' ? flow.path.sendUp(bytes) : flow.path.sendDown(bytes)
    if (!taken) this.counters.socketFull += 1
  }

  /** Only for cargo. */
  noteLateness(direction: Direction, atMs: number): void {
    const { driver } = this.#options
    driver.lateness[direction].add(driver.nowMs() - atMs)
  }

  readonly #onClient = (
    key: string | number,
    { bytes, atMs }: Received,
    open: () => FlowPath,
  ): void => {
    const flow = this.#flows.get(key) ?? this.#admit(key, open)
    if (flow === undefined) return
    flow.usedMs = atMs
    this.#offer(flow, { bytes, atMs }, 'up')
  }

  readonly #onAnswer = (path: FlowPath, received: Received): void => {
    const flow = this.#byPath.get(path)
    if (flow !== undefined) this.#offer(flow, received, 'down')
  }

  #offer(flow: Flow, { bytes, atMs }: Received, direction: Direction): void {
    const { driver } = this.#options
    driver.line[direction].send(new Datagram(this, { flow, bytes, direction }), bytes.length, atMs)
    // Who polls wakes the driver when it has taken everything.
    if (this.poll === undefined) driver.wake(atMs)
  }

  #admit(key: string | number, open: () => FlowPath): Flow | undefined {
    if (this.#flows.size >= this.#options.flowsMax) {
      this.counters.flowsRefused += 1
      return undefined
    }
    const flow: Flow = { path: open(), usedMs: 0, key }
    this.#flows.set(key, flow)
    this.#byPath.set(flow.path, flow)
    this.counters.flowsOpened += 1
    this.counters.flows = this.#flows.size
    return flow
  }

  #end(flow: Flow): void {
    flow.path.close()
    this.#flows.delete(flow.key)
    this.#byPath.delete(flow.path)
    this.counters.flows = this.#flows.size
  }

  #count(what: 'strangers' | 'socketErrors'): void {
    this.counters[what] += 1
  }
}
