/**
 * The layer that each site saw over time, as text: one character a cell. Thinned cells show the
 * lowest of their time. Pure.
 */
import type { HeatMap } from './page-model.ts'
import type { RunReport } from './report.ts'

/** Not there, and there without a picture; layers are their digit. */
const ABSENT = ' '
const NO_PICTURE = '-'

export type HeatMapBounds = { columnsMax: number; rowsMax: number }

/** Undefined when no site watched a picture. Rows by group, in it those first that saw least. */
export function heatMapOf(
  { layers, sites }: RunReport,
  { columnsMax, rowsMax }: HeatMapBounds,
): HeatMap | undefined {
  const samples = layers.atS.length
  if (samples === 0 || layers.rows.length === 0) return undefined
  const groups = new Map(sites.map(({ id, group }) => [id, group]))
  const columns = Math.min(samples, columnsMax)
  const startOf = (column: number): number => Math.floor((column * samples) / columns)
  const rows = layers.rows
    .map(({ site, layer }) => ({
      site,
      group: groups.get(site) ?? '',
      cells: Array.from({ length: columns }, (_, column) =>
        lowest(layer, startOf(column), startOf(column + 1)),
      ).join(''),
      mean: meanOf(layer),
    }))
    .sort((a, b) => a.mean - b.mean)
    .slice(0, rowsMax)
    .sort((a, b) => (a.group < b.group ? -1 : a.group > b.group ? 1 : 0))
  const atS = Array.from({ length: columns }, (_, column) => layers.atS[startOf(column)] ?? 0)
  return { atS, rows: rows.map(({ site, group, cells }) => ({ site, group, cells })) }
}

function lowest(layer: readonly number[], start: number, end: number): string {
  let low = Number.POSITIVE_INFINITY
  for (let at = start; at < end; at += 1) {
    const value = layer[at] ?? Number.NaN
    if (value < low) low = value
  }
  if (low === Number.POSITIVE_INFINITY) return ABSENT
  return low < 0 ? NO_PICTURE : String(Math.min(9, Math.round(low)))
}

function meanOf(layer: readonly number[]): number {
  const seen = layer.filter((value) => Number.isFinite(value))
  if (seen.length === 0) return Number.POSITIVE_INFINITY
  return seen.reduce((sum, value) => sum + value, 0) / seen.length
}
