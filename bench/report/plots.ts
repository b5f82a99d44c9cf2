/**
 * The plots of one run, or of several on top of each other: links, processes, and every series by
 * the first part of its name. What has too many lines is taken together by group, and the worst
 * stay. Pure.
 */
import { summarize } from './health.ts'
import type { Line, Plot, Unit } from './page-model.ts'
import type { LinkReport, RunReport } from './report.ts'
import { resample } from './resample.ts'

export type PlotBounds = { pointsMax: number; linesMax: number }

/** A line before it is thinned. */
type RawLine = Omit<Line, 'values'> & { atS: readonly number[]; values: readonly number[] }
type RawPlot = Pick<Plot, 'id' | 'title' | 'unit'> & { lines: RawLine[] }

export type Plots = {
  plots: Plot[]
  links: { kept: number; of: number }
  /** Lines of the fullest plot, when it had too many. */
  linesOf: number
  isThinned: boolean
}

/** All plots of `runs`, in the order of the page. */
export function plotsOf(runs: readonly RunReport[], bounds: PlotBounds): Plots {
  const all = new Map<string, RawPlot>()
  const add = (plot: Omit<RawPlot, 'lines'>, line: RawLine): void => {
    if (line.values.every((value) => !Number.isFinite(value))) return
    const known = all.get(plot.id)
    if (known === undefined) all.set(plot.id, { ...plot, lines: [line] })
    else known.lines.push(line)
  }
  runs.forEach((run, index) => {
    addSeries(run, index, add)
    addProcesses(run, index, add)
  })
  const linesMax = bounds.linesMax * runs.length
  const counts = { kept: 0, of: 0 }
  let linesOf = 0
  runs.forEach((run, index) => {
    counts.of += run.links.length
    counts.kept += addLinks(run, { run: index, ...bounds, add })
  })
  const sorted = [...all.values()].sort((a, b) => rankOf(a.id) - rankOf(b.id))
  let isThinned = false
  const plots = sorted.map((raw): Plot => {
    const { id, title, unit } = raw
    const lines = highestOf(raw.lines, linesMax)
    if (lines.length < raw.lines.length) linesOf = Math.max(linesOf, raw.lines.length)
    const drawn = resample(lines, bounds.pointsMax)
    isThinned ||= drawn.isThinned
    return {
      id,
      title,
      unit,
      atS: drawn.atS,
      lines: lines.map((line, n) => toLine(line, drawn.values[n])),
    }
  })
  return { plots, links: counts, linesOf, isThinned }
}

type Add = (plot: Omit<RawPlot, 'lines'>, line: RawLine) => void

function toLine({ label, run, of }: RawLine, values: (number | null)[] = []): Line {
  return { label, run, ...(of === undefined ? {} : { of }), values }
}

/** What people look for first stands first; what is not listed comes before handles and threads. */
const RANKS: readonly RegExp[] = [
  /^(sites?|joins?|joined)\b/,
  /^loss/,
  /^(concealed|frozen)/,
  /^latency/,
  /^(bitrate|received|sent)/,
  /^link\.down\.bitrate/,
  /^link\.up\.bitrate/,
  /^link\.down\.loss/,
  /^link\.up\.loss/,
  /^link\./,
  /^process\.cpu/,
  /^process\.memory/,
]

function rankOf(id: string): number {
  const found = RANKS.findIndex((pattern) => pattern.test(id))
  return found >= 0 ? found : id.startsWith('process.') ? RANKS.length + 1 : RANKS.length
}

const GROUP = /^group\.([^.]+)\.(.+)$/
/** One line for each node. */
const OF_NODE = /^(forward|drops)\.(.+)\.(packetsPerSecond)$/
/** The line of all groups together. */
const ALL = 'all'

function addSeries({ series }: RunReport, run: number, add: Add): void {
  const grouped = new Set(series.flatMap(({ id }) => GROUP.exec(id)?.[2] ?? []))
  for (const { id, title, unit, atS, values } of series) {
    const { plot, label, name } = placeOf(id, grouped)
    const known = toUnit(unit, name)
    // Lines of one plot share their axis: another unit is another plot.
    add({ id: `${plot}:${known}`, title, unit: known }, { label, run, atS, values })
  }
}

/** Groups of sites are lines of one plot; else what comes before the last dot names the plot. */
function placeOf(id: string, grouped: ReadonlySet<string>) {
  const [, group = ALL, base = id] = GROUP.exec(id) ?? []
  const name = base.slice(base.lastIndexOf('.') + 1)
  if (grouped.has(base)) return { plot: base, label: group, name }
  const ofNode = OF_NODE.exec(id)
  if (ofNode !== null) return { plot: `${ofNode[1]}.${name}`, label: ofNode[2] ?? '', name }
  const plot = base.includes('.') ? base.slice(0, base.lastIndexOf('.')) : base
  return { plot, label: name, name }
}

