/**
 * Sums and histograms of a load, and the figures that follow from them: of one process or of
 * several together, by the same arithmetic. Sums add up, except that `max.X` is the largest and
 * `min.X` the smallest.
 */
import type { Histogram } from 'hdr-histogram-js'
import { histogramFigures } from './histograms.ts'
import { ratioFigures } from './totals.ts'

export type Sums = Record<string, number>

/** Puts sums of several together. */
export function mergeSums(all: readonly Sums[]): Sums {
  const merged: Sums = {}
  for (const sums of all) {
    for (const [key, value] of Object.entries(sums)) {
      const known = merged[key]
      if (known === undefined) merged[key] = value
      else if (/(^|\.)max\./.test(key)) merged[key] = Math.max(known, value)
      else if (/(^|\.)min\./.test(key)) merged[key] = Math.min(known, value)
      else merged[key] = known + value
    }
  }
  return merged
}

/** All figures, of the whole and of each group in `groups`; docs/BENCH.md lists them. */
export function figuresOf(
  sums: Sums,
  histograms: ReadonlyMap<string, Histogram>,
  groups: readonly string[],
): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const prefix of ['', ...groups.map((id) => `group.${id}.`)])
    Object.assign(figures, partFigures(sums, prefix))
  Object.assign(figures, httpFigures(sums))
  for (const [name, histogram] of histograms)
    Object.assign(figures, histogramFigures(name, histogram))
  return figures
}

/** Of each page: `http.<id>.perSecond` and `.errors`; its percentiles come with its histogram. */
function httpFigures(sums: Sums): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const [key, requests] of Object.entries(sums)) {
    const id = /^http\.(.+)\.requests$/.exec(key)?.[1]
    if (id === undefined) continue
    const seconds = sums[`max.http.${id}.seconds`] ?? 0
    figures[`http.${id}.perSecond`] = requests / Math.max(seconds, 1e-3)
    figures[`http.${id}.errors`] = sums[`http.${id}.errors`] ?? 0
  }
  return figures
}

function partFigures(sums: Sums, prefix: string): Record<string, number> {
  const own: Sums = {}
  for (const [key, value] of Object.entries(sums)) {
    if (key.startsWith(prefix) && (prefix !== '' || !key.startsWith('group.')))
      own[key.slice(prefix.length)] = value
  }
  const figures = ratioFigures(own, prefix)
  for (const [key, value] of Object.entries(own)) {
    if (/^(sites|joins|requests|events)\./.test(key)) figures[prefix + key] = value
    else if (key.startsWith('max.') && !key.startsWith('max.http.'))
      figures[prefix + key.slice(4)] = value
  }
  const firsts = own['joins.firsts'] ?? 0
  const spanS = (own['max.joins.lastS'] ?? 0) - (own['min.joins.firstS'] ?? 0)
  if (firsts > 0) figures[`${prefix}joins.perSecond`] = firsts / Math.max(spanS, 1e-3)
  delete figures[`${prefix}joins.lastS`]
  return figures
}
