/** Every bound and waiting time of the SDK. The bounds of the server are in config/limits.ts. */

/** Tiles (small pictures) negotiated when the caller does not say. */
export const TILES_DEFAULT = 6
/** More tiles than this are not negotiated, whatever the caller says. */
export const TILES_MAX = 24
/** Audio slots: the loudest three are heard. */
export const AUDIO_SLOTS = 3
/** Chat entries kept in memory; older ones are asked for again. */
export const CHAT_ENTRIES_MAX = 500
/** Requests without an answer; one more is refused at once. */
export const REQUESTS_PENDING_MAX = 64
/** A request fails after this. */
export const REQUEST_TIMEOUT_MS = 10_000
/** An attempt to connect is given up, and the next one planned, after this. */
export const CONNECT_TIMEOUT_MS = 10_000
/** A ping is sent when nothing was heard for this long. */
export const PING_INTERVAL_MS = 10_000
/** The socket counts as dead when nothing is heard for this long after a ping. */
export const PONG_TIMEOUT_MS = 6_000
/** First and longest delay between attempts to reconnect. There is no last attempt. */
export const BACKOFF_MS_MIN = 500
export const BACKOFF_MS_MAX = 10_000
/** ICE often heals itself: wait this long in `disconnected` before a restart. */
export const ICE_PATIENCE_MS = 3_000
/** An ICE restart, or a fresh transport, that is not connected after this is followed by a fresh transport. */
export const MEDIA_RECOVERY_MS = 10_000
/** Statistics are read this often. */
export const STATISTICS_INTERVAL_MS = 2_000
/** Changes of the view within this time are sent as one. */
export const VIEW_DEBOUNCE_MS = 150
/** "Reconnect now" replaces an attempt that has hung for longer than this. */
export const STALE_ATTEMPT_MS = 1_500
