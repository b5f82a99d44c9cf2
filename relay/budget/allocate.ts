/**
 * One estimate spent by class (design.md §4): audio, control, video in order of importance, and what nobody wants to
 * catch-up. Not an estimator, and sends nothing.
 */
import { allocateAudio, datagramsBps, isVoice, wantedAudioBps } from './audio.ts'
import type { TrunkBudget } from './budget.ts'
import { refreshDemand, setCeiling } from './demand.ts'
import { fillVideo } from './fill.ts'
import {
  buildVideoLadder,
  clearLadder,
  foldMask,
  intervalOf,
  LEVEL_MOVING,
  LEVEL_OFF,
  lowestFlowing,
  rungOf,
  spatialOf,
  temporalOf,
  topOf,
} from './ladder.ts'
import { refreshOrder } from './order.ts'
import { settle } from './settle.ts'
import {
  CATCH_UP,
  CONTROL,
  EMERGENCY_AUDIO,
  ENHANCEMENT,
  STAGE_AUDIO,
  type TrunkStream,
} from './stream.ts'

/** What is given more must fit as if the estimate were smaller by this. */
const UPGRADE_MARGIN = 1.15
/** Control has at least this, as far as it wants it. */
const CONTROL_FLOOR_SHARE = 0.05
const CONTROL_FLOOR_BPS = 2_000
/** Catch-up keeps this distance from the estimate: what it fills the live streams would queue behind. */
const CATCH_UP_MARGIN = 1.05
/** What a layer is thought to need until it is measured, bit/s, by position below the highest. */
const GUESSED_BPS = [1_500_000, 500_000, 150_000] as const
const SINGLE_GUESSED_BPS = 500_000
const KEYFRAMES_GUESSED_BPS = 10_000

/**
 * @hot Sets the level of every stream and the out fields of `budget`. Never spends more than `availableBps`, but for
 * the first voice and the floor of control. Streams may be in any order; `layers`, `wantedMask` and places are read,
 * never changed. About 50 us for 100 streams; allocates only when streams come, go or change places.
 */
export function allocateTrunk(
  streams: readonly TrunkStream[],
  budget: TrunkBudget,
  nowMs: number,
): void {
  const { hold, shares } = budget
  const availableBps = Math.max(0, budget.availableBps)
  refreshOrder(streams, hold)
  hold.factors.headers = 1 + budget.datagramOverheadBytes / budget.mtuBytes
  hold.factors.base = 1 + budget.baseParityRatio
  const picturesWanted = buildLadders(budget, nowMs)

  const roomyBps = availableBps / UPGRADE_MARGIN
  const floorBps = Math.max(CONTROL_FLOOR_BPS, availableBps * CONTROL_FLOOR_SHARE)
  const controlFloorBps = Math.min(budget.controlBps, floorBps)
  const { limits } = hold
  limits.firmBps = availableBps - controlFloorBps
  limits.roomyBps = roomyBps - controlFloorBps
  limits.picturesWanted = picturesWanted
  const audioBps = allocateAudio(budget, limits, nowMs)
  const controlBps = Math.min(budget.controlBps, Math.max(controlFloorBps, availableBps - audioBps))

  const spokenBps = audioBps + controlBps
  fillAll(budget, availableBps - spokenBps, roomyBps - spokenBps)
  shares.fill(0)
  shares[CONTROL] = controlBps
  budget.wantedBps = wantedAudioBps(budget) + budget.controlBps
  for (const stream of hold.order) {
    conclude(
      stream,
      stream.kind === 'audio' ? rungNow(stream) : settle(stream, nowMs, availableBps),
      nowMs,
    )
    book(stream, budget)
  }
  bookHeaders(budget)
  budget.spentBps = 0
  for (const share of shares) budget.spentBps += share
  admitUnmeasured(hold.order, availableBps - budget.spentBps)
  const restBps = availableBps / CATCH_UP_MARGIN - budget.spentBps
  shares[CATCH_UP] = Math.max(0, Math.min(budget.catchUpBps, restBps))
  budget.spentBps += shares[CATCH_UP]!
}

/** Demand and rungs of every stream; true when somebody wants a picture. */
function buildLadders(budget: TrunkBudget, nowMs: number): boolean {
  const { order, factors } = budget.hold
  let picturesWanted = false
  for (const stream of order) {
    if (refreshDemand(stream, nowMs) === 0) {
      clearLadder(stream)
      stream.hold.settled = false
    } else if (stream.kind === 'video') {
      buildVideoLadder(stream, factors)
      picturesWanted = true
    }
  }
  return picturesWanted
}

