/**
 * What the page draws, made ready on the server side (page-of-run.ts, page-of-comparison.ts) and
 * embedded as JSON: the seam between them and page/. Types only. Everything is bounded and rounded
 * here; the page computes nothing but positions.
 */
import type { CriterionReport, RunReport } from './report.ts'

export type PageModel = {
  /** One run, or several that are compared. */
  runs: RunHead[]
  comparison?: Comparison
  criteria: CriterionReport[]
  plots: Plot[]
  marks: Mark[]
  curves: Curve[]
  heatMap?: HeatMap
  tree?: TreeNode
  sites?: SiteTable
  figures: [name: string, ...values: (number | null)[]][]
  /** What was left out or thinned, as keys and values of the page's dictionary. */
  thinned: { key: ThinnedKey; kept: number; of: number }[]
}

export type ThinnedKey =
  | 'thinnedPoints'
  | 'thinnedLinks'
  | 'thinnedLines'
  | 'thinnedSites'
  | 'thinnedRows'
  | 'thinnedEvents'

/** What came of a run as a whole; `broken` is a run that ended `failed`. */
export type Outcome = 'pass' | 'fail' | 'unknown' | 'void' | 'interrupted' | 'broken' | 'none'

/** What is told of a run beside its measurements. */
export type RunHead = Pick<
  RunReport,
  'scenario' | 'startedAt' | 'tookS' | 'ended' | 'validity' | 'machine' | 'commit'
> & {
  /** `A`, `B`, ... in a comparison, else empty. */
  label: string
  problem?: string
  outcome: Outcome
  joined: number
  sites: number
  processes: ProcessRow[]
  /** Where it went wrong, worst first. */
  troubles: Trouble[]
}

/** One thing that went wrong somewhere; the page puts it into words. */
export type Trouble =
  | { kind: 'not-joined'; group: string; count: number; of: number; step: string; why: string }
  | { kind: 'suffering'; group: string; count: number; of: number; why: string }
  | {
      kind: 'link'
      link: string
      direction: Direction
      profile: string
      lossRatio: number
      overflowRatio: number
      queueMsMax: number
    }

export type Direction = 'up' | 'down'

export type ProcessRow = {
  id: string
  role: string
  cpuSeconds: number
  residentBytesMax: number
  residentSlopeBytesPerS: number
}

/** Lines over the same times. */
export type Plot = {
  /** Known ids have a title in the dictionary (`plot.<id>`), the others `title`. */
  id: string
  title: string
  unit: Unit
  atS: number[]
  lines: Line[]
}

export type Unit = 'bps' | 'ratio' | 'ms' | 'bytes' | 'perSecond' | 'count' | 'cores'

export type Line = {
  /** As it is called in the scenario; known ones are in the dictionary (`line.<label>`). */
  label: string
  /** Index into PageModel.runs. */
  run: number
  /** Several lines taken together. */
  of?: { how: 'sum' | 'highest'; count: number }
  values: (number | null)[]
}

/** A phase, a fault, a change of a link. */
export type Mark = { atS: number; what: string; run: number }

/** Percentiles of one histogram, in milliseconds. */
export type Curve = {
  /** `latency.audio`. */
  name: string
  /** A group of sites; empty: all. */
  group: string
  run: number
  count: number
  /** Points for the curve: -log10(1 - p), and the value. */
  x: number[]
  ms: number[]
  /** At CURVE_PERCENTILES, then the maximum. */
  table: number[]
}

export type HeatMap = {
  atS: number[]
  rows: { site: string; group: string; cells: string }[]
}

export type Health = 'good' | 'strained' | 'bad' | 'idle'

/** A node or a group of sites, with the line above it. */
export type TreeNode = {
  id: string
  kind: 'core' | 'relay' | 'rival' | 'group' | 'folded'
  /** Sites of a group: in, in all, with something wrong. */
  joined: number
  sites: number
  suffering: number
  /** Of the node or the sites themselves. */
  health: Health
  edge?: TreeEdge
  children: TreeNode[]
}

/** One line, or all lines of the sites of a group taken together (the worst of each). */
export type TreeEdge = {
  links: number
  profiles: string
  health: Health
  bad: number
  lossRatio: { up: number; down: number }
  overflowRatio: { up: number; down: number }
  meanBps: { up: number; down: number }
}

/** Worst first; `columns` names `figures`. */
export type SiteTable = {
  columns: string[]
  rows: {
    id: string
    group: string
    node: string
    link: string
    joined: boolean
    failedAt: string
    whyFailed: string
    joinMs: number | null
    figures: (number | null)[]
    why: string[]
  }[]
}

/** Two sets of runs against each other. */
export type Comparison = {
  labels: string[]
  rows: ComparedFigure[]
  /** In words, in the two languages. */
  noise: { en: string; vi: string }
  warnings: { en: string; vi: string }[]
}

export type ComparedFigure = {
  name: string
  /** Mean over the runs of each side. */
  a: number
  b: number
  /** b / a; null when a is 0. */
  ratio: number | null
  /** (max - min) of each side's runs; null with one run. */
  spreadA: number | null
  spreadB: number | null
  verdict: 'noise' | 'differs' | 'same' | 'unknown'
}
