/**
 * The doors: all that a client can reach. `createSignaling` opens them: WebSocket sessions, WHIP
 * and WHEP, REST, health, metrics and the page. Not the conference (core/conference) and not media
 * (core/io).
 */

export {
  issuerJwk,
  issueToken,
  loadTokenKeys,
  PinnedIssuers,
  type TokenKeys,
  type TokenRequest,
  type TokenRole,
} from './auth/index.ts'
export { type DoorPreference, registerDoorMetrics } from './io/index.ts'
export {
  createSignaling,
  type Signaling,
  type SignalingFigures,
  type SignalingOptions,
} from './signaling.ts'
