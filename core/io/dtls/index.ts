/**
 * Door of the DTLS folder: the handshaker behind the gate (docs/adr/dtls-gate.md). Only this folder imports werift.
 */
export type {
  HandshakeCommand,
  HandshakeEvent,
  HandshakerStats,
  RecordDropReason,
  RefusedReason,
  SrtpKeys,
  SrtpProfile,
} from './handshake.ts'
export { HandshakerPort } from './handshaker-port.ts'
export type { HandshakerThread } from './handshaker-thread.ts'
