/** Why a trunk does not come about, or ends at once: a closed set, told to the other side and to both logs. */

export const REFUSAL_REASONS = [
  /** Its key is not enrolled here. */
  'unknown-relay',
  /** No such enrolment code, or a wrong proof of it. */
  'bad-code',
  'code-used',
  'code-expired',
  /** The operator has revoked it. */
  'revoked',
  /** The same identity has been started elsewhere, and later. */
  'fenced',
  /** No version in common. */
  'version',
  /** Its signature does not fit: another key, or another TLS certificate than the one that we see. */
  'bad-signature',
  /** Not the node whose key is pinned. */
  'wrong-core',
  /** The upstream hangs on this very node. */
  'loop',
  'too-deep',
  'overloaded',
  /** Two relays of different keys call themselves by one node id. */
  'duplicate-node',
  /** Not what the protocol says, or not in time. */
  'malformed',
  'timeout',
] as const

export type RefusalReason = (typeof REFUSAL_REASONS)[number]
