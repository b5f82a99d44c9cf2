/**
 * The nodes' own counters over a run: asked for every few seconds, put together over restarts, as
 * series and as sums.
 */
import { BENCH_SAMPLES_MAX } from '../../config/limits.ts'
import { readUsage } from '../process/accounting.ts'
import type { SeriesReport } from '../report/index.ts'
import { addedUp, countedBetween, type Exposition, parseExposition } from './exposition.ts'
import type { Stretch } from './figures.ts'
import type { RunningNode } from './node.ts'
import { thin } from './process-book.ts'

const SCRAPE_MS_MAX = 2_000
const SENT = 'nhipcau_media_sent_packets_total'
const DROPPED = /^nhipcau_media_dropped_total\{/

type Entry = {
  node: RunningNode
  /** Of the process that the last reading was of. */
  pid: number
  last: Exposition | undefined
  /** Everything since the run's zero. */
  sum: Exposition
  cpuSeconds: number
  lastCpuSeconds: number
  lastAtS: number
  series: { atS: number[]; sent: number[]; dropped: number[] }
}

/** What was counted up to a moment. */
type Snapshot = { atS: number; cpuSeconds: number; sum: Exposition }

const NOTHING: Exposition = { counters: new Map(), histograms: new Map() }

/** One per run. */
export class CounterBook {
  readonly #entries: Entry[]
  #steadyFrom: Snapshot | undefined
  #steadyUntil: Snapshot | undefined

  constructor(nodes: Iterable<RunningNode>) {
    this.#entries = [...nodes]
      .filter(({ metricsUrl }) => metricsUrl !== undefined)
      .map((node) => ({
        node,
        pid: 0,
        last: undefined,
        sum: NOTHING,
        cpuSeconds: 0,
        lastCpuSeconds: 0,
        lastAtS: 0,
        series: { atS: [], sent: [], dropped: [] },
      }))
  }

  /** Asks all nodes that answer now; the first time is the zero. Never rejects. */
  async read(atS: number): Promise<void> {
    await Promise.all(this.#entries.map((entry) => readEntry(entry, atS)))
  }

  /** Call after `read`. */
  beginSteady(atS: number): void {
    this.#steadyFrom ??= this.#snapshot(atS)
  }

  /** Call after `read`; only the first one counts. */
  endSteady(atS: number): void {
    if (this.#steadyFrom !== undefined) this.#steadyUntil ??= this.#snapshot(atS)
  }

  /** Undefined when no node has counters. */
  counted(): Exposition | undefined {
    return this.#entries.length === 0 ? undefined : addedUp(this.#entries.map(({ sum }) => sum))
  }

  steady(): Stretch | undefined {
    const [from, until] = [this.#steadyFrom, this.#steadyUntil]
    if (from === undefined || until === undefined || until.atS <= from.atS) return undefined
    return {
      seconds: until.atS - from.atS,
      cpuSeconds: until.cpuSeconds - from.cpuSeconds,
      counted: countedBetween(from.sum, until.sum),
    }
  }

  series(): SeriesReport[] {
    return this.#entries.flatMap(({ node: { id }, series: { atS, sent, dropped } }) => [
      {
        id: `forward.${id}.packetsPerSecond`,
        title: `Packets sent by ${id}`,
        unit: 'perSecond',
        atS,
        values: sent,
      },
      {
        id: `drops.${id}.packetsPerSecond`,
        title: `Packets dropped by ${id}, for all reasons`,
        unit: 'perSecond',
        atS,
        values: dropped,
      },
    ])
  }

  #snapshot(atS: number): Snapshot {
    return {
      atS,
      cpuSeconds: this.#entries.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
      sum: this.counted() ?? NOTHING,
    }
  }
}

async function readEntry(entry: Entry, atS: number): Promise<void> {
  const pid = entry.node.processes()[0]?.pid
  if (pid === undefined) return
  const now = await scrape(entry.node.metricsUrl ?? '')
  if (now === undefined || entry.node.processes()[0]?.pid !== pid) return
  let cpuSeconds: number
  try {
    cpuSeconds = readUsage(pid).cpuSeconds
  } catch {
    return
  }
  const isFirst = entry.pid === 0
  const isSame = entry.pid === pid
  const since = isFirst
    ? countedBetween(now, now)
    : countedBetween(isSame ? entry.last : undefined, now)
  entry.sum = addedUp([entry.sum, since])
  if (!isFirst) entry.cpuSeconds += cpuSeconds - (isSame ? entry.lastCpuSeconds : 0)
  const tookS = atS - entry.lastAtS
  if (!isFirst && tookS > 0.5) addSamples(entry, { atS, tookS, since })
  Object.assign(entry, { pid, last: now, lastCpuSeconds: cpuSeconds, lastAtS: atS })
}

function addSamples(
  { series }: Entry,
  { atS, tookS, since }: { atS: number; tookS: number; since: Exposition },
): void {
  let dropped = 0
  for (const [name, value] of since.counters) if (DROPPED.test(name)) dropped += value
  series.atS.push(atS)
  series.sent.push((since.counters.get(SENT) ?? 0) / tookS)
  series.dropped.push(dropped / tookS)
  thin([series.atS, series.sent, series.dropped], BENCH_SAMPLES_MAX)
}

async function scrape(url: string): Promise<Exposition | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(SCRAPE_MS_MAX) })
    return answer.ok ? parseExposition(await answer.text()) : undefined
  } catch {
    return undefined
  }
}
