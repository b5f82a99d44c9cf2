/** Makes the page's data of one run's report, within given bounds. Pure. */
import { REPORT_PLOT_LINKS_MAX, REPORT_PLOT_POINTS_MAX } from '../../config/limits.ts'
import { outcomeOf } from './health.ts'
import { heatMapOf } from './heat-map.ts'
import type { PageModel, RunHead } from './page-model.ts'
import { curvesOf } from './percentiles.ts'
import { type Plots, plotsOf } from './plots.ts'
import type { RunReport } from './report.ts'
import { roundValue } from './resample.ts'
import { treeOf } from './tree.ts'
import { siteTable, troublesOf } from './worst-sites.ts'

/** How much of a report its page holds. */
export type PageBounds = {
  pointsMax: number
  linesMax: number
  columnsMax: number
  rowsMax: number
  sitesMax: number
  eventsMax: number
  figuresMax: number
  curvesMax: number
}

export const PAGE_BOUNDS: PageBounds = {
  pointsMax: REPORT_PLOT_POINTS_MAX,
  linesMax: REPORT_PLOT_LINKS_MAX,
  columnsMax: REPORT_PLOT_POINTS_MAX,
  rowsMax: 2_000,
  sitesMax: 2_000,
  eventsMax: 500,
  figuresMax: 5_000,
  curvesMax: 200,
}

/** What is told of a run beside its measurements. */
export function headOf(report: RunReport, label: string): RunHead {
  const { scenario, startedAt, tookS, ended, validity, machine, commit, problem } = report
  return {
    label,
    scenario,
    startedAt,
    tookS,
    ended,
    ...(problem === undefined ? {} : { problem }),
    validity,
    machine,
    commit,
    outcome: outcomeOf(report),
    joined: report.sites.filter(({ joined }) => joined).length,
    sites: report.sites.length,
    processes: report.processes.map((process) => ({
      id: process.id,
      role: process.role,
      cpuSeconds: process.cpuSeconds,
      residentBytesMax: process.residentBytesMax,
      residentSlopeBytesPerS: process.residentSlopeBytesPerS,
    })),
    troubles: troublesOf(report),
  }
}

/** The page of one run. */
export function pageOfRun(report: RunReport, bounds: PageBounds = PAGE_BOUNDS): PageModel {
  const drawn = plotsOf([report], bounds)
  const heatMap = heatMapOf(report, bounds)
  const tree = treeOf(report)
  const { sites, events } = report
  return {
    runs: [headOf(report, '')],
    criteria: report.criteria,
    plots: drawn.plots,
    marks: events.slice(0, bounds.eventsMax).map(({ atS, what }) => ({ atS, what, run: 0 })),
    curves: curvesOf(report.histograms, 0).slice(0, bounds.curvesMax),
    ...(heatMap === undefined ? {} : { heatMap }),
    ...(tree === undefined ? {} : { tree }),
    sites: siteTable(sites, bounds.sitesMax),
    figures: Object.entries(report.figures)
      .slice(0, bounds.figuresMax)
      .map(([name, value]) => [name, roundValue(value)]),
    thinned: [...thinnedPlots(drawn, bounds), ...thinnedLists(report, bounds)],
  }
}

type Thinned = PageModel['thinned']

/** What the plots leave out. */
export function thinnedPlots({ links, linesOf, isThinned }: Plots, bounds: PageBounds): Thinned {
  const { pointsMax, linesMax } = bounds
  const all: Thinned = [
    { key: 'thinnedPoints', kept: pointsMax, of: isThinned ? pointsMax + 1 : 0 },
    { key: 'thinnedLinks', ...links },
    { key: 'thinnedLines', kept: linesMax, of: linesOf },
  ]
  return all.filter(({ kept, of }) => kept < of)
}

function thinnedLists({ sites, layers, events }: RunReport, bounds: PageBounds): Thinned {
  const all: Thinned = [
    { key: 'thinnedSites', kept: bounds.sitesMax, of: sites.length },
    { key: 'thinnedRows', kept: bounds.rowsMax, of: layers.rows.length },
    { key: 'thinnedEvents', kept: bounds.eventsMax, of: events.length },
  ]
  return all.filter(({ kept, of }) => kept < of)
}
