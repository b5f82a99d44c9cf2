/** The control side of a site at Janus: one WebSocket with a session and one handle of the videoroom plugin. */
import { WebSocket } from 'ws'

type Message = Record<string, unknown> & { janus: string; transaction?: string }

export type Jsep = { type: 'offer' | 'answer'; sdp: string }

/** What the plugin answered: its data, and an SDP when there is one. */
export type PluginAnswer = { data: Record<string, unknown>; jsep?: Jsep }

type Waiting = {
  accept: (message: Message) => boolean
  done: (message: Message) => void
  fail: (error: Error) => void
  timer: NodeJS.Timeout
}

const ANSWER_MS_MAX = 30_000
/** Janus drops a session that is silent for 60 s. */
const KEEP_ALIVE_MS = 25_000

/** One connection. Errors of Janus and of the plugin reject with their words. */
export class JanusDoor {
  readonly #socket: WebSocket
  readonly #waiting = new Map<string, Waiting>()
  #nextTransaction = 1
  #sessionId: number | undefined
  #handleId: number | undefined
  #keepAlive: NodeJS.Timeout | undefined

  /** Use `open`. */
  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.#receive(JSON.parse(data.toString()) as Message))
    socket.on('close', (code: number) => this.#end(code))
    socket.on('error', () => {})
  }

  /** Connects to `ws://host:port/`; rejects when that fails. */
  static open(url: string): Promise<JanusDoor> {
    const socket = new WebSocket(url, 'janus-protocol', { perMessageDeflate: false })
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(new JanusDoor(socket)))
      socket.once('error', (error) => reject(new Error(`unreachable: ${error.message}`)))
    })
  }

  /** Makes the session and attaches the plugin. */
  async attach(): Promise<void> {
    const isSuccess = ({ janus }: Message) => janus === 'success'
    const created = await this.#ask({ janus: 'create' }, isSuccess)
    this.#sessionId = idOf(created)
    const plugin = 'janus.plugin.videoroom'
    this.#handleId = idOf(await this.#ask({ janus: 'attach', plugin }, isSuccess))
    this.#keepAlive = setInterval(() => this.#send({ janus: 'keepalive' }), KEEP_ALIVE_MS)
  }

  /** A request to the plugin; resolves with the event that answers it. */
  async message(body: Record<string, unknown>, jsep?: Jsep): Promise<PluginAnswer> {
    const request = { janus: 'message', body, ...(jsep === undefined ? {} : { jsep }) }
    const message = await this.#ask(request, ({ janus }) => janus === 'event')
    const { data } = message.plugindata as { data: Record<string, unknown> }
    if (data.error !== undefined) throw new Error(`${data.error_code}: ${data.error}`)
    const answered = message.jsep as Jsep | undefined
    return answered === undefined ? { data } : { data, jsep: answered }
  }

  terminate(): void {
    this.#socket.terminate()
  }

  #ask(request: Record<string, unknown>, accept: Waiting['accept']): Promise<Message> {
    return new Promise((done, fail) => {
      const transaction = this.#send(request)
      const timer = setTimeout(() => {
        this.#waiting.delete(transaction)
        fail(new Error(`timeout: no answer to ${String(request.janus)}`))
      }, ANSWER_MS_MAX)
      this.#waiting.set(transaction, { accept, done, fail, timer })
    })
  }

  #send(request: Record<string, unknown>): string {
    const transaction = String(this.#nextTransaction)
    this.#nextTransaction += 1
    const ids = { session_id: this.#sessionId, handle_id: this.#handleId }
    this.#socket.send(JSON.stringify({ ...request, ...ids, transaction }))
    return transaction
  }

  #receive(message: Message): void {
    const { transaction = '' } = message
    const waiting = this.#waiting.get(transaction)
    if (waiting === undefined) return
    const isError = message.janus === 'error'
    if (!isError && !waiting.accept(message)) return
    clearTimeout(waiting.timer)
    this.#waiting.delete(transaction)
    if (isError) waiting.fail(new Error(reasonOf(message)))
    else waiting.done(message)
  }

  #end(code: number): void {
    clearInterval(this.#keepAlive)
    for (const { fail, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      fail(new Error(`connection ended with ${code}`))
    }
    this.#waiting.clear()
  }
}

function idOf(message: Message): number {
  return (message.data as { id: number }).id
}

function reasonOf({ error }: Message): string {
  const { code, reason } = error as { code: number; reason: string }
  return `${code}: ${reason}`
}