/** The unit as written, else from the ending of the name. */
function toUnit(unit: string, name: string): Unit {
  switch (unit) {
    case 'bps':
    case 'ratio':
    case 'ms':
    case 'bytes':
    case 'perSecond':
    case 'cores':
      return unit
    default:
      break
  }
  if (unit === 'bit/s' || /Bps$/.test(name)) return 'bps'
  if (/Ms$/.test(name)) return 'ms'
  if (/(Ratio|Share)$/.test(name)) return 'ratio'
  if (/Bytes$/.test(name)) return 'bytes'
  if (/Cores$/.test(name)) return 'cores'
  return 'count'
}

function addProcesses({ processes }: RunReport, run: number, add: Add): void {
  for (const { id, series } of processes) {
    const { atS } = series
    const line = (values: readonly number[]): RawLine => ({ label: id, run, atS, values })
    add({ id: 'process.cpu', title: 'CPU', unit: 'cores' }, line(series.cpuShare))
    add({ id: 'process.memory', title: 'Memory', unit: 'bytes' }, line(series.residentBytes))
    add({ id: 'process.handles', title: 'Handles', unit: 'count' }, line(series.handles))
    add({ id: 'process.threads', title: 'Threads', unit: 'count' }, line(series.threads))
  }
}

const LINK_COLUMNS = [
  ['bitrate', 'bitrateBps', 'bps'],
  ['loss', 'lossRatio', 'ratio'],
  ['queue', 'queueMs', 'ms'],
] as const

type LinkOptions = { run: number; linesMax: number; pointsMax: number; add: Add }

/** Says how many links have lines of their own. */
function addLinks({ links }: RunReport, { run, linesMax, pointsMax, add }: LinkOptions): number {
  const isMany = links.length > linesMax
  const own = isMany ? worstLinks(links, Math.floor(linesMax / 2)) : links
  const groups = isMany ? groupsOf(links, own).slice(0, linesMax - own.length) : []
  for (const way of ['down', 'up'] as const)
    for (const [column, field, unit] of LINK_COLUMNS) {
      const plot = { id: `link.${way}.${column}`, title: `Links, ${way}: ${column}`, unit }
      for (const { id, [way]: direction } of own) {
        const { atS, [field]: values } = direction.series
        add(plot, { label: id, run, atS, values })
      }
      for (const [label, members] of groups) {
        const how = column === 'bitrate' ? 'sum' : 'highest'
        const lines = members.map((link) => ({
          atS: link[way].series.atS,
          values: link[way].series[field],
        }))
        const together = resample(lines, pointsMax)
        const values = together.atS.map((_, at) => combine(together.values, at, how))
        const of = members.length > 1 ? { of: { how, count: members.length } as const } : {}
        add(plot, { label, run, ...of, atS: together.atS, values })
      }
    }
  return own.length
}

/** All links by group; one that is alone in its group goes by its own name, and not twice. */
function groupsOf(links: readonly LinkReport[], own: readonly LinkReport[]) {
  return [...Map.groupBy(links, groupName)].flatMap(([name, members]): [string, LinkReport[]][] => {
    const [first] = members
    if (members.length > 1 || first === undefined) return [[name, members]]
    return own.includes(first) ? [] : [[first.id, members]]
  })
}

function groupName({ below, profile }: LinkReport): string {
  return `${below} · ${profile}`
}

function worstLinks(links: readonly LinkReport[], count: number): LinkReport[] {
  const score = ({ up, down }: LinkReport): number => {
    const [a, b] = [summarize(up), summarize(down)]
    return (a.overflowRatio + b.overflowRatio) * 10 + a.lossRatio + b.lossRatio
  }
  return links
    .map((link) => ({ link, score: score(link) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, count)
    .map(({ link }) => link)
}

function combine(
  columns: readonly (readonly (number | null)[])[],
  at: number,
  how: 'sum' | 'highest',
): number {
  let result = Number.NaN
  for (const column of columns) {
    const value = column[at]
    if (value === null || value === undefined) continue
    if (Number.isNaN(result)) result = value
    else result = how === 'sum' ? result + value : Math.max(result, value)
  }
  return result
}

/** The lines that rise highest, in their own order. */
function highestOf(lines: readonly RawLine[], linesMax: number): readonly RawLine[] {
  if (lines.length <= linesMax) return lines
  const top = ({ values }: RawLine): number =>
    values.reduce((high, value) => Math.max(high, Number.isFinite(value) ? value : high), 0)
  const kept = new Set(
    lines
      .map((line) => ({ line, top: top(line) }))
      .sort((a, b) => b.top - a.top)
      .slice(0, linesMax)
      .map(({ line }) => line),
  )
  return lines.filter((line) => kept.has(line))
}
