/** Curves over time by uPlot, in the page's own colours. Loaded only when the panel is opened. */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Sample } from './history.ts'

export type Chart = { draw(samples: readonly Sample[]): void; destroy(): void }

type ChartOptions = { frame: HTMLElement; field: keyof Sample; language: string }

const HEIGHT_PX = 96

const cssColour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim()

const axis = (): uPlot.Axis => ({
  stroke: cssColour('--ink-soft'),
  grid: { stroke: cssColour('--line'), width: 1 },
  ticks: { show: false },
  font: '11px system-ui, sans-serif',
  size: 38,
})

/** Fills the frame's width; the caller destroys it. */
export const createChart = ({ frame, field, language }: ChartOptions): Chart => {
  const time = new Intl.DateTimeFormat(language, { minute: '2-digit', second: '2-digit' })
  const plot = new uPlot(
    {
      width: Math.max(120, frame.clientWidth),
      height: HEIGHT_PX,
      legend: { show: false },
      cursor: { show: false },
      scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, (high ?? 0) * 1.15)] } },
      axes: [
        {
          ...axis(),
          size: 22,
          space: 60,
          values: (_plot, splits) => splits.map((second) => time.format(second * 1_000)),
        },
        { ...axis(), space: 26, incrs: field === 'layer' ? [1] : undefined },
      ] as uPlot.Axis[],
      series: [
        {},
        {
          stroke: cssColour('--river'),
          fill: cssColour('--river-wash'),
          width: 2,
          points: { show: false },
          ...(field === 'layer' ? { paths: uPlot.paths.stepped?.({ align: 1 }) } : {}),
        } as uPlot.Series,
      ],
    },
    [[], []],
    frame,
  )
  const observer = new ResizeObserver(() => {
    if (frame.clientWidth > 0) plot.setSize({ width: frame.clientWidth, height: HEIGHT_PX })
  })
  observer.observe(frame)
  return {
    draw: (samples) =>
      plot.setData([
        samples.map((sample) => sample.atSeconds),
        samples.map((sample) => sample[field]),
      ]),
    destroy: () => {
      observer.disconnect()
      plot.destroy()
    },
  }
}
