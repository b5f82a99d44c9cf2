/**
 * Values over time, one row a second, under ids; all ids share their times. When there are too many
 * rows every second one is left out and rows come half as often from then on, so a run of hours has
 * as many as one of minutes.
 */
import { LOAD_SERIES_ROWS_MAX } from '../../config/limits.ts'
import type { SeriesReport } from '../report/report.ts'

type Column = { title: string; unit: string; values: number[] }

export class SeriesBook {
  readonly #atS: number[] = []
  readonly #columns = new Map<string, Column>()
  readonly #rowsMax: number
  #every = 1
  #offered = 0

  constructor(rowsMax = LOAD_SERIES_ROWS_MAX) {
    this.#rowsMax = rowsMax
  }

  /** Declares a series; before its first row. */
  declare(id: string, { title, unit }: { title: string; unit: string }): void {
    this.#columns.set(id, { title, unit, values: [] })
  }

  /** One row; ids that are not declared are ignored, declared ones that are absent count as 0. */
  add(atS: number, row: Readonly<Record<string, number>>): void {
    this.#offered += 1
    if ((this.#offered - 1) % this.#every !== 0) return
    this.#atS.push(atS)
    for (const [id, { values }] of this.#columns) values.push(row[id] ?? 0)
    if (this.#atS.length <= this.#rowsMax) return
    this.#every *= 2
    thin(this.#atS)
    for (const { values } of this.#columns.values()) thin(values)
  }

  /** All series; those that were 0 throughout are left out. */
  reports(): SeriesReport[] {
    return [...this.#columns]
      .filter(([, { values }]) => values.some((value) => value !== 0))
      .map(([id, column]) => ({ id, atS: [...this.#atS], ...column, values: [...column.values] }))
  }
}

function thin(values: number[]): void {
  let kept = 0
  for (let index = 0; index < values.length; index += 2) {
    values[kept] = values[index] as number
    kept += 1
  }
  values.length = kept
}
