/**
 * The control flow of a trunk: who is who (child-handshake.ts, parent-handshake.ts), what is said
 * (messages.ts), and the session that carries it. Pure: frames and time in, frames out; sockets are in
 * relay/io, keys in relay/identity.
 */
export {
  ChildHandshake,
  type ChildHandshakeOptions,
  type ChildStep,
  type Refused,
  type Welcomed,
} from './child-handshake.ts'
export type * from './messages.ts'
export {
  type Accepted,
  type Admission,
  type Claim,
  ParentHandshake,
  type ParentHandshakeOptions,
  type ParentStep,
  type Refusal,
  type WelcomeTerms,
} from './parent-handshake.ts'
export type { Ephemeral, Primitives, Signer } from './primitives.ts'
export type { RefusalReason } from './refusals.ts'
export type * from './session.ts'
export { TrunkNumbers } from './trunk-numbers.ts'
export { ControlSession, type FrameCarrier } from './trunk-session.ts'
