/** The control flow of a trunk: who is who, what is said, and the session that carries it. Pure. */
export type * from './messages.ts'
export { REFUSAL_REASONS, type RefusalReason } from './refusals.ts'
export type * from './session.ts'
