/**
 * Every bound in the system, in one place, by folder. A bound is not a setting: operators change `config/schema.ts`,
 * we change this file, and a test reaches each bound. Those of bench/ are in bench-limits.ts,
 * those of the trunks in control-limits.ts and trunk-limits.ts, those of the stage on disk in keeper-limits.ts.
 */
export * from './bench-limits.ts'
export * from './control-limits.ts'
export * from './keeper-limits.ts'
export * from './trunk-limits.ts'

// ---- core/media -------------------------------------------------------------------------------------------

/** Spatial layers of one publication (RIDs). */
export const LAYERS_PER_PUBLICATION_MAX = 3

/** Estimate of what one peer can take: where it starts, and between what it stays. */
export const ESTIMATE_START_BPS = 300_000
export const ESTIMATE_MIN_BPS = 20_000
export const ESTIMATE_MAX_BPS = 20_000_000
/** The same for one direction of a trunk, headers of IP and UDP included. */
export const TRUNK_ESTIMATE_START_BPS = 200_000
export const TRUNK_ESTIMATE_MIN_BPS = 32_000
export const TRUNK_ESTIMATE_MAX_BPS = 20_000_000

/** RFC 2198 blocks of one RED packet, the primary included. */
export const RED_BLOCKS_MAX = 8

/** Handler calls (report blocks, NACKed numbers, PLIs ...) that one RTCP datagram may cause. */
export const RTCP_ITEMS_MAX = 1_024

/** Packet statuses of all transport-wide feedback in one RTCP datagram. */
export const RTCP_FEEDBACK_STATUSES_MAX = 8_192

/** Packet statuses of one transport-wide feedback that we write: about 1,000 bytes at worst. */
export const RTCP_FEEDBACK_WRITTEN_MAX = 400

/** Numbers that one stream may be missing at a time, counted from the oldest to the newest. */
export const NACK_SPAN_MAX = 1_024
/** Consecutive numbers missing at once beyond which a keyframe is asked for instead. */
export const NACK_GAP_MAX = 256
/** Requests for one missing number. */
export const NACK_TRIES_MAX = 10
/** Numbers requested by one feedback message. */
export const NACK_BATCH_MAX = 256

/** RFC 3550 A.1: a jump ahead that is still the same run of numbers. */
export const SEQUENCE_DROPOUT_MAX = 3_000
/** RFC 3550 A.1 has 100; retransmissions on the original SSRC come later than that. */
export const SEQUENCE_MISORDER_MAX = 1_024
/** Numbers behind the highest in which duplicates are told apart; a power of two. */
export const SEQUENCE_WINDOW = 4_096

/** Transport-wide numbers remembered for feedback; a power of two. */
export const FEEDBACK_WINDOW = 8_192
/** A jump in transport-wide numbers that is reported as loss; beyond it reporting starts anew. */
export const FEEDBACK_GAP_MAX = 4_096
/** Numbers that a late arrival may take reporting back. */
export const FEEDBACK_REWIND_MAX = 1_000

/** A layer changes its SSRC at most once in this time. */
export const SSRC_CHANGE_MS_MIN = 1_000

/** Bits per second beyond which a REMB is cut. */
export const RTCP_REMB_BPS_MAX = 10_000_000_000

// core/media/forward

/** Packets that one layer's cache can find again; a power of two. At 2.5 Mbit/s about two seconds. */
export const CACHE_PACKETS = 512
/** Bytes of one layer's cache: starts small, grows with the measured rate. Powers of two. */
export const CACHE_BYTES_MIN = 16 * 1024
export const CACHE_BYTES_MAX = 512 * 1024
/** What the cache should hold at the measured rate. */
export const CACHE_MS = 1_000
/** Changes of numbering that a slot remembers, for late packets and NACK; powers of two. */
export const SEGMENTS_VIDEO = 64
export const SEGMENTS_AUDIO = 4
/** A late packet this many numbers behind the newest is of no use to the receiver. */
export const LATE_PACKETS_MAX = 512
/** A larger jump of the source is a new beginning (keyframe needed), so that receivers' windows are never skipped. */
export const SOURCE_GAP_PACKETS_MAX = 1_000
/** The old picture stays at most so long while the new one's keyframe is awaited. */
export const SWITCH_HOLD_MS = 2_000
/** Largest RTP packet that is forwarded, plain; fits an MTU of 1,500 with all headers. */
export const FORWARDED_BYTES_MAX = 1_400

