/**
 * The control side of a synthetic site: one WebSocket speaking docs/PROTOCOL.md (msgpack), requests
 * as promises.
 */
import { Packr } from 'msgpackr'
import { WebSocket } from 'ws'

/** One map of docs/PROTOCOL.md. */
export type Message = Record<string, unknown> & { type: string; ref?: number }

const packr = new Packr({ useRecords: false, mapsAsObjects: true })
const ANSWER_MS_MAX = 30_000

/** An `error` answer, or the end of the connection. */
export class DoorError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(`${code}: ${message}`)
    this.name = 'DoorError'
    this.code = code
  }
}

/** One connection. `onMessage` hears everything that answers no request. */
export class SiteDoor {
  onMessage: (message: Message) => void = () => {}
  onClosed: (code: number) => void = () => {}
  /** When the last message came, of `performance.now()`. */
  heardMs = performance.now()
  readonly #socket: WebSocket
  readonly #waiting = new Map<
    number,
    { done: (message: Message) => void; fail: (error: Error) => void; timer: NodeJS.Timeout }
  >()
  #nextRef = 1

  /** Use `open`. */
  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.#receive(packr.unpack(data) as Message))
    socket.on('close', (code: number) => this.#end(code))
    socket.on('error', () => {})
  }

  /**
   * Connects to `ws(s)://host:port/ws`; rejects when that fails, or takes longer than `timeoutMs`.
   */
  static open(url: string, timeoutMs = ANSWER_MS_MAX): Promise<SiteDoor> {
    const socket = new WebSocket(url, 'nhipcau.1.msgpack', {
      handshakeTimeout: timeoutMs,
      perMessageDeflate: false,
      skipUTF8Validation: true,
    })
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(new SiteDoor(socket)))
      socket.once('error', (error) => reject(new DoorError('unreachable', error.message)))
    })
  }

  /** Sends a request and resolves with its answer; rejects with a DoorError. */
  request(message: Message): Promise<Message> {
    const ref = this.#nextRef
    this.#nextRef += 1
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(ref)
        fail(new DoorError('timeout', `no answer to ${message.type}`))
      }, ANSWER_MS_MAX)
      this.#waiting.set(ref, { done, fail, timer })
      this.#socket.send(packr.pack({ ...message, ref }))
    })
  }

  close(): void {
    this.#socket.close(1000)
  }

  terminate(): void {
    this.#socket.terminate()
  }

  #receive(message: Message): void {
    this.heardMs = performance.now()
    const waiting = message.ref === undefined ? undefined : this.#waiting.get(message.ref)
    if (waiting === undefined || message.ref === undefined) {
      this.onMessage(message)
      return
    }
    clearTimeout(waiting.timer)
    this.#waiting.delete(message.ref)
    if (message.type === 'error')
      waiting.fail(new DoorError(String(message.code), String(message.message)))
    else waiting.done(message)
  }

  #end(code: number): void {
    for (const { fail, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      fail(new DoorError('closed', `connection ended with ${code}`))
    }
    this.#waiting.clear()
    this.onClosed(code)
  }
}

/** The poll that a `room` message says was opened last. */
export function pollIn({ type, polls }: Message): string | undefined {
  if (type !== 'room') return undefined
  const { set = [] } = (polls ?? {}) as { set?: { poll: string; closed: boolean }[] }
  return set.findLast(({ closed }) => !closed)?.poll
}
