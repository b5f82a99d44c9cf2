/**
 * One run of one scenario against real processes, from the first process to the report: what happens when, who is
 * told, and how it ends, well or not. Processes are stage.ts; what the numbers mean is figures.ts.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LoadProgress, LoadResult } from '../load/index.ts'
import type { RunReport } from '../report/index.ts'
import type { Scenario } from '../scenario/index.ts'
import { buildReport } from './build-report.ts'
import { CounterBook } from './counter-book.ts'
import type { Steady } from './figures.ts'
import { Ledger, type Swept } from './ledger.ts'
import { Operator } from './operator.ts'
import { endsOutage, type Moment, momentText, planMoments } from './planning.ts'
import { ProcessBook } from './process-book.ts'
import { type ProgressWriter, type Status, statusText } from './progress.ts'
import { runRival } from './run-rival.ts'
import { Sampler } from './sampler.ts'
import { Stage } from './stage.ts'
import { StateWatch } from './state-watch.ts'
import { TrunkBook } from './trunk-book.ts'

export type RunOptions = {
  scenario: Scenario
  seed: number
  outFolder: string
  /** The checkout whose servers run; the load is always this one's. */
  serverRoot: string
  writer: ProgressWriter
  /** Ends the run with what there is. */
  signal: AbortSignal
  /** Told the book of the run, for whoever must clear away at once. */
  onLedger: (ledger: Ledger | undefined) => void
}

/** Stops a run before its time; `ended` goes into the report. */
class EarlyEnd extends Error {
  readonly ended: 'interrupted' | 'failed'
  constructor(ended: 'interrupted' | 'failed', message: string) {
    super(message)
    this.ended = ended
  }
}

const STATUS_MS = 1_000
const COUNTERS_EVERY_S = 5
/** From the last one's arrival until it counts as steady. */
const SETTLE_S = 2
const LAST_LOOK_S = 0.1
/** What a node about to be killed has to tell its counters. */
const LAST_WORDS_MS = 200
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Runs it and resolves with its report, whatever happened; rejects only when nothing at all could be begun. */
export async function runScenario(options: RunOptions): Promise<RunReport> {
  if (options.scenario.nodes.some(({ kind }) => kind === 'rival')) return await runRival(options)
  const ledger = Ledger.open()
  options.onLedger(ledger)
  try {
    return await new Run(options, ledger).play()
  } finally {
    ledger.close()
    options.onLedger(undefined)
  }
}

class Run {
  readonly #options: RunOptions
  readonly #ledger: Ledger
  readonly #stage: Stage
  readonly #book = new ProcessBook()
  readonly #sampler: Sampler
  readonly #events: RunReport['events'] = []
  readonly #moments: Moment[]
  readonly #timers: NodeJS.Timeout[] = []
  /** Resolves never; rejects with why the run ends before its time. */
  readonly #early = Promise.withResolvers<never>()
  readonly #startedAt = new Date()
  #counters = new CounterBook([])
  #trunks: TrunkBook | undefined
  #states: StateWatch | undefined
  #zeroMs: number | undefined
  #happened = 0
  #steady: Steady | undefined
  #allInAtS: number | undefined
  #countersAtS = 0
  #hasEnded = false
  #shownPhase: Status['phase'] = 'start'
  #lastLook: Promise<void> | undefined