// core/media/engine

/** The engine's own beat. */
export const ENGINE_TICK_MS = 10
/** Transports of one engine; each has a few fixed slots. */
export const ENGINE_TRANSPORTS_MAX = 4_096
/** Rooms of one engine; beyond it one without members forgets its assignment. */
export const ENGINE_ROOMS_MAX = 8_192
/** Sections of one transport, and so its slots and publications. */
export const SECTIONS_PER_TRANSPORT_MAX = 64
/** Publications of one room on one engine, imported ones included. */
export const PUBLICATIONS_PER_ROOM_MAX = 1_024
/** Answers to NACK that one transport may get at once, and per second. */
export const RESEND_BURST_PACKETS = 256
export const RESEND_PACKETS_PER_S = 500
/** Packets of a slot whose last answer is remembered; a power of two. */
export const RESENT_LOG_PACKETS = 256
/**
 * A layer silent for so long while others flow was switched off by its encoder. What is shown of it stands still until
 * this, a turn and a keyframe have passed: together under a second.
 */
export const LAYER_STALE_MS = 400
/** A publication without a packet for so long is reported as silent. */
export const FLOWING_SILENCE_MS = 2_000

/** A participant whose streams fare as before hears of it this often; of changes at most every 2 s. */
export const QUALITY_REPEAT_MS = 10_000
/** A layer's newest keyframe with what followed: bytes, packets, age of its first packet. */
export const KEYFRAME_CACHE_BYTES_MIN = 32 * 1024
export const KEYFRAME_CACHE_BYTES_MAX = 512 * 1024
export const KEYFRAME_CACHE_PACKETS_MAX = 1_024
export const KEYFRAME_FRESH_MS = 2_000
/** Layers of imported video whose keyframe one engine keeps, and what a new viewer gets of one at once. */
export const REPLAY_CACHES_MAX = 128
export const REPLAY_BYTES_MAX = 256 * 1024
/** One frame of the handoff between workers. */
export const HANDOFF_BYTES_MAX = 1_536

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
/** Nursery of a media worker's heap: its garbage dies at once, so a larger one only costs memory and cache. */
export const WORKER_YOUNG_GENERATION_MB = 12
/** A restarting media worker waits this long, so that a crash loop does not eat the machine. */
export const WORKER_RESTART_MS = 1_000
/** Bytes of a ring between two workers (a power of two), made when the first publication crosses; full drops. */
export const PACKET_RING_BYTES = 1024 * 1024
/** One frame in such a ring: a plain packet with what the engine says about it. */
export const HANDOFF_FRAME_BYTES_MAX = 2_048
/** Frames that a worker takes from a ring before its sockets have their turn. */
export const LINK_FRAMES_PER_TURN = 32
/** Layer wants of other workers for publications that are not exported to them (yet). */
export const EARLY_WANTS_MAX = 256
/** A worker's levels older than this are not told again with those of others. */
export const LEVELS_FRESH_MS = 150
/** Closed transports whose DTLS close_notify is still awaited from the handshaker. */
export const FAREWELLS_MAX = 256
/** Exceptions out of the engine's timers in ten seconds after which a worker ends itself. */
export const WORKER_FAULTS_MAX = 10
/** SRTP and SRTCP datagrams longer than this are dropped unread; browsers stay below 1,300. */
export const MEDIA_DATAGRAM_BYTES_MAX = 1_500
/** A question for a transport's statistics is answered within this time. */
export const STATS_ANSWER_MS = 2_000

// ---- core/io/dtls -----------------------------------------------------------------------------------------

