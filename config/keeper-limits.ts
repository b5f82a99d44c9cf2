/** Bounds of the stage on disk: core/keeper. See limits.ts. */

/** One segment, and the frames and packets that one may hold. At 2.5 Mbit/s 8 s are 2.5 MB. */
export const SEGMENT_BYTES_MAX = 4 * 1024 * 1024
export const SEGMENT_FRAMES_MAX = 4_096
export const SEGMENT_PACKETS_MAX = 8_192
/** Bytes of one name in the head of a segment: room, participant, name, node. */
export const SEGMENT_NAME_BYTES_MAX = 512
/** A segment is not longer than this, so whoever looks for what overlaps a range looks so far back. */
export const SEGMENT_MS_MAX = 30_000
/** Sound is cut after so long. */
export const SEGMENT_AUDIO_MS = 2_000
/** A picture is cut at the first keyframe after so long. */
export const SEGMENT_VIDEO_MS_MIN = 1_500
/** After so long a keyframe is asked for, and after so long it is cut without one. Keyframes of a screen are large. */
export const SEGMENT_CAMERA_MS = 3_800
export const SEGMENT_SCREEN_MS = 9_800
export const SEGMENT_WITHOUT_KEYFRAME_MS = 20_000
/** How long what is late or sent again is waited for, and how long a track is silent before its segment ends. */
export const SEGMENT_HOLD_MS = 1_000
export const SEGMENT_AUDIO_IDLE_MS = 1_500
export const SEGMENT_VIDEO_IDLE_MS = 5_000
/** Least time between two requests for a keyframe of one track. */
export const SEGMENT_KEYFRAME_MS = 1_000

/** Tracks that are recorded at a time; more are told, and not kept. */
export const KEPT_TRACKS_MAX = 1_024
/** What left the stage is recorded for so long, in case it comes back. */
export const KEPT_LINGER_MS = 3_000
/** Segments that wait for the disk; beyond it the newest are lost, and it is told. */
export const KEEPER_QUEUE_BYTES_MAX = 32 * 1024 * 1024
/** Segments are written together so often, and so many files at a time. */
export const KEEPER_BATCH_MS = 500
export const KEEPER_FILES_AT_ONCE = 8
/** After the disk has refused it is tried again so often. */
export const KEEPER_RETRY_MS = 2_000
/** Reads and puts of others that wait. */
export const KEEPER_REQUESTS_MAX = 64
/** Segments of one answer of the index. */
export const SEGMENTS_PER_LIST_MAX = 20_000
/** What is left free on the disk for the log and others: the oldest segments go before. */
export const KEEPER_FREE_BYTES_MIN = 256 * 1024 * 1024
/** Files are charged in blocks of this size. */
export const KEEPER_BLOCK_BYTES = 4_096
/** Segments that leave the ring in one go. */
export const KEEPER_DROPS_AT_ONCE = 512
/** Damaged segments that are set aside; then the oldest of these goes. */
export const KEEPER_DAMAGED_MAX = 64
