/**
 * The door on uWebSockets.js. Its native binary is looked for only when asked: where it does not
 * load (another glibc, another processor) the caller learns why and takes the other door. Not on
 * any hot media path.
 */

import type {
  HttpRequest,
  HttpResponse,
  TemplatedApp,
  us_listen_socket,
  us_socket_context_t,
  WebSocket,
} from 'uWebSockets.js'
import { createRequire } from 'node:module'
import {
  DOOR_BUFFERED_BYTES_MAX,
  DOOR_CLOSE_MS,
  DOOR_IDLE_S,
  HEADER_COUNT_MAX,
} from '../../config/index.ts'
import type {
  Door,
  DoorOptions,
  DoorRequest,
  DoorResponse,
  DoorSocket,
  RequestHead,
} from '../door.ts'
import { addressFromBytes } from './remote-address.ts'
import {
  answerSafely,
  bodyBytesToRead,
  failure,
  headerEntries,
  offeredProtocols,
  statusLine,
} from './response.ts'

/** LIBUS_LISTEN_EXCLUSIVE_PORT. */
const LISTEN_EXCLUSIVE = 1

type Uws = typeof import('uWebSockets.js')
type UserData = { head: RequestHead; protocol: string; socket: UwsSocket | undefined }

/** The library, or the reason why it cannot be loaded here, in one line. */
export function loadUws(): { uws: Uws } | { reason: string } {
  try {
    return { uws: createRequire(import.meta.url)('uWebSockets.js') as Uws }
  } catch (error) {
    const lines = String(error instanceof Error ? error.message : error).split('\n')
    const reason = lines.filter((line) => line.trim() !== '').at(-1) ?? 'unknown reason'
    return { reason: reason.replace(/^Error: /, '') }
  }
}

class UwsSocket implements DoorSocket {
  readonly remoteAddress: string
  readonly protocol: string
  attachment: unknown = undefined
  open = true
  readonly #raw: WebSocket<UserData>

  constructor(raw: WebSocket<UserData>) {
    this.#raw = raw
    this.remoteAddress = raw.getUserData().head.remoteAddress
    this.protocol = raw.getUserData().protocol
  }

  send(data: string | Uint8Array, compress = true): void {
    if (!this.open) return
    // This build takes strings as Latin-1, so text goes as UTF-8 bytes with the text flag.
    const binary = typeof data !== 'string'
    const status = this.#raw.send(binary ? data : Buffer.from(data), binary, compress)
    // 2: dropped at the limit. A stream with a hole is worse than none.
    if (status === 2) this.#raw.close()
  }

  bufferedBytes(): number {
    return this.open ? this.#raw.getBufferedAmount() : 0
  }

  close(code: number, reason: string): void {
    if (this.open) this.#raw.end(code, reason)
  }

  terminate(): void {
    if (this.open) this.#raw.close()
  }
}

/** Copies what the request says: `req` is gone when the handler returns. */
function readHead(res: HttpResponse, req: HttpRequest, secure: boolean): RequestHead {
  const headers: Record<string, string | undefined> = Object.create(null)
  let count = 0
  req.forEach((key, value) => {
    if (++count > HEADER_COUNT_MAX) return
    const before = headers[key]
    headers[key] = before === undefined ? value : `${before}, ${value}`
  })
  return {
    method: req.getCaseSensitiveMethod().toUpperCase(),
    path: req.getUrl(),
    query: req.getQuery(),
    headers,
    remoteAddress: addressFromBytes(new Uint8Array(res.getRemoteAddress())),
    secure,
  }
}

/** Call only while the response lives, inside a cork. */
function writeResponse(res: HttpResponse, response: DoorResponse, headOnly: boolean): void {
  res.writeStatus(statusLine(response.status))
  for (const [name, value] of headerEntries(response)) res.writeHeader(name, value)
  const body = typeof response.body === 'string' ? Buffer.from(response.body) : response.body
  const close = response.headers.connection === 'close'
  if (response.status === 204 || response.status === 304) res.endWithoutBody()
  else if (headOnly) res.endWithoutBody(body?.byteLength ?? 0, close)
  else res.end(body ?? '', close)
}

/** Collects at most `bytesMax` of `readMax`; calls back once, with undefined when there was more. */
function readBody(
  res: HttpResponse,
  { bytesMax, readMax }: { bytesMax: number; readMax: number },
  done: (body: Uint8Array | undefined) => void,
): void {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  let ended = false
  res.onData((chunk, isLast) => {
    if (ended) return
    sizeBytes += chunk.byteLength
    const fits = sizeBytes <= bytesMax
    // The ArrayBuffer is neutered when we return.
    if (fits && chunk.byteLength > 0) chunks.push(new Uint8Array(chunk.slice(0)))
    ended = isLast || sizeBytes > readMax
    if (ended) done(fits ? Buffer.concat(chunks) : undefined)
  })
}

function hasBody(head: RequestHead): boolean {
  return (
    head.headers['transfer-encoding'] !== undefined ||
    (head.headers['content-length'] ?? '0') !== '0'
  )
}

