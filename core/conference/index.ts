/** The door of the conference engine: log, fold, roles, roster, director. Pure; conference.ts is the contract. */

export type { Island } from './acting-chair.ts'
export type { RoomCheckpoint } from './checkpoint.ts'
export type * from './commands.ts'
export type { Conference } from './conference.ts'
export {
  createDirector,
  type Director,
  type StageSources,
} from './director/director.ts'
export type { AppendResult, EventReader, EventStore } from './event-store.ts'
export type * from './events.ts'
export type { IngestResult } from './ingest.ts'
export { createConference } from './node-conference.ts'
export { parseEvent } from './parse-event.ts'
export type { PollSummary } from './polls.ts'
export { may, ROLES, type Role } from './roles.ts'
