/**
 * Every bound in the system, in one place, by folder. A bound is not a setting: operators change `config/schema.ts`,
 * we change this file, and a test reaches each bound.
 */

// ---- core/media -------------------------------------------------------------------------------------------

/** Spatial layers of one publication (RIDs). */
export const LAYERS_PER_PUBLICATION_MAX = 3

// ---- core/io ----------------------------------------------------------------------------------------------

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
