/**
 * TCP over a line: each connection is two TcpStreams (see ../tcp-stream.ts) between two real
 * sockets on this machine. The client's connection is accepted by the kernel at once; what it sends
 * waits for a handshake over the line.
 */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { type StreamEnds, TcpStream } from '../index.ts'
import type { Endpoint } from './endpoint.ts'
import type { LineDriver } from './line-driver.ts'

/** Since the start. Segments are those of ended and living connections together. */
export type TcpCounters = {
  connections: number
  opened: number
  refused: number
  resets: number
  segments: number
  retransmissions: number
  timeouts: number
}

export type TcpMappingOptions = {
  driver: LineDriver
  listen: Endpoint
  to: Endpoint
  connectionsMax: number
}

/** `open` first; `close` is idempotent and cuts all connections. */
export class TcpMapping {
  readonly #options: TcpMappingOptions
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  readonly #ended: TcpCounters = {
    connections: 0,
    opened: 0,
    refused: 0,
    resets: 0,
    segments: 0,
    retransmissions: 0,
    timeouts: 0,
  }

  constructor(options: TcpMappingOptions) {
    this.#options = options
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) =>
      this.#admit(client),
    )
  }

  /** Rejects when the address cannot be bound. Resolves with the real one. */
  async open(): Promise<Endpoint> {
    const { host, port } = this.#options.listen
    const listening = once(this.#server, 'listening')
    this.#server.listen(port, host)
    await listening
    const address = this.#server.address()
    return { host, port: typeof address === 'object' && address !== null ? address.port : port }
  }

  get counters(): TcpCounters {
    const sum = { ...this.#ended, connections: this.#connections.size }
    for (const { up, down } of this.#connections) addCounters(sum, up, down)
    return sum
  }

  close(): void {
    this.#server.close()
    for (const connection of this.#connections) connection.finish()
  }

  #admit(client: Socket): void {
    if (this.#connections.size >= this.#options.connectionsMax) {
      this.#ended.refused += 1
      client.on('error', () => {})
      client.resetAndDestroy()
      return
    }
    this.#ended.opened += 1
    const { driver, to } = this.#options
    const connection = new Connection({
      driver,
      client,
      to,
      onGone: (gone, isReset) => {
        this.#connections.delete(gone)
        if (isReset) this.#ended.resets += 1
        addCounters(this.#ended, gone.up, gone.down)
      },
    })
    this.#connections.add(connection)
    connection.start()
  }
}

function addCounters(sum: TcpCounters, up: TcpStream, down: TcpStream): void {
  for (const { counters } of [up, down]) {
    sum.segments += counters.segments
    sum.retransmissions += counters.retransmissions
    sum.timeouts += counters.timeouts
  }
}

type ConnectionOptions = {
  driver: LineDriver
  client: Socket
  to: Endpoint
  onGone: (connection: Connection, isReset: boolean) => void
}

class Connection {
  readonly up: TcpStream
  readonly down: TcpStream
  readonly #options: ConnectionOptions
  #upstream: Socket | undefined
  #isGone = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { up, down } = options.driver.line
    this.up = new TcpStream(
      up,
      down,
      this.#ends({
        onOpen: () => this.#dial(),
        to: () => this.#upstream,
        from: () => options.client,
      }),
    )
    this.down = new TcpStream(
      down,
      up,
      this.#ends({
        onOpen: () => this.up.allow(options.driver.nowMs()),
        to: () => options.client,
        from: () => this.#upstream,
      }),
    )
  }

  start(): void {
    const { driver, client } = this.#options
    driver.streams.add(this.up)
    driver.streams.add(this.down)
    this.#attach(client, this.up, this.down)
    this.up.open(driver.nowMs())
    driver.wake(driver.nowMs())
  }

  /** Cuts everything now. */
  finish(isReset = false): void {
    if (this.#isGone) return
    this.#isGone = true
    const { driver, client, onGone } = this.#options
    for (const stream of [this.up, this.down]) {
      driver.streams.delete(stream)
      stream.destroy()
    }
    for (const socket of [client, this.#upstream]) {
      if (isReset) socket?.resetAndDestroy()
      else socket?.destroy()
    }
    onGone(this, isReset)
  }

  /** The SYN has arrived at the far side. */
  #dial(): void {
    const { driver, to } = this.#options
    const upstream = connect({ ...to, allowHalfOpen: true, noDelay: true })
    this.#upstream = upstream
    this.#attach(upstream, this.down, this.up)
    upstream.on('connect', () => {
      this.down.open(driver.nowMs())
      this.down.allow(driver.nowMs())
      driver.wake(driver.nowMs())
    })
  }

  /** What a socket says goes into `out`; what `into` brings is written to it. */
  #attach(socket: Socket, out: TcpStream, into: TcpStream): void {
    const { driver } = this.#options
    const told = (tell: (nowMs: number) => void): void => {
      if (this.#isGone) return
      const nowMs = driver.nowMs()
      tell(nowMs)
      driver.wake(nowMs)
    }
    socket.on('data', (bytes) => {
      told((nowMs) => out.offer(bytes, nowMs))
      if (!out.wantsMore()) socket.pause()
    })
    socket.on('end', () => told((nowMs) => out.end(nowMs)))
    socket.on('drain', () => told((nowMs) => into.drained(nowMs)))
    socket.on('error', () => told((nowMs) => out.reset(nowMs)))
    socket.on('close', () => this.#onClosed())
  }

  /** A clean end; after an error the reset that is on its way ends the rest. */
  #onClosed(): void {
    if (this.#options.client.destroyed && this.#upstream?.destroyed === true) this.finish()
  }

  #ends({
    onOpen,
    to,
    from,
  }: {
    onOpen: () => void
    to: () => Socket | undefined
    from: () => Socket | undefined
  }): StreamEnds {
    return {
      onOpen,
      write: (bytes) => to()?.write(bytes) ?? true,
      onEnd: () => to()?.end(),
      onReset: () => this.finish(true),
      onRoom: () => from()?.resume(),
    }
  }
}
