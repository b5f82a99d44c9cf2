/** The door of the conference engine: log, fold, roles, roster, director. Pure; conference.ts is the contract. */
export type * from './commands.ts'
export type {
  Conference,
  ParticipantInfo,
  StoreState,
} from './conference.ts'
export {
  type Assignment,
  createDirector,
  type Director,
  type Speakers,
  type StageSources,
} from './director/director.ts'
export type { AppendResult, EventStore } from './event-store.ts'
export type * from './events.ts'
export { createConference } from './node-conference.ts'
export { parseEvent } from './parse-event.ts'
export { may, ROLES, type Role } from './roles.ts'
export type { RandomBytes } from './sessions.ts'
