/**
 * Spends what there is on video, class by class: within a class everybody takes one step after the other, so that
 * streams and rooms fare alike. Greedy and without memory: how fast a level may change is settle.ts.
 *
 * More bandwidth never takes from a class and those above it: each step is taken or not by what is left then, and a
 * step not taken leaves less than its cost for all that follows.
 */
import { CATCH_UP, MAIN_BASE, OTHER_BASE, SLIDES, type TrunkStream } from './stream.ts'

/** What slides leave of their turn to a main picture that is wanted beside them. */
const MAIN_FLOOR_SHARE = 0.2

/** How far up its ladder a stream may go in a pass. */
type Limit = 'base' | 'smooth' | 'top'

/** One purse and who may take of it; one per budget, reused. */
export type Purse = {
  order: readonly TrunkStream[]
  /** Where each class begins in `order`, see order.ts: first those of emergencies, then the others. */
  starts: Uint16Array
  leftBps: number
  /** Whose turn it is: this stretch of `order`. */
  from: number
  to: number
}

/** Places in `starts` for one turn: one per class and the end. */
export const TURN_STARTS = CATCH_UP + 1

/** @hot Sets `hold.rung` of every video stream in `purse.order`; those of emergencies stay off when `calm`. */
export function fillVideo(purse: Purse, calm: boolean): void {
  const { order } = purse
  for (let i = 0; i < order.length; i++) order[i]!.hold.rung = 0
  if (!calm) fillTurn(purse, 0)
  fillTurn(purse, TURN_STARTS)
}

/** `turn`: where the starts of its classes begin. */
function fillTurn(purse: Purse, turn: number): void {
  const { starts } = purse
  const slides = starts[turn + SLIDES]!
  const main = starts[turn + MAIN_BASE]!
  const other = starts[turn + OTHER_BASE]!
  const end = starts[turn + OTHER_BASE + 1]!
  const reservedBps = wantsAny(purse, main, other) ? purse.leftBps * MAIN_FLOOR_SHARE : 0
  purse.leftBps -= reservedBps
  climb(turnOf(purse, slides, main), 'base')
  purse.leftBps += reservedBps
  climb(turnOf(purse, main, other), 'base')
  climb(turnOf(purse, other, end), 'base')
  climb(turnOf(purse, main, other), 'smooth')
  climb(turnOf(purse, other, end), 'smooth')
  climb(turnOf(purse, slides, other), 'top')
  climb(turnOf(purse, other, end), 'top')
}

function turnOf(purse: Purse, from: number, to: number): Purse {
  purse.from = from
  purse.to = to
  return purse
}

function wantsAny({ order }: Purse, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (order[i]!.hold.rungCount > 1) return true
  return false
}

/** Rounds until nobody whose turn it is can take another step. */
function climb(purse: Purse, limit: Limit): void {
  const { order, from, to } = purse
  let climbed = from < to
  while (climbed) {
    climbed = false
    for (let i = from; i < to; i++) if (takeStep(purse, order[i]!, limit)) climbed = true
  }
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
