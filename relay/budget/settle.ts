/**
 * How fast a stream may change its level: down at once; up when the better level has fitted with margin for a while,
 * and ever more slowly when levels do not last. What an emergency took is given back at once.
 */
import { LEVEL_MOVING, rungOf } from './ladder.ts'
import type { TrunkStream } from './stream.ts'

/** A better level must fit for so long; a first picture or voice waits less. */
const UP_HOLD_MS = 2_000
const RESUME_HOLD_MS = 1_000
const VOICE_HOLD_MS = 500
/** A level that lasted less doubles the wait for the next, up to the most; each minute forgives half of it. */
const FAILED_MS = 15_000
const FORGIVEN_HALF_MS = 60_000
const HOLD_MS_MAX = 32_000
/**
 * Out of stills, whatever failed before: a picture that moves now and then is worth more than a calm one that stands.
 */
const STILLS_HOLD_MS_MAX = 6_000
/** Times the estimate of the last climb: a line that has so much more is another line. */
const OTHER_RATE = 2

/** @hot Chooses the rung from firm, roomy and calm rung and the past; returns it. Never above `firmRung`. */
export function settle(stream: TrunkStream, nowMs: number, availableBps: number): number {
  const { hold } = stream
  const present = rungOf(stream, hold.level)
  const { firmRung } = hold
  // What did not last then was tried at another rate: nothing is known of this one.
  if (availableBps >= OTHER_RATE * hold.upBps) hold.holdMs = 0
  if (isFree(stream)) {
    // That a first level does not last is the estimate's doing.
    if (hold.settled) climbed(stream, nowMs, availableBps)
    hold.settled = true
    return reach(stream, firmRung)
  }
  if (firmRung <= present) {
    hold.fitsSinceMs = -1
    if (firmRung < present) fall(stream, present, nowMs)
    else if (hold.calmRung <= firmRung) hold.levelBefore = -1
    return reach(stream, firmRung)
  }
  if (hold.levelBefore >= 0 && hold.calmRung <= firmRung) return giveBack(stream, present)
  const target = Math.min(hold.roomyRung, firmRung)
  if (target <= present) {
    hold.fitsSinceMs = -1
    return reach(stream, present)
  }
  if (hold.fitsSinceMs < 0) hold.fitsSinceMs = nowMs
  if (nowMs - hold.fitsSinceMs < holdMsOf(stream, nowMs)) return reach(stream, present)
  hold.fitsSinceMs = -1
  climbed(stream, nowMs, availableBps)
  return reach(stream, target)
}

function climbed({ hold }: TrunkStream, nowMs: number, availableBps: number): void {
  hold.lastUpMs = nowMs
  hold.upBps = availableBps
}

/** Nothing was refused to it: its first level at this place, or more wants of one that lacked nothing. */
function isFree(stream: TrunkStream): boolean {
  const { hold } = stream
  return !hold.settled || (!hold.limited && hold.firmRung > rungOf(stream, hold.level))
}

function fall(stream: TrunkStream, present: number, nowMs: number): void {
  const { hold } = stream
  if (hold.calmRung > hold.firmRung) {
    hold.levelBefore = Math.max(hold.levelBefore, hold.rungLevels[present]!)
    return
  }
  // Pictures now and then may come at any pace: nobody sees that as unrest.
  if (hold.rungLevels[present]! < LEVEL_MOVING) return
  const hasFailed = nowMs - hold.lastUpMs < FAILED_MS
  if (hasFailed) hold.holdMs = Math.min(HOLD_MS_MAX, Math.max(UP_HOLD_MS, hold.holdMs) * 2)
  else if (nowMs - hold.lastUpMs > FORGIVEN_HALF_MS) hold.holdMs /= 2
}

function giveBack(stream: TrunkStream, present: number): number {
  const { hold } = stream
  const before = rungOf(stream, hold.levelBefore)
  hold.levelBefore = -1
  return reach(stream, Math.max(present, Math.min(before, hold.firmRung)))
}

function holdMsOf(stream: TrunkStream, nowMs: number): number {
  const { hold } = stream
  const halvings = Math.floor((nowMs - hold.lastUpMs) / FORGIVEN_HALF_MS)
  const forgivenMs = hold.holdMs * 0.5 ** halvings
  const isMoving = stream.kind === 'audio' || hold.level >= LEVEL_MOVING
  if (forgivenMs > UP_HOLD_MS)
    return isMoving ? forgivenMs : Math.min(forgivenMs, STILLS_HOLD_MS_MAX)
  if (stream.kind === 'audio') return VOICE_HOLD_MS
  return isMoving ? UP_HOLD_MS : RESUME_HOLD_MS
}

function reach(stream: TrunkStream, rung: number): number {
  const { hold } = stream
  hold.level = hold.rungLevels[rung]!
  hold.limited = rung < hold.rungCount - 1
  return rung
}
