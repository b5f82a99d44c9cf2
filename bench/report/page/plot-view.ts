/**
 * One plot over time with uPlot: lines, marks of what happened, a legend that tells the values at
 * the cursor, and keys. All plots share one cursor and one stretch of time.
 */
import uPlot from 'uplot'
import type { Line, Mark, Plot, RunHead, Unit } from '../page-model.ts'
import { say, sayOr } from './dictionary.ts'
import { colour, h, s } from './dom.ts'
import { amount, duration, nameInWords, number } from './wording.ts'

const SYNC_KEY = 'nhipcau'
const AXIS_WIDTH = 84
const HEIGHT = 230
const COLOURS = 8
/** After each round of colours another stroke, so that no two lines look alike. */
const DASHES: readonly number[][] = [[], [7, 4], [2, 3], [10, 3, 2, 3]]
/** Numbers of marks are written only this far apart. */
const MARK_GAP_PX = 16

/** A drawn plot, to be drawn anew in another width or other colours. */
export type Drawn = {
  resize: () => void
  redraw: () => void
  destroy: () => void
  showAt: (atS: number) => void
}

/**
 * How a line is drawn: its colour by place, its stroke by round; in a comparison A is solid and B
 * dashed.
 */
export function strokeOf(index: number, { run, runs }: { run: number; runs: readonly RunHead[] }) {
  const isB = runs[run]?.label.startsWith('B') === true
  const round = runs.length > 1 ? Number(isB) : Math.floor(index / COLOURS)
  return { name: `--c${index % COLOURS}`, dash: DASHES[round % DASHES.length] ?? [] }
}

/** The small sample of a line in a legend. */
export function swatch({ name, dash }: { name: string; dash: readonly number[] }): SVGElement {
  const path = s('path', { d: 'M1 5H27', 'stroke-dasharray': dash.join(' ') })
  path.style.stroke = `var(${name})`
  return s('svg', { class: 'swatch', width: 28, height: 10, 'aria-hidden': 'true' }, path)
}

/** Axes and grid in the page's colours. */
export function axisOf(more: uPlot.Axis): uPlot.Axis {
  return {
    stroke: () => colour('--ink-soft'),
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { stroke: () => colour('--line'), width: 1 },
    font: '12px system-ui, sans-serif',
    ...more,
  }
}

export type PlotContext = {
  runs: readonly RunHead[]
  marks: readonly Mark[]
  /** Where the time of every plot ends. */
  endS: number
}

/** A figure with its plot; it is drawn when it stands in the page. */
export function plotView(
  plot: Plot,
  context: PlotContext,
): { view: HTMLElement; draw: () => Drawn } {
  const canvas = h('div', { class: 'canvas' })
  const clock = h('span', { class: 'clock', 'aria-live': 'off' })
  const keys = plot.lines.map((line, index) => keyOf(line, styleOf(plot, index, context), context))
  const title = titleOf(plot)
  const view = h(
    'figure',
    { class: 'plot', tabindex: 0, 'aria-label': `${title}. ${say('overTimeHelp')}` },
    h('figcaption', {}, h('h3', {}, title), clock),
    canvas,
    h('ul', { class: 'legend' }, ...keys.map(({ item }) => item)),
  )
  const draw = (): Drawn => {
    const readout = (index: number | null | undefined): void => {
      clock.textContent =
        index === null || index === undefined ? '' : clockText(plot.atS[index] ?? 0, context.marks)
      keys.forEach(({ value }, line) => {
        value.textContent = readoutOf(plot.lines[line], index, plot.unit)
      })
    }
    readout(null)
    const options = optionsOf(plot, context, readout)
    const data = [plot.atS, ...plot.lines.map(({ values }) => values)] as uPlot.AlignedData
    const drawn = new uPlot({ ...options, width: widthOf(canvas) }, data, canvas)
    keys.forEach(({ button }, index) => {
      button.onclick = () => {
        const show = drawn.series[index + 1]?.show !== true
        drawn.setSeries(index + 1, { show })
        button.setAttribute('aria-pressed', String(show))
      }
    })
    drawn.setScale('x', { min: 0, max: context.endS })
    listenToKeys(view, drawn, context.endS)
    return drawnOf(drawn, canvas)
  }
  return { view, draw }
}

/** What the rest of the page may do with a plot. */
export function drawnOf(drawn: uPlot, canvas: HTMLElement): Drawn {
  return {
    resize: () => drawn.setSize({ width: widthOf(canvas), height: drawn.height }),
    redraw: () => drawn.redraw(false, true),
    destroy: () => drawn.destroy(),
    showAt,
  }
}

/** Sets the cursor of all plots over time. */
function showAt(atS: number): void {
  for (const plot of uPlot.sync(SYNC_KEY).plots)
    plot.setCursor({ left: plot.valToPos(atS, 'x'), top: Math.max(0, plot.cursor.top ?? 0) })
}

/** Width that a plot may take. */
export function widthOf(canvas: HTMLElement): number {
  return Math.max(240, Math.floor(canvas.clientWidth))
}

function titleOf({ id, title }: Plot): string {
  const bare = id.replace(/:\w+$/, '')
  const known = sayOr(`plot.${id}`, sayOr(`plot.${bare}`, ''))
  return known === '' ? nameInWords(bare, title) : known
}

function styleOf({ lines }: Plot, index: number, { runs }: PlotContext) {
  const line = lines[index] as Line
  // In a comparison lines of one name have one colour.
  const names = [...new Set(lines.map(({ label }) => label))]
  const place = runs.length > 1 ? names.indexOf(line.label) : index
  return strokeOf(place, { run: line.run, runs })
}

