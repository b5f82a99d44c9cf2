/** From settled changes of a room to notices for its clients. Sends nothing. */
import type { Notice } from './commands.ts'
import type { Room } from './room.ts'
import type { RoomChanges } from './room-state.ts'
import { selfStateOf } from './room-view.ts'
import type { Sessions } from './sessions.ts'

/** Appends what the clients of this node are to hear of settled changes; forgets the sessions of those who are gone. */
export function tellChanges(
  { name, state }: Room,
  changes: RoomChanges,
  out: { sessions: Sessions; notices: Notice[] },
): void {
  const { sessions, notices } = out
  for (const [participant, { cause, reason }] of changes.gone) {
    if (state.participants.has(participant) || !sessions.remove(participant)) continue
    notices.push({ type: 'gone', room: name, participant, cause, reason })
  }
  for (const participant of changes.selves) {
    const found = state.participants.get(participant)
    if (found === undefined || sessions.get(participant) === undefined) continue
    notices.push({ type: 'self', room: name, participant, self: selfStateOf(state, found) })
  }
  if (changes.chat.length > 0) notices.push({ type: 'chat', room: name, entries: changes.chat })
  if (changes.closed !== null && !state.open) {
    notices.push({ type: 'room-closed', room: name, cause: changes.closed })
  }
}
