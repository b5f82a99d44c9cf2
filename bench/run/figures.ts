/**
 * What the runner itself can tell of a run, as flat figures for criteria: processes, lines, the nodes' own counters,
 * the machine. What sites saw comes from the load. Pure. docs/BENCH.md lists the names.
 */
import type { LinkReport, ProcessReport } from '../report/index.ts'
import { type Exposition, quantileOf } from './exposition.ts'
import type { Shares } from './process-book.ts'

/**
 * From when on all who should be in are in, until the first fault or the end; undefined when it did
 * not come to that.
 */
export type Steady = { fromS: number; untilS: number }

/** Counted by nodes in a stretch of time; CPU by the kernel's books at both ends of it. */
export type Stretch = { seconds: number; cpuSeconds: number; counted: Exposition }

export type RunFacts = {
  processes: readonly ProcessReport[]
  links: readonly LinkReport[]
  /** Whole run, all nodes. */
  counted: Exposition | undefined
  /** While steady, all nodes. */
  steadyCounted: Stretch | undefined
  steady: Steady | undefined
  shares: Shares
  /** Sites that were planned at each node. */
  sitesByNode: ReadonlyMap<string, number>
}

type Figures = Record<string, number>

const NAMESPACE = /^nhipcau_/
const LATENCY = 'nhipcau_media_forwarding_latency_seconds'
const SENT = 'nhipcau_media_sent_packets_total'
const RECEIVED = 'nhipcau_media_received_packets_total'
const DROPPED = 'nhipcau_media_dropped_total'

/** What was not measured is not in it. */
export function runnerFigures(facts: RunFacts): Figures {
  const figures: Figures = {
    'machine.othersCores': facts.shares.othersCores,
    'machine.stealCores': facts.shares.stealCores,
  }
  for (const process of facts.processes) Object.assign(figures, processFigures(process, facts))
  for (const link of facts.links) Object.assign(figures, linkFigures(link))
  if (facts.counted !== undefined) Object.assign(figures, counterFigures(facts.counted))
  const stretch = facts.steadyCounted
  if (stretch !== undefined) Object.assign(figures, forwardFigures(stretch))
  return figures
}

function processFigures(process: ProcessReport, { steady, sitesByNode }: RunFacts): Figures {
  const { id, series } = process
  const name = (figure: string): string => `process.${id}.${figure}`
  // The first sample is the zero: nothing was used before it.
  const during =
    steady === undefined ? series.atS.map((_, at) => at > 0) : within(series.atS, steady)
  const figures: Figures = {
    [name('cpuSeconds')]: process.cpuSeconds,
    [name('cpuShare')]: meanOf(series.cpuShare, during),
    [name('cpuShareMax')]: maxOf(series.cpuShare),
    [name('residentBytesMax')]: process.residentBytesMax,
    [name('residentSlopeBytesPerS')]: process.residentSlopeBytesPerS,
    [name('residentSlopeBytesPerHour')]: process.residentSlopeBytesPerS * 3600,
    [name('handlesMax')]: maxOf(series.handles),
    [name('handlesGrowth')]: growthOf(series.handles),
    [name('threadsMax')]: maxOf(series.threads),
  }
  const sites = sitesByNode.get(id) ?? 0
  const emptyBytes = series.residentBytes[0]
  if (sites > 0 && emptyBytes !== undefined)
    figures[name('residentPerSiteBytes')] = (process.residentBytesMax - emptyBytes) / sites
  return figures
}

/** Median of the last tenth minus median of the first tenth of the second half: what piles up while nothing changes. */
function growthOf(values: readonly number[]): number {
  const half = values.slice(Math.floor(values.length / 2))
  const tenth = Math.max(1, Math.floor(half.length / 10))
  return medianOf(half.slice(-tenth)) - medianOf(half.slice(0, tenth))
}

function linkFigures(link: LinkReport): Figures {
  const figures: Figures = {}
  for (const direction of ['down', 'up'] as const) {
    const { packets, lost, overflowed, series } = link[direction]
    const name = (figure: string): string => `link.${link.id}.${direction}.${figure}`
    figures[name('packets')] = packets
    if (packets > 0) {
      figures[name('lossRatio')] = lost / packets
      figures[name('overflowRatio')] = overflowed / packets
    }
    if (series.atS.length === 0) continue
    const meanBps = meanOf(
      series.bitrateBps,
      series.bitrateBps.map(() => true),
    )
    figures[name('bitrateBps')] = meanBps
    figures[name('bitrateBpsMax')] = maxOf(series.bitrateBps)
    figures[name('queueMsMax')] = maxOf(series.queueMs)
    figures[name('queueP95Ms')] = percentileOf(series.queueMs, 0.95)
  }
  return figures
}

/**
 * `drops.sequenceJump` of `nhipcau_media_dropped_total{reason="sequence-jump"}`,
 * `counters.doorJoins` of `nhipcau_door_joins_total`.
 */
function counterFigures({ counters, histograms }: Exposition): Figures {
  const figures: Figures = {}
  let drops = 0
  for (const [series, value] of counters) {
    const [, name = series, label = ''] = /^([^{]+)(?:\{\w+="([^"]*)"\})?$/.exec(series) ?? []
    if (name === DROPPED) {
      figures[`drops.${camelCase(label)}`] = value
      drops += value
    } else if (NAMESPACE.test(name) && !name.includes('nodejs')) {
      const key = camelCase(name.replace(NAMESPACE, '').replace(/_total$/, ''))
      if (label === '') figures[`counters.${key}`] = value
      else {
        figures[`counters.${key}.${camelCase(label)}`] = value
        figures[`counters.${key}.all`] = (figures[`counters.${key}.all`] ?? 0) + value
      }
    }
  }
  figures['drops.all'] = drops
  const latency = histograms.get(LATENCY)
  if (latency !== undefined) Object.assign(figures, latencyFigures('forward.run', latency))
  return figures
}

function forwardFigures({ seconds, cpuSeconds, counted }: Stretch): Figures {
  const figures: Figures = {}
  const sent = counted.counters.get(SENT)
  if (sent !== undefined && seconds > 0) {
    figures['forward.packetsPerSecond'] = sent / seconds
    figures['forward.receivedPerSecond'] = (counted.counters.get(RECEIVED) ?? 0) / seconds
    if (cpuSeconds > 0) figures['forward.packetsPerCpuSecond'] = sent / cpuSeconds
  }
  const latency = counted.histograms.get(LATENCY)
  return latency === undefined ? figures : { ...figures, ...latencyFigures('forward', latency) }
}

function latencyFigures(prefix: string, histogram: Parameters<typeof quantileOf>[0]): Figures {
  return {
    [`${prefix}.latencyP50Ms`]: quantileOf(histogram, 0.5) * 1000,
    [`${prefix}.latencyP99Ms`]: quantileOf(histogram, 0.99) * 1000,
  }
}

/** `too-late` and `media_sent_packets` in the shape that expressions read. */
function camelCase(text: string): string {
  return text.replace(/[-_]+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function within(atS: readonly number[], { fromS, untilS }: Steady): boolean[] {
  // The first sample after `fromS` still covers the time before it.
  return atS.map((at) => at > fromS + 1 && at <= untilS)
}

function meanOf(values: readonly number[], isCounted: readonly boolean[]): number {
  const counted = values.filter((_, index) => isCounted[index])
  return counted.reduce((sum, value) => sum + value, 0) / counted.length
}

function maxOf(values: readonly number[]): number {
  return values.reduce((max, value) => Math.max(max, value), Number.NEGATIVE_INFINITY)
}

function percentileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
