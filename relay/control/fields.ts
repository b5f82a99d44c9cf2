/** Fields that messages of the control flow have in common. */
import * as v from 'valibot'
import {
  NAME_CHARACTERS_MAX,
  ROOM_NAME_CHARACTERS_MAX,
  TRUNK_LIST_ENTRIES_MAX,
} from '../../config/limits.ts'

const CONTROL = /\p{Cc}/u

const base64 = (byteCount: number) =>
  v.pipe(
    v.string(),
    v.length(Math.ceil((byteCount * 4) / 3)),
    v.regex(/^[A-Za-z0-9_-]+$/),
    v.transform((text): Uint8Array => Buffer.from(text, 'base64url')),
  )

/** 32 raw bytes in base64url. */
export const key = base64(32)
export const signature = base64(64)
export const nonce = base64(32)
export const shortId = base64(16)

/** A node or participant id, as in the log. */
export const id = v.pipe(v.string(), v.regex(/^[a-z][a-z2-7]{1,32}$/))
export const naturalNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
export const positiveNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
export const uint32 = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(0xffffffff))
export const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535))
/** Text that may stand in a log line. */
export const label = (charactersMax: number) =>
  v.pipe(
    v.string(),
    v.maxLength(charactersMax),
    v.check((text) => !CONTROL.test(text), 'control characters'),
  )
export const name = label(NAME_CHARACTERS_MAX)
export const room = v.pipe(label(ROOM_NAME_CHARACTERS_MAX), v.minLength(1))

export const list = <const S extends v.GenericSchema>(item: S, countMax = TRUNK_LIST_ENTRIES_MAX) =>
  v.pipe(v.array(item), v.maxLength(countMax))

/** The reverse of `key` and its like. */
export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
