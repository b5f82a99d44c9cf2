/**
 * What a publisher spends its bandwidth on, after the habit of libwebrtc: the lowest layer always,
 * each higher one only when its least rate fits beside those below, the highest goes first. Pure;
 * who measures the bandwidth is publisher-site.ts.
 */
import type { LayerPlan } from './media-source.ts'

/** Below this share of its plan a layer is not worth sending; the lowest is sent all the same. */
const LEAST_SHARE = 0.4
/** A layer that is off comes back only when there is this much more than its least. */
const RETURN_FACTOR = 1.2
/** The lowest layer never sends less than this share of its plan. */
const LOWEST_SHARE = 0.2

/**
 * Fills `bitratesBps` with what each layer, lowest first, may send of `availableBps`; 0 = off. On
 * entry `bitratesBps` holds the present state, so that a layer does not flap. Returns the sum.
 */
export function budgetLayers(
  layers: readonly LayerPlan[],
  availableBps: number,
  bitratesBps: Float64Array,
): number {
  let left = availableBps
  let spentBps = 0
  let isOpen = true
  for (let index = 0; index < layers.length; index++) {
    const plannedBps = layers[index]!.bitrateBps
    const wasOn = bitratesBps[index]! > 0
    const leastBps = plannedBps * LEAST_SHARE * (wasOn ? 1 : RETURN_FACTOR)
    const isLowest = index === 0
    isOpen = isLowest || (isOpen && left >= leastBps)
    const floorBps = isLowest ? plannedBps * LOWEST_SHARE : 0
    const bps = isOpen ? Math.max(floorBps, Math.min(plannedBps, left)) : 0
    bitratesBps[index] = bps
    left = Math.max(0, left - bps)
    spentBps += bps
  }
  return spentBps
}
