/**
 * Why a packet was dropped: ONE table for the whole media engine, so that a counter is a
 * `Uint32Array` indexed by code and a metric label is one of a closed set. Other folders append
 * their reasons to this list (never reorder within a release: codes are positions). Not an error
 * type; nothing here is thrown.
 */

export const DROP_REASONS = [
  /** Code 0: not dropped. */
  'none',
  // ---- rtp ----
  /** Shorter than its own header, extension or padding length says, or not version 2. */
  'rtp-malformed',
  /** The codec's payload descriptor ends early or contradicts itself. */
  'payload-malformed',
  /** An RTX packet (RFC 4588) whose apt or original sequence cannot be used. */
  'rtx-malformed',
  /** RFC 2198 block headers that do not fit in the payload. */
  'red-malformed',
  // ---- rtcp ----
  /** Not version 2, or a length that leaves the datagram. Nothing of the compound was used. */
  'rtcp-malformed',
  /** More NACKed numbers, report blocks or feedback statuses than one datagram may bring. */
  'rtcp-over-limit',
  // ---- receive ----
  /** An SSRC that neither declaration, MID, RID nor payload type explains. */
  'ssrc-unknown',
  /** A MID extension that names no negotiated section. */
  'mid-unknown',
  /** A RID that the section did not negotiate, or none where simulcast needs one. */
  'rid-unknown',
  /** A payload type that the section did not negotiate. */
  'payload-type-unknown',
  /** A bound SSRC that now claims another section or layer (RFC 3550 §8.2). */
  'ssrc-collision',
  /** A layer changed its SSRC more often than allowed. */
  'ssrc-limit',
  /** A new source without signalled identity, not yet two in sequence (RFC 3550 A.1). */
  'probation',
  /** A jump in sequence that only counts when the next packet follows it (RFC 3550 A.1). */
  'sequence-jump',
  /** Already received. */
  'duplicate',
  /** Older than the window in which duplicates can be told apart. */
  'too-old',
  // ---- forward ----
  /** A slot waits for a keyframe of the layer that it shall show. */
  'awaiting-keyframe',
  /** Above the temporal layer that the slot forwards; its number was closed. */
  'temporal-filtered',
  /** Padding without media: not forwarded, its number was closed. */
  'padding',
  /** Older than the keyframe at which the slot came to this layer. */
  'before-switch',
  /** So late that it would fall out of the receiver's window. */
  'too-late',
  /** The receiver negotiated no payload type for this codec. */
  'codec-not-negotiated',
  // ---- engine ----
  /** For a transport that does not exist or has no keys yet. */
  'transport-unknown',
  /** A publication for which its participant has no permission now. */
  'not-permitted',
  'muted',
  /** Longer than any packet that we would send on. */
  'packet-too-large',
  /** From another worker: not a handoff frame, or of a publication that is not imported. */
  'handoff-malformed',
  'handoff-unknown',
  /** A NACK for a packet that was never sent or is no longer kept. */
  'nack-unknown',
  /** A NACK beyond the transport's allowance, or sooner than the last answer can have arrived. */
  'nack-throttled',
  // ---- srtp (core/io/srtp) ----
  /** Too short, too long, not version 2, or a header that runs past the end. */
  'srtp-malformed',
  /** The tag does not fit the packet and our key. */
  'srtp-auth-failed',
  /** This index was accepted before. */
  'srtp-replayed',
  /** Older than the replay window, so it cannot be told from a replay. */
  'srtp-too-old',
  /** One SSRC context too many. */
  'srtp-ssrc-limit',
  /** Outgoing: the index was sealed before with other bytes, or is too old to know. */
  'srtp-keystream-reuse',
  /** Outgoing: every slab slot may still be read by the socket. */
  'srtp-slab-full',
  /**
   * Outgoing: unknown handle, SSRC opened before, or no room for the key; incoming: after close.
   */
  'srtp-refused',
  // ---- mux and worker (core/io) ----
  /** A datagram of 0 bytes. */
  'datagram-empty',
  /** A first byte that RFC 7983 gives to nobody here. */
  'datagram-class-unknown',
  /** SRTP or SRTCP from a 5-tuple that no STUN has bound. */
  'media-unbound',
  /** SRTP before DTLS has finished. */
  'media-before-keys',
  'media-too-large',
  'dtls-unbound',
  /** More DTLS datagrams in a second than an honest handshake needs. */
  'dtls-flood',
  'stun-malformed',
  /** A ufrag that we did not hand out, or no USERNAME. */
  'stun-unknown-user',
  'stun-not-request',
  'stun-bad-username',
  'stun-bad-integrity',
  /** Authentic, answered with 487. */
  'stun-role-conflict',
  /** Authentic, answered with 420. */
  'stun-unknown-attribute',
  /** A source port or address that cannot be answered. */
  'source-unanswerable',
  /** Outgoing: UDP_SEND_QUEUE_MAX datagrams wait behind a slow device. */
  'send-queue-full',
  /** Outgoing: the kernel will not send this one: no route, too large for the path, forbidden. */
  'send-refused',
  /** Outgoing: the transport has no 5-tuple (any more). */
  'tuple-missing',
  /** Between workers: the ring is full. */
  'ring-full',
  // ---- trunk thread (relay/router, relay/io) ----
  /** A datagram whose SSRC names no trunk of this node. */
  'trunk-unknown',
  /** A frame of a stream or publication that has no way here (any more), or from another than its source. */
  'route-unknown',
] as const

export type DropReason = (typeof DROP_REASONS)[number]

function createCodes(): Record<DropReason, number> {
  const codes: Partial<Record<DropReason, number>> = {}
  DROP_REASONS.forEach((reason, index) => {
    codes[reason] = index
  })
  return codes as Record<DropReason, number>
}

/** Code of each reason; hot code copies what it needs into a module constant. */
export const DROP_CODE: Readonly<Record<DropReason, number>> = Object.freeze(createCodes())

/** One counter per reason, indexed by code. */
export function createDropCounters(): Uint32Array {
  return new Uint32Array(DROP_REASONS.length)
}
