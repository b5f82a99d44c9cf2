/** The answer to a join or a resume: who one is, and the room as it stands. */
import { CHAT_ON_JOIN_ENTRIES } from '../../config/limits.ts'
import type { Joined } from './commands.ts'
import type { Room } from './room.ts'
import { chatPageOf, selfStateOf } from './room-view.ts'
import type { Session } from './sessions.ts'

/** PROTOCOL `joined` without media; the participant must be present. */
export function joinedOf(room: Room, session: Session, resumed: boolean): Joined {
  const self = room.state.participants.get(session.participant)!
  return {
    session: session.session,
    secret: session.secret,
    resumed,
    participant: self.id,
    role: self.role,
    name: self.name,
    site: self.site,
    room: room.view.summary(room.state),
    chat: chatPageOf(room.state, undefined, CHAT_ON_JOIN_ENTRIES).entries,
    self: selfStateOf(room.state, self),
  }
}
