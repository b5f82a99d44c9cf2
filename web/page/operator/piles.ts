/** Classes piled one upon the other, for the plot. Pure. */
import type { DirectionHistory } from '../../../relay/status/trunk-status.ts'

/** One value per step; null where nothing was heard. */
export type Column = (number | null)[]

/** Sums over the classes up to each, the highest sum first. */
export function piles({ shares }: DirectionHistory): Column[] {
  const sums: Column[] = []
  let below: Column | undefined
  for (const column of shares) {
    const under = below
    below = column.map((share, i) => (share === null ? null : share + (under?.[i] ?? 0)))
    sums.push(below)
  }
  return sums.reverse()
}
