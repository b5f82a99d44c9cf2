/**
 * Why SRTP refused a packet. Negative integers, so that one number is either the new end of the packet or the reason;
 * counted per reason, never logged.
 */

/** Too short, not RTP version 2, or a header that runs past the end. */
export const SRTP_MALFORMED = -1
/** The tag does not fit the packet and our key. */
export const SRTP_AUTH_FAILED = -2
/** Authentic, but this index was accepted before. */
export const SRTP_REPLAYED = -3
/** Authentic or not: older than the replay window, so it cannot be told from a replay. */
export const SRTP_TOO_OLD = -4
/** Authentic, but it would be one SSRC context too many. */
export const SRTP_SSRC_LIMIT = -5
/** Sender: the index was sealed before with other bytes, or is too old to know; the keystream is not reused. */
export const SRTP_KEYSTREAM_REUSE = -6
/** Sender: every slab slot is still being read by the socket. */
export const SRTP_SLAB_FULL = -7
/** Sender: unknown handle, SSRC opened before, larger than a slot, or the key's life is over. */
export const SRTP_REFUSED = -8

/** Metric labels; `SRTP_OUTCOMES[-code]` names a code. Place 0 is success. */
export const SRTP_OUTCOMES = [
  'ok',
  'malformed',
  'auth-failed',
  'replayed',
  'too-old',
  'ssrc-limit',
  'keystream-reuse',
  'slab-full',
  'refused',
] as const

/** Counters by `-code`; place 0 counts successes. Read it any time; it is reused. */
export type SrtpCounters = Float64Array

/** A zeroed set of counters, one per outcome. */
export function createSrtpCounters(): SrtpCounters {
  return new Float64Array(SRTP_OUTCOMES.length)
}
