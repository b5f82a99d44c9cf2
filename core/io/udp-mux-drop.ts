/**
 * Why the mux or the worker around it dropped a datagram: a closed set, counted by code, beside the engine's own table
 * (core/media/rtp/drop-reason.ts). Label values of `nhipcau_media_dropped_total`.
 */
export const MUX_DROP_REASONS = [
  /** A datagram of 0 bytes. */
  'empty',
  /** A first byte that RFC 7983 gives to nobody here. */
  'unknown-class',
  /** SRTP or SRTCP from a 5-tuple that no STUN has bound. */
  'unbound-media',
  'unbound-dtls',
  /** SRTP before DTLS has finished. */
  'media-before-keys',
  'media-too-large',
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
  'bad-source',
  /** Out: the socket's queue is full behind a slow device. */
  'send-queue-full',
  /** Out: the transport has no 5-tuple (any more). */
  'no-tuple',
  /** Between workers: the ring is full. */
  'ring-full',
] as const

export type MuxDropReason = (typeof MUX_DROP_REASONS)[number]

function createCodes(): Record<MuxDropReason, number> {
  const codes: Partial<Record<MuxDropReason, number>> = {}
  MUX_DROP_REASONS.forEach((reason, index) => {
    codes[reason] = index
  })
  return codes as Record<MuxDropReason, number>
}

/** Code of each reason; hot code copies what it needs into a module constant. */
export const MUX_DROP_CODE: Readonly<Record<MuxDropReason, number>> = Object.freeze(createCodes())

/** One counter per reason, indexed by code. */
export function createMuxDropCounters(): Float64Array {
  return new Float64Array(MUX_DROP_REASONS.length)
}
