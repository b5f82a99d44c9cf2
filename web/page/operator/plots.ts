/**
 * Ten minutes of a link as curves by uPlot: what each class takes, one upon the other, below what the link can take.
 */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { LinkHistory } from '../../../relay/status/trunk-status.ts'
import { CLASS_ORDER } from './codes.ts'
import { type Column, piles } from './piles.ts'

export type Plot = { draw(history: LinkHistory): void; destroy(): void }

export type PlotOptions = {
  frame: HTMLElement
  /** Text of the axes. */
  clock: (seconds: number) => string
  value: (value: number) => string
}

const SHARES_HEIGHT_PX = 168
const LINE_HEIGHT_PX = 92

const colour = (frame: HTMLElement, name: string): string =>
  getComputedStyle(frame).getPropertyValue(name).trim()

/** `down`, `up`: bit/s by class of one way; `loss`: of both ways; `rtt`: round trip. */
export type PlotKind = 'down' | 'up' | 'loss' | 'rtt'

/** Fills the frame's width; the caller destroys it. */
export function createPlot(options: PlotOptions, kind: PlotKind): Plot {
  if (kind === 'down' || kind === 'up') return createSharesPlot(options, kind)
  if (kind === 'rtt') return createLinePlot(options, ({ rttMs }) => [rttMs])
  return createLinePlot(options, ({ down, up }) => [down.lossRatio, up.lossRatio])
}

/** Bit/s by class of one way; the dashed line is the estimate. */
function createSharesPlot(options: PlotOptions, way: 'down' | 'up'): Plot {
  const { frame } = options
  // From the top of the pile down: each area covers what is below it.
  const areas = CLASS_ORDER.map((_, i) => CLASS_ORDER.length - 1 - i).map((index) => {
    const paint = colour(frame, `--class-${index}`)
    return { stroke: paint, fill: paint, width: 0, points: { show: false } }
  })
  const estimate = {
    stroke: colour(frame, '--ink'),
    width: 1.5,
    dash: [5, 4],
    points: { show: false },
  }
  const plot = createCurves(options, SHARES_HEIGHT_PX, [...areas, estimate])
  return {
    draw: (history) =>
      plot.draw([times(history), ...piles(history[way]), history[way].estimateBps]),
    destroy: plot.destroy,
  }
}

/** One or two curves from zero up: full for downwards, dashed for upwards. */
function createLinePlot(options: PlotOptions, columns: (history: LinkHistory) => Column[]): Plot {
  const stroke = colour(options.frame, '--river')
  const lines = [
    {
      stroke,
      fill: colour(options.frame, '--river-wash'),
      width: 2,
      points: { show: false },
    },
    { stroke: colour(options.frame, '--lacquer'), width: 2, dash: [5, 4], points: { show: false } },
  ]
  const plot = createCurves(options, LINE_HEIGHT_PX, lines)
  return {
    draw: (history) => {
      const drawn = columns(history)
      const empty = (): Column => history.rttMs.map(() => null)
      plot.draw([times(history), drawn[0] ?? empty(), drawn[1] ?? empty()])
    },
    destroy: plot.destroy,
  }
}

function createCurves(
  { frame, clock, value }: PlotOptions,
  height: number,
  series: uPlot.Series[],
): { draw: (data: Column[]) => void; destroy: () => void } {
  const axis: uPlot.Axis = {
    stroke: colour(frame, '--ink-soft'),
    grid: { stroke: colour(frame, '--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  }
  const plot = new uPlot(
    {
      width: Math.max(120, frame.clientWidth),
      height,
      legend: { show: false },
      cursor: { show: false },
      scales: { y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.12 : 1] } },
      axes: [
        {
          ...axis,
          size: 24,
          space: 70,
          incrs: [60, 120, 180, 300],
          values: (_plot, splits) => splits.map(clock),
        },
        { ...axis, size: 70, space: 22, values: (_plot, splits) => splits.map(value) },
      ],
      series: [{}, ...series],
    },
    [[], ...series.map(() => [])],
    frame,
  )
  const observer = new ResizeObserver(() => {
    if (frame.clientWidth > 0) plot.setSize({ width: frame.clientWidth, height })
  })
  observer.observe(frame)
  return {
    draw: (data) => plot.setData(data as uPlot.AlignedData),
    destroy: () => {
      observer.disconnect()
      plot.destroy()
    },
  }
}

function times({ fromMs, stepMs, rttMs }: LinkHistory): number[] {
  return rttMs.map((_, i) => (fromMs + i * stepMs) / 1_000)
}
