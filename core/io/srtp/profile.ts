/**
 * The two SRTP protection profiles that we speak (RFC 5764 §4.1.2, RFC 7714 §14.2) and how DTLS keying material
 * is cut into master keys (RFC 5764 §4.2). Not the negotiation: the handshaker does that.
 */

export type SrtpProfileName = 'AES_CM_128_HMAC_SHA1_80' | 'AEAD_AES_128_GCM'

export type SrtpProfile = {
  name: SrtpProfileName
  /** Number in the DTLS use_srtp extension. */
  dtlsId: number
  keyBytes: number
  saltBytes: number
  /** What sealing adds to an RTP packet; SRTCP adds four more. */
  tagBytes: number
}

/** In order of preference: CM costs a third of GCM here (see docs/adr). */
export const SRTP_PROFILES: readonly SrtpProfile[] = [
  {
    name: 'AES_CM_128_HMAC_SHA1_80',
    dtlsId: 0x0001,
    keyBytes: 16,
    saltBytes: 14,
    tagBytes: 10,
  },
  { name: 'AEAD_AES_128_GCM', dtlsId: 0x0007, keyBytes: 16, saltBytes: 12, tagBytes: 16 },
]

/** The profile with this DTLS number, or undefined for one that we do not speak. */
export function findSrtpProfile(dtlsId: number): SrtpProfile | undefined {
  return SRTP_PROFILES.find((profile) => profile.dtlsId === dtlsId)
}

/** The profile with this name. */
export function srtpProfile(name: SrtpProfileName): SrtpProfile {
  return (name === 'AEAD_AES_128_GCM' ? SRTP_PROFILES[1] : SRTP_PROFILES[0]) as SrtpProfile
}

/** One direction's master key and salt. Structured-cloneable, so that the handshaker can post it. Secret. */
export type SrtpMaster = { profile: SrtpProfileName; key: Uint8Array; salt: Uint8Array }

/** Both directions of one transport, seen from us. */
export type SrtpMasters = { send: SrtpMaster; receive: SrtpMaster }

/**
 * Cuts `EXTRACTOR-dtls_srtp` output (2 × (key + salt) bytes: client key, server key, client salt, server salt)
 * into the two directions of the side that was `role` in DTLS; undefined when the length is wrong.
 */
export function splitKeyingMaterial(
  profile: SrtpProfile,
  material: Uint8Array,
  role: 'client' | 'server',
): SrtpMasters | undefined {
  const { keyBytes, saltBytes, name } = profile
  if (material.length !== 2 * (keyBytes + saltBytes)) return undefined
  const salts = 2 * keyBytes
  const client: SrtpMaster = {
    profile: name,
    key: material.slice(0, keyBytes),
    salt: material.slice(salts, salts + saltBytes),
  }
  const server: SrtpMaster = {
    profile: name,
    key: material.slice(keyBytes, salts),
    salt: material.slice(salts + saltBytes),
  }
  return role === 'client' ? { send: client, receive: server } : { send: server, receive: client }
}
