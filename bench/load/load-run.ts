/**
 * One load from its start to its result: joins by plan, behaviours, marks, a look at every site
 * each second. Takes the clock and a wheel from its owner; sockets are the members' business.
 */
import type { Histogram } from 'hdr-histogram-js'
import { LOAD_SITE_EVENTS_MAX } from '../../config/limits.ts'
import { createRandom } from '../link/index.ts'
import type { SiteReport } from '../report/report.ts'
import { startBehaviour } from './behaviours.ts'
import type { HistogramBook } from './histograms.ts'
import { LayerMap } from './layer-map.ts'
import type { LoadMark, LoadMessage, LoadProgress, LoadResult, LoadSetup } from './protocol.ts'
import { resultOf } from './result.ts'
import type { Sampler } from './sampler.ts'
import type { JoinTally, Seat } from './seat.ts'
import { judgeSelf, type SelfPhase, type SelfWatch } from './self-watch.ts'
import { NEVER, type TimerWheel } from './timer-wheel.ts'

export type LoadRunOptions = {
  setup: LoadSetup
  /** Of all groups, in order of the plan. */
  seats: readonly Seat[]
  tallies: ReadonlyMap<string, JoinTally>
  histograms: HistogramBook
  sampler: Sampler
  wheel: TimerWheel
  self: SelfWatch
  say: (message: LoadMessage) => void
}

const SECOND_MS = 1000
/** Sites are looked at one after the other over this part of each second. */
const SPREAD = 0.8

export type RunEnd = {
  completed: boolean
  nowMs: number
  pages: { sums: Record<string, number>; histograms: Map<string, Histogram> }
}

/** One per process. `start` once; `finish` once. */
export class LoadRun {
  readonly #options: LoadRunOptions
  readonly #layers: LayerMap
  readonly #expected = new Set<Seat>()
  #zeroMs = 0
  #phase: LoadProgress['phase'] = 'idle'
  #ended = false
  #toldOfOne = 0

