/**
 * What a rewritten past means for those who look at the present: the difference of two states as RoomChanges.
 * Deliberately not used on the ordinary path, where the fold itself says what changed.
 */
import type { GoneCause } from './commands.ts'
import type { Participant, RoomChanges, RoomState } from './room-state.ts'
import { SOURCE_USES } from './room-state.ts'

/** Notes in `changes` how `after` differs from `before`; cost grows with both. */
export function noteDifference(before: RoomState, after: RoomState, changes: RoomChanges): void {
  changes.refolded = true
  changes.counts = true
  if (before.open) changes.closed = after.closedBy
  changes.hands = true
  changes.locked ||= before.locked !== after.locked
  changes.emergency ||= before.emergency !== after.emergency
  changes.pin ||= before.pin?.participant !== after.pin?.participant
  changes.pin ||= before.pin?.use !== after.pin?.use
  changes.acting ||= JSON.stringify(actingOf(before)) !== JSON.stringify(actingOf(after))
  changes.succession ||= JSON.stringify(before.succession) !== JSON.stringify(after.succession)
  notePolls(before, after, changes)
  noteParticipants(before, after, changes)
  const known = new Set(before.chat.map((entry) => `${entry.number} ${entry.participant}`))
  for (const entry of after.chat) {
    if (!known.has(`${entry.number} ${entry.participant}`)) changes.chat.push(entry)
  }
}

function actingOf({ acting }: RoomState): string[] {
  return [...acting.values()].map(({ participant }) => participant)
}

function notePolls(before: RoomState, after: RoomState, changes: RoomChanges): void {
  for (const id of new Set([...before.polls.keys(), ...after.polls.keys()])) {
    const [then, now] = [before.polls.get(id), after.polls.get(id)]
    if (then?.closed !== now?.closed) changes.polls.add(id)
    else if (then?.counts.some((count, option) => count !== now?.counts[option])) {
      changes.tallies.add(id)
    }
  }
}

function noteParticipants(before: RoomState, after: RoomState, changes: RoomChanges): void {
  for (const [id, participant] of before.participants) {
    const now = after.participants.get(id)
    if (participant.onStage && !now?.onStage) changes.stage.add(id)
    if (now === undefined) changes.gone.set(id, causeOfAbsence(after, participant))
  }
  for (const [id, participant] of after.participants) {
    const then = before.participants.get(id)
    if (then === undefined) changes.added.push(id)
    if (then !== undefined && sameInConduct(then, participant)) continue
    if (then !== undefined) changes.selves.add(id)
    if (participant.onStage) changes.stage.add(id)
  }
}

function causeOfAbsence(after: RoomState, p: Participant): { cause: GoneCause; reason: string } {
  const barred = after.barredSubjects.has(p.subject) || after.barredTokens.has(p.tokenId)
  if (barred) return { cause: 'kicked', reason: '' }
  return { cause: after.open ? 'session-gone' : 'room-closed', reason: '' }
}

function sameInConduct(a: Participant, b: Participant): boolean {
  if (a.onStage !== b.onStage || a.role !== b.role) return false
  if (a.name !== b.name || a.site !== b.site) return false
  return SOURCE_USES.every(
    (use) =>
      a.live.includes(use) === b.live.includes(use) &&
      a.muted[use].self === b.muted[use].self &&
      a.muted[use].chair === b.muted[use].chair,
  )
}
