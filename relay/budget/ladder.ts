/**
 * The ladder of one stream: every answer that can be given to it and what each would cost, cheapest first.
 *
 *   off
 *   a picture every 10, 7, 5, 3, 2 s                       keyframes of the lowest layer
 *   camera: the lowest layer with ever more frames, then the next layer with half of its frames, with all, ...
 *   screen: the same with every frame rate of every layer: letters before motion
 *
 * A level is a number that is greater for a better answer to the same stream, so that hysteresis can compare levels
 * over time while costs change. Rungs are the levels that make sense now: each dearer than the one below it.
 */
import type { TrunkStream } from './stream.ts'

/** Ms between pictures at levels 1..5. */
const INTERVALS_MS = [10_000, 7_000, 5_000, 3_000, 2_000] as const
export const LEVEL_OFF = 0
/** Levels from here on are moving pictures. */
export const LEVEL_MOVING = 1 + INTERVALS_MS.length
const TEMPORAL_ALL = 3
const LEVEL_VOICE = LEVEL_MOVING + TEMPORAL_ALL

/** Until a keyframe was seen: so many seconds of the layer's rate, and at least so many bytes. */
const KEYFRAME_GUESS_S = 0.4
const KEYFRAME_GUESS_BYTES = 3_000

/** What multiplies the bits of a stream on this trunk. */
export type CostFactors = {
  /** Datagram headers per payload byte, plus 1. */
  headers: number
  /** Parity over layer 0, plus 1. */
  base: number
}

/**
 * @hot Sets the rungs of a video stream for its `hold.demandMask` (never 0); only `off` when nothing flows. From the
 * top down, and what costs no less than a better answer is left out.
 */
export function buildVideoLadder(stream: TrunkStream, factors: CostFactors): void {
  const lowest = lowestFlowing(stream)
  const top = topOf(stream.hold.demandMask)
  if (lowest < 0 || lowest > top) {
    clearLadder(stream)
    return
  }
  const { hold, layers } = stream
  hold.rungCount = 0
  for (let spatial = top; spatial >= lowest; spatial--) {
    if (layers[spatial]!.bitrateBps === 0) continue
    // Above the lowest layer of a camera half of the frames are worth a step, fewer are not.
    const isUpper = stream.use !== 'screen' && spatial > lowest
    addFrameRates(stream, { spatial, isUpper }, factors)
  }
  const bits = keyframeBytesOf(stream, lowest) * 8_000 * factors.headers * factors.base
  for (let level = LEVEL_MOVING - 1; level > LEVEL_OFF; level--) {
    addCheaper(hold, level, bits / intervalOf(level))
  }
  addCheaper(hold, LEVEL_OFF, 0)
  const from = hold.rungLevels.length - hold.rungCount
  hold.rungLevels.copyWithin(0, from)
  hold.rungCosts.copyWithin(0, from)
  markClasses(stream, lowest)
}

/** @hot A voice is sent or not. */
export function buildAudioLadder(stream: TrunkStream, costBps: number): void {
  const { hold } = stream
  hold.rungCount = 2
  hold.rungLevels[0] = LEVEL_OFF
  hold.rungCosts[0] = 0
  hold.rungLevels[1] = LEVEL_VOICE
  hold.rungCosts[1] = costBps
  hold.baseRung = 1
  hold.smoothRung = 1
}

/** @hot Nothing can be given. */
export function clearLadder(stream: TrunkStream): void {
  const { hold } = stream
  hold.rungCount = 1
  hold.rungLevels[0] = LEVEL_OFF
  hold.rungCosts[0] = 0
  hold.baseRung = 0
  hold.smoothRung = 0
}

/** @hot -1 when no layer flows. */
export function lowestFlowing(stream: TrunkStream): number {
  const { layers } = stream
  for (let i = 0; i < layers.length; i++) if (layers[i]!.bitrateBps > 0) return i
  return -1
}

/** @hot Of the layers those up to `ceiling`, and `ceiling` itself for those above. */
export function foldMask(layerMask: number, ceiling: number): number {
  const upTo = layerMask & ((2 << ceiling) - 1)
  return layerMask >> (ceiling + 1) === 0 ? upTo : upTo | (1 << ceiling)
}

