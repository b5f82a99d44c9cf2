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
