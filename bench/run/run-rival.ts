/**
 * One run of a scenario with a rival: legs instead of a stage (bench/rival plays them), and the same report. The
 * figures of its steps are those of bench/rival; those of processes are the kernel's, as in any run.
 */
import { join, resolve } from 'node:path'
import { ROOT } from '../process/processes.ts'
import { REPORT_SCHEMA, REPORT_VERSION, type RunReport } from '../report/index.ts'
import {
  type Leg,
  type LegProcess,
  planLegs,
  rivalFigures,
  rivalSeries,
  runLegs,
} from '../rival/index.ts'
import { judge, type Scenario } from '../scenario/index.ts'
import { runnerFigures } from './figures.ts'
import { Ledger } from './ledger.ts'
import { commitOf, machineReport } from './machine.ts'
import { machineSeries, ProcessBook } from './process-book.ts'
import type { RunOptions } from './run.ts'
import { Sampler } from './sampler.ts'

/** As runScenario: resolves with a report, whatever happened; rejects when nothing could be begun. */
export async function runRival(options: RunOptions): Promise<RunReport> {
  const ledger = Ledger.open()
  options.onLedger(ledger)
  try {
    return await playLegs(options, ledger)
  } finally {
    ledger.close()
    options.onLedger(undefined)
  }
}

type Played = {
  legs: Leg[]
  book: ProcessBook
  events: RunReport['events']
  startedAt: Date
  tookS: number
  problem?: string
}

async function playLegs(options: RunOptions, ledger: Ledger): Promise<RunReport> {
  const { scenario, writer, serverRoot, signal } = options
  const startedAt = new Date()
  const legs: Leg[] = []
  const events: RunReport['events'] = []
  const book = new ProcessBook()
  const nowS = () => Math.round(performance.timeOrigin + performance.now() - +startedAt) / 1000
  let watched: LegProcess[] = []
  const sampler = new Sampler(book, () => watched)
  sampler.start(+startedAt)
  let problem: string | undefined
  try {
    await runLegs(planLegs(scenario), {
      say: (what) => {
        events.push({ atS: nowS(), what })
        writer.status(`${scenario.name}  ${nowS().toFixed(0)} s  ${what}`, {
          nowMs: performance.now(),
        })
      },
      onLeg: (leg) => legs.push(leg),
      onProcesses: (processes) => {
        // Before they are gone, so that their last second counts.
        sampler.sample()
        watched = processes
      },
      program: programOf(scenario, serverRoot),
      env: ledger.env,
      folder: ledger.folder,
      track: (name) => ledger.track({ kind: 'namespace', name }),
      signal,
    })
  } catch (error) {
    problem = (error as Error).message
  }
  sampler.stop()
  writer.clear()
  const played = { legs, book, events, startedAt, tookS: nowS() }
  return report(options, problem === undefined ? played : { ...played, problem })
}

function programOf({ nodes }: Scenario, serverRoot: string): string {
  const program = nodes.find(({ kind }) => kind === 'core')?.program
  return program === undefined ? join(serverRoot, 'nhipcau') : resolve(ROOT, program)
}

function report({ scenario, seed, serverRoot, signal }: RunOptions, played: Played): RunReport {
  const { legs, book, events, startedAt, tookS, problem } = played
  const shares = book.shares()
  const processes = book.reports()
  const rival = rivalFigures(legs, {
    othersCoresMax: scenario.othersCoresMax,
    framesPerSecond: planLegs(scenario).framesPerSecond,
  })
  const ofRunner = { processes, links: [], counted: undefined, steadyCounted: undefined }
  const figures = {
    ...rival.figures,
    ...runnerFigures({ ...ofRunner, steady: undefined, shares, sitesByNode: new Map() }),
  }
  const ended = endOf({ problem, signal })
  const valid = rival.reasons.length === 0
  const rows = judge(scenario.pass, { figures, valid })
  const { name, title, durationS, yaml } = scenario
  return {
    schema: REPORT_SCHEMA,
    version: REPORT_VERSION,
    scenario: { name, title, seed, durationS, yaml },
    startedAt: startedAt.toISOString(),
    tookS,
    ended,
    ...(problem === undefined ? {} : { problem }),
    validity: { valid, reasons: rival.reasons },
    machine: machineReport(shares.othersCores),
    commit: commitOf(serverRoot),
    criteria: ended === 'completed' ? rows : rows.map((row) => ({ ...row, verdict: 'unknown' })),
    nodes: nodesOf(scenario),
    links: [],
    processes,
    sites: [],
    figures,
    histograms: rival.histograms,
    series: [...rivalSeries(legs, +startedAt), ...machineSeries(book)],
    layers: { atS: [], rows: [] },
    events,
  }
}

/** Both get the same sites, one after the other. */
function nodesOf({ nodes, sites }: Scenario): RunReport['nodes'] {
  const count = sites.reduce((sum, group) => sum + group.count, 0)
  return nodes.map(({ id, kind }) => ({ id, kind, sites: count }))
}

function endOf({ problem, signal }: { problem: string | undefined; signal: AbortSignal }) {
  if (signal.aborted) return 'interrupted'
  return problem === undefined ? 'completed' : 'failed'
}
