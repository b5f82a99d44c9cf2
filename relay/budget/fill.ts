/**
 * Spends what there is on video, class by class: within a class everybody takes one step after the other, so that streams
 * and rooms fare alike. Greedy and without memory: how fast a level may change is settle.ts.
 *
 * More bandwidth never takes from a class and those above it: each step is taken or not by what is left then, and a step not
 * taken leaves less than its cost for all that follows.
 */
import { ENHANCEMENT, MAIN_BASE, OTHER_BASE, SLIDES, type TrunkStream } from './stream.ts'

/** What slides leave of their turn to a main picture that is wanted beside them. */
const MAIN_FLOOR_SHARE = 0.2

/** How far up its ladder a stream may go in a pass. */
type Limit = 'base' | 'smooth' | 'top'

/** One purse and who may take of it; one per budget, reused. */
export type Purse = {
  order: readonly TrunkStream[]
  leftBps: number
  /** Whose turn it is: streams of emergencies, or the others. */
  emergency: boolean
}

/** @hot Sets `hold.rung` of every video stream in `purse.order`; those of emergencies stay off when `calm`. */
export function fillVideo(purse: Purse, calm: boolean): void {
  const { order } = purse
  for (let i = 0; i < order.length; i++) order[i]!.hold.rung = 0
  if (!calm) fillTurn(purse, true)
  fillTurn(purse, false)
}

function fillTurn(purse: Purse, emergency: boolean): void {
  purse.emergency = emergency
  const reservedBps = wantsMain(purse) ? purse.leftBps * MAIN_FLOOR_SHARE : 0
  purse.leftBps -= reservedBps
  climb(purse, SLIDES, 'base')
  purse.leftBps += reservedBps
  climb(purse, MAIN_BASE, 'base')
  climb(purse, OTHER_BASE, 'base')
  climb(purse, MAIN_BASE, 'smooth')
  climb(purse, OTHER_BASE, 'smooth')
  climb(purse, ENHANCEMENT, 'top')
  climb(purse, OTHER_BASE, 'top')
}

function wantsMain(purse: Purse): boolean {
  const { order, emergency } = purse
  for (let i = 0; i < order.length; i++) {
    const stream = order[i]!
    if (stream.baseClass !== MAIN_BASE || stream.emergency !== emergency) continue
    if (stream.hold.rungCount > 1) return true
  }
  return false
}

/** Rounds until nobody of the class can take another step. ENHANCEMENT means slides and main pictures in one. */
function climb(purse: Purse, classIndex: number, limit: Limit): void {
  const { order, emergency } = purse
  let climbed = true
  while (climbed) {
    climbed = false
    for (let i = 0; i < order.length; i++) {
      const stream = order[i]!
      if (stream.emergency !== emergency || !isOf(stream, classIndex)) continue
      if (takeStep(purse, stream, limit)) climbed = true
    }
  }
}

function isOf(stream: TrunkStream, classIndex: number): boolean {
  const { baseClass } = stream
  if (classIndex === ENHANCEMENT) return baseClass === SLIDES || baseClass === MAIN_BASE
  return baseClass === classIndex
}

function takeStep(purse: Purse, stream: TrunkStream, limit: Limit): boolean {
  const { hold } = stream
  const { rung, rungCosts } = hold
  if (rung >= limitOf(stream, limit)) return false
  const extraBps = rungCosts[rung + 1]! - rungCosts[rung]!
  if (extraBps > purse.leftBps) return false
  purse.leftBps -= extraBps
  hold.rung = rung + 1
  return true
}

function limitOf({ hold }: TrunkStream, limit: Limit): number {
  if (limit === 'base') return hold.baseRung
  return limit === 'smooth' ? hold.smoothRung : hold.rungCount - 1
}
