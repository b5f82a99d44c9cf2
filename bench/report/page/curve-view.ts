/**
 * Percentiles: a curve whose axis stretches towards the last hundredth, and the same as a table.
 */
import uPlot from 'uplot'
import { CURVE_PERCENTILES } from '../curve-columns.ts'
import type { Curve, RunHead } from '../page-model.ts'
import { currentLanguage, say } from './dictionary.ts'
import { colour, h, section } from './dom.ts'
import { axisOf, type Drawn, drawnOf, strokeOf, swatch, widthOf } from './plot-view.ts'
import { amount, nameInWords, number } from './wording.ts'

const HEIGHT = 240
/** Fewer values have no curve. */
const CURVE_COUNT_MIN = 30

type View = { view: HTMLElement; draws: (() => Drawn)[] }

/** The section of all histograms, one figure for each name; empty when there are none. */
export function curvesView(
  curves: readonly Curve[],
  runs: readonly RunHead[],
): { view: HTMLElement | null; draws: (() => Drawn)[] } {
  if (curves.length === 0) return { view: null, draws: [] }
  const figures = [...Map.groupBy(curves, ({ name }) => name)].map(([name, those]) =>
    figureOf(name, those, runs),
  )
  const view = section(
    'percentiles',
    say('percentiles'),
    h('p', { class: 'help' }, say('percentilesHelp')),
    h('div', { class: 'plots' }, ...figures.map((figure) => figure.view)),
  )
  return { view, draws: figures.flatMap(({ draws }) => draws) }
}

function figureOf(name: string, curves: readonly Curve[], runs: readonly RunHead[]): View {
  const canvas = h('div', { class: 'canvas' })
  const groups = [...new Set(curves.map(({ group }) => group))]
  const styles = curves.map(({ group, run }) => strokeOf(groups.indexOf(group), { run, runs }))
  const view = h(
    'figure',
    { class: 'plot' },
    h('figcaption', {}, h('h3', {}, nameInWords(name, name))),
    canvas,
    tableOf(curves, { styles, runs }),
  )
  const draw = (): Drawn => drawnOf(drawCurves(canvas, curves, styles), canvas)
  // Of a handful the table says it all.
  const isHandful = curves.every(({ count }) => count < CURVE_COUNT_MIN)
  return { view, draws: isHandful ? [] : [draw] }
}

type Styles = ReturnType<typeof strokeOf>[]

function drawCurves(canvas: HTMLElement, curves: readonly Curve[], styles: Styles): uPlot {
  const longest = curves.reduce((so, curve) => (curve.x.length > so.length ? curve.x : so), [0])
  const data = [longest, ...curves.map(({ ms }) => longest.map((_, index) => ms[index] ?? null))]
  const series = styles.map(({ name, dash }) => ({ stroke: () => colour(name), width: 1.8, dash }))
  const decades = Math.ceil(longest.at(-1) ?? 1)
  return new uPlot(
    {
      width: widthOf(canvas),
      height: HEIGHT,
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      scales: {
        x: { time: false },
        y: { range: (_, _low, high) => [0, Math.max(1, high) * 1.06] },
      },
      axes: [
        axisOf({
          splits: () => Array.from({ length: decades + 1 }, (_, index) => index),
          values: (_, splits) => splits.map(percentileText),
        }),
        axisOf({ size: 68, values: (_, splits) => splits.map((value) => amount(value, 'ms')) }),
      ],
      series: [{}, ...series],
      padding: [10, 16, 0, 0],
    },
    data as uPlot.AlignedData,
    canvas,
  )
}

/** 0 is 0 %, 1 is 90 %, 2 is 99 %. */
function percentileText(decade: number): string {
  const digits = Math.max(0, decade - 2)
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits }
  const text = new Intl.NumberFormat(currentLanguage(), options)
  return `${text.format(100 - 100 * 10 ** -decade)}\u00a0%`
}

function tableOf(
  curves: readonly Curve[],
  { styles, runs }: { styles: Styles; runs: readonly RunHead[] },
): HTMLElement {
  const heads = ['', ...CURVE_PERCENTILES.map((p) => `p${p}`), say('curve.max'), say('curve.count')]
  const rows = curves.map(({ group, run, table, count }, index) => {
    const side = runs.length > 1 ? `${runs[run]?.label ?? ''} · ` : ''
    const style = styles[index]
    return h(
      'tr',
      {},
      h(
        'th',
        { scope: 'row' },
        style === undefined ? null : swatch(style),
        `${side}${group === '' ? say('curve.all') : group}`,
      ),
      ...table.map((ms) => h('td', { class: 'number' }, amount(ms, 'ms'))),
      h('td', { class: 'number' }, number(count)),
    )
  })
  const head = h('tr', {}, ...heads.map((text) => h('th', { scope: 'col', class: 'number' }, text)))
  const grid = h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows))
  return h('div', { class: 'scroll', tabindex: 0 }, grid)
}
