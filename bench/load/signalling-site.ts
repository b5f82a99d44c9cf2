/**
 * A site that only signals: joins by WebSocket, talks and leaves; no media. Also what `bench doors`
 * sends through the door.
 */
import type { PlayerTotals } from '../site/index.ts'
import { type DoorError, pollIn, SiteDoor } from '../site/site-door.ts'
import type { Member, MemberMaker, MemberOutcome, MemberReport, MemberSpec } from './member.ts'
import { newTotals } from './totals.ts'

export type SignallingOptions = Pick<MemberSpec, 'id' | 'token' | 'onEvent'> & { doorUrl: string }

const NO_MEDIA = newTotals()

/** One per participant. */
export class SignallingSite implements Member {
  readonly id: string
  readonly layerNow = -1
  state: Member['state'] = 'idle'
  poll: string | undefined
  readonly #options: SignallingOptions
  #door: SiteDoor | undefined
  #resume: { session: string; secret: string } | undefined
  #last: MemberOutcome | undefined
  #requests = 0
  #answerMsSum = 0
  #answerMsMax = 0
  #failed = 0

  constructor(options: SignallingOptions) {
    this.id = options.id
    this.#options = options
  }

  join(): Promise<MemberOutcome> {
    return this.#enter(undefined)
  }

  /** A session that is gone is joined anew on the same connection, as docs/PROTOCOL.md has it. */
  comeBack(how: 'resume' | 'fresh'): Promise<MemberOutcome> {
    return this.#enter(how === 'resume' ? this.#resume : undefined)
  }

  async leave(): Promise<void> {
    const door = this.#door
    this.#letGo('idle')
    if (door === undefined) return
    await door.request({ type: 'leave' }).catch(() => undefined)
    door.close()
  }

  drop(): void {
    const door = this.#door
    this.#letGo('idle')
    door?.terminate()
  }

  speak(): void {
    // Without media nobody hears it.
  }

  raiseHand(raised: boolean): Promise<void> {
    return this.ask({ type: 'hand', raised })
  }

  chat(text: string): Promise<void> {
    return this.ask({ type: 'chat', text })
  }

  linkHealed(): void {
    // No stream of its own whose return could be timed.
  }

  totals(into: PlayerTotals): PlayerTotals {
    return Object.assign(into, NO_MEDIA)
  }

  report(): MemberReport {
    const last = this.#last
    const figures = {
      requests: this.#requests,
      requestsFailed: this.#failed,
      answerMeanMs: this.#answerMsSum / Math.max(1, this.#requests - this.#failed),
      answerMaxMs: this.#answerMsMax,
    }
    const joined = last?.joined === true
    const failure = this.#failed > 0 ? [`${this.#failed} of ${this.#requests} requests failed`] : []
    if (last === undefined) return { joined, figures, why: ['never joined'] }
    if (last.joined) {
      const { joinMs, steps } = last
      return { joined, joinMs, steps, figures, why: failure }
    }
    const { failedAt, whyFailed } = last
    return { joined, failedAt, whyFailed, figures, why: [`${failedAt}: ${whyFailed}`, ...failure] }
  }

  async #enter(resume: { session: string; secret: string } | undefined): Promise<MemberOutcome> {
    this.drop()
    this.state = 'joining'
    const startMs = performance.now()
    let step = 'door'
    try {
      const door = await SiteDoor.open(this.#options.doorUrl)
      const doorMs = performance.now() - startMs
      this.#hold(door)
      step = 'join'
      const { session, secret } = await this.#joinThrough(door, resume)
      this.#resume = { session: String(session), secret: String(secret) }
      const joinMs = performance.now() - startMs
      this.state = 'joined'
      this.#last = { joined: true, joinMs, steps: { doorMs, joinMs: joinMs - doorMs } }
    } catch (error) {
      this.drop()
      this.state = 'failed'
      const whyFailed = (error as Error).message
      this.#last = { joined: false, failedAt: step, whyFailed }
    }
    return this.#last
  }

  async #joinThrough(door: SiteDoor, resume: { session: string; secret: string } | undefined) {
    const { token } = this.#options
    const join = { type: 'join', token, client: 'nhipcau bench' }
    if (resume === undefined) return await door.request(join)
    return await door.request({ ...join, resume }).catch((error: DoorError) => {
      if (error.code !== 'session-gone') throw error
      return door.request(join)
    })
  }

  #hold(door: SiteDoor): void {
    this.#door = door
    door.onMessage = (message) => {
      this.poll = pollIn(message) ?? this.poll
    }
    door.onClosed = (code) => {
      if (this.#door !== door) return
      this.#letGo('away')
      this.#options.onEvent(`lost its WebSocket (${code})`)
    }
  }

  #letGo(state: Member['state']): void {
    this.#door = undefined
    this.state = state
  }

  async ask(message: Record<string, unknown> & { type: string }): Promise<void> {
    const startMs = performance.now()
    this.#requests += 1
    try {
      if (this.#door === undefined) throw new Error('not joined')
      await this.#door.request(message)
      const tookMs = performance.now() - startMs
      this.#answerMsSum += tookMs
      this.#answerMsMax = Math.max(this.#answerMsMax, tookMs)
    } catch (error) {
      this.#failed += 1
      throw error
    }
  }
}

/** Makes them for the load. */
export function signallingMaker(): MemberMaker {
  return {
    create: ({ id, token, onEvent, route }) =>
      new SignallingSite({ id, token, onEvent, doorUrl: route.doorUrl }),
    processes: () => [],
    close: async () => {},
  }
}
