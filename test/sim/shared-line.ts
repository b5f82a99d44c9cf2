/**
 * Trunk flows and TCP downloads that share one line under a virtual clock: senders that obey their
 * estimator, far ends that tell what arrived, feedback that travels over the line's other direction
 * and is lost there too.
 */
import {
  type Cargo,
  createRandom,
  Link,
  type LinkSettings,
  PERFECT,
  type Random,
  TcpStream,
} from '../../bench/link/index.ts'
import { createTrunkEstimator, type TrunkEstimator } from '../../relay/estimate/index.ts'

export type TrunkPlan = {
  startMs?: number
  endMs?: number
  /** Nothing to send, not even sound: [from, to). */
  pauseMs?: readonly [number, number]
  /** What it would send, bit/s on the wire; default: all that the estimate allows. */
  wantedBps?: number
  /**
   * It has layers: it sends the highest of these that fits, and audio of the first when none does.
   */
  stepsBps?: readonly number[]
  /** Beyond the shared line, each way. */
  extraDelayMs?: number
}

export type TcpPlan = { startMs: number; endMs: number }

export type SharedLinePlan = {
  down: Partial<LinkSettings>
  up: Partial<LinkSettings>
  changes?: readonly { atMs: number; down?: Partial<LinkSettings>; up?: Partial<LinkSettings> }[]
  trunks: readonly TrunkPlan[]
  tcp?: readonly TcpPlan[]
  durationMs: number
  seed: number
}

const TICK_MS = 5
const SAMPLE_MS = 100
const FEEDBACK_MS = 50
/** IPv4 and UDP. */
const HEADER_BYTES = 28
/** Each feedback tells so many of the former ones again, as a trunk's in-band frames do. */
const FEEDBACK_REPEATS = 3
const AUDIO_BPS = 24_000

class Arrival implements Cargo {
  readonly arrive: (atMs: number) => void
  constructor(arrive: (atMs: number) => void) {
    this.arrive = arrive
  }
}

/** Per 100 ms: bits on the wire, estimate, and longest wait of one's packets in the queue. */
export type FlowSeries = {
  estimateBps: number[]
  sentBps: number[]
  arrivedBps: number[]
  queueMs: number[]
  /** Highest step sent, -1 = none; all 0 without steps. */
  step: number[]
  /** 1 = the estimator believes that others fill the queue. */
  competing: number[]
}

type Line = { down: Link<Cargo>; up: Link<Cargo> }

/** One end that sends, and its far end that reports. */
class SimulatedTrunk {
  readonly series: FlowSeries = {
    estimateBps: [],
    sentBps: [],
    arrivedBps: [],
    queueMs: [],
    step: [],
    competing: [],
  }
  readonly estimator: TrunkEstimator
  readonly #plan: TrunkPlan
  readonly #line: Line
  readonly #chance: Random
  /** Ends do not tick in step. */
  readonly #phaseMs: number
  #sequence = 0
  #debtBytes = 0
  #sentBytes = 0
  #arrivedBytes = 0
  #queueMs = 0
  #step = 0
  /** The far end's book. */
  readonly #arrivedMs = new Map<number, number>()
  #highest = -1
  #newestMs = 0
  #reportedTo: number[] = []
  #feedbackMs = Number.POSITIVE_INFINITY

  constructor(plan: TrunkPlan, line: Line, seed: number) {
    this.#plan = plan
    this.#line = line
    this.#chance = createRandom(seed)
    this.#phaseMs = Math.floor(this.#chance.next() * 25) * 10
    this.estimator = createTrunkEstimator(plan.startMs ?? 0)
  }

