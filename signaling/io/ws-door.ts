/**
 * The door on `node:http` and `ws`: the one that runs everywhere. Same contract as `uws-door.ts`,
 * checked by the same tests; slower by a factor that matters for control frames only.
 */

import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import {
  DOOR_BUFFERED_BYTES_MAX,
  DOOR_CLOSE_MS,
  DOOR_IDLE_S,
  HEADER_BYTES_MAX,
  HEADER_COUNT_MAX,
  MESSAGE_FRAGMENTS_MAX,
  REQUEST_MS_MAX,
} from '../../config/index.ts'
import type { Door, DoorOptions, DoorResponse, DoorSocket, RequestHead } from '../door.ts'
import { addressFromText } from './remote-address.ts'
import {
  answerSafely,
  bodyBytesToRead,
  failure,
  headerEntries,
  offeredProtocols,
  statusLine,
} from './response.ts'

/** A shorter message is not worth compressing. */
const DEFLATE_BYTES_MIN = 256

class WsSocket implements DoorSocket {
  readonly remoteAddress: string
  readonly protocol: string
  attachment: unknown = undefined
  /** Cleared by the sweep, set by anything received. */
  heard = true
  readonly #raw: WebSocket
  readonly #stream: Duplex
  #isCorked = false

  constructor(raw: WebSocket, stream: Duplex, remoteAddress: string) {
    this.#raw = raw
    this.#stream = stream
    this.remoteAddress = remoteAddress
    this.protocol = raw.protocol
  }

  send(data: string | Uint8Array, compress = true): void {
    if (this.#raw.readyState !== this.#raw.OPEN) return
    if (!this.#isCorked) {
      // What is said in one turn (a join is answered by three messages) leaves in one system call.
      this.#isCorked = true
      this.#stream.cork()
      process.nextTick(this.#uncork)
    }
    this.#raw.send(data, { binary: typeof data !== 'string', compress }, ignore)
    if (this.#raw.bufferedAmount > DOOR_BUFFERED_BYTES_MAX) this.#raw.terminate()
  }

  readonly #uncork = (): void => {
    this.#isCorked = false
    this.#stream.uncork()
  }

  bufferedBytes(): number {
    return this.#raw.bufferedAmount
  }

  close(code: number, reason: string): void {
    if (this.#raw.readyState !== this.#raw.OPEN) return
    this.#raw.close(code, reason)
    const cut = setTimeout(() => this.#raw.terminate(), DOOR_CLOSE_MS)
    cut.unref()
    this.#raw.once('close', () => clearTimeout(cut))
  }

  terminate(): void {
    this.#raw.terminate()
  }

  /** Pings, or cuts a peer that was silent since the last call. */
  sweep(): void {
    if (!this.heard) this.#raw.terminate()
    else if (this.#raw.readyState === this.#raw.OPEN) this.#raw.ping(ignore)
    this.heard = false
  }
}

// A write error ends in 'close', which is handled; the callback keeps `ws` from throwing it.
const ignore = (): void => {}

function readHead(message: IncomingMessage, secure: boolean): RequestHead {
  const headers: Record<string, string | undefined> = Object.create(null)
  for (const [key, values] of Object.entries(message.headersDistinct)) {
    headers[key] = values?.join(', ')
  }
  const url = message.url ?? '/'
  const mark = url.indexOf('?')
  return {
    method: (message.method ?? 'GET').toUpperCase(),
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? '' : url.slice(mark + 1),
    headers,
    remoteAddress: addressFromText(message.socket.remoteAddress),
    secure,
  }
}

function respond(out: ServerResponse, response: DoorResponse, headOnly: boolean): void {
  if (out.destroyed || out.headersSent) return
  const body = response.body ?? ''
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  for (const [name, value] of headerEntries(response)) out.setHeader(name, value)
  if (response.headers.connection === 'close') out.setHeader('connection', 'close')
  const bodiless = response.status === 204 || response.status === 304
  if (!bodiless) out.setHeader('content-length', bytes.byteLength)
  out.writeHead(response.status)
  out.end(bodiless || headOnly ? undefined : bytes)
}

/**
 * Reads at most `readMax`. Resolves with the body, undefined when it is larger than `bytesMax` or the client went away.
 */
function readBody(
  message: IncomingMessage,
  { bytesMax, readMax }: { bytesMax: number; readMax: number },
): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    message.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length
      if (sizeBytes <= bytesMax) chunks.push(chunk)
      if (sizeBytes <= readMax) return
      message.pause()
      resolve(undefined)
    })
    message.on('end', () => resolve(sizeBytes <= bytesMax ? Buffer.concat(chunks) : undefined))
    message.on('error', () => resolve(undefined))
    message.on('close', () => resolve(undefined))
  })
}

