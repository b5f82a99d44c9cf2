/**
 * What a token says, checked field by field. The strings of a token reach pages, logs and other
 * participants, so they are bounded and without control characters; room names additionally reach
 * paths and URLs.
 */

import * as v from 'valibot'
import { NAME_CHARACTERS_MAX, ROOM_NAME_CHARACTERS_MAX } from '../../config/index.ts'
import { ROLES, type Role } from '../../core/conference/index.ts'

/** Of the whole node, never a seat in a room: `admin` may do everything by REST, `operator` look at the node. */
const NODE_ROLES = ['admin', 'operator'] as const
export type TokenRole = Role | (typeof NODE_ROLES)[number]
export const TOKEN_ROLES: readonly TokenRole[] = [...ROLES, ...NODE_ROLES]

/** Whether it opens no room. */
export function isNodeRole(role: TokenRole): role is (typeof NODE_ROLES)[number] {
  return NODE_ROLES.some((known) => known === role)
}

export type Claims = {
  room: string
  role: TokenRole
  site: string
  name: string
  subject: string
  tokenId: string
  /** Unix ms. */
  notBeforeMs: number
  expiresMs: number
}

// Letters of any script, digits and marks; no separators that mean something in a path, no dot in
// front.
const ROOM = /^[\p{L}\p{N}_-][\p{L}\p{N}\p{M}_.-]*$/u
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

const label = (min: number) =>
  v.pipe(
    v.string(),
    v.minLength(min),
    v.maxLength(NAME_CHARACTERS_MAX),
    v.check((value) => !CONTROL.test(value), 'control characters'),
  )
const seconds = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(99_999_999_999))

const PAYLOAD = v.object({
  room: v.pipe(v.string(), v.maxLength(ROOM_NAME_CHARACTERS_MAX)),
  role: v.picklist([...ROLES, ...NODE_ROLES]),
  site: label(0),
  name: label(0),
  sub: v.optional(label(0), ''),
  jti: v.optional(label(0), ''),
  nbf: v.optional(seconds, 0),
  exp: seconds,
})

/** A room name: 1 to 64 letters (any script), digits, `-`, `_` and `.` (not in front), in NFC. */
export function isRoomName(name: string): boolean {
  return (
    name.length <= ROOM_NAME_CHARACTERS_MAX && ROOM.test(name) && name === name.normalize('NFC')
  )
}

/** Claims of a verified payload, undefined when a field is missing or out of bounds. */
export function parseClaims(payload: unknown): Claims | undefined {
  const result = v.safeParse(PAYLOAD, payload)
  if (!result.success) return undefined
  const { room, role, site, name, sub, jti, nbf, exp } = result.output
  if (isNodeRole(role) ? room !== '*' : !isRoomName(room)) return undefined
  return {
    room,
    role,
    site,
    name,
    subject: sub,
    tokenId: jti,
    notBeforeMs: nbf * 1000,
    expiresMs: exp * 1000,
  }
}