/** How far everybody gets with all there is, with margin, and as if nobody called from an emergency. */
function fillAll(budget: TrunkBudget, firmBps: number, roomyBps: number): void {
  const { order, purse } = budget.hold
  let emergencyBps = 0
  for (const stream of order) {
    if (stream.emergency && isVoice(stream)) emergencyBps += stream.hold.rungCosts[rungNow(stream)]!
  }
  purse.leftBps = roomyBps
  fillVideo(purse, false)
  for (const { kind, hold } of order) if (kind === 'video') hold.roomyRung = hold.rung
  purse.leftBps = firmBps
  fillVideo(purse, false)
  for (const { kind, hold } of order) if (kind === 'video') hold.firmRung = hold.rung
  if (order[0]?.emergency === true) {
    purse.leftBps = firmBps + emergencyBps
    fillVideo(purse, true)
  }
  for (const { kind, hold } of order) if (kind === 'video') hold.calmRung = hold.rung
}

function rungNow(stream: TrunkStream): number {
  return rungOf(stream, stream.hold.level)
}

/** Writes the answer into the stream. */
function conclude(stream: TrunkStream, rung: number, nowMs: number): void {
  const { hold } = stream
  const { rungLevels, rungCosts, rungCount, demandMask } = hold
  const level = rungLevels[rung]!
  setCeiling(stream, rung, nowMs)
  stream.layerWanted = topOf(demandMask)
  stream.keyframeIntervalMs = intervalOf(level)
  stream.temporal = temporalOf(level)
  stream.grantedBps = rungCosts[rung]!
  stream.wantedBps = rungCosts[rungCount - 1]!
  stream.missingBps = rung < rungCount - 1 ? rungCosts[rung + 1]! - rungCosts[rung]! : 0
  stream.mode = modeOf(level)
  const spatial = spatialOf(stream, level)
  if (stream.mode === 'off') stream.sentMask = 0
  else if (stream.mode === 'keyframes') stream.sentMask = 1 << spatial
  else stream.sentMask = foldMask(stream.wantedMask, spatial)
  if (demandMask === 0) stream.reason = 'not-wanted'
  else if (rung < rungCount - 1) {
    stream.reason = hold.calmRung > rung ? 'pre-empted' : 'bandwidth'
  } else stream.reason = rungCosts[rung] === 0 ? 'not-flowing' : 'none'
}

function modeOf(level: number): TrunkStream['mode'] {
  if (level === LEVEL_OFF) return 'off'
  return level < LEVEL_MOVING ? 'keyframes' : 'full'
}

/** Adds what a stream was given to the shares of its classes. */
function book(stream: TrunkStream, budget: TrunkBudget): void {
  const { shares } = budget
  const { rungCosts, baseRung } = stream.hold
  const baseBps = Math.min(stream.grantedBps, rungCosts[baseRung]!)
  shares[stream.baseClass]! += baseBps
  shares[ENHANCEMENT]! += stream.grantedBps - baseBps
  if (stream.kind === 'video') budget.wantedBps += stream.wantedBps
}

/** The headers of datagrams that carry audio are its own; those of video are in its rungs. */
function bookHeaders(budget: TrunkBudget): void {
  const { order, audioLoad } = budget.hold
  if (audioLoad.voices === 0) return
  const first = order.find(isVoice)?.emergency === true ? EMERGENCY_AUDIO : STAGE_AUDIO
  budget.shares[first]! += datagramsBps(budget, budget.audio.bundleMs)
}

/** Layers that have not been measured yet begin where a guess fits: a first keyframe must not be lost. */
function admitUnmeasured(order: readonly TrunkStream[], restBps: number): void {
  let leftBps = restBps
  for (const stream of order) {
    if (stream.kind !== 'video' || stream.hold.demandMask === 0) continue
    if (lowestFlowing(stream) < 0) leftBps -= begin(stream, leftBps)
    else if (stream.mode === 'full' && !stream.hold.limited) leftBps -= addIdle(stream, leftBps)
  }
}

/** Nothing of it was ever measured: the highest wanted layer that may fit, or pictures now and then. */
function begin(stream: TrunkStream, leftBps: number): number {
  let layer = topOf(stream.hold.demandMask)
  while (layer >= 0 && guessBps(stream, layer) > leftBps) layer -= 1
  if (layer < 0) {
    if (leftBps < KEYFRAMES_GUESSED_BPS) return 0
    stream.mode = 'keyframes'
    stream.keyframeIntervalMs = intervalOf(LEVEL_OFF + 1)
    stream.sentMask = 1
    return KEYFRAMES_GUESSED_BPS
  }
  stream.mode = 'full'
  stream.sentMask = foldMask(stream.wantedMask, layer)
  return guessBps(stream, layer)
}

function addIdle(stream: TrunkStream, leftBps: number): number {
  const { layers, wantedMask } = stream
  let addedBps = 0
  for (let i = 0; i < layers.length; i++) {
    if ((wantedMask & (1 << i)) === 0 || layers[i]!.bitrateBps > 0) continue
    if (addedBps + guessBps(stream, i) > leftBps) continue
    addedBps += guessBps(stream, i)
    stream.sentMask |= 1 << i
  }
  return addedBps
}

function guessBps(stream: TrunkStream, layer: number): number {
  const below = stream.layers.length - 1 - layer
  return stream.layers.length === 1 ? SINGLE_GUESSED_BPS : GUESSED_BPS[below]!
}