/** Handshakes between first ClientHello and their end; beyond it the oldest that answered nothing yet goes. */
export const HALF_OPEN_HANDSHAKES_MAX = 2_048
/** Transports that one handshaker knows, in whatever state. */
export const DTLS_TRANSPORTS_MAX = 65_536
/** From our first look at a ClientHello to Finished, unless the peer's answer is waiting in our own queue. */
export const HANDSHAKE_MS_MAX = 10_000
/** From a peer's first datagram to the end, however long our queue: a storm shall be late, not refused. */
export const HANDSHAKE_STORM_MS_MAX = 28_000
/** First and following repetitions of an unanswered flight double from here (RFC 6347 §4.2.4.1). */
export const FLIGHT_REPEAT_MS_MIN = 1_000
/** A repeated ClientHello or Finished is answered at most this often, doubling with each answer. */
export const FLIGHT_ANSWER_MS_MIN = 100
/** All that we send to a peer before it proves its key: five times our largest flight, and some. */
export const UNPROVEN_BYTES_OUT_MAX = 6 * 1024
/** Datagrams of one handshake; an honest peer that repeats everything for ten seconds sends about 60. */
export const HANDSHAKE_DATAGRAMS_MAX = 256
/** Handshake fragments of one handshake. */
export const HANDSHAKE_FRAGMENTS_MAX = 512
/** Announced lengths of all incomplete handshake messages of one peer together. */
export const HANDSHAKE_BYTES_MAX = 16 * 1024
/** Handshake messages that may wait for an earlier one; our peers' flights have at most five. */
export const HANDSHAKE_MESSAGES_AHEAD_MAX = 6
/** Records of one datagram. */
export const RECORDS_PER_DATAGRAM_MAX = 16
/** Encrypted records that may wait for the keys. */
export const ENCRYPTED_RECORDS_WAITING_MAX = 4
/** Datagrams of one transport that wait for the handshaker. */
export const DTLS_DATAGRAMS_QUEUED_MAX = 16
/** Datagrams of all transports that wait for the handshaker: 12 MB at most. */
export const DTLS_DATAGRAMS_QUEUED_ALL_MAX = 8_192
/** Fingerprints of one SDP that are looked at. */
export const FINGERPRINTS_MAX = 8
/** RSA keys of peers; longer ones cost too much to verify. */
export const RSA_KEY_BITS_MAX = 4_096

// ---- core/io/srtp -----------------------------------------------------------------------------------------

/** Plain RTP or RTCP packet that is sealed or opened; larger ones are refused. */
export const SRTP_PACKET_BYTES_MAX = 1_500
/** Prepared HMAC keys of one worker; a transport uses four. */
export const SRTP_KEYS_PER_WORKER_MAX = 4 * TRANSPORTS_PER_WORKER_MAX
/** Sealed packets that the socket may still be reading; more than UDP_SEND_QUEUE_MAX. */
export const SRTP_SLAB_SLOTS = 4_096
/** SSRCs that one transport may open for sending, in its whole life. */
export const SRTP_SEND_SSRCS_MAX = 256
/** SSRCs of one transport that have once sent an authentic packet; separately for SRTP and SRTCP. */
export const SRTP_RECEIVE_SSRCS_MAX = 64
/** Indexes behind the newest in which a replay is told from a late packet (RFC 3711 §3.3.2). */
export const SRTP_REPLAY_WINDOW = 1_024
/** The same for SRTCP. */
export const SRTCP_REPLAY_WINDOW = 128
/** Indexes behind the newest that may be sealed again for a retransmission. */
export const SRTP_RESEAL_WINDOW = 1_024
/** Keystream made ahead for one stream: this many bytes (at least four packets), or this many packets. */
export const SRTP_KEYSTREAM_AHEAD_BYTES = 12_288
export const SRTP_KEYSTREAM_AHEAD_PACKETS_MAX = 32

// ---- core/conference --------------------------------------------------------------------------------------

