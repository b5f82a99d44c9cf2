/**
 * The WebSocket that comes back: connects, notices death, plans the next attempt, pairs answers with requests.
 * Deliberately knows nothing about joining: its owner sends `join` in `onOpen` and calls `confirm()` when that worked.
 */
import { backoffMs } from './backoff.ts'
import type { Codec, Format } from './codec.ts'
import { createCodec, SUBPROTOCOLS } from './codec.ts'
import type { Cancel, Environment, SocketLike } from './environment.ts'
import { ConferenceError } from './errors.ts'
import {
  CONNECT_TIMEOUT_MS,
  PING_INTERVAL_MS,
  PONG_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
  REQUESTS_PENDING_MAX,
  STALE_ATTEMPT_MS,
} from './limits.ts'
import type { ClientMessage, ServerMessage } from './messages.ts'

export type LinkOptions = {
  url: string
  format: Format
  environment: Environment
  /** The socket is open: send `join`. */
  onOpen: () => void
  /** Every message that answers no request. */
  onMessage: (message: ServerMessage) => void
  /** The socket is gone; the next attempt is planned for `nextAtMs` unless the owner calls `close()`. */
  onLost: (loss: { code: number; attempt: number; nextAtMs: number }) => void
}

type Pending = {
  resolve: (message: ServerMessage) => void
  reject: (error: ConferenceError) => void
  cancel: Cancel
}

const nothing = (): void => {}

export class SignalLink {
  readonly #options: LinkOptions
  readonly #codec: Codec
  readonly #pending = new Map<number, Pending>()
  #socket: SocketLike | undefined
  #state: 'idle' | 'connecting' | 'open' | 'waiting' | 'closed' = 'idle'
  #attempt = 0
  #attemptAtMs = 0
  #nextRef = 1
  #cancelTimer: Cancel = nothing
  #cancelPing: Cancel = nothing
  #stopWatching: Cancel = nothing

  constructor(options: LinkOptions) {
    this.#options = options
    this.#codec = createCodec(options.format)
  }

  /** Makes the first attempt. */
  open(): void {
    if (this.#state !== 'idle') return
    this.#stopWatching = this.#options.environment.watchNetwork(() => this.reconnectNow())
    this.#connect()
  }

  /** Joined: the next loss starts with short delays again. */
  confirm(): void {
    this.#attempt = 0
  }

  /** Skips the wait for the next attempt; checks at once whether an open socket still lives. */
  reconnectNow(): void {
    if (this.#state === 'waiting') this.#connect()
    else if (this.#state === 'open') this.#ping()
    else if (this.#state === 'connecting') this.#restartStaleAttempt()
  }

  /** Gives up this socket and plans the next attempt. */
  drop(): void {
    if (this.#state === 'open' || this.#state === 'connecting') this.#lost(1006)
  }

  /** Ends for good. Idempotent; requests without an answer fail with `ended`. */
  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#stopWatching()
    this.#abandonSocket(1000)
    this.#rejectAll(new ConferenceError('ended', 'the conference has ended'))
  }

  /**
   * Sends and resolves with the answer. Rejects with `ConferenceError`: the server's code, `timeout`,
   * `connection-lost` (also when not connected) or `ended`.
   */
  request(message: ClientMessage): Promise<ServerMessage> {
    if (this.#state !== 'open') {
      const code = this.#state === 'closed' ? 'ended' : 'connection-lost'
      return Promise.reject(new ConferenceError(code, 'not connected'))
    }
    if (this.#pending.size >= REQUESTS_PENDING_MAX) {
      return Promise.reject(new ConferenceError('rate-limited', 'too many requests wait'))
    }
    const ref = this.#nextRef
    this.#nextRef = this.#nextRef >= 0xffff_ffff ? 1 : this.#nextRef + 1
    return new Promise((resolve, reject) => {
      const cancel = this.#options.environment.after(REQUEST_TIMEOUT_MS, () => {
        this.#pending.delete(ref)
        reject(new ConferenceError('timeout', `no answer to ${message.type}`))
      })
      this.#pending.set(ref, { resolve, reject, cancel })
      this.#socket?.send(this.#codec.encode({ ...message, ref }))
    })
  }

  /** An attempt from before the network came back hangs in the old network: begin again. */
  #restartStaleAttempt(): void {
    if (this.#options.environment.nowMs() - this.#attemptAtMs < STALE_ATTEMPT_MS) return
    this.#abandonSocket()
    this.#connect()
  }

  #connect(): void {
    this.#cancelTimer()
    this.#state = 'connecting'
    this.#attemptAtMs = this.#options.environment.nowMs()
    const { environment, url, format } = this.#options
    let socket: SocketLike
    try {
      socket = environment.createSocket(url, [SUBPROTOCOLS[format]])
    } catch {
      this.#lost(1006)
      return
    }
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => this.#opened()
    socket.onmessage = (event) => this.#received(event.data)
    socket.onclose = (event) => this.#lost(event.code)
    socket.onerror = nothing
    this.#cancelTimer = environment.after(CONNECT_TIMEOUT_MS, () => this.#lost(1006))
  }

  #opened(): void {
    this.#cancelTimer()
    this.#state = 'open'
    this.#listen()
    this.#options.onOpen()
  }

  /** A browser does not notice a dead link for minutes; a ping does within seconds. */
  #listen(): void {
    this.#cancelPing()
    this.#cancelPing = this.#options.environment.after(PING_INTERVAL_MS, () => this.#ping())
  }

  #ping(): void {
    this.#cancelPing()
    this.#socket?.send(this.#codec.encode({ type: 'ping' }))
    this.#cancelPing = this.#options.environment.after(PONG_TIMEOUT_MS, () => this.#lost(1006))
  }

  #received(data: unknown): void {
    this.#listen()
    const message = this.#codec.decode(data)
    if (message === undefined || message.type === 'pong') return
    const pending = message.ref === undefined ? undefined : this.#pending.get(message.ref)
    if (pending === undefined) {
      this.#options.onMessage(message)
      return
    }
    this.#pending.delete(message.ref as number)
    pending.cancel()
    if (message.type === 'error') pending.reject(new ConferenceError(message.code, message.message))
    else pending.resolve(message)
  }

  #lost(code: number): void {
    if (this.#state === 'closed' || this.#state === 'waiting') return
    this.#abandonSocket()
    const { environment } = this.#options
    const delayMs = backoffMs(this.#attempt, environment.random())
    this.#attempt += 1
    this.#state = 'waiting'
    this.#cancelTimer = environment.after(delayMs, () => this.#connect())
    this.#rejectAll(new ConferenceError('connection-lost', 'the connection was lost'))
    // A listener may have closed the link while requests were rejected.
    if (this.#state !== 'waiting') return
    this.#options.onLost({
      code,
      attempt: this.#attempt,
      nextAtMs: environment.nowMs() + delayMs,
    })
  }

  #abandonSocket(code?: number): void {
    this.#cancelTimer()
    this.#cancelPing()
    const socket = this.#socket
    this.#socket = undefined
    if (socket === undefined) return
    socket.onopen = socket.onmessage = socket.onclose = null
    try {
      socket.close(code)
    } catch {
      // A socket that never opened may refuse; it is abandoned all the same.
    }
  }

  #rejectAll(error: ConferenceError): void {
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { cancel, reject } of pending) {
      cancel()
      reject(error)
    }
  }
}
