/**
 * Every bound in the system, in one place, by folder. A bound is not a setting: operators change `config/schema.ts`,
 * we change this file, and a test reaches each bound.
 */

// ---- core/media -------------------------------------------------------------------------------------------

/** Spatial layers of one publication (RIDs). */
export const LAYERS_PER_PUBLICATION_MAX = 3

/** RFC 2198 blocks of one RED packet, the primary included. */
export const RED_BLOCKS_MAX = 8

/** NACKed sequence numbers that one RTCP datagram may bring; the rest of it is ignored. */
export const RTCP_NACK_SEQUENCES_MAX = 1_024

/** Report blocks that one RTCP datagram may bring. */
export const RTCP_REPORT_BLOCKS_MAX = 128

/** Packet statuses of one transport-wide feedback; a larger claim is refused whole. */
export const RTCP_FEEDBACK_STATUSES_MAX = 8_192

/** Bits per second beyond which a REMB is cut. */
export const RTCP_REMB_BPS_MAX = 10_000_000_000

/** Bytes of a CNAME that is handed on (RFC 3550 §6.5 allows 255). */
export const RTCP_CNAME_BYTES_MAX = 255

// ---- core/io ----------------------------------------------------------------------------------------------

/** A STUN message longer than this is dropped unread; browsers' checks are about 100 bytes. */
export const STUN_BYTES_MAX = 1_280
/** Attributes of one STUN message; browsers send eight. */
export const STUN_ATTRIBUTES_MAX = 32
/** RFC 8489 §14.3: fewer than 509 bytes. */
export const STUN_USERNAME_BYTES_MAX = 508
/** Unknown comprehension-required types that a 420 answer lists. */
export const STUN_UNKNOWN_REQUIRED_MAX = 8
/** Media worker threads of a node. */
export const WORKERS_MAX = 64
/** Transports of one media worker, connected or not. */
export const TRANSPORTS_PER_WORKER_MAX = 4_000
/** Transports of one media worker that have not finished DTLS; beyond it the newest is refused. */
export const HALF_OPEN_TRANSPORTS_MAX = 2_000
/** Authenticated 5-tuples that one transport may hold; beyond it the one heard longest ago goes. */
export const TUPLES_PER_TRANSPORT_MAX = 4
/** A transport that has not finished ICE and DTLS after this long ends as `never-connected`. */
export const TRANSPORT_CONNECT_MS = 30_000
/** RFC 7675 §5.1: consent ends this long after the last authenticated datagram. */
export const CONSENT_MS = 30_000
/** A valid check without USE-CANDIDATE moves the call when the selected 5-tuple has been silent this long. */
export const TUPLE_SILENT_MS = 5_000
/** Datagrams of one transport handed to the handshaker per second; honest handshakes need about 20. */
export const DTLS_DATAGRAMS_PER_S_MAX = 64
/** SO_RCVBUF and SO_SNDBUF asked of the kernel for each media socket. */
export const UDP_BUFFER_BYTES = 4 * 1024 * 1024
/** Datagrams that libuv may hold for one socket behind a slow device; beyond it new ones are dropped. */
export const UDP_SEND_QUEUE_MAX = 2_048
/** A restarting media worker waits this long, so that a crash loop does not eat the machine. */
export const WORKER_RESTART_MS = 1_000
/** Packets that wait in a ring between two workers; a full ring drops the newest. */
export const PACKET_RING_SLOTS = 1_024
/** Largest plain RTP packet that crosses between workers. */
export const PACKET_RING_PACKET_BYTES_MAX = 1_500
/** A question for a transport's statistics is answered within this time. */
export const STATS_ANSWER_MS = 2_000

// ---- core/conference --------------------------------------------------------------------------------------

// ---- signaling --------------------------------------------------------------------------------------------

/** WebSocket frame of an `offer`; every other message has the smaller bound below. */
export const OFFER_BYTES_MAX = 256 * 1024
export const MESSAGE_BYTES_MAX = 64 * 1024
/** Unsent bytes of one socket at which the door itself cuts it, whatever the session thinks. */
export const DOOR_BUFFERED_BYTES_MAX = 4 * 1024 * 1024
/** A closing handshake gets this long before the connection is cut. */
export const DOOR_CLOSE_MS = 2_000
/** A WebSocket without any frame (pongs included) for this long is cut. */
export const DOOR_IDLE_S = 60
export const HEADER_COUNT_MAX = 100
export const HEADER_BYTES_MAX = 16 * 1024
/** A request must have arrived whole within this time. */
export const REQUEST_MS_MAX = 10_000