function serveRequest(options: DoorOptions, res: HttpResponse, head: RequestHead): void {
  let alive = true
  res.onAborted(() => {
    alive = false
  })
  const respond = (response: DoorResponse): void => {
    if (!alive) return
    alive = false
    res.cork(() => writeResponse(res, response, head.method === 'HEAD'))
  }
  const handle = (body: Uint8Array): void => {
    const request: DoorRequest = { ...head, body }
    void answerSafely(options.handlers, request).then(respond)
  }
  const bytesMax = options.handlers.bodyBytesMax(head)
  const readMax = bodyBytesToRead(head, bytesMax)
  if (!hasBody(head)) handle(new Uint8Array(0))
  else if (readMax === undefined) respond(failure(413, true))
  else {
    readBody(res, { bytesMax, readMax }, (body) => {
      if (body === undefined) respond(failure(413, true))
      else handle(body)
    })
  }
}

function serveUpgrade(
  options: DoorOptions,
  upgrade: { res: HttpResponse; req: HttpRequest; context: us_socket_context_t },
): void {
  const { res, req, context } = upgrade
  const head = readHead(res, req, options.tls !== undefined)
  const key = req.getHeader('sec-websocket-key')
  const extensions = req.getHeader('sec-websocket-extensions')
  const decision = options.handlers.onUpgrade(head, offeredProtocols(head))
  if ('response' in decision) {
    res.cork(() => writeResponse(res, decision.response, false))
    return
  }
  const userData: UserData = { head, protocol: decision.protocol, socket: undefined }
  res.upgrade(userData, key, decision.protocol, extensions, context)
}

function mount(
  app: TemplatedApp,
  options: DoorOptions,
  { sockets, deflate }: { sockets: Set<UwsSocket>; deflate: number },
): void {
  for (const path of options.deflatePaths ?? [])
    mountSockets(app, options, { path, compression: deflate, sockets })
  mountSockets(app, options, { path: '/*', compression: 0, sockets })
  app.any('/*', (res, req) =>
    serveRequest(options, res, readHead(res, req, options.tls !== undefined)),
  )
}

function mountSockets(
  app: TemplatedApp,
  options: DoorOptions,
  { path, compression, sockets }: { path: string; compression: number; sockets: Set<UwsSocket> },
): void {
  const { handlers } = options
  app.ws<UserData>(path, {
    maxPayloadLength: options.messageBytesMax,
    maxBackpressure: DOOR_BUFFERED_BYTES_MAX,
    idleTimeout: DOOR_IDLE_S,
    sendPingsAutomatically: true,
    compression,
    upgrade: (res, req, context) => serveUpgrade(options, { res, req, context }),
    open: (raw) => {
      const socket = new UwsSocket(raw)
      raw.getUserData().socket = socket
      sockets.add(socket)
      handlers.onOpen(socket, raw.getUserData().head)
    },
    message: (raw, message, isBinary) => {
      const socket = raw.getUserData().socket
      if (socket?.open) handlers.onMessage(socket, new Uint8Array(message.slice(0)), isBinary)
    },
    drain: (raw) => {
      const socket = raw.getUserData().socket
      if (socket?.open) handlers.onDrain(socket)
    },
    close: (raw, code) => {
      const socket = raw.getUserData().socket
      if (socket === undefined || !sockets.delete(socket)) return
      socket.open = false
      handlers.onClose(socket, code)
    },
  })
}

/**
 * Listens with a loaded library. Rejects when the port is taken or the TLS files cannot be read.
 */
export async function openUwsDoor(uws: Uws, options: DoorOptions): Promise<Door> {
  const app =
    options.tls === undefined
      ? uws.App()
      : uws.SSLApp({
          key_file_name: options.tls.keyFile,
          cert_file_name: options.tls.certificateFile,
        })
  const sockets = new Set<UwsSocket>()
  // Without a window for each socket: every message stands for itself.
  const deflate = uws.SHARED_COMPRESSOR | uws.SHARED_DECOMPRESSOR
  mount(app, options, { sockets, deflate })
  const listening = await new Promise<us_listen_socket | false>((resolve) => {
    // Exclusive: two cores that silently share a port would each see half of a room. The
    // four-argument form exists in the binary though not in its declarations.
    const listen = app.listen.bind(app) as unknown as (...args: unknown[]) => void
    listen(options.host, options.port, LISTEN_EXCLUSIVE, resolve)
  })
  if (listening === false) {
    throw new Error(`cannot listen on ${options.host} port ${options.port}`)
  }
  const port = uws.us_socket_local_port(listening)
  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    uws.us_listen_socket_close(listening)
    for (const socket of [...sockets]) socket.close(1001, 'shutting down')
    // `end` above has told each socket; what still has to be flushed gets this long.
    await new Promise((resolve) => setTimeout(resolve, Math.min(100, DOOR_CLOSE_MS)))
    app.close()
  }
  return {
    kind: 'uws',
    port,
    close: () => {
      closed ??= close()
      return closed
    },
  }
}
