/**
 * Coming in and being let go: what each outcome means to a client.
 */

import type { GoneCause, Joined } from '../../core/conference/index.ts'
import type { Claims } from '../auth/index.ts'
import type { ErrorCode, Refusal } from '../protocol/index.ts'
import type { Seat } from './seat.ts'

/** A seat for someone without a WebSocket. */
export type Admission = { ok: true; seat: Seat } | ({ ok: false } & Refusal)

/** Who comes in, over which connection. */
export type Entry = {
  claims: Claims
  connection: number
  resume?: { session: string; secret: string }
}
/** A seat and what its holder is told. */
export type Entered = { ok: true; seat: Seat; joined: Joined } | ({ ok: false } & Refusal)

/** After these a client may try again on the same socket. */
export const JOIN_AGAIN: ReadonlySet<ErrorCode> = new Set([
  'session-gone',
  'rate-limited',
  'overloaded',
  'store-unavailable',
])

/** What is said to those whom the conference has let go, unless they left. */
export const GONE: Readonly<Record<Exclude<GoneCause, 'left'>, Refusal>> = {
  kicked: { code: 'kicked', message: 'removed by the chair' },
  'session-gone': { code: 'session-gone', message: 'the session has ended' },
  'room-closed': { code: 'not-found', message: 'the room was closed' },
}