async function serveRequest(
  options: DoorOptions,
  message: IncomingMessage,
  out: ServerResponse,
): Promise<void> {
  const head = readHead(message, options.tls !== undefined)
  const bytesMax = options.handlers.bodyBytesMax(head)
  const readMax = bodyBytesToRead(head, bytesMax)
  const body = readMax === undefined ? undefined : await readBody(message, { bytesMax, readMax })
  if (body === undefined) {
    respond(out, failure(413, true), false)
    // Do not read on what nobody wants; the answer above is flushed first.
    out.on('finish', () => message.socket.destroySoon())
    return
  }
  respond(out, await answerSafely(options.handlers, { ...head, body }), head.method === 'HEAD')
}

function refuseUpgrade(socket: Duplex, response: DoorResponse): void {
  const body = Buffer.from(response.body ?? '')
  const lines = headerEntries(response).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${statusLine(response.status)}\r\n${lines.join('')}` +
      `content-length: ${body.length}\r\nconnection: close\r\n\r\n${body.toString('latin1')}`,
    'latin1',
  )
}

function openSocket(
  options: DoorOptions,
  peer: { raw: WebSocket; stream: Duplex; head: RequestHead },
  sockets: Set<WsSocket>,
): void {
  const { raw, stream, head } = peer
  const { handlers } = options
  const socket = new WsSocket(raw, stream, head.remoteAddress)
  sockets.add(socket)
  raw.on('message', (data: Buffer, isBinary: boolean) => {
    socket.heard = true
    if (raw.readyState === raw.OPEN) handlers.onMessage(socket, data, isBinary)
  })
  raw.on('pong', () => {
    socket.heard = true
  })
  raw.on('error', ignore)
  stream.on('drain', () => {
    if (raw.readyState === raw.OPEN) handlers.onDrain(socket)
  })
  raw.on('close', (code) => {
    if (sockets.delete(socket)) handlers.onClose(socket, code)
  })
  handlers.onOpen(socket, head)
}

/** Answers upgrades; `chosen` says with which subprotocol. */
function webSocketServer(
  options: DoorOptions,
  chosen: WeakMap<IncomingMessage, string>,
  deflate: boolean,
): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    maxPayload: options.messageBytesMax,
    maxFragments: MESSAGE_FRAGMENTS_MAX,
    // Without context: a connection costs no window, and each message stands for itself.
    perMessageDeflate: deflate && {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      threshold: DEFLATE_BYTES_MIN,
    },
    clientTracking: false,
    handleProtocols: (_offered, request) => chosen.get(request) ?? false,
  })
}

/** Listens. Rejects when the port is taken or the TLS files cannot be read. */
export async function openWsDoor(options: DoorOptions): Promise<Door> {
  const limits = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: REQUEST_MS_MAX,
    requestTimeout: REQUEST_MS_MAX,
    connectionsCheckingInterval: 5_000,
  }
  const server =
    options.tls === undefined
      ? createServer(limits)
      : createTlsServer({
          ...limits,
          cert: readFileSync(options.tls.certificateFile),
          key: readFileSync(options.tls.keyFile),
        })
  server.maxHeadersCount = HEADER_COUNT_MAX
  const sockets = new Set<WsSocket>()
  const chosen = new WeakMap<IncomingMessage, string>()
  const plainSockets = webSocketServer(options, chosen, false)
  const deflateSockets = webSocketServer(options, chosen, true)
  server.on('request', (message, out) => {
    out.on('error', ignore)
    void serveRequest(options, message, out)
  })
  server.on('clientError', (_error, socket) => {
    // Browsers keep spare connections, and would take an answer that nobody asked for as that to their next request.
    const isSpare = (socket as Socket).bytesRead === 0
    if (socket.writable && !isSpare) refuseUpgrade(socket, failure(400, true))
    else socket.destroy()
  })
  server.on('upgrade', (message, stream, early) => {
    stream.on('error', ignore)
    const head = readHead(message, options.tls !== undefined)
    const decision = options.handlers.onUpgrade(head, offeredProtocols(head))
    if ('response' in decision) return refuseUpgrade(stream, decision.response)
    chosen.set(message, decision.protocol)
    const isDeflated = options.deflatePaths?.includes(head.path) === true
    const webSockets = isDeflated ? deflateSockets : plainSockets
    webSockets.handleUpgrade(message, stream, early, (raw) =>
      openSocket(options, { raw, stream, head }, sockets),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const sweeper = setInterval(
    () => {
      for (const socket of sockets) socket.sweep()
    },
    (DOOR_IDLE_S * 1000) / 2,
  )
  sweeper.unref()
  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    clearInterval(sweeper)
    const ended = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of [...sockets]) socket.close(1001, 'shutting down')
    server.closeIdleConnections()
    const cut = setTimeout(() => {
      for (const socket of [...sockets]) socket.terminate()
      server.closeAllConnections()
    }, DOOR_CLOSE_MS)
    await ended
    clearTimeout(cut)
  }
  return {
    kind: 'ws',
    port: (server.address() as AddressInfo).port,
    close: () => {
      closed ??= close()
      return closed
    },
  }
}
