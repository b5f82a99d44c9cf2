/** The door of the client SDK: see README.md beside this file. No framework, one dependency (msgpackr). */
export type { Conference } from './conference.ts'
export { connect } from './conference.ts'
export type { ConferenceEvents, ConnectOptions } from './contract.ts'
export type { ConferenceErrorCode } from './errors.ts'
export { ConferenceError } from './errors.ts'
export { CHAT_ENTRIES_MAX, TILES_DEFAULT, TILES_MAX } from './limits.ts'
export type { MediaSlot } from './media.ts'
export type {
  ActingMember,
  ChatEntry,
  Counts,
  ErrorCode,
  Pin,
  Poll,
  QualityMark,
  Role,
  RosterMember,
  SelfState,
  SlotState,
  SlotUse,
  SourceUse,
  StageMember,
  Successor,
} from './messages.ts'
export type { QualityReason, StreamQuality } from './quality.ts'
export { overallQuality } from './quality.ts'
export type { ConferenceState, EndCause, MediaPhase, Phase, UpstreamLink } from './state.ts'
export { moderates } from './state.ts'
export type { LayerStatistics, StreamStatistics } from './statistics.ts'
export { assignTiles } from './tiles.ts'
export type { Size, View } from './view.ts'
