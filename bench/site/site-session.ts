/**
 * The signalling life of one participant: joins, notices that the connection is dead, comes back as
 * the web SDK does (its own backoff, its own reading of refusals; docs/PROTOCOL.md §1.4). Knows
 * nothing of media.
 */
import { backoffMs } from '../../web/sdk/backoff.ts'
import { fateOf } from '../../web/sdk/errors.ts'
import { CONNECT_TIMEOUT_MS, PING_INTERVAL_MS, PONG_TIMEOUT_MS } from '../../web/sdk/limits.ts'
import type { JoinStep } from './contract.ts'
import { DoorError, type Message, SiteDoor } from './site-door.ts'

const FIRST_CONNECT_MS_MAX = 30_000

/** A join that failed at a step before media. `isFinal`: trying again is of no use. */
export class EnterError extends Error {
  readonly step: JoinStep
  readonly isFinal: boolean
  constructor(step: JoinStep, error: Error) {
    super(error.message)
    this.name = 'EnterError'
    this.step = step
    this.isFinal = error instanceof DoorError && fateOf(error.code) === 'end'
  }
}

export type SessionOptions = {
  doorUrl: string
  token: string
  random: () => number
  reconnects: boolean
  onMessage: (message: Message) => void
  /** The connection is gone; the session comes back by itself unless `isFinal`. */
  onLost: (why: string, isFinal: boolean) => void
  /** It is back after a loss. `lostMs` = how long it was away. */
  onBack: (entered: Entered, lostMs: number) => void
}

export type Entered = { joined: Message; doorMs: number; joinMs: number }

/** One per participant. `enter` first. */
export class SiteSession {
  readonly #options: SessionOptions
  #door: SiteDoor | undefined
  #resume: { session: string; secret: string } | undefined
  #attempt = 0
  #timer: NodeJS.Timeout | undefined
  #lostMs = 0
  #pingMs = 0
  /** Grows with each attempt and each cut: what an older attempt brings is let go. */
  #epoch = 0

  constructor(options: SessionOptions) {
    this.#options = options
  }

  get isOpen(): boolean {
    return this.#door !== undefined
  }

  /**
   * Connects and joins; rejects with an EnterError and leaves nothing open. `resume`: within the
   * session, if it is still there.
   */
  async enter(resume: boolean, timeoutMs = FIRST_CONNECT_MS_MAX): Promise<Entered> {
    clearTimeout(this.#timer)
    this.#epoch += 1
    const epoch = this.#epoch
    if (!resume) this.#resume = undefined
    const startMs = performance.now()
    let step: JoinStep = 'door'
    let door: SiteDoor | undefined
    try {
      door = await SiteDoor.open(this.#options.doorUrl, timeoutMs)
      const doorMs = performance.now() - startMs
      step = 'join'
      door.onMessage = (message) => this.#onMessage(message)
      const joined = await this.#join(door)
      if (epoch !== this.#epoch) throw new Error('given up meanwhile')
      this.#take(door, joined)
      return { joined, doorMs, joinMs: performance.now() - startMs - doorMs }
    } catch (error) {
      door?.terminate()
      throw new EnterError(step, error as Error)
    }
  }

  /** Sends a request; rejects with a DoorError, also when there is no connection. */
  async request(message: Message): Promise<Message> {
    const door = this.#door
    if (door === undefined) throw new DoorError('connection-lost', 'not connected')
    return await door.request(message)
  }

  /** A dead line is noticed by a ping that nobody answers. Call every second or so. */
  tick(nowMs: number): void {
    const door = this.#door
    if (door === undefined) return
    if (door.heardMs >= this.#pingMs) this.#pingMs = 0
    if (this.#pingMs > 0) {
      if (nowMs - this.#pingMs > PONG_TIMEOUT_MS) door.terminate()
    } else if (nowMs - door.heardMs > PING_INTERVAL_MS) {
      this.#pingMs = nowMs
      door.request({ type: 'ping' }).catch(() => undefined)
    }
  }

  /** Loses the connection without a word; the owner enters again when it likes. */
  cut(): void {
    this.#epoch += 1
    const door = this.#door
    this.#door = undefined
    clearTimeout(this.#timer)
    if (door === undefined) return
    door.onClosed = () => {}
    door.onMessage = () => {}
    door.terminate()
  }

  /** Ends for good, or until `enter`. */
  end(): void {
    this.#resume = undefined
    this.cut()
  }

  async #join(door: SiteDoor): Promise<Message> {
    const message = { type: 'join', token: this.#options.token, client: 'nhipcau bench' }
    const resume = this.#resume
    if (resume === undefined) return await door.request(message)
    try {
      return await door.request({ ...message, resume })
    } catch (error) {
      if (!(error instanceof DoorError) || fateOf(error.code) !== 'rejoin') throw error
      this.#resume = undefined
      return await door.request(message)
    }
  }

  #take(door: SiteDoor, joined: Message): void {
    this.#door = door
    this.#attempt = 0
    this.#pingMs = 0
    this.#resume = { session: String(joined.session), secret: String(joined.secret) }
    door.onClosed = (code) => this.#onClosed(`closed with ${code}`, false)
  }

  #onMessage(message: Message): void {
    this.#options.onMessage(message)
    if (message.type !== 'bye') return
    const fate = fateOf(String(message.code))
    if (fate === 'rejoin') this.#resume = undefined
    this.#onClosed(`bye: ${String(message.code)}`, fate === 'end')
  }

  #onClosed(why: string, isFinal: boolean): void {
    if (this.#door === undefined) return
    this.cut()
    this.#lostMs = performance.now()
    const isOver = isFinal || !this.#options.reconnects
    this.#options.onLost(why, isOver)
    if (!isOver) this.#plan()
  }

  #plan(): void {
    const waitMs = backoffMs(this.#attempt, this.#options.random())
    this.#attempt += 1
    this.#timer = setTimeout(() => void this.#again(), waitMs)
  }

  async #again(): Promise<void> {
    const epoch = this.#epoch + 1
    try {
      const entered = await this.enter(this.#resume !== undefined, CONNECT_TIMEOUT_MS)
      this.#options.onBack(entered, performance.now() - this.#lostMs)
    } catch (error) {
      if (epoch !== this.#epoch) return
      const isFinal = error instanceof EnterError && error.isFinal
      if (isFinal) this.#options.onLost((error as Error).message, true)
      else this.#plan()
    }
  }
}
