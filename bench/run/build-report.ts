/** Puts together the report of a run from what everyone has told. */
import { type LoadResult, mergeLoadResults } from '../load/index.ts'
import type { LinkReport, NodeReport, RunReport, SeriesReport } from '../report/index.ts'
import { REPORT_SCHEMA, REPORT_VERSION } from '../report/index.ts'
import { judge, type Scenario } from '../scenario/index.ts'
import type { CounterBook } from './counter-book.ts'
import { runnerFigures, type Steady } from './figures.ts'
import type { LineResult } from './line-process.ts'
import { commitOf, machineReport } from './machine.ts'
import type { ProcessBook } from './process-book.ts'
import { machineSeries } from './process-book.ts'
import { judgeValidity } from './validity.ts'
import { windowFigures } from './window-figures.ts'

export type RunFindings = {
  options: { scenario: Scenario; seed: number; serverRoot: string }
  ended: RunReport['ended']
  problem?: string
  startedAt: Date
  tookS: number
  results: readonly LoadResult[]
  /** Loads that left no result, and why. */
  lost: readonly string[]
  links: LinkReport[]
  lines: ReadonlyMap<string, LineResult>
  book: ProcessBook
  counters: CounterBook
  /** What the ends of trunks said. */
  trunks: SeriesReport[]
  /** Whether the nodes were at one. */
  states: Record<string, number>
  steady: Steady | undefined
  events: RunReport['events']
}

const NO_RESULT: Pick<LoadResult, 'figures' | 'sites' | 'histograms' | 'series' | 'layers'> = {
  figures: {},
  sites: [],
  histograms: {},
  series: [],
  layers: { atS: [], rows: [] },
}

/** All of it, judged. */
export function buildReport(findings: RunFindings): RunReport {
  const { options, results, book, counters, links, startedAt, tookS, ended } = findings
  const { scenario, seed } = options
  const load = results.length === 0 ? NO_RESULT : mergeLoadResults(results)
  const shares = book.shares()
  const processes = book.reports()
  const validity = judgeValidity({
    shares,
    othersCoresMax: scenario.othersCoresMax,
    ownLatenessMsMax: scenario.ownLatenessMsMax,
    loads: results.map((result) => result.validity),
    lines: findings.lines,
    lost: findings.lost,
  })
  const series = [...load.series, ...findings.trunks, ...counters.series(), ...machineSeries(book)]
  const figures = {
    ...load.figures,
    ...findings.states,
    ...windowFigures(scenario.windows, { series, links, layers: load.layers, sites: load.sites }),
    ...runnerFigures({
      processes,
      links,
      counted: counters.counted(),
      steadyCounted: counters.steady(),
      steady: findings.steady,
      shares,
      sitesByNode: sitesByNode(scenario),
    }),
  }
  return {
    schema: REPORT_SCHEMA,
    version: REPORT_VERSION,
    scenario: {
      name: scenario.name,
      title: scenario.title,
      seed,
      durationS: scenario.durationS,
      yaml: scenario.yaml,
    },
    startedAt: startedAt.toISOString(),
    tookS,
    ended,
    ...(findings.problem === undefined ? {} : { problem: findings.problem.slice(0, 4_000) }),
    validity,
    machine: machineReport(shares.othersCores),
    commit: commitOf(options.serverRoot),
    criteria: verdicts(findings, { figures, valid: validity.valid }),
    nodes: nodeReports(scenario),
    links,
    processes,
    sites: load.sites,
    figures,
    histograms: load.histograms,
    series,
    layers: load.layers,
    events: findings.events,
  }
}

/** A run that did not go its whole way passes nothing, and fails nothing either: nobody knows. */
function verdicts(
  { options, ended }: RunFindings,
  judged: { figures: Record<string, number>; valid: boolean },
): RunReport['criteria'] {
  const rows = judge(options.scenario.pass, judged)
  if (ended === 'completed') return rows
  return rows.map((row) => ({ ...row, verdict: 'unknown' }))
}

function nodeReports({ nodes, sites }: Scenario): NodeReport[] {
  const counts = sitesByNode({ sites })
  return nodes.map(({ id, kind, upstream, link }) => ({
    id,
    kind,
    ...(upstream === undefined ? {} : { upstream }),
    ...(link === undefined ? {} : { link }),
    sites: counts.get(id) ?? 0,
  }))
}

function sitesByNode({ sites }: Pick<Scenario, 'sites'>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { node, count } of sites) counts.set(node, (counts.get(node) ?? 0) + count)
  return counts
}
