/** Bounds of the trunks' media flow, their desk and what is told of them; limits.ts hands them out. */

// ---- relay/repair -----------------------------------------------------------------------------------------

/** One datagram's payload, and one frame in it, as repair keeps them; longer ones are not kept. */
export const REPAIR_PAYLOAD_BYTES_MAX = 1_500
/** Indexes that one parity frame may span, backwards from the newest. */
export const PARITY_SPAN = 64
/** Newest payloads that the far end keeps to compare with parity; a power of two, at least twice the span. */
export const PARITY_KEPT = 128
/** Parity frames that wait for others to solve what is missing. */
export const PARITY_EQUATIONS_MAX = 32
/** A protected datagram waits at most this long for parity that covers it. */
export const PARITY_CLOSE_MS = 150
/** Audio frames of one stream kept for copies, a power of two, and the longest of them. */
export const AUDIO_COPY_FRAMES = 32
export const AUDIO_COPY_BYTES_MAX = 1_280
export const AUDIO_COPY_BYTES_KEPT = 8_192
/** Streams of one trunk whose audio gets copies at once; beyond it the one silent longest is forgotten. */
export const AUDIO_COPY_STREAMS_MAX = 64
/** Copies that wait for a datagram; a power of two. */
export const AUDIO_COPIES_WAITING_MAX = 256
/** Frames of one layer among which duplicates are known; a power of two. */
export const DUPLICATE_WINDOW = 512
/** Newest datagrams of a trunk whose loss can still be asked for; a power of two. */
export const TRUNK_NACK_SPAN = 2_048
/** A gap of more datagrams is an outage: it is settled at once, not asked for. */
export const TRUNK_NACK_GAP_MAX = 512
export const TRUNK_NACK_TRIES_MAX = 4
/** What was sent, for sending again: datagrams (a power of two), frames (likewise), bytes, age. */
export const SENT_DATAGRAMS_KEPT = 2_048
export const SENT_FRAMES_KEPT = 4_096
export const SENT_BYTES_KEPT = 512 * 1024
export const SENT_KEPT_MS = 1_500
/** Frames that one layer's release may hold, a power of two, and their bytes; beyond it the oldest go out. */
export const RELEASE_FRAMES_MAX = 512
export const RELEASE_BYTES_MIN = 16 * 1024
export const RELEASE_AUDIO_BYTES_MAX = 64 * 1024
export const RELEASE_VIDEO_BYTES_MAX = 1024 * 1024
/** The longest hold that a far end may ask of us. */
export const RELEASE_HOLD_MS_MAX = 1_000
/** All frames of one Opus packet that is merged or split. */
export const OPUS_JOINED_BYTES_MAX = 4_096

// ---- the desk of the trunks (relay/desk) ----

/** Tracks that a node knows in all, and those that one trunk may bring. */
export const TRACKS_PER_NODE_MAX = 4_096
export const TRACKS_PER_TRUNK_MAX = 2_048
/** Tracks of one `announce`. */
export const TRACKS_PER_ANNOUNCE_MAX = 64
/** A stream's number on a trunk is 1..65535. */
export const STREAM_ID_MAX = 65_535
/** Rooms whose choice is remembered, and rooms of interest below one trunk. */
export const CHOICES_MAX = 1_024

// ---- relay/status: what is told of trunks, and remembered -------------------------------------------------

/** Steps of the plots: ten minutes. */
export const STATUS_HISTORY_STEP_MS = 5_000
export const STATUS_HISTORY_STEPS = 120
/** Kinds of shedding told of one way of a link. */
export const STATUS_SHED_MAX = 8
/** Relays of one message to the node above; the others take their turns. */
export const STATUS_RELAYS_PER_MESSAGE = 16
/** Relays known below one child, and below this node in all. */
export const STATUS_RELAYS_PER_CHILD_MAX = 256
export const STATUS_RELAYS_MAX = 1_024
/** Between two messages on one link, and what they may take of its estimate. */
export const STATUS_INTERVAL_MS = 1_000
export const STATUS_INTERVAL_MS_MAX = 10_000
export const STATUS_SHARE_MAX = 0.02
/** Nothing heard about a relay for so long: what is known of it is old. */
export const STATUS_SILENT_MS = 60_000
/** A relay that is lost is remembered for so long. */
export const STATUS_LOST_MS = 24 * 3_600_000

