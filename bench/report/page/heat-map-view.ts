/**
 * The layer that each site saw, a row for each, as one more plot with the shared cursor. Where
 * there are more sites than rows of pixels a row shows the lowest of its sites.
 */
import uPlot from 'uplot'
import type { HeatMap, Mark } from '../page-model.ts'
import { say } from './dictionary.ts'
import { colour, h } from './dom.ts'
import {
  axisOf,
  type Drawn,
  drawMarks,
  drawnOf,
  listenToKeys,
  sharedCursor,
  timeAxis,
  widthOf,
} from './plot-view.ts'
import type { SiteFinder } from './site-table.ts'
import { amount, duration } from './wording.ts'

const AXIS_WIDTH = 110
const HEIGHT_MIN = 120
const HEIGHT_MAX = 460
const ROW_HEIGHT_MAX = 18
const AXES_HEIGHT = 66
const ABSENT = ' '
const NO_PICTURE = '-'
/** Colours of layers; higher ones share the last. */
const LAYER_COLOURS = 3

/** The figure, and how it is drawn when it stands in the page. */
export function heatMapView(
  map: HeatMap,
  { marks, finder, endS }: { marks: readonly Mark[]; finder: SiteFinder; endS: number },
): { view: HTMLElement; draw: () => Drawn } {
  const canvas = h('div', { class: 'canvas' })
  const clock = h('span', { class: 'clock' })
  const view = h(
    'figure',
    { class: 'plot is-wide', tabindex: 0, 'aria-label': `${say('layers')}. ${say('layersHelp')}` },
    h('figcaption', {}, h('h3', {}, say('layers')), clock),
    h('p', { class: 'help' }, say('layersHelp')),
    keysOf(map),
    canvas,
    sharesOf(map),
  )
  const draw = (): Drawn => {
    const rowsHeight = Math.min(HEIGHT_MAX, Math.max(HEIGHT_MIN, map.rows.length * ROW_HEIGHT_MAX))
    const rowAt = (drawn: uPlot): HeatMap['rows'][number] | undefined => {
      const top = drawn.cursor.top ?? -1
      return top < 0 ? undefined : map.rows[Math.floor(drawn.posToVal(top, 'y'))]
    }
    const drawn = new uPlot(
      {
        width: widthOf(canvas),
        height: rowsHeight + AXES_HEIGHT,
        legend: { show: false },
        cursor: { ...sharedCursor(), y: true, points: { show: false } },
        scales: { x: { time: false }, y: { dir: -1, range: () => [0, map.rows.length] } },
        axes: [timeAxis(), groupAxis(map)],
        series: [{}, { show: true, paths: () => null, points: { show: false } }],
        hooks: {
          draw: [(plot) => drawCells(plot, map), (plot) => drawMarks(plot, marks)],
          setCursor: [
            (plot) => {
              const column = plot.cursor.idx
              const row = rowAt(plot)
              clock.textContent = typeof column === 'number' ? readoutOf(map, column, row) : ''
            },
          ],
        },
        padding: [16, 22, 0, 0],
      },
      [map.atS, map.atS.map(() => 0)],
      canvas,
    )
    drawn.over.addEventListener('click', () => {
      const row = rowAt(drawn)
      if (row !== undefined) finder.find(row.site)
    })
    drawn.setScale('x', { min: 0, max: endS })
    listenToKeys(view, drawn, endS)
    return drawnOf(drawn, canvas)
  }
  return { view, draw }
}

function readoutOf(map: HeatMap, column: number, row: HeatMap['rows'][number] | undefined): string {
  const time = duration(map.atS[column] ?? 0)
  return row === undefined
    ? time
    : `${time} · ${row.site} · ${cellWords(row.cells[column] ?? ABSENT)}`
}

function cellWords(cell: string): string {
  if (cell === ABSENT) return say('layer.absent')
  return cell === NO_PICTURE ? say('layer.none') : say('layer.n', { layer: cell })
}

function colourOf(cell: string): string {
  if (cell === ABSENT) return '--heat-absent'
  if (cell === NO_PICTURE) return '--heat-none'
  return `--heat-${Math.min(LAYER_COLOURS - 1, Number(cell))}`
}