  constructor(options: RunOptions, ledger: Ledger) {
    this.#options = options
    this.#ledger = ledger
    this.#moments = planMoments(options.scenario)
    this.#stage = new Stage({
      scenario: options.scenario,
      seed: options.seed,
      ledger,
      logFolder: join(options.outFolder, 'logs'),
      serverRoot: options.serverRoot,
      onEvent: (what, atS = this.#nowS()) => this.#note(what, atS),
      onLost: (why) => this.#early.reject(new EarlyEnd('failed', why)),
      signal: options.signal,
    })
    this.#sampler = new Sampler(this.#book, () => this.#stage.watched())
    this.#early.promise.catch(() => {})
    options.signal.addEventListener('abort', () => {
      this.#early.reject(new EarlyEnd('interrupted', 'interrupted'))
    })
  }

  async play(): Promise<RunReport> {
    const { writer, signal } = this.#options
    let end: { ended: RunReport['ended']; problem?: string } = { ended: 'completed' }
    let results: LoadResult[] = []
    const lost: string[] = []
    try {
      await this.#stage.open((what) => this.#showStart(what))
      results = await this.#untilOver()
    } catch (error) {
      const { message } = error as Error
      const isAsked = signal.aborted || (error instanceof EarlyEnd && error.ended === 'interrupted')
      end = isAsked ? { ended: 'interrupted' } : { ended: 'failed', problem: message }
      this.#note(isAsked ? 'interrupted' : `failed: ${message.split('\n')[0]}`, this.#nowS())
      await this.#takeLast()
      results = await this.#partialResults(lost)
    }
    const tookS = this.#nowS()
    this.#hasEnded = true
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#takeLast()
    await this.#stage.endLinks()
    const links = this.#stage.linkReports()
    lost.push(...this.#stage.silentLinks().map((id) => `the emulator of ${id} left no result`))
    await this.#stage.close()
    this.#tellSwept(this.#ledger.close())
    writer.clear()
    return buildReport({
      options: this.#options,
      ...end,
      startedAt: this.#startedAt,
      tookS,
      results,
      lost,
      links,
      lines: this.#stage.lineResults(),
      book: this.#book,
      counters: this.#counters,
      trunks: this.#trunks?.series() ?? [],
      states: this.#states?.figures() ?? {},
      steady: this.#steady,
      events: this.#events.sort((a, b) => a.atS - b.atS),
    })
  }

  /** From the run's zero until every load has told its result. */
  async #untilOver(): Promise<LoadResult[]> {
    const { scenario } = this.#options
    this.#counters = new CounterBook(this.#stage.nodes.values())
    const nodes = [...this.#stage.nodes.values()]
    const operator = new Operator(nodes, scenario.durationS)
    this.#trunks = new TrunkBook(nodes, operator)
    const note = (what: string): void => this.#note(what, this.#nowS())
    this.#states = new StateWatch(nodes, { operator, room: scenario.room, note })
    await this.#counters.read(0)
    this.#zeroMs = wallMs()
    this.#sampler.start(this.#zeroMs)
    this.#stage.zero(this.#zeroMs)
    this.#note('start', 0)
    for (const moment of this.#moments) this.#at(moment.atS, () => this.#happen(moment))
    this.#at(scenario.durationS - LAST_LOOK_S, () => this.#takeLast())
    this.#at(scenario.durationS, () => {
      for (const load of this.#stage.loads) load.expectSoon()
    })
    this.#timers.push(setInterval(() => this.#everySecond(), STATUS_MS))
    const results = Promise.all(this.#stage.loads.map(({ result }) => result))
    return await Promise.race([results, this.#early.promise])
  }

  /** What the loads can still tell when the run has ended early. */
  async #partialResults(lost: string[]): Promise<LoadResult[]> {
    if (this.#zeroMs === undefined) return []
    const results = await Promise.allSettled(
      this.#stage.loads.map((load) => {
        load.stop()
        return load.result
      }),
    )
    return results.flatMap((each) => {
      if (each.status === 'fulfilled') return [each.value]
      lost.push((each.reason as Error).message.split('\n')[0] ?? '')
      return []
    })
  }

  #everySecond(): void {
    const atS = this.#nowS()
    if (this.#lastLook === undefined) void this.#trunks?.read(atS)
    const isIn = this.#stage.loads.every(({ latest }) => latest?.phase === 'steady')
    if (isIn && this.#allInAtS === undefined && this.#stage.loads.length > 0) {
      this.#allInAtS = atS
    }
    const isSettled = this.#allInAtS !== undefined && atS >= this.#allInAtS + SETTLE_S
    if (isSettled && this.#steady === undefined && this.#happened === 0) this.#beginSteady(atS)
    else if (this.#lastLook === undefined && atS >= this.#countersAtS + COUNTERS_EVERY_S) {
      this.#countersAtS = atS
      void this.#readCounters(atS)
    }
    this.#showStatus(atS)
  }

  #beginSteady(atS: number): void {
    this.#steady = { fromS: atS, untilS: Number.POSITIVE_INFINITY }
    void this.#readCounters(atS).then(() => this.#counters.beginSteady(this.#nowS()))
  }

  #endSteady(atS: number): void {
    if (this.#steady === undefined || this.#steady.untilS <= atS) return
    this.#steady = { ...this.#steady, untilS: atS }
    this.#counters.endSteady(atS)
  }

  /**
   * What is read once the sites have gone says nothing about them: the last look comes just before.
   * Only the first one counts.
   */
  async #takeLast(): Promise<void> {
    this.#lastLook ??= this.#lookLast()
    await this.#lastLook
  }

  async #lookLast(): Promise<void> {
    this.#sampler.stop()
    const atS = this.#nowS()
    await Promise.all([this.#readCounters(atS), this.#states?.last()])
    this.#endSteady(atS)
  }

  async #readCounters(atS: number): Promise<void> {
    await this.#counters.read(atS)
  }

  async #happen(moment: Moment): Promise<void> {
    this.#happened += 1
    const atS = this.#nowS()
    // What was counted and used up to here belongs to the time before.
    this.#sampler.sample()
    const reading = this.#readCounters(atS).then(() => this.#endSteady(atS))
    const isKill = 'fault' in moment && moment.fault.do === 'kill'
    if (isKill) await Promise.race([reading, sleep(LAST_WORDS_MS)])
    this.#note(momentText(moment), this.#nowS())
    this.#states?.disturb()
    try {
      if (!('fault' in moment)) this.#stage.changeLink(moment.link, moment.change)
      else if ('node' in moment.fault)
        await this.#stage.breakNode(moment.fault.do, moment.fault.node)
      else this.#stage.breakLink(moment.fault.do, moment.fault.link)
      if (endsOutage(moment) && !this.#hasEnded) void this.#states?.untilSame()
    } catch (error) {
      this.#early.reject(new EarlyEnd('failed', (error as Error).message))
    }
  }

  /** Never later than a run lasts, however long that is: Node's timers hold 24 days. */
  #at(atS: number, work: () => unknown): void {
    const waitMs = (this.#zeroMs ?? 0) + atS * 1000 - wallMs()
    const next = (): void => {
      if (!this.#hasEnded) this.#at(atS, work)
    }
    const isFar = waitMs > LONGEST_TIMER_MS
    this.#timers.push(
      isFar
        ? setTimeout(next, LONGEST_TIMER_MS)
        : setTimeout(() => void work(), Math.max(0, waitMs)),
    )
  }

  #showStart(what: string): void {
    const { writer, scenario } = this.#options
    writer.status(`${scenario.name}  start  ${what}`, { nowMs: performance.now(), isNews: true })
  }

  #showStatus(atS: number): void {
    const { writer, scenario } = this.#options
    const loads = this.#stage.loads.flatMap(({ latest }) => latest ?? [])
    const cpu = this.#book.latest()
    cpu.set('others', this.#book.others.othersCores.at(-1) ?? 0)
    const phase = this.#phase(atS, loads)
    const isNews = phase !== this.#shownPhase
    this.#shownPhase = phase
    writer.status(
      statusText({
        name: scenario.name,
        phase,
        atS,
        durationS: scenario.durationS,
        load: loads.length === 0 ? undefined : summed(loads),
        cpu,
      }),
      { nowMs: performance.now(), isNews },
    )
  }

  #phase(atS: number, loads: readonly LoadProgress[]): Status['phase'] {
    if (atS >= this.#options.scenario.durationS) return 'end'
    if (this.#happened > 0 && this.#happened < this.#moments.length) return 'faults'
    return loads.every(({ phase }) => phase === 'steady') && loads.length > 0 ? 'steady' : 'join'
  }

  #tellSwept({ processes, leftovers }: Swept): void {
    const things = leftovers.filter(({ kind }) => kind !== 'mount')
    if (processes > 0) this.#note(`${processes} processes had to be ended by force`, this.#nowS())
    if (things.length > 0) this.#note(`cleared away: ${JSON.stringify(things)}`, this.#nowS())
  }

  #note(what: string, atS: number): void {
    this.#events.push({ atS: Math.round(atS * 1000) / 1000, what })
  }

  /** Seconds since the run's zero; 0 before it. */
  #nowS(): number {
    return this.#zeroMs === undefined ? 0 : (wallMs() - this.#zeroMs) / 1000
  }
}

/** Unix time that does not jump. */
function wallMs(): number {
  return performance.timeOrigin + performance.now()
}

function summed(loads: readonly LoadProgress[]): Status['load'] {
  const sum = (field: 'planned' | 'joined' | 'failed' | 'packetsPerSecond'): number =>
    loads.reduce((total, load) => total + load[field], 0)
  const packets = sum('packetsPerSecond')
  const lost = loads.reduce((total, load) => total + load.lossRatio * load.packetsPerSecond, 0)
  return {
    planned: sum('planned'),
    joined: sum('joined'),
    failed: sum('failed'),
    lossRatio: packets === 0 ? 0 : lost / packets,
  }
}
