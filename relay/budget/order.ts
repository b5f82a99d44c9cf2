/**
 * Who is served first: emergencies, then by class, then the first stream of each room before the second of any. Made
 * anew only when streams come, go or change their place.
 */
import type { BudgetHold } from './budget.ts'
import { TURN_STARTS } from './fill.ts'
import { baseClassOf, type TrunkStream } from './stream.ts'

const ROOM_KEYS = 64

/** @hot Brings `hold.order`, `hold.purse.starts` and the streams' `baseClass` up to date with `streams`. */
export function refreshOrder(streams: readonly TrunkStream[], hold: BudgetHold): void {
  if (!isStale(streams, hold)) return
  const { order, roster } = hold
  roster.length = 0
  order.length = 0
  for (const stream of streams) {
    roster.push(stream)
    order.push(stream)
  }
  order.sort(byRoom)
  let rank = 0
  for (let i = 0; i < order.length; i++) {
    const { hold: own } = order[i]!
    const before = order[i - 1]?.hold
    rank = before !== undefined && before.placed === own.placed ? rank + 1 : 0
    own.rank = rank
  }
  order.sort(byImportance)
  markStarts(hold)
}

/** How many streams come before each class: in `order` a class of a turn is one stretch. */
function markStarts({ order, purse: { starts } }: BudgetHold): void {
  for (let at = 0; at < starts.length; at++) {
    const isCalm = at >= TURN_STARTS
    const classIndex = isCalm ? at - TURN_STARTS : at
    starts[at] = order.filter(({ emergency, baseClass }) =>
      emergency ? isCalm || baseClass < classIndex : isCalm && baseClass < classIndex,
    ).length
  }
}

function isStale(streams: readonly TrunkStream[], { roster }: BudgetHold): boolean {
  let stale = roster.length !== streams.length
  for (let i = 0; i < streams.length; i++) {
    const stream = streams[i]!
    const placed = placedOf(stream)
    if (roster[i] === stream && stream.hold.placed === placed) continue
    stream.hold.placed = placed
    // Its new place owes nothing to the old one: the next speaker's picture must not wait.
    stream.hold.settled = false
    stream.baseClass = baseClassOf(stream)
    stale = true
  }
  return stale
}

/** One number for room, class and whether it is heard or seen first. */
function placedOf(stream: TrunkStream): number {
  const { room, emergency, place } = stream
  const aside = place === 'other' ? 1 : 0
  return room * ROOM_KEYS + baseClassOf(stream) * 4 + aside * 2 + (emergency ? 1 : 0)
}

function byRoom(a: TrunkStream, b: TrunkStream): number {
  return a.hold.placed - b.hold.placed || a.streamId - b.streamId
}

function byImportance(a: TrunkStream, b: TrunkStream): number {
  if (a.emergency !== b.emergency) return a.emergency ? -1 : 1
  if (a.baseClass !== b.baseClass) return a.baseClass - b.baseClass
  const asideA = a.place === 'other' ? 1 : 0
  const asideB = b.place === 'other' ? 1 : 0
  return asideA - asideB || a.hold.rank - b.hold.rank || a.room - b.room || a.streamId - b.streamId
}
