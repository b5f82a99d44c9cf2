/** Who is shown in which small picture. Pure, and calm: nobody moves while they can stay where they are. */
import type { Pin } from './messages.ts'

const same = (a: Pin, b: Pin): boolean => a.participant === b.participant && a.use === b.use

/**
 * The occupants of `count` tiles: those of `wanted` (best first) that fit. Who already has a tile and is still among
 * the first `count` wanted keeps it; the rest fill the free tiles in order.
 */
export const assignTiles = (
  previous: readonly (Pin | undefined)[],
  wanted: readonly Pin[],
  count: number,
): (Pin | undefined)[] => {
  const chosen = wanted.slice(0, count)
  const tiles = Array.from({ length: count }, (_, index) => {
    const occupant = previous[index]
    return occupant && chosen.some((pin) => same(pin, occupant)) ? occupant : undefined
  })
  const waiting = chosen.filter((pin) => !tiles.some((tile) => tile && same(tile, pin)))
  return tiles.map((tile) => tile ?? waiting.shift())
}
