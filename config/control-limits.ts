/** Bounds of a trunk's control flow: relay/control, relay/identity, relay/sync. See limits.ts. */

/** One message of the control flow, and its nesting and number of values. */
export const TRUNK_MESSAGE_BYTES_MAX = 64 * 1024
export const TRUNK_MESSAGE_DEPTH_MAX = 10
export const TRUNK_MESSAGE_VALUES_MAX = 32_768
/** Entries of one list of such a message. */
export const TRUNK_LIST_ENTRIES_MAX = 1_024
/** A handshake message is small; those that have not finished it by then are closed, and so many may be at it. */
export const TRUNK_HELLO_BYTES_MAX = 4 * 1024
export const TRUNK_HANDSHAKE_MS_MAX = 10_000
export const TRUNK_HANDSHAKES_MAX = 64
/** The same from one address; loopback is exempt. How often it may try is the gate's business. */
export const TRUNK_HANDSHAKES_PER_ADDRESS_MAX = 8
/** Nodes from one at the bottom to the top of the tree. */
export const TRUNK_DEPTH_MAX = 8
/** A child asks so many times in a lease whether its upstream lives. */
export const TRUNK_HEARTBEATS_PER_LEASE = 4
/** How often both ends look at their clocks for it. */
export const TRUNK_TICK_MS = 500
/** Wait between two dials: the first, and the longest. */
export const TRUNK_REDIAL_MS_MIN = 250
export const TRUNK_REDIAL_MS_MAX = 10_000
/** A dial that has not led to a session by then is given up. */
export const TRUNK_DIAL_MS_MAX = 15_000
/** Unsent bytes of a control flow above which what can wait should, and above which it is ended. */
export const TRUNK_BUFFERED_BYTES_HIGH = 64 * 1024
export const TRUNK_BUFFERED_BYTES_MAX = 1024 * 1024
/** Issuer keys told to a child. */
export const TOKEN_KEYS_MAX = 16
/** Relays that a node has enrolled, codes that wait to be used, and how long used and expired ones are remembered. */
export const RELAYS_ENROLLED_MAX = 1_000
export const ENROLMENT_CODES_MAX = 256
export const ENROLMENT_CODE_KEPT_MS = 7 * 86_400_000
/** How often a running node looks whether its book of relays was changed by the command line. */
export const RELAY_BOOK_LOOK_MS = 2_000
/** Who holds the lock of that file longer has died. */
export const RELAY_BOOK_LOCK_MS_MAX = 1_000
/** Bytes of events that may be on their way to a neighbour before it says otherwise, and in one batch. */
export const TRUNK_EVENTS_CREDIT_BYTES = 128 * 1024
export const TRUNK_EVENTS_BATCH_BYTES_MIN = 1_024
export const TRUNK_EVENTS_BATCH_BYTES_MAX = 48 * 1024
/** Batches of events on their way to one neighbour. */
export const TRUNK_EVENTS_BATCHES_MAX = 8
/** A batch that is answered faster makes the next ones larger, one that is answered slower smaller. */
export const TRUNK_EVENTS_BATCH_MS = 500
/** An origin whose events were refused rests so long; one of an unknown kind, or ahead of the clock, longer. */
export const TRUNK_EVENTS_RETRY_MS = 1_000
export const TRUNK_EVENTS_RETRY_LATER_MS = 60_000
/** Origins of one `sync`, and damaged places that it asks for. */
export const TRUNK_SYNC_ORIGINS_MAX = 1_000
export const TRUNK_SYNC_LOST_MAX = 100
/** Origins that one neighbour may name. */
export const TRUNK_ORIGINS_MAX = 65_536
/** How long a link may be measured, in one go. */
export const LINK_TEST_SECONDS_MIN = 10
export const LINK_TEST_SECONDS_MAX = 120
/** For its upstream to answer, and for the last figures to come. */
export const LINK_TEST_ANSWER_MS = 8_000
export const LINK_TEST_LATE_MS = 1_500
/** One child not again before so long after its last test. */
export const LINK_TEST_PAUSE_MS = 60_000
