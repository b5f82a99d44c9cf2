/** Makes the page's data of several runs that are compared: their lines in the same plots. Pure. */
import { compareRuns, type Sides } from './compare.ts'
import type { PageModel } from './page-model.ts'
import { headOf, type PageBounds, thinnedPlots } from './page-of-run.ts'
import { curvesOf } from './percentiles.ts'
import { plotsOf } from './plots.ts'
import { roundValue } from './resample.ts'

/** The page of both sides; runs stand in turns, A1 B1 A2 B2. */
export function pageOfComparison(sides: Sides, bounds: PageBounds): PageModel {
  const label = (side: string, runs: unknown[], index: number): string =>
    runs.length > 1 ? `${side}${index + 1}` : side
  const ofA = sides.a.map((run, index) => ({ run, label: label('A', sides.a, index) }))
  const ofB = sides.b.map((run, index) => ({ run, label: label('B', sides.b, index) }))
  const turns = Array.from({ length: Math.max(ofA.length, ofB.length) }, (_, index) =>
    [ofA[index], ofB[index]].filter((entry) => entry !== undefined),
  ).flat()
  const runs = turns.map(({ run }) => run)
  const drawn = plotsOf(runs, bounds)
  const names = [...new Set(runs.flatMap(({ figures }) => Object.keys(figures)))]
  return {
    runs: turns.map((entry) => headOf(entry.run, entry.label)),
    comparison: compareRuns(sides),
    criteria: [],
    plots: drawn.plots,
    marks: (runs[0]?.events ?? [])
      .slice(0, bounds.eventsMax)
      .map(({ atS, what }) => ({ atS, what, run: 0 })),
    curves: runs.flatMap((run, index) =>
      curvesOf(run.histograms, index)
        .filter(({ group }) => group === '')
        .slice(0, bounds.curvesMax),
    ),
    figures: names
      .slice(0, bounds.figuresMax)
      .map((name) => [name, ...runs.map((run) => roundValue(run.figures[name] ?? Number.NaN))]),
    thinned: thinnedPlots(drawn, bounds),
  }
}
