/**
 * The fields that messages are made of, with their bounds. Every string from outside passes one of
 * these.
 */

import * as v from 'valibot'
import { NAME_CHARACTERS_MAX, POLL_OPTIONS_MAX } from '../../config/index.ts'

const MID = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,16}$/
// Tabs and line ends are text; other control characters are for terminals, not for people.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

export const uint = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff))
/** A count of milliseconds or a hybrid time: integers up to 2^53 - 1. */
export const wideUint = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(Number.MAX_SAFE_INTEGER),
)

/** Text of `min` to `max` UTF-16 units without control characters. */
export function text(min: number, max: number) {
  return v.pipe(
    v.string(),
    v.minLength(min),
    v.maxLength(max),
    v.check((value) => !CONTROL.test(value), 'control characters'),
  )
}

export const participantId = text(1, 64)
export const mid = v.pipe(v.string(), v.regex(MID))
export const sourceUse = v.picklist(['microphone', 'camera', 'screen'])
/** A site, or one participant. */
export const successor = v.union([
  v.strictObject({ site: text(0, NAME_CHARACTERS_MAX) }),
  v.strictObject({ participant: participantId }),
])
/** Server-made. */
export const pollId = text(1, 64)
/** Index of an option. */
export const pollOption = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(POLL_OPTIONS_MAX - 1),
)
export const slotUse = v.picklist(['audio', 'main', 'tile'])
export const role = v.picklist(['chair', 'speaker', 'viewer', 'observer'])
/** Pixels of one edge as a client draws it. */
export const pixels = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(16_384))
export const pageLimit = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100))