/** Present participants of one room, as admitted by one node. */
export const PARTICIPANTS_PER_ROOM_MAX = 5_000

/** Open rooms of one node. */
export const ROOMS_MAX = 1_000

/** Members of one stage; speakers who join a full stage start in the audience. */
export const STAGE_MEMBERS_MAX = 100

/** Kicked subjects or tokens that a room remembers; a chair cannot kick more until some expire. */
export const KICKS_PER_ROOM_MAX = 1_000

/** Chat entries that a room keeps at hand; older ones stay in the log on disk. */
export const CHAT_ENTRIES_PER_ROOM_MAX = 1_000

/** UTF-16 units of one chat text. */
export const CHAT_TEXT_CHARACTERS_MAX = 2_000

/** Polls that a room keeps at hand, open or closed, and what one may ask. */
export const POLLS_PER_ROOM_MAX = 10
export const POLL_OPTIONS_MIN = 2
export const POLL_OPTIONS_MAX = 10
export const POLL_QUESTION_CHARACTERS_MAX = 300
export const POLL_OPTION_CHARACTERS_MAX = 100
/** Voters of one poll: who comes again without a `sub` in the token is another. */
export const VOTES_PER_POLL_MAX = 20_000

/** Sites or people who are to moderate, one after the other, where a part of the tree is cut off. */
export const SUCCESSION_ENTRIES_MAX = 32
/** Nodes of one island, as its acting chair's event names them; those beyond are not moderated. */
export const ISLAND_NODES_MAX = 256

/** Entries of one page of chat history. */
export const CHAT_PAGE_ENTRIES_MAX = 100

/** Entries that a joining participant gets at once. */
export const CHAT_ON_JOIN_ENTRIES = 50

/** Members of one roster page. */
export const ROSTER_PAGE_MEMBERS_MAX = 100

/** Head of the queue of raised hands that travels to everyone; the rest is a count. */
export const HANDS_SHOWN_MAX = 100

/** UTF-16 units of a room's name, and of each string of an identity. */
export const ROOM_NAME_CHARACTERS_MAX = 64
export const IDENTITY_CHARACTERS_MAX = 256
export const KICK_REASON_CHARACTERS_MAX = 200

/** How long a session waits for its participant to come back. */
export const SESSION_RESUME_MS = 60_000

/** How long an empty room stays open, and one that the operator made and nobody has used yet. */
export const ROOM_EMPTY_MS = 300_000
export const ROOM_UNUSED_MS = 86_400_000

/** Least time between two `room` deltas of one room: five a second. */
export const ROOM_DELTA_INTERVAL_MS = 200
/**
 * The same for a delta of counts alone, by participant who gets it: 500 messages a second whatever
 * the size of a room.
 */
export const ROOM_COUNTS_MS_PER_PARTICIPANT = 2

/** How far ahead of our wall clock another node's event may be; one further ahead waits until its time comes. */
export const CLOCK_AHEAD_MS_MAX = 7_200_000

/** A room keeps a snapshot of its state at least this many events apart, and so many of them, for late events. */
export const LOG_SNAPSHOT_EVENTS_MIN = 256
export const LOG_SNAPSHOTS_MAX = 4

/** A room that closes leaves a checkpoint when reading it anew would cost at least so many events. */
export const CHECKPOINT_EVENTS_MIN = 256

/** Requests waiting for the next flush; further ones are answered `overloaded`. */
export const REQUESTS_QUEUED_MAX = 10_000

/** Speakers that the director remembers for the picture that the main speaker sees. */
export const SPEAKERS_REMEMBERED_MAX = 8

/** Pause between two attempts to write while the disk refuses. */
export const STORE_RETRY_MS = 1_000

// ---- core/store -------------------------------------------------------------------------------------------

/** The event log on disk: some 200 million events. */
export const EVENT_LOG_BYTES_MAX = 68_719_476_736

/** UTF-8 bytes of one event's payload as stored. */
export const EVENT_PAYLOAD_BYTES_MAX = 16_384

