/**
 * What the far end would have of a stream if it were told of every layer. Once a layer is told with rate 0 nobody there
 * asks for it any more, so the last free wish is remembered for as long as they stand at the ceiling.
 */
import { lowestFlowing, spatialOf, topOf } from './ladder.ts'
import type { TrunkStream } from './stream.ts'

/** So long the far end may take to ask for a layer that it was just told of: a long path and two allocations. */
const ASK_MS = 4_000

/** @hot Sets and returns `hold.demandMask`: layers, bit by bit; 0 when nobody wants any. */
export function refreshDemand(stream: TrunkStream, nowMs: number): number {
  stream.hold.demandMask = demandOf(stream, nowMs)
  return stream.hold.demandMask
}

/** @hot After a level was chosen: what the far end is told of from now on. */
export function setCeiling(stream: TrunkStream, rung: number, nowMs: number): void {
  const { hold } = stream
  const allowed = spatialOf(stream, hold.rungLevels[rung]!)
  const present = allowed < 0 ? Math.max(0, lowestFlowing(stream)) : allowed
  const best = spatialOf(stream, hold.rungLevels[hold.rungCount - 1]!)
  const isLimited = present < best
  const ceiling = isLimited ? present : stream.layers.length - 1
  if (ceiling > stream.ceiling) hold.raisedMs = nowMs
  stream.ceiling = ceiling
  if (isLimited) hold.desiredMask = hold.demandMask
}

function demandOf(stream: TrunkStream, nowMs: number): number {
  const { hold, ceiling, layers } = stream
  const wanted = stream.wantedMask & ((1 << layers.length) - 1)
  if (wanted === 0) {
    hold.desiredMask = 0
    stream.ceiling = layers.length - 1
    return 0
  }
  const { desiredMask } = hold
  if (desiredMask === 0) return wanted
  const top = topOf(wanted)
  const isBeingTold = nowMs - hold.raisedMs < ASK_MS && top < topOf(desiredMask)
  const isAtCeiling = top === ceiling && topOf(desiredMask) > ceiling
  if (isBeingTold) return desiredMask
  if (isAtCeiling) return (wanted & ((1 << ceiling) - 1)) | (desiredMask & -(1 << ceiling))
  // They ask for what they like again: above the ceiling, or less than it allows.
  hold.desiredMask = 0
  if (top < ceiling) stream.ceiling = layers.length - 1
  return wanted
}
