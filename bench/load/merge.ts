/**
 * Results of several load processes of one run as one: sums are added, histograms merged, figures
 * made anew from both.
 */
import type { SeriesReport } from '../report/report.ts'
import { figuresOf, mergeSums } from './figures.ts'
import { encodeHistogram, mergeEncoded } from './histograms.ts'
import type { LoadResult } from './protocol.ts'

/**
 * Throws when there is none. Of the load's own figures the worst process counts; groups must not be
 * shared.
 */
export function mergeLoadResults(results: readonly LoadResult[]): LoadResult {
  const [first, ...rest] = results
  if (first === undefined) throw new Error('no result')
  if (rest.length === 0) return first
  const sums = mergeSums(results.map((result) => result.sums))
  const histograms = mergeHistograms(results)
  const groups = [...new Set(results.flatMap(({ sites }) => sites.map(({ group }) => group)))]
  return {
    event: 'result',
    completed: results.every(({ completed }) => completed),
    sites: results.flatMap(({ sites }) => sites),
    sums,
    figures: { ...worstOwn(results), ...figuresOf(sums, histograms, groups) },
    histograms: Object.fromEntries(
      [...histograms].map(([name, histogram]) => [name, encodeHistogram(histogram)]),
    ),
    layers: mergeLayers(results.map(({ layers }) => layers)),
    series: mergeSeries(results),
    validity: {
      valid: results.every(({ validity }) => validity.valid),
      reasons: [...new Set(results.flatMap(({ validity }) => validity.reasons))],
    },
  }
}

function mergeHistograms(results: readonly LoadResult[]) {
  const names = new Set(results.flatMap(({ histograms }) => Object.keys(histograms)))
  return new Map(
    [...names].map((name) => {
      const encoded = results.flatMap(({ histograms }) => histograms[name] ?? [])
      return [name, mergeEncoded(encoded)]
    }),
  )
}

function worstOwn(results: readonly LoadResult[]): Record<string, number> {
  const worst: Record<string, number> = {}
  for (const { figures } of results)
    for (const [name, value] of Object.entries(figures))
      if (name.startsWith('load.')) worst[name] = Math.max(worst[name] ?? value, value)
  return worst
}

/**
 * All tick by the same seconds; the longest list of times is that of all, short rows end with NaN,
 * null in JSON.
 */
function mergeLayers(all: readonly LoadResult['layers'][]): LoadResult['layers'] {
  const atS = all.reduce<number[]>(
    (longest, one) => (one.atS.length > longest.length ? one.atS : longest),
    [],
  )
  const rows = all.flatMap((one) => one.rows)
  return {
    atS,
    rows: rows.map(({ site, layer }) => ({
      site,
      layer: atS.map((_, index) => layer[index] ?? Number.NaN),
    })),
  }
}

/**
 * Series of one name: counts and rates add up, of ratios and times the worst process counts
 * (percentiles cannot be averaged, and each second's histogram is not kept).
 */
function mergeSeries(results: readonly LoadResult[]): SeriesReport[] {
  const merged = new Map<string, SeriesReport>()
  for (const series of results.flatMap((result) => result.series)) {
    const known = merged.get(series.id)
    if (known === undefined) merged.set(series.id, series)
    else merged.set(series.id, mergeTwo(known, series))
  }
  return [...merged.values()]
}

function mergeTwo(a: SeriesReport, b: SeriesReport): SeriesReport {
  const long = a.atS.length >= b.atS.length ? a : b
  const short = long === a ? b : a
  const isSum = a.unit !== 'ratio' && a.unit !== 'ms'
  const values = long.values.map((value, index) => {
    const other = short.values[index] ?? 0
    return isSum ? value + other : Math.max(value, other)
  })
  return { ...long, values }
}
