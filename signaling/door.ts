/**
 * The door: HTTP with bounded bodies and whole responses, and WebSocket upgrade, over one listening
 * port. The seam between everything that speaks to clients (sessions, WHIP, REST, pages) and the
 * two servers that can carry it (`io/uws-door.ts`, `io/ws-door.ts`). Deliberately not a web
 * framework: no routing, no streaming, no state.
 */

/**
 * What is known of a request before its body is read. Valid for as long as the holder likes: plain
 * copies.
 */
export type RequestHead = {
  /** Upper case, as sent. */
  readonly method: string
  /** Begins with '/', percent-encoding untouched, without the query. */
  readonly path: string
  /** Without '?'; empty when absent. */
  readonly query: string
  /** Keys in lower case; of repeated headers the values joined by ', '. No prototype. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Text form; IPv4 addresses mapped into IPv6 stand as IPv4. */
  readonly remoteAddress: string
  /** True when the door itself speaks TLS. */
  readonly secure: boolean
}

export type DoorRequest = RequestHead & { readonly body: Uint8Array }

/**
 * A whole response. `content-length` is the door's; a HEAD request gets the headers of the same
 * answer.
 */
export type DoorResponse = {
  status: number
  headers: Record<string, string>
  body?: string | Uint8Array
}

/**
 * One open WebSocket. Every call is allowed at any time and never throws; after `close` they do
 * nothing.
 */
export interface DoorSocket {
  readonly remoteAddress: string
  /** The subprotocol that `onUpgrade` chose. */
  readonly protocol: string
  /** Owned by whoever handles the socket: the door never reads it. */
  attachment: unknown
  /**
   * A string leaves as a text frame, bytes as a binary frame. The bytes may be shared between
   * sockets. `compress` matters on a path of `deflatePaths` only, where the client can inflate.
   */
  send(data: string | Uint8Array, compress?: boolean): void
  /** Bytes accepted by `send` that the kernel has not taken yet. */
  bufferedBytes(): number
  /** Closing handshake with this code; `onClose` follows. */
  close(code: number, reason: string): void
  /** Cut at once; `onClose` follows. */
  terminate(): void
}

export type UpgradeDecision = { protocol: string } | { response: DoorResponse }

/** What stands behind a door. None of these may throw; a rejected promise is answered with 500. */
export interface DoorHandlers {
  /**
   * How large the body of this request may be; a larger one gets 413 without being read to its end.
   */
  bodyBytesMax(head: RequestHead): number
  onRequest(request: DoorRequest): DoorResponse | Promise<DoorResponse>
  /** Decides an upgrade; `offered` are the client's subprotocols in its order. */
  onUpgrade(head: RequestHead, offered: readonly string[]): UpgradeDecision
  onOpen(socket: DoorSocket, head: RequestHead): void
  /** `data` belongs to the callee. */
  onMessage(socket: DoorSocket, data: Uint8Array, binary: boolean): void
  /** The buffer of a slow reader has become smaller. */
  onDrain(socket: DoorSocket): void
  /** Exactly once per opened socket; the socket is unusable. */
  onClose(socket: DoorSocket, code: number): void
}

export type DoorOptions = {
  /** Numeric address or name to listen on; '::' takes IPv4 as well where the system allows. */
  host: string
  /** 0 chooses a free one: see `Door.port`. */
  port: number
  /** Paths of PEM files; both or neither. */
  tls?: { certificateFile: string; keyFile: string }
  /** A larger WebSocket message ends its connection (1009 where the server can say it). */
  messageBytesMax: number
  /** WebSockets of these paths get permessage-deflate (RFC 7692) when the client offers it; no others. */
  deflatePaths?: readonly string[]
  handlers: DoorHandlers
}

/** WebSockets of one path that belong to somebody else than the sessions. None of it may throw. */
export type SocketRoute = {
  readonly path: string
  readonly subprotocol: string
  /** Whether one more may be opened from this address. */
  hasPlaceFor(remoteAddress: string): boolean
  onOpen(socket: DoorSocket): void
  onMessage(socket: DoorSocket, data: Uint8Array, binary: boolean): void
  onClose(socket: DoorSocket): void
}

/** An open door. */
export interface Door {
  readonly kind: 'uws' | 'ws'
  readonly port: number
  /**
   * Stops to listen, closes sockets with 1001, cuts what is left after `DOOR_CLOSE_MS`. Idempotent.
   */
  close(): Promise<void>
}
