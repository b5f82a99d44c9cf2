/**
 * Master keys as they come from DTLS (RFC 5764 §4.2), told apart by direction. Not the negotiation and not the
 * exporter: the handshaker does that.
 */
import type { SrtpKeys, SrtpProfile } from '../dtls/index.ts'

/** One direction's master key (16 bytes) and salt (14 bytes for 'aes-cm', 12 for 'aes-gcm'). Secret. */
export type SrtpMaster = { profile: SrtpProfile; key: Uint8Array; salt: Uint8Array }

/** Master of what we send. Shares the bytes of `keys`. */
export function sendMaster(keys: SrtpKeys): SrtpMaster {
  return { profile: keys.profile, key: keys.localKey, salt: keys.localSalt }
}

/** Master of what the peer sends. Shares the bytes of `keys`. */
export function receiveMaster(keys: SrtpKeys): SrtpMaster {
  return { profile: keys.profile, key: keys.remoteKey, salt: keys.remoteSalt }
}
