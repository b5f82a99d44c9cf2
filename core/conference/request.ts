/** What waits for the next flush of a conference. */

import type { Joined, JoinRequest, OperatorCommand, ParticipantCommand } from './commands.ts'
import type { Reply } from './conference.ts'
import type { LeaveCause, RoomEvent } from './events.ts'
import type { IngestResult } from './ingest.ts'
import type { Room } from './room.ts'

/** With a reply where somebody asked; the others fell due. */
export type Request =
  | { kind: 'join'; request: JoinRequest; reply: Reply<Joined> }
  | {
      kind: 'command'
      participant: string
      command: ParticipantCommand
      reply: Reply<undefined>
    }
  | { kind: 'ingest'; events: readonly RoomEvent[]; reply: (result: IngestResult) => void }
  | { kind: 'operate'; room: string; command: OperatorCommand; reply: Reply<undefined> }
  | { kind: 'expire'; room: string; participant: string; cause: LeaveCause }
  | { kind: 'close-empty'; room: Room }

/** Called once the batch is on disk (true) or refused (false). */
export type Settle = (durable: boolean) => void
