/**
 * One member in the load's books: whether it should be in, how its joins went, since when it is
 * out. Joining goes through here, whoever wants it, so that each attempt is counted once.
 */
import { type HistogramBook, recordMs } from './histograms.ts'
import type { Member, MemberOutcome, MemberSpec } from './member.ts'
import type { LoadGroup, LoadRoute } from './protocol.ts'

/** Joins of one group, times in ms of the owner's clock; `-1` = none yet. */
export type JoinTally = {
  /** Attempts, however they ended; `ended` of them are over. */
  begun: number
  ended: number
  failed: number
  /** Sites that got in for the first time; between `firstMs` (begun) and `lastMs` (in). */
  firsts: number
  firstMs: number
  lastMs: number
  /** Times of having come back after a loss. */
  back: number
}

export const newJoinTally = (): JoinTally => ({
  begun: 0,
  ended: 0,
  failed: 0,
  firsts: 0,
  firstMs: -1,
  lastMs: -1,
  back: 0,
})

export type SeatOptions = {
  spec: MemberSpec
  member: Member
  histograms: HistogramBook
  tally: JoinTally
  nowMs: () => number
}

/** One per site. */
export class Seat {
  readonly spec: MemberSpec
  readonly member: Member
  /** True from its first join until the plan takes it out. */
  wanted = false
  everJoined = false
  last: MemberOutcome | undefined
  /**
   * Since when it is out against the plan, and could be back (a mark `up` sets it anew), ms; -1 =
   * it is not out.
   */
  lostMs = -1
  /** Requests that were refused or not answered. */
  requestsFailed = 0
  readonly #options: SeatOptions
  #attempts = 0

  constructor(options: SeatOptions) {
    this.spec = options.spec
    this.member = options.member
    this.#options = options
  }

  get group(): LoadGroup {
    return this.spec.group
  }

  get route(): LoadRoute {
    return this.spec.route
  }

  /** Whether the plan ever wanted it in. */
  get asked(): boolean {
    return this.#attempts > 0
  }

  get isIn(): boolean {
    return this.member.state === 'joined'
  }

  get isJoining(): boolean {
    return this.member.state === 'joining'
  }

  /** Joins for the first time or anew; never rejects. */
  enter(): Promise<MemberOutcome> {
    return this.#attempt(() => this.member.join(), 'join')
  }

  /** Comes back after a loss; `fresh`: as if the session had been forgotten. */
  comeBack(how: 'resume' | 'fresh'): Promise<MemberOutcome> {
    return this.#attempt(() => this.member.comeBack(how), 'rejoin')
  }

  /** Goes for now; `abrupt`: without a word. */
  async go(abrupt: boolean): Promise<void> {
    this.wanted = false
    this.lostMs = -1
    if (abrupt) this.member.drop()
    else await this.member.leave().catch(() => undefined)
  }

  /** Looks whether it is out against the plan, or has come back by itself. */
  notice(nowMs: number): void {
    const { state } = this.member
    const isOut = state === 'away' || state === 'failed' || state === 'idle'
    if (this.wanted && isOut && this.everJoined && this.lostMs < 0) this.lostMs = nowMs
    if (state === 'joined' && this.lostMs >= 0) this.#countBack(nowMs)
  }

  async #attempt(
    join: () => Promise<MemberOutcome>,
    what: 'join' | 'rejoin',
  ): Promise<MemberOutcome> {
    const { tally, nowMs } = this.#options
    this.wanted = true
    this.#attempts += 1
    const attempt = this.#attempts
    tally.begun += 1
    if (tally.firstMs < 0) tally.firstMs = nowMs()
    const outcome = await join().catch(brokenMember)
    tally.ended += 1
    // A later attempt has taken over.
    if (attempt !== this.#attempts) return outcome
    this.last = outcome
    if (outcome.joined) this.#count(outcome, what)
    else tally.failed += 1
    return outcome
  }

  #count({ joinMs, steps }: MemberOutcome & { joined: true }, what: 'join' | 'rejoin'): void {
    const { tally, nowMs, histograms } = this.#options
    const { id } = this.spec.group
    if (!this.everJoined) {
      tally.firsts += 1
      tally.lastMs = nowMs()
    }
    this.everJoined = true
    recordMs(histograms.of(id, what), joinMs)
    for (const [step, ms] of Object.entries(steps))
      recordMs(histograms.of(id, `${what}.${step.replace(/Ms$/, '')}`), ms)
    if (this.lostMs >= 0) this.#countBack(nowMs())
  }

  #countBack(nowMs: number): void {
    const { tally, histograms } = this.#options
    tally.back += 1
    recordMs(histograms.of(this.group.id, 'outage'), nowMs - this.lostMs)
    this.lostMs = -1
  }
}

/** Members do not reject; one that does is a fault of ours, and counts as a failure at its step. */
function brokenMember(error: Error): MemberOutcome {
  return { joined: false, failedAt: 'load', whyFailed: error.message }
}