/** Events handed to another node at once. */
export const EVENTS_PER_EXCHANGE_MAX = 1_000

/** From the beginning of one transaction to that of the next, at least; requests gather meanwhile. */
export const STORE_BATCH_MS = 5

// ---- signaling --------------------------------------------------------------------------------------------

/** WebSocket frame of an `offer`; every other message has the smaller bound below. */
export const OFFER_BYTES_MAX = 256 * 1024
export const MESSAGE_BYTES_MAX = 64 * 1024
/** WebSocket fragments of one message; browsers send whole ones, and each costs memory however small it is. */
export const MESSAGE_FRAGMENTS_MAX = 256
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
/** Nesting and number of values of one message. */
export const MESSAGE_DEPTH_MAX = 6
export const MESSAGE_VALUES_MAX = 4_096
/** Characters of the names of people and sites in a token. */
export const NAME_CHARACTERS_MAX = 100
/** Messages of one connection: sustained rate and burst. */
export const MESSAGES_PER_S_MAX = 50
export const MESSAGES_BURST_MAX = 100
/** Refused messages of one connection: more at once end it, and so many are forgiven per minute. */
export const REFUSALS_PER_MIN_MAX = 100
/** Requests of one connection that wait for the conference. */
export const REQUESTS_IN_FLIGHT_MAX = 64
/** Joins with one token. A room's common token may bring a whole hall back at once. */
export const JOINS_PER_TOKEN_PER_S_MAX = 50
export const JOINS_PER_TOKEN_BURST_MAX = 1_500
/** Sockets of one address (loopback exempt), and sockets that have not joined yet. */
export const SOCKETS_PER_ADDRESS_MAX = 2_000
export const SOCKETS_WAITING_MAX = 5_000
/** Addresses and tokens whose rates are remembered. */
export const RATE_KEYS_MAX = 16_384
/** A socket that has not joined by then is closed. */
export const JOIN_MS_MAX = 10_000
/** Unsent bytes of a session above which statistics are left out, and above which it is ended (1013). */
export const STATISTICS_BUFFERED_BYTES_MAX = 64 * 1024
export const SESSION_BUFFERED_BYTES_MAX = 1024 * 1024
/** WHIP and WHEP resources that live at once. */
export const WHIP_RESOURCES_MAX = 2_000
/** Bodies of REST requests. */
export const API_BODY_BYTES_MAX = 16 * 1024
/** A refused body up to this size is read to its end, so that its sender sees the answer. */
export const REFUSED_BODY_BYTES_MAX = 1024 * 1024
/** The built page: files served at all, and bytes of each that are kept in memory. */
export const PAGE_FILES_MAX = 2_000
export const PAGE_FILE_BYTES_MAX = 8 * 1024 * 1024
export const PAGE_CACHE_BYTES_MAX = 64 * 1024 * 1024
/** How often sessions look at the clock: join deadlines, director dwell, slot changes. */
export const SESSION_TICK_MS = 50
/** Least time between two messages on the way to the node above, for all clients of a relay. */
export const UPSTREAM_NOTICE_MS = 2_000
/** How far the clocks of a site and of this node may differ. */
export const TOKEN_LEEWAY_S = 300
/** Verified tokens remembered. */
export const TOKENS_CACHED_MAX = 8_192
/** m-lines of an SDP that are read at all; more are refused before parsing. */
export const SECTIONS_PER_OFFER_MAX = 64
export const SDP_BYTES_MAX = 192 * 1024
export const SDP_LINES_MAX = 8_000
export const SDP_LINE_BYTES_MAX = 4_096
/** Sections accepted per offer and use. */
export const AUDIO_SLOTS_MAX = 8
export const TILES_MAX = 24
/** Entries of one section of an SDP that are looked at. */
export const CODECS_PER_SECTION_MAX = 128
/** Text of codec lines whose meaning is remembered. */
export const CODEC_BLOCKS_CACHED_BYTES_MAX = 2 * 1024 * 1024
export const SSRCS_PER_SECTION_MAX = 16
