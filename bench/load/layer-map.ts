/** The heat map of spatial layers: a row per site that watches pictures, a column per moment. */
import { LOAD_LAYER_ROWS_MAX } from '../../config/limits.ts'
import type { Member } from './member.ts'
import type { LoadResult } from './protocol.ts'

const COLUMNS_MAX = 600

type Watched = Pick<Member, 'id' | 'state' | 'layerNow'>

/**
 * NaN (null in JSON): the site was not in. Sites beyond LOAD_LAYER_ROWS_MAX are thinned out evenly,
 * moments to COLUMNS_MAX.
 */
export class LayerMap {
  readonly #watched: readonly Watched[]
  readonly #rows: number[][]
  readonly #atS: number[] = []
  readonly #everyS: number
  #nextS = 0

  constructor(members: readonly Watched[], durationS: number, rowsMax = LOAD_LAYER_ROWS_MAX) {
    const step = Math.max(1, members.length / rowsMax)
    const count = Math.min(members.length, rowsMax)
    this.#watched = Array.from(
      { length: count },
      (_, index) => members[Math.floor(index * step)] as Watched,
    )
    this.#rows = this.#watched.map(() => [])
    this.#everyS = Math.max(1, durationS / COLUMNS_MAX)
  }

  /** Called once a second. */
  sample(atS: number): void {
    if (atS + 1e-6 < this.#nextS || this.#watched.length === 0) return
    this.#nextS = atS + this.#everyS - 0.5
    this.#atS.push(atS)
    for (const [index, { state, layerNow }] of this.#watched.entries()) {
      const isThere = state === 'joined' || state === 'away'
      this.#rows[index]?.push(isThere ? layerNow : Number.NaN)
    }
  }

  report(): LoadResult['layers'] {
    const rows = this.#watched.map(({ id }, index) => ({
      site: id,
      layer: this.#rows[index] as number[],
    }))
    return { atS: this.#atS, rows }
  }
}