/** @hot Position of the highest bit; -1 for 0. */
export function topOf(layerMask: number): number {
  return 31 - Math.clz32(layerMask)
}

/** @hot Its layer; the lowest that flows for pictures now and then, -1 for off. */
export function spatialOf(stream: TrunkStream, level: number): number {
  if (level === LEVEL_OFF) return -1
  if (level < LEVEL_MOVING) return lowestFlowing(stream)
  return (level - LEVEL_MOVING) >> 2
}

/** @hot Highest temporal layer at this level; 3 = all. */
export function temporalOf(level: number): number {
  return level < LEVEL_MOVING ? TEMPORAL_ALL : (level - LEVEL_MOVING) & 3
}

/** @hot Ms between pictures; 0 for all other levels. */
export function intervalOf(level: number): number {
  return level > LEVEL_OFF && level < LEVEL_MOVING ? INTERVALS_MS[level - 1]! : 0
}

/** @hot The best rung that is not above this level. */
export function rungOf(stream: TrunkStream, level: number): number {
  const { rungCount, rungLevels } = stream.hold
  let rung = rungCount - 1
  while (rung > 0 && rungLevels[rung]! > level) rung -= 1
  return rung
}

function addFrameRates(
  stream: TrunkStream,
  { spatial, isUpper }: { spatial: number; isUpper: boolean },
  factors: CostFactors,
): void {
  const { hold, layers } = stream
  const first = LEVEL_MOVING + (spatial << 2)
  const all = first + TEMPORAL_ALL
  addCheaper(hold, all, layersBps(stream, all, factors))
  const temporalMax = Math.min(layers[spatial]!.temporalMax, TEMPORAL_ALL)
  const least = isUpper ? Math.max(0, temporalMax - 1) : 0
  for (let temporal = temporalMax - 1; temporal >= least; temporal--) {
    addCheaper(hold, first + temporal, layersBps(stream, first + temporal, factors))
  }
}

/** Adds a level to the front, which grows from the end of the arrays. */
function addCheaper(hold: TrunkStream['hold'], level: number, costBps: number): void {
  const { rungLevels, rungCosts, rungCount } = hold
  const at = rungLevels.length - rungCount
  if (rungCount > 0 && costBps >= rungCosts[at]! && level !== LEVEL_OFF) return
  rungLevels[at - 1] = level
  rungCosts[at - 1] = costBps
  hold.rungCount = rungCount + 1
}

/** All that is sent at a level of moving pictures. */
function layersBps(stream: TrunkStream, level: number, factors: CostFactors): number {
  const { layers, hold } = stream
  const sentMask = foldMask(hold.demandMask, spatialOf(stream, level))
  const temporal = temporalOf(level)
  let sumBps = 0
  for (let i = 0; i < layers.length; i++) {
    if ((sentMask & (1 << i)) === 0) continue
    const { bitrateBps, temporalShare } = layers[i]!
    const layerBps = bitrateBps * (temporalShare[temporal] ?? 1)
    sumBps += i === 0 ? layerBps * factors.base : layerBps
  }
  return sumBps * factors.headers
}

function keyframeBytesOf(stream: TrunkStream, layer: number): number {
  if (stream.keyframeBytes > 0) return stream.keyframeBytes
  const { bitrateBps } = stream.layers[layer]!
  return Math.max(KEYFRAME_GUESS_BYTES, (bitrateBps / 8) * KEYFRAME_GUESS_S)
}

/** A camera's base is its lowest layer with the fewest frames; a screen's is any layer with the fewest. */
function markClasses(stream: TrunkStream, lowest: number): void {
  const { hold, layers } = stream
  const { rungLevels, rungCount } = hold
  let first = 1
  while (first < rungCount - 1 && rungLevels[first]! < LEVEL_MOVING) first += 1
  hold.baseRung = first
  hold.smoothRung = first
  for (let rung = first + 1; rung < rungCount; rung++) {
    const spatial = spatialOf(stream, rungLevels[rung]!)
    if (spatial === lowest) hold.smoothRung = rung
    const fewest = layers[spatial]!.temporalMax === 0 ? TEMPORAL_ALL : 0
    if (stream.use === 'screen' && temporalOf(rungLevels[rung]!) === fewest) hold.baseRung = rung
  }
  hold.smoothRung = Math.max(hold.smoothRung, hold.baseRung)
}
