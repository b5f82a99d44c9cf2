/**
 * What a run of a scenario leaves behind: one JSON document, version 1 (docs/BENCH.md describes it; report-schema.ts checks it).
 * Criteria are judged over `figures`, the HTML page and `compare` read nothing but this. Not the measuring itself.
 * Times `atS` are seconds since the run began; figures carry their unit last in the name; ratios are 0..1.
 */

export const REPORT_SCHEMA = 'nhipcau-bench-report'
export const REPORT_VERSION = 1

/** Why a run came to its end; a partial report says `interrupted` or `failed`. */
export type RunEnd = 'completed' | 'interrupted' | 'failed'

export type RunReport = {
  schema: typeof REPORT_SCHEMA
  version: typeof REPORT_VERSION
  scenario: { name: string; title: string; seed: number; durationS: number; yaml: string }
  /** ISO 8601. */
  startedAt: string
  tookS: number
  ended: RunEnd
  /** What went wrong, when `ended` is `failed`. */
  problem?: string
  /** A run whose load generator or machine was itself too slow is void: it blames no server. */
  validity: { valid: boolean; reasons: string[] }
  machine: MachineReport
  commit: { hash: string; dirty: boolean }
  criteria: CriterionReport[]
  nodes: NodeReport[]
  links: LinkReport[]
  processes: ProcessReport[]
  sites: SiteReport[]
  /** Flat, by dotted name, for criteria: `sites.joined`, `latency.audio.p99Ms`, `process.core.cpuShare`, `link.thin.down.lossRatio`. */
  figures: Record<string, number>
  /** HDR histograms, base64 of hdr-histogram-js' compressed V2 encoding, in microseconds; merged, never averaged. */
  histograms: Record<string, string>
  /** Everything over time that is not a link's or a process's own. */
  series: SeriesReport[]
  /** The spatial layer that each site saw of its main picture. */
  layers: { atS: number[]; rows: { site: string; layer: number[] }[] }
  /** Phases, faults and changes of links, in order. */
  events: { atS: number; what: string }[]
}

export type MachineReport = {
  name: string
  cpuModel: string
  cores: number
  memoryBytes: number
  kernel: string
  node: string
  /** Mean number of cores that processes outside of this run took meanwhile. */
  othersCores: number
}

export type CriterionReport = {
  /** The expression as written. */
  text: string
  /** `unknown`: a figure that it names was not measured. */
  verdict: 'pass' | 'fail' | 'void' | 'unknown'
  /** Each figure that the expression names; null when it was not measured. */
  measured: Record<string, number | null>
}

export type NodeReport = {
  id: string
  kind: 'core' | 'relay' | 'rival'
  /** The node above, and the link between. */
  upstream?: string
  link?: string
  sites: number
}

/** One direction of a link, from the emulator's own counters. */
export type LinkDirectionReport = {
  packets: number
  bytes: number
  lost: number
  /** Datagrams that found the queue full. */
  overflowed: number
  series: { atS: number[]; bitrateBps: number[]; lossRatio: number[]; queueMs: number[] }
}

export type LinkReport = {
  id: string
  profile: string
  /** Ends, as ids of nodes or groups of sites: `up` flows from `below` to `above`. */
  below: string
  above: string
  up: LinkDirectionReport
  down: LinkDirectionReport
}

/** From /proc: the kernel's own accounting. */
export type ProcessReport = {
  id: string
  role: 'node' | 'load' | 'link' | 'browser'
  cpuSeconds: number
  residentBytesMax: number
  /** Least squares over the second half of the run. */
  residentSlopeBytesPerS: number
  series: {
    atS: number[]
    cpuShare: number[]
    residentBytes: number[]
    /** Open file descriptors and threads. */
    handles: number[]
    threads: number[]
  }
}

/** One site, or one participant of it; `failedAt` names the step of joining that failed. */
export type SiteReport = {
  id: string
  group: string
  node: string
  link?: string
  kind: 'synthetic' | 'signalling' | 'browser'
  joined: boolean
  failedAt?: string
  whyFailed?: string
  joinMs?: number
  /** Milliseconds by step of the last join: doorMs, joinMs, offerMs, iceMs, dtlsMs. */
  steps?: Record<string, number>
  /** What this site saw, e.g. audioLossRatio, audioGapMaxMs, concealedRatio, framesComplete, framesLate, frozenMs, latencyP99Ms. */
  figures: Record<string, number>
  /** In words, worst first, when something was wrong with it. */
  why: string[]
}

export type SeriesReport = {
  id: string
  title: string
  unit: string
  atS: number[]
  values: number[]
}
