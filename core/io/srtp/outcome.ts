/**
 * What sealing and opening return when they refuse: the negated code of the one drop-reason table, so that one number
 * is either a result or the reason. The packet is already counted when the caller sees it.
 */
import { DROP_CODE } from '../../media/rtp/index.ts'

/** Too short, too long, not version 2, or a header that runs past the end. */
export const SRTP_MALFORMED = -DROP_CODE['srtp-malformed']
/** The tag does not fit the packet and our key. */
export const SRTP_AUTH_FAILED = -DROP_CODE['srtp-auth-failed']
/** This index was accepted before. */
export const SRTP_REPLAYED = -DROP_CODE['srtp-replayed']
/** Older than the replay window, so it cannot be told from a replay. */
export const SRTP_TOO_OLD = -DROP_CODE['srtp-too-old']
/** One SSRC context too many. */
export const SRTP_SSRC_LIMIT = -DROP_CODE['srtp-ssrc-limit']
/** Outgoing: the index was sealed before with other bytes, or is too old to know. */
export const SRTP_KEYSTREAM_REUSE = -DROP_CODE['srtp-keystream-reuse']
/** Outgoing: every slab slot may still be read by the socket. */
export const SRTP_SLAB_FULL = -DROP_CODE['srtp-slab-full']
/** Outgoing: unknown handle, SSRC opened before, no room, or the key's life is over; incoming: after close. */
export const SRTP_REFUSED = -DROP_CODE['srtp-refused']
