/** Deals sites out to the routes of their group by share, the same way each time. */

/**
 * For each of `count` sites the index of its route. At any length the numbers are within one of the
 * exact shares; as many routes of one share as sites give each site its own.
 */
export function dealRoutes(shares: readonly number[], count: number): number[] {
  const sum = shares.reduce((total, share) => total + share, 0)
  const dealt = shares.map(() => 0)
  return Array.from({ length: count }, (_, index) => {
    let best = 0
    let bestOwed = Number.NEGATIVE_INFINITY
    for (const [route, share] of shares.entries()) {
      const owed = ((index + 1) * share) / sum - (dealt[route] as number)
      if (owed > bestOwed + 1e-9) {
        best = route
        bestOwed = owed
      }
    }
    dealt[best] = (dealt[best] as number) + 1
    return best
  })
}