/** Names of groups stand at the middle of their rows. */
function groupAxis({ rows }: HeatMap): uPlot.Axis {
  const first = new Map<string, number>()
  const last = new Map<string, number>()
  rows.forEach(({ group }, index) => {
    if (!first.has(group)) first.set(group, index)
    last.set(group, index + 1)
  })
  const names = [...first.keys()]
  const middle = (name: string): number => ((first.get(name) ?? 0) + (last.get(name) ?? 0)) / 2
  return axisOf({
    size: AXIS_WIDTH,
    grid: { show: false },
    splits: () => names.map(middle),
    values: () => names.map((name) => (name.length > 15 ? `${name.slice(0, 14)}…` : name)),
  })
}

function drawCells(drawn: uPlot, map: HeatMap): void {
  const { ctx, bbox } = drawn
  const columns = map.atS.length
  const lines = Math.max(1, Math.min(map.rows.length, Math.floor(bbox.height)))
  const palette = new Map<string, string>()
  const paint = (cell: string): string => {
    const known = palette.get(cell) ?? colour(colourOf(cell))
    palette.set(cell, known)
    return known
  }
  const edge = (column: number): number =>
    drawn.valToPos(map.atS[column] ?? (map.atS.at(-1) ?? 0) + intervalOf(map), 'x', true)
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  for (let line = 0; line < lines; line += 1) {
    const top = bbox.top + Math.round((line * bbox.height) / lines)
    const bottom = bbox.top + Math.round(((line + 1) * bbox.height) / lines)
    const cells = lowestOf(map, line, lines)
    for (let start = 0, column = 1; column <= columns; column += 1) {
      if (column < columns && cells[column] === cells[start]) continue
      const left = Math.round(edge(start))
      ctx.fillStyle = paint(cells[start] ?? ABSENT)
      ctx.fillRect(left, top, Math.round(edge(column)) - left, bottom - top)
      start = column
    }
  }
  ctx.restore()
}

function intervalOf({ atS }: HeatMap): number {
  return atS.length < 2 ? 1 : ((atS.at(-1) ?? 0) - (atS[0] ?? 0)) / (atS.length - 1)
}

const CELL_ORDER = `${NO_PICTURE}0123456789${ABSENT}`

/** Of the rows that share one line of pixels, the lowest of each time. */
function lowestOf({ rows }: HeatMap, line: number, lines: number): string {
  const start = Math.floor((line * rows.length) / lines)
  const end = Math.max(start + 1, Math.floor(((line + 1) * rows.length) / lines))
  const cells = rows[start]?.cells ?? ''
  if (end === start + 1) return cells
  return [...cells]
    .map((cell, column) => {
      let low = cell
      for (let row = start + 1; row < end; row += 1) {
        const other = rows[row]?.cells[column] ?? ABSENT
        if (CELL_ORDER.indexOf(other) < CELL_ORDER.indexOf(low)) low = other
      }
      return low
    })
    .join('')
}

function cellsSeen({ rows }: HeatMap): string[] {
  const seen = new Set(rows.flatMap(({ cells }) => [...new Set(cells)]))
  return [...CELL_ORDER].filter((cell) => seen.has(cell))
}

function keysOf(map: HeatMap): HTMLElement {
  const items = cellsSeen(map).map((cell) => {
    const sample = h('span', { class: 'cell' })
    sample.style.background = `var(${colourOf(cell)})`
    return h('li', {}, sample, cellWords(cell))
  })
  return h('ul', { class: 'keys' }, ...items)
}

/** The same for who cannot see the picture: share of time by group. */
function sharesOf(map: HeatMap): HTMLElement {
  const cells = cellsSeen(map)
  const groups = [...Map.groupBy(map.rows, ({ group }) => group)]
  const rows = groups.map(([group, members]) => {
    const all = members.map((row) => row.cells).join('')
    const shares = cells.map((cell) => (all.split(cell).length - 1) / Math.max(1, all.length))
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, group),
      ...shares.map((share) => h('td', { class: 'number' }, amount(share, 'ratio'))),
    )
  })
  const head = h(
    'tr',
    {},
    h('th', { scope: 'col' }, say('site.group')),
    ...cells.map((cell) => h('th', { scope: 'col', class: 'number' }, cellWords(cell))),
  )
  const grid = h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows))
  return h(
    'details',
    {},
    h('summary', {}, say('layers.shares')),
    h('div', { class: 'scroll' }, grid),
  )
}
