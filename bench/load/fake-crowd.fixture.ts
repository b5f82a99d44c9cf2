/** Members that join when told, for tests of plans under a virtual clock: no sockets. */
import { createRandom } from '../link/index.ts'
import { createLatencies } from '../site/index.ts'
import { HistogramBook } from './histograms.ts'
import type { Member, MemberOutcome, MemberReport, MemberSpec } from './member.ts'
import type { LoadGroup } from './protocol.ts'
import { type JoinTally, newJoinTally, Seat } from './seat.ts'
import { TimerWheel } from './timer-wheel.ts'
import { newTotals } from './totals.ts'

/** Does what its public fields say and writes down what it was asked. */
export class FakeMember implements Member {
  readonly id: string
  state: Member['state'] = 'idle'
  layerNow = 1
  /** Whether joins succeed now. */
  admits = true
  seen = newTotals()
  figures: Record<string, number> = {}
  poll: string | undefined
  readonly asked: string[] = []
  readonly #log: (what: string) => void

  constructor(id: string, log: (what: string) => void) {
    this.id = id
    this.#log = log
  }

  async join(): Promise<MemberOutcome> {
    this.#note('join')
    this.state = 'joining'
    await Promise.resolve()
    this.state = this.admits ? 'joined' : 'failed'
    if (!this.admits) return { joined: false, failedAt: 'door', whyFailed: 'closed' }
    return { joined: true, joinMs: 100, steps: { doorMs: 40, joinMs: 60 } }
  }

  async comeBack(how: 'resume' | 'fresh'): Promise<MemberOutcome> {
    this.#note(how)
    return await this.join()
  }

  async leave(): Promise<void> {
    this.#note('leave')
    this.state = 'idle'
  }

  drop(): void {
    this.#note('drop')
    this.state = 'idle'
  }

  speak(levelDbov: number): void {
    this.#note(`speak ${levelDbov}`)
  }

  async raiseHand(raised: boolean): Promise<void> {
    this.#note(raised ? 'hand up' : 'hand down')
  }

  async chat(): Promise<void> {
    this.#note('chat')
  }

  async ask(request: { type: string }): Promise<void> {
    this.#note(JSON.stringify(request))
  }

  linkHealed(): void {
    this.#note('healed')
  }

  totals(into: ReturnType<typeof newTotals>) {
    return Object.assign(into, this.seen)
  }

  report(): MemberReport {
    return { joined: this.state === 'joined', figures: this.figures, why: [] }
  }

  #note(what: string): void {
    this.asked.push(what)
    this.#log(`${this.id} ${what}`)
  }
}

export type FakeCrowd = {
  wheel: TimerWheel
  seats: Seat[]
  members: FakeMember[]
  tallies: Map<string, JoinTally>
  histograms: HistogramBook
  /** `<ms> <id> <what>`, in order. */
  log: string[]
  /** Lets time pass in steps of 4 ms, and what is promised happen. */
  pass: (ms: number) => Promise<void>
}

/** Seats of the groups; the clock begins at 0. */
export function createFakeCrowd(groups: readonly LoadGroup[]): FakeCrowd {
  const wheel = new TimerWheel(0)
  const histograms = new HistogramBook()
  const tallies = new Map<string, JoinTally>()
  const log: string[] = []
  const members: FakeMember[] = []
  const seats = groups.flatMap((group) => {
    const tally = newJoinTally()
    tallies.set(group.id, tally)
    return Array.from({ length: group.count }, (_, index) => {
      const id = `${group.id}-${index + 1}`
      const member = new FakeMember(id, (what) => log.push(`${wheel.nowMs} ${what}`))
      members.push(member)
      const spec: MemberSpec = {
        id,
        number: members.length,
        group,
        route: group.routes[index % group.routes.length]!,
        room: 'room',
        token: 'token',
        latencies: createLatencies(2),
        random: createRandom(members.length).next,
        reconnects: false,
        onEvent: () => {},
      }
      return new Seat({ spec, member, histograms, tally, nowMs: () => wheel.nowMs })
    })
  })
  const pass = async (ms: number): Promise<void> => {
    const endMs = wheel.nowMs + ms
    while (wheel.nowMs < endMs) {
      wheel.advance(Math.min(endMs, wheel.nowMs + 4))
      // A join takes a few turns of the queue of promises.
      for (let turn = 0; turn < 6; turn += 1) await Promise.resolve()
    }
  }
  return { wheel, seats, members, tallies, histograms, log, pass }
}