function keyOf(line: Line, style: ReturnType<typeof strokeOf>, { runs }: PlotContext) {
  const value = h('b')
  const side = runs.length > 1 ? `${runs[line.run]?.label ?? ''} · ` : ''
  const of =
    line.of === undefined ? '' : ` (${say(`of.${line.of.how}`, { count: number(line.of.count) })})`
  const label = `${side}${sayOr(`word.${line.label}`, line.label)}${of}`
  const button = h(
    'button',
    { type: 'button', 'aria-pressed': 'true' },
    swatch(style),
    h('span', {}, label),
    value,
  )
  return { item: h('li', {}, button), button, value }
}

function clockText(atS: number, marks: readonly Mark[]): string {
  let last = -1
  marks.forEach((mark, index) => {
    if (mark.atS <= atS + 1e-6) last = index
  })
  const mark = marks[last]
  const happened = mark === undefined ? '' : ` · ${last + 1} ${mark.what}`
  return `${duration(atS)}${happened}`
}

/** At the cursor, else the highest. */
function readoutOf(line: Line | undefined, index: number | null | undefined, unit: Unit): string {
  if (line === undefined) return ''
  if (index !== null && index !== undefined) return amount(line.values[index], unit)
  const known = line.values.filter((value) => value !== null)
  return known.length === 0 ? '' : say('highest', { value: amount(Math.max(...known), unit) })
}

type Readout = (index: number | null | undefined) => void

function optionsOf(
  plot: Plot,
  context: PlotContext,
  readout: Readout,
): Omit<uPlot.Options, 'width'> {
  const { unit, lines } = plot
  const series = lines.map((_, index): uPlot.Series => {
    const { name, dash } = styleOf(plot, index, context)
    return { stroke: () => colour(name), width: 1.6, dash, points: { show: plot.atS.length < 3 } }
  })
  return {
    height: HEIGHT,
    legend: { show: false },
    cursor: sharedCursor(),
    scales: { x: { time: false }, y: { range: (_, low, high) => rangeOf(low, high, unit) } },
    axes: [
      timeAxis(),
      axisOf({
        size: AXIS_WIDTH,
        values: (_, splits) => splits.map((value) => amount(value, unit)),
      }),
    ],
    series: [{}, ...series],
    hooks: {
      setCursor: [({ cursor }) => readout(cursor.idx)],
      draw: [(drawn) => drawMarks(drawn, context.marks)],
    },
    padding: [16, 22, 0, 0],
  }
}

/** The cursor that all plots share. */
export function sharedCursor(): uPlot.Cursor {
  return {
    drag: { x: true, y: false },
    sync: { key: SYNC_KEY, scales: ['x', null], setSeries: false },
    y: false,
  }
}

/** Seconds, later minutes. */
export function timeAxis(): uPlot.Axis {
  return axisOf({ values: (_, splits) => splits.map((value) => duration(value)), space: 70 })
}

function rangeOf(low: number | null, high: number | null, unit: Unit): [number, number] {
  const least = unit === 'ratio' ? 0.01 : unit === 'cores' ? 0.1 : 1
  const top = Math.max(high ?? 0, least)
  const bottom = Math.min(0, low ?? 0)
  return [bottom, top * 1.06]
}

/** Upright lines with the numbers that the list of events has. */
export function drawMarks(drawn: uPlot, marks: readonly Mark[]): void {
  const { ctx, bbox } = drawn
  const ratio = devicePixelRatio
  ctx.save()
  ctx.font = `bold ${11 * ratio}px system-ui, sans-serif`
  ctx.textAlign = 'center'
  ctx.lineWidth = ratio
  ctx.strokeStyle = colour('--mark')
  ctx.fillStyle = colour('--mark')
  let written = Number.NEGATIVE_INFINITY
  marks.forEach(({ atS }, index) => {
    const x = Math.round(drawn.valToPos(atS, 'x', true))
    if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) return
    ctx.setLineDash([4 * ratio, 4 * ratio])
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    if (x - written < MARK_GAP_PX * ratio) return
    written = x
    ctx.fillText(String(index + 1), x, bbox.top - 4 * ratio)
  })
  ctx.restore()
}

/** Arrows move the cursor, + and - change the stretch of time, Escape shows all of it. */
export function listenToKeys(view: HTMLElement, drawn: uPlot, endS: number): void {
  view.addEventListener('keydown', (event) => {
    const last = drawn.data[0].length - 1
    const at = drawn.cursor.idx ?? 0
    const target = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key]
    if (target !== undefined) {
      const time = drawn.data[0][Math.min(last, Math.max(0, target))] ?? 0
      showAt(time)
    } else if (event.key === '+' || event.key === '-')
      zoom(drawn, { factor: event.key === '+' ? 0.5 : 2, endS })
    else if (event.key === 'Escape') zoom(drawn, { factor: Number.POSITIVE_INFINITY, endS })
    else return
    event.preventDefault()
  })
}

function zoom(drawn: uPlot, { factor, endS }: { factor: number; endS: number }): void {
  const low = drawn.scales['x']?.min ?? 0
  const high = drawn.scales['x']?.max ?? endS
  const centre = drawn.data[0][drawn.cursor.idx ?? -1] ?? (low + high) / 2
  const half = ((high - low) * factor) / 2
  const range = Number.isFinite(half)
    ? { min: Math.max(0, centre - half), max: Math.min(endS, centre + half) }
    : { min: 0, max: endS }
  // Those that share the cursor share the stretch of time.
  for (const other of uPlot.sync(SYNC_KEY).plots) other.setScale('x', range)
}