  tick(nowMs: number): void {
    const { startMs = 0, endMs = Number.POSITIVE_INFINITY, pauseMs } = this.#plan
    const pausing = pauseMs !== undefined && nowMs >= pauseMs[0] && nowMs < pauseMs[1]
    if (nowMs >= startMs && nowMs < endMs && !pausing) this.#sendMedia(nowMs)
    if (nowMs >= this.#feedbackMs) this.#report(nowMs)
  }

  sample(nowMs: number): void {
    const { series } = this
    series.estimateBps.push(this.estimator.availableBps(nowMs))
    series.sentBps.push((this.#sentBytes * 8000) / SAMPLE_MS)
    series.arrivedBps.push((this.#arrivedBytes * 8000) / SAMPLE_MS)
    series.queueMs.push(this.#queueMs)
    series.step.push(this.#step)
    series.competing.push(this.estimator.state().competing ? 1 : 0)
    this.#sentBytes = 0
    this.#arrivedBytes = 0
    this.#queueMs = 0
  }

  #sendMedia(nowMs: number): void {
    const { estimator } = this
    const { stepsBps, wantedBps = stepsBps?.at(-1) ?? 20e6 } = this.#plan
    const availableBps = estimator.availableBps(nowMs)
    const rateBps = this.#rateBps(availableBps, wantedBps)
    // A datagram lasts 60 ms at most, so that sound need not wait for it; 200 bytes at least.
    const mediumBytes = Math.min(1000, Math.max(200, (availableBps * 0.06) / 8))
    this.#debtBytes += (rateBps * TICK_MS) / 8000
    while (this.#debtBytes > 0) {
      const sizeBytes = Math.round(mediumBytes * (0.6 + 0.8 * this.#chance.next()))
      this.#send(sizeBytes, nowMs)
      this.#debtBytes -= sizeBytes
    }
    if (nowMs % 10 !== 0) return
    if ((nowMs + this.#phaseMs) % 250 === 0) estimator.onDemand(rateBps, wantedBps, nowMs)
    let padBytes = estimator.probeBytes(nowMs)
    while (padBytes > 0) {
      const sizeBytes = Math.min(300, Math.max(60, padBytes))
      this.#send(sizeBytes, nowMs)
      padBytes -= sizeBytes
    }
  }

  #rateBps(availableBps: number, wantedBps: number): number {
    const { stepsBps } = this.#plan
    if (stepsBps === undefined) return Math.min(availableBps, wantedBps)
    this.#step = stepsBps.filter((step) => step <= availableBps).length - 1
    return stepsBps[this.#step] ?? Math.min(AUDIO_BPS, availableBps)
  }

  #send(sizeBytes: number, nowMs: number): void {
    const { down } = this.#line
    const sequence = this.#sequence
    this.#sequence += 1
    this.estimator.onSent(sequence, sizeBytes, nowMs)
    this.#sentBytes += sizeBytes
    const cargo = new Arrival((atMs) => this.#onArrival(sequence, sizeBytes, atMs))
    if (down.send(cargo, sizeBytes - HEADER_BYTES, nowMs) !== undefined) return
    this.#queueMs = Math.max(this.#queueMs, down.counters.queueMs)
  }

  #onArrival(sequence: number, sizeBytes: number, atMs: number): void {
    const arrivedMs = atMs + (this.#plan.extraDelayMs ?? 0)
    this.#arrivedBytes += sizeBytes
    this.#arrivedMs.set(sequence, arrivedMs)
    this.#highest = Math.max(this.#highest, sequence)
    this.#newestMs = arrivedMs
    this.#feedbackMs = Math.min(this.#feedbackMs, arrivedMs + FEEDBACK_MS)
  }

  #report(nowMs: number): void {
    const first = (this.#reportedTo.at(-FEEDBACK_REPEATS) ?? -1) + 1
    const highest = this.#highest
    this.#reportedTo = [...this.#reportedTo.slice(-FEEDBACK_REPEATS), highest]
    this.#feedbackMs = Number.POSITIVE_INFINITY
    const fates: [number, number | undefined][] = []
    for (let sequence = first; sequence <= highest; sequence += 1)
      fates.push([sequence, this.#arrivedMs.get(sequence)])
    const heldMs = nowMs - this.#newestMs
    const cargo = new Arrival((atMs) => {
      this.#feedbacks.push({ atMs: atMs + (this.#plan.extraDelayMs ?? 0), fates, heldMs })
    })
    this.#line.up.send(cargo, 24 + 2 * fates.length, nowMs)
  }

  readonly #feedbacks: {
    atMs: number
    fates: [number, number | undefined][]
    heldMs: number
  }[] = []

  /** Hands the feedback that has come back to the estimator. */
  listen(nowMs: number): void {
    while ((this.#feedbacks[0]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
      const { fates, heldMs } = this.#feedbacks.shift()!
      for (const [sequence, arrivedMs] of fates) {
        if (arrivedMs === undefined) this.estimator.onLost(sequence)
        else this.estimator.onArrived(sequence, arrivedMs + 5_000)
      }
      this.estimator.onFeedbackEnd(heldMs, nowMs)
    }
  }
}

class Download {
  #stream: TcpStream | undefined
  #bytes = 0
  readonly series: number[] = []
  readonly #plan: TcpPlan
  readonly #line: Line

  constructor(plan: TcpPlan, line: Line) {
    this.#plan = plan
    this.#line = line
  }

  tick(nowMs: number): void {
    if (nowMs >= this.#plan.endMs) {
      this.#stream?.destroy()
      return
    }
    if (nowMs < this.#plan.startMs) return
    this.#stream ??= this.#open(nowMs)
    this.#stream.tick(nowMs)
    while (this.#stream.wantsMore()) this.#stream.offer(CHUNK, nowMs)
  }

  sample(): void {
    this.series.push((this.#bytes * 8000) / SAMPLE_MS)
    this.#bytes = 0
  }

  #open(nowMs: number): TcpStream {
    const nothing = () => {}
    const write = (bytes: Uint8Array) => {
      this.#bytes += bytes.length
      return true
    }
    const ends = { onOpen: nothing, write, onEnd: nothing, onReset: nothing, onRoom: nothing }
    const stream = new TcpStream(this.#line.down, this.#line.up, ends)
    stream.open(nowMs)
    stream.allow(nowMs)
    return stream
  }
}

const CHUNK = new Uint8Array(16_384)

export type SharedLineResult = {
  flows: FlowSeries[]
  /** Payload of downloads, bit/s per 100 ms. */
  downloads: number[][]
}

/** Plays a plan to its end. */
export function simulateSharedLine(plan: SharedLinePlan): SharedLineResult {
  const line = {
    down: new Link<Cargo>({ ...PERFECT, ...plan.down }, plan.seed),
    up: new Link<Cargo>({ ...PERFECT, ...plan.up }, plan.seed + 100),
  }
  const changes = [...(plan.changes ?? [])]
  const trunks = plan.trunks.map((trunk, i) => new SimulatedTrunk(trunk, line, plan.seed + 200 + i))
  const downloads = (plan.tcp ?? []).map((tcp) => new Download(tcp, line))
  const arrive = (cargo: Cargo, atMs: number) => cargo.arrive(atMs)
  for (let nowMs = 0; nowMs < plan.durationMs; nowMs += TICK_MS) {
    while ((changes[0]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
      const { down = {}, up = {} } = changes.shift()!
      line.down.change(down, nowMs)
      line.up.change(up, nowMs)
    }
    line.down.poll(nowMs, arrive)
    line.up.poll(nowMs, arrive)
    for (const download of downloads) download.tick(nowMs)
    for (const trunk of trunks) {
      trunk.listen(nowMs)
      trunk.tick(nowMs)
    }
    if (nowMs % SAMPLE_MS !== 0) continue
    for (const trunk of trunks) trunk.sample(nowMs)
    for (const download of downloads) download.sample()
  }
  return {
    flows: trunks.map(({ series }) => series),
    downloads: downloads.map(({ series }) => series),
  }
}

/** Values of a series over [fromMs, toMs). */
function cut(series: readonly number[], [fromMs, toMs]: readonly [number, number]): number[] {
  return series.slice(Math.ceil(fromMs / SAMPLE_MS), Math.ceil(toMs / SAMPLE_MS))
}

/** Mean of a series over [fromMs, toMs). */
export function meanOf(series: readonly number[], window: readonly [number, number]): number {
  const some = cut(series, window)
  return some.reduce((sum, value) => sum + value, 0) / some.length
}

/** The value that 95 % of the samples over [fromMs, toMs) do not exceed. */
export function p95Of(series: readonly number[], window: readonly [number, number]): number {
  const some = cut(series, window).sort((a, b) => a - b)
  return some[Math.min(some.length - 1, Math.floor(some.length * 0.95))] ?? Number.NaN
}

/** Ms from `fromMs` until the series reaches `level` and stays there on average over a second. */
export function reachedAfterMs(series: readonly number[], level: number, fromMs: number): number {
  for (let atMs = fromMs; atMs / SAMPLE_MS < series.length; atMs += SAMPLE_MS) {
    const now = series[Math.ceil(atMs / SAMPLE_MS)] ?? 0
    if (now >= level && meanOf(series, [atMs, atMs + 1000]) >= level) return atMs - fromMs
  }
  return Number.POSITIVE_INFINITY
}
