/**
 * What goes into and comes out of the handshaker, on one thread (`Handshaker`) or over a message port
 * (`HandshakerPort`). Plain values only, so that all of it crosses threads. Not the DTLS wire format (RFC 6347).
 */
import type { Fingerprint } from '../../media/control.ts'

/** SRTP protection profiles that we negotiate (RFC 5764 §4.1.2, RFC 7714 §14.2); nothing else is accepted. */
export type SrtpProfile = 'aes-cm' | 'aes-gcm'

/**
 * Keying material of one association, already told apart by side. Lengths in bytes: key 16;
 * salt 14 with 'aes-cm' (AES_CM_128_HMAC_SHA1_80), 12 with 'aes-gcm' (AEAD_AES_128_GCM).
 */
export type SrtpKeys = {
  profile: SrtpProfile
  localKey: Uint8Array
  localSalt: Uint8Array
  remoteKey: Uint8Array
  remoteSalt: Uint8Array
}

/** Why a peer got no keys. Each is a metric label, so the set is closed. */
export type RefusedReason =
  /** No usable ClientHello parameters: cipher suite, curve, SRTP profile or extended master secret missing. */
  | 'no-common-parameters'
  /** A message that does not belong here, or one that came in the wrong order. */
  | 'unexpected-message'
  | 'malformed-message'
  | 'no-certificate'
  | 'fingerprint-mismatch'
  /** Key type or signature scheme that we did not offer. */
  | 'unsupported-certificate'
  /** CertificateVerify does not prove possession of the certificate's key. */
  | 'bad-signature'
  /** Finished came under the right keys, but over another transcript. Forged ones are merely dropped. */
  | 'bad-finished'
  /** Not finished within HANDSHAKE_MS_MAX, or HANDSHAKE_STORM_MS_MAX when it had to wait for us. */
  | 'timeout'
  /** Displaced by newer handshakes at HALF_OPEN_HANDSHAKES_MAX. */
  | 'too-many-half-open'
  /** More bytes or messages than an honest handshake needs. */
  | 'flood'
  | 'internal-error'

/**
 * What a handshaker tells. Each transport gets exactly one of `connected` and `refused`; after `connected` at most one
 * `closed`; after `close()` nothing. Byte arrays belong to the receiver.
 */
export type HandshakeEvent =
  | { type: 'send'; transportId: number; bytes: Uint8Array }
  | { type: 'connected'; transportId: number; keys: SrtpKeys }
  | { type: 'refused'; transportId: number; reason: RefusedReason }
  /** The peer said close_notify under its own keys (RFC 5246 §7.2.1). */
  | { type: 'closed'; transportId: number }

/** What a handshaker is told. Datagrams must come from the 5-tuple that ICE bound to the transport, from no other. */
export type HandshakeCommand =
  /** Fingerprints of the peer's SDP; one match suffices. We are passive: the peer sends the first ClientHello. */
  | { type: 'open'; transportId: number; fingerprints: Fingerprint[] }
  /** One whole UDP payload whose first byte is 20..63 (RFC 7983). Unknown ids are dropped. */
  | { type: 'datagram'; transportId: number; bytes: Uint8Array }
  /** Ends the association: says close_notify when it stands, forgets everything. Idempotent. */
  | { type: 'close'; transportId: number }

/** Totals since start, for /metrics. */
export type HandshakerStats = {
  connected: number
  refused: Record<RefusedReason, number>
  /** Sessions between first ClientHello and the end of the handshake. */
  halfOpen: number
  /** Associations that stand. */
  established: number
  recordsDropped: Record<RecordDropReason, number>
}

/** Why a record or a fragment went no further. */
export type RecordDropReason =
  | 'unknown-transport'
  | 'malformed'
  | 'content-type'
  | 'version'
  | 'epoch'
  | 'plaintext-alert'
  | 'after-handshake'
  | 'not-authentic'
  | 'duplicate'
  | 'too-large'
  | 'queue-full'
