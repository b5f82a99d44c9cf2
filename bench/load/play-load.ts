/**
 * The shell of a load process: standard input and output, the clock, one timer, the kernel's books
 * about itself. A rival's load is the same with makers of its own.
 */
import { setPriority } from 'node:os'
import { createInterface } from 'node:readline'
import { checkSetup } from './check-setup.ts'
import { createCrowd } from './crowd.ts'
import { HistogramBook } from './histograms.ts'
import { PageLoads } from './http-load.ts'
import { LoadRun } from './load-run.ts'
import type { MemberMaker } from './member.ts'
import type { LoadCommand, LoadGroup, LoadMessage, LoadSetup } from './protocol.ts'
import { Sampler } from './sampler.ts'
import { SelfWatch } from './self-watch.ts'
import { NEVER, TimerWheel } from './timer-wheel.ts'
import { UdpDrops } from './udp-drops.ts'

/** How members of each kind are made; called with the whole plan when it has such a group. */
export type LoadMakers = Record<
  LoadGroup['kind'],
  (groups: readonly LoadGroup[]) => Promise<MemberMaker>
>
type Makers = Map<LoadGroup['kind'], MemberMaker>

const DROPS_EVERY_MS = 5000
const SECOND_MS = 1000

function say(message: LoadMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

/**
 * Speaks the protocol over standard input and output until the result is told; then the process
 * ends.
 */
export async function playLoad(ways: LoadMakers): Promise<void> {
  let play: Play | undefined
  // Ctrl-C reaches the whole group of processes; what then happens is the runner's to say.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => void play?.end(false))
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue
    try {
      const command = JSON.parse(line) as LoadCommand
      if (command.op === 'setup') play = await Play.open(command, ways)
      else if (play === undefined) throw new Error(`${command.op} before setup`)
      else await play.obey(command)
    } catch (error) {
      say({ event: 'error', error: (error as Error).message })
    }
  }
  if (play === undefined) process.exit(1)
  await play.end(false)
}

class Play {
  readonly #setup: LoadSetup
  readonly #run: LoadRun
  readonly #wheel: TimerWheel
  readonly #self: SelfWatch
  readonly #makers: Makers
  readonly #pages = new PageLoads()
  readonly #drops = new UdpDrops()
  readonly #hosts = new Set<number>()
  readonly #leave: () => void
  #started = false
  #ending: Promise<void> | undefined

  private constructor(parts: {
    setup: LoadSetup
    run: LoadRun
    wheel: TimerWheel
    self: SelfWatch
    makers: Makers
    leave: () => void
  }) {
    this.#setup = parts.setup
    this.#run = parts.run
    this.#wheel = parts.wheel
    this.#self = parts.self
    this.#makers = parts.makers
    this.#leave = parts.leave
  }

  /** Throws what is wrong with the setup. */
  static async open(told: LoadCommand, ways: LoadMakers): Promise<Play> {
    const checked = checkSetup(told)
    if (!checked.ok) throw new Error(checked.problem)
    const { setup } = checked
    if (setup.niceness !== undefined) setPriority(setup.niceness)
    const makers: Makers = new Map()
    for (const kind of new Set(setup.groups.map((group) => group.kind)))
      makers.set(kind, await ways[kind](setup.groups))
    const wheel = new TimerWheel(performance.now())
    const histograms = new HistogramBook()
    const sampler = new Sampler(
      setup.groups.map(({ id }) => id),
      histograms,
    )
    const self = new SelfWatch()
    const happened = (what: string) => run.happened(what, true)
    const nowMs = () => performance.now()
    const crowd = await createCrowd({ setup, makers, histograms, sampler, nowMs, happened })
    const run = new LoadRun({ setup, ...crowd, histograms, sampler, wheel, self, say })
    const leave = () => {
      for (const { member } of crowd.seats) member.drop()
    }
    say({ event: 'ready' })
    return new Play({ setup, run, wheel, self, makers, leave })
  }

  async obey(command: LoadCommand): Promise<void> {
    switch (command.op) {
      case 'setup':
        throw new Error('a second setup')
      case 'start':
        if (this.#started) throw new Error('a second start')
        this.#start(command.startedAtMs)
        break
      case 'mark':
        this.#run.mark(command, performance.now())
        break
      case 'stop':
        await this.end(false)
    }
  }

  /** Tells the result and ends the process; idempotent. */
  end(completed: boolean): Promise<void> {
    this.#ending ??= this.#tellAndEnd(completed)
    return this.#ending
  }

  #start(startedAtMs: number): void {
    this.#started = true
    // From Unix time, which processes share, to the clock of this one, which nobody sets.
    const zeroMs = performance.now() + (startedAtMs - Date.now())
    this.#run.start(zeroMs)
    this.#startPages(zeroMs)
    this.#everySecond(zeroMs)
    this.#wheel.add(zeroMs + this.#setup.durationS * 1000, () => {
      void this.end(true)
      return NEVER
    })
    this.#wheel.add(performance.now(), (nowMs) => {
      this.#self.drops = this.#drops.read()
      return nowMs + DROPS_EVERY_MS
    })
    this.#turn()
  }

  /** One timer for all; how late it is, is how late everything is. */
  #turn(): void {
    const dueMs = this.#wheel.nextDeadlineMs()
    const waitMs = Math.max(1, Math.round(dueMs - performance.now()))
    const plannedMs = performance.now() + waitMs
    setTimeout(() => {
      if (this.#ending !== undefined) return
      const nowMs = performance.now()
      this.#self.tick(this.#run.selfPhase, nowMs - plannedMs)
      this.#wheel.advance(nowMs)
      this.#turn()
    }, waitMs)
  }

  #everySecond(zeroMs: number): void {
    let lastMs = performance.now()
    let lastUsage = process.cpuUsage()
    this.#wheel.add(Math.max(zeroMs, lastMs) + SECOND_MS, (nowMs) => {
      const usage = process.cpuUsage(lastUsage)
      const busySeconds = (usage.user + usage.system) / 1e6
      const seconds = (nowMs - lastMs) / 1000
      lastUsage = process.cpuUsage()
      lastMs = nowMs
      this.#self.used(this.#run.selfPhase, { busySeconds, seconds })
      const latenessMaxMs = this.#self.takeLatenessMaxMs()
      say(this.#run.second(nowMs, { latenessMaxMs, cpuShare: busySeconds / seconds }))
      this.#tellHosts()
      return nowMs + SECOND_MS - ((nowMs - zeroMs) % SECOND_MS)
    })
  }

  #startPages(zeroMs: number): void {
    for (const { id, fromS, untilS, ...page } of this.#setup.http ?? []) {
      const seconds = Math.max(1, Math.round(Math.min(untilS, this.#setup.durationS) - fromS))
      this.#wheel.add(zeroMs + fromS * 1000, () => {
        this.#pages.start(id, { ...page, seconds })
        return NEVER
      })
    }
  }

  /** Processes of members' own, once each. */
  #tellHosts(): void {
    for (const { id, pid } of this.#makers.get('browser')?.processes() ?? []) {
      if (this.#hosts.has(pid)) continue
      this.#hosts.add(pid)
      say({ event: 'hosts', id, pid, role: 'browser' })
    }
  }

  async #tellAndEnd(completed: boolean): Promise<void> {
    this.#self.drops = this.#drops.read()
    const nowMs = performance.now()
    const pages = await this.#pages.finish()
    const result = this.#run.finish({ completed, nowMs, pages })
    this.#leave()
    await Promise.all([...this.#makers.values()].map((maker) => maker.close()))
    process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
  }
}
