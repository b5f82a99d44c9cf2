/** The door of the conference engine: log, fold, roles, roster, director. Pure; see conference.ts for the contract. */
export type * from './commands.ts'
export type { Conference, ParticipantInfo } from './conference.ts'
export type { Assignment, Director, Speakers, StageSources } from './director/director.ts'
export type { AppendResult, EventStore } from './event-store.ts'
export type * from './events.ts'
export { compareEvents } from './events.ts'
export { type Act, may, ROLES, type Role } from './roles.ts'
