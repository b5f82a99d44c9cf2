/** What went wrong, with a stable code; and what each code means for the life of the conference. */
import type { ErrorCode } from './messages.ts'

/** `connection-lost` and `timeout` are made here, all others come from the server (docs/PROTOCOL.md §1.3). */
export type ConferenceErrorCode = ErrorCode | 'connection-lost' | 'timeout' | 'ended'

/** A request that the server refused, or that got no answer. */
export class ConferenceError extends Error {
  readonly code: ConferenceErrorCode
  constructor(code: ConferenceErrorCode, message: string) {
    super(message)
    this.name = 'ConferenceError'
    this.code = code
  }
}

/** `end`: no use in trying again by itself; `retry`: later; `rejoin`: at once, as if new. */
export type Fate = 'end' | 'retry' | 'rejoin'

const RETRIED: ReadonlySet<string> = new Set([
  'overloaded',
  'rate-limited',
  'store-unavailable',
  'shutting-down',
  'internal',
  'connection-lost',
  'timeout',
])

/** What a `join` refused with this code, or a `bye` with it, means. Codes unknown to this version are retried. */
export const fateOf = (code: string): Fate => {
  if (code === 'session-gone') return 'rejoin'
  if (RETRIED.has(code)) return 'retry'
  return ENDING.has(code) ? 'end' : 'retry'
}

const ENDING: ReadonlySet<string> = new Set([
  'bad-message',
  'bad-state',
  'unsupported-version',
  'unauthorized',
  'token-expired',
  'token-not-yet-valid',
  'forbidden',
  'not-found',
  'room-locked',
  'room-full',
  'kicked',
  'replaced',
  'too-large',
])