  constructor(options: LoadRunOptions) {
    const { seats, setup } = options
    this.#options = options
    const watching = seats.filter(({ group: { watches } }) => watches !== undefined)
    this.#layers = new LayerMap(
      watching.map(({ member }) => member),
      setup.durationS,
    )
  }

  /** What of the plan is under way; the load's own figures are kept by it. */
  get selfPhase(): SelfPhase {
    let underway = 0
    for (const { begun, ended } of this.#options.tallies.values()) underway += begun - ended
    return underway > 0 || this.#phase === 'joining' ? 'joining' : 'steady'
  }

  atS(nowMs: number): number {
    return (nowMs - this.#zeroMs) / 1000
  }

  /** Puts the plan on the wheel; `zeroMs` is the run's zero on the wheel's clock. */
  start(zeroMs: number): void {
    this.#zeroMs = zeroMs
    const { setup, wheel } = this.#options
    for (const [index, group] of setup.groups.entries()) {
      const seats = this.#options.seats.filter((seat) => seat.group === group)
      this.#scheduleJoins(seats)
      const stage = {
        seats,
        wheel,
        clockMs: (atS: number) => this.#clockMs(atS),
        durationS: setup.durationS,
        random: createRandom(setup.seed + 7919 * (index + 1)).next,
        happened: (what: string) => this.happened(what),
      }
      for (const behaviour of group.behaviours ?? []) startBehaviour(stage, behaviour)
    }
    this.#watchSeats()
  }

  /** Something happened outside; see LoadMark. */
  mark({ what, link, nodes }: LoadMark, nowMs: number): void {
    this.happened(`${what}: ${link ?? nodes?.[0] ?? 'everything'}`)
    const isForAll = link === undefined && nodes === undefined
    if (what === 'down') return
    for (const seat of this.#options.seats) {
      const isBehind = link !== undefined && seat.route.link === link
      const concerned = isForAll || isBehind || nodes?.includes(seat.group.node) === true
      // Who has left on purpose does not wait for anything.
      if (!concerned || !seat.wanted) continue
      // From here it can come back: the time before was the outage's, not the server's.
      if (seat.lostMs >= 0) seat.lostMs = nowMs
      seat.member.linkHealed(nowMs)
    }
  }

  /** For the report; what single sites say of themselves (`ofOne`) is bounded. */
  happened(what: string, ofOne = false): void {
    if (this.#ended) return
    if (ofOne) this.#toldOfOne += 1
    if (ofOne && this.#toldOfOne > LOAD_SITE_EVENTS_MAX) return
    const { say, wheel } = this.#options
    const more =
      this.#toldOfOne === LOAD_SITE_EVENTS_MAX && ofOne ? ' (further ones are left out)' : ''
    say({ event: 'happened', atS: this.atS(wheel.nowMs), what: what + more })
  }

  /** Called once a second by the owner. */
  second(nowMs: number, own: { latenessMaxMs: number; cpuShare: number }): LoadProgress {
    const { seats, setup } = this.#options
    const atS = this.atS(nowMs)
    this.#turnPhase()
    const joined = seats.filter((seat) => seat.isIn).length
    const failed = seats.filter((seat) => seat.last?.joined === false).length
    const live = this.#options.sampler.close(atS, { joined, failed, ...own })
    this.#layers.sample(atS)
    const leftS = Math.max(0, setup.durationS - atS)
    return {
      event: 'progress',
      atS,
      phase: this.#phase,
      planned: seats.length,
      joined,
      failed,
      ...live,
      ...own,
      leftS,
    }
  }

  /** The result; sites are left as they are, for the owner to drop. */
  finish({ completed, nowMs, pages }: RunEnd): LoadResult {
    this.#ended = true
    this.#phase = 'ending'
    const { seats, tallies, histograms, self, sampler } = this.#options
    // What came since each was looked at last.
    for (const seat of seats) if (seat.everJoined) sampler.take(seat, nowMs)
    sampler.flush()
    const sites = seats.map((seat) => this.#siteReport(seat, nowMs))
    const totalsOf = (group: string) => sampler.totalsOf(group)
    const atS = (ms: number) => this.atS(ms)
    const result = resultOf({ sites, seats, tallies, histograms, totalsOf, atS, pages })
    const figures = { ...result.figures, ...self.figures(result.figures['packets'] ?? 0) }
    return {
      event: 'result',
      completed,
      sites,
      ...result,
      figures,
      layers: this.#layers.report(),
      series: this.#options.sampler.series(),
      validity: judgeSelf(figures, this.#options.setup.ownLatenessMsMax),
    }
  }

  #clockMs(atS: number): number {
    return this.#zeroMs + atS * 1000
  }

  #scheduleJoins(seats: readonly Seat[]): void {
    const plan = seats[0]?.group.join
    if (plan === undefined) return
    for (const seat of seats) this.#expected.add(seat)
    const fromMs = this.#clockMs(plan.atS)
    const { wheel } = this.#options
    if (plan.how === 'storm') {
      const parallel = Math.min(plan.parallel ?? seats.length, seats.length)
      const queue = [...seats].reverse()
      wheel.add(fromMs, () => {
        for (let lane = 0; lane < parallel; lane += 1) this.#lane(queue)
        return NEVER
      })
      return
    }
    for (const [index, seat] of seats.entries())
      wheel.add(fromMs + (index * 1000) / plan.perSecond, () => {
        void this.#enter(seat)
        return NEVER
      })
  }

  /** Takes one site after the other out of the queue. */
  #lane(queue: Seat[]): void {
    const seat = queue.pop()
    if (seat === undefined || this.#ended) return
    void this.#enter(seat).then(() => this.#lane(queue))
  }

  async #enter(seat: Seat): Promise<void> {
    if (this.#phase !== 'ending') this.#phase = 'joining'
    await seat.enter()
    this.#expected.delete(seat)
  }

  #turnPhase(): void {
    if (this.#phase === 'joining' && this.#expected.size === 0) {
      this.#phase = 'steady'
      this.happened('all sites have been asked in')
    }
  }

  /**
   * Each site is looked at once a second, each at its own moment: no burst of thousands of looks.
   */
  #watchSeats(): void {
    const { seats, wheel } = this.#options
    for (const [index, seat] of seats.entries()) {
      const firstMs = this.#zeroMs + (SECOND_MS * SPREAD * index) / seats.length
      wheel.add(Math.max(firstMs, wheel.nowMs), (nowMs) => {
        seat.notice(nowMs)
        if (seat.everJoined) this.#options.sampler.take(seat, nowMs)
        return this.#ended ? NEVER : nowMs + SECOND_MS
      })
    }
  }

  #siteReport(seat: Seat, nowMs: number): SiteReport {
    const { spec, member, everJoined, requestsFailed } = seat
    const seen = member.report(nowMs)
    const isLost = seat.wanted && !seat.isIn
    const why = [...seen.why]
    const unfinished = isLost && seat.isJoining
    if (unfinished) why.unshift('was still joining when the run ended')
    else if (isLost && seat.lostMs >= 0) why.unshift('was out when the run ended')
    if (!seat.asked) why.unshift('the run ended before it was asked in')
    if (requestsFailed > 0) why.push(`${requestsFailed} requests failed`)
    const { link } = seat.route
    return {
      id: spec.id,
      group: spec.group.id,
      node: spec.group.node,
      ...(link === undefined ? {} : { link }),
      kind: spec.group.kind,
      ...seen,
      ...(unfinished ? { failedAt: 'unfinished', whyFailed: 'still joining' } : {}),
      joined: everJoined && !isLost,
      figures: { ...seen.figures, ...(requestsFailed > 0 ? { requestsFailed } : {}) },
      why,
    }
  }
}