// ---- relay/router, relay/io/trunk-* -----------------------------------------------------------------------

/** Trunks of one node at once: its upstream's and its children's. */
export const TRUNKS_MAX = 256
/** Layer wants of workers for publications that do not cross to them (yet). */
export const ROUTE_EARLY_WANTS_MAX = 1_024
/**
 * Layers of video whose newest keyframe one trunk thread keeps, and what a late child or worker gets of one at once.
 */
export const ROUTE_CACHES_MAX = 128
export const ROUTE_REPLAY_TRUNK_BYTES_MAX = 64 * 1024
export const ROUTE_REPLAY_WORKER_BYTES_MAX = 256 * 1024
/** One layer is asked for a keyframe at most once in this time, however many want one. */
export const ROUTE_KEYFRAME_MS = 300
/** How often the levels of other nodes' audio are told. */
export const ROUTE_LEVELS_MS = 50
/** A trunk without an authentic datagram for so long is told as silent. */
export const TRUNK_SILENT_MS = 3_000
/** The dialling side goes through the WebSocket when UDP has been silent for so long, and tries UDP again so often. */
export const TRUNK_TUNNEL_AFTER_MS = 3_000
export const TRUNK_UDP_RETRY_MS = 30_000
/** Such a try lasts so long, and this often during it one datagram goes both ways. */
export const TRUNK_UDP_RETRY_FOR_MS = 600
export const TRUNK_UDP_RETRY_STEP_MS = 100
/** Without an order of its owner a NAT forgets a silent flow after some 30 s: datagrams go at least this often. */
export const TRUNK_KEEPALIVE_MS = 15_000

// ---- relay/wire, relay/trunk: the media flow of a trunk ---------------------------------------------------

/** Streams that one trunk carries, each way. */
export const TRUNK_STREAMS_MAX = 4_096
/** Bytes of a frame that crosses in parts, and how many such frames are put together at a time. */
export const TRUNK_FRAGMENT_BYTES_MAX = 2_048
export const TRUNK_FRAGMENTED_FRAMES_MAX = 8
/**
 * UDP payload of a datagram: where the search for the path's begins, between what it stays. 1,452 + 48 is Ethernet's
 * over IPv6.
 */
export const TRUNK_DATAGRAM_BYTES_START = 1_200
export const TRUNK_DATAGRAM_BYTES_MIN = 548
export const TRUNK_DATAGRAM_BYTES_MAX = 1_452
/** What a datagram costs beside its frames: IPv4 and UDP, RTP header, SRTP tag. */
export const TRUNK_IP_UDP_BYTES = 28
export const TRUNK_RTP_BYTES = 12
export const TRUNK_TAG_BYTES = 10
/** Datagrams whose fate is remembered by their sender, and whose arrival is by their receiver; powers of two. */
export const TRUNK_SENT_LOG = 4_096
export const TRUNK_ARRIVAL_LOG = 4_096
/** Bytes that wait to be sent, by what they are. Powers of two. */
export const TRUNK_AUDIO_QUEUE_BYTES = 64 * 1024
export const TRUNK_VIDEO_QUEUE_BYTES = 512 * 1024
/** Wants that are told in one datagram at most; the others follow. */
export const TRUNK_DEMAND_PAIRS_MAX = 200
/** Keyframes that one end waits for at a time. */
export const TRUNK_KEYFRAME_ASKS_MAX = 256
/** Ranges that one request to send again names, and datagrams that one answers. */
export const TRUNK_NACK_RANGES_MAX = 64
/** Answers that wait. */
export const TRUNK_RESEND_QUEUE_BYTES = 64 * 1024
