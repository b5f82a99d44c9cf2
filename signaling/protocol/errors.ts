/**
 * The closed set of error codes (docs/PROTOCOL.md §1.3) and what each does to a connection. Clients
 * branch on codes, people read messages; a code is never reused for another meaning.
 */

export const ERROR_CODES = [
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
  'rate-limited',
  'too-large',
  'bad-sdp',
  'unsupported-media',
  'session-gone',
  'overloaded',
  'store-unavailable',
  'shutting-down',
  'internal',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/**
 * A refusal that goes back to a client as it is: `message` is English, for logs, and holds nothing
 * secret.
 */
export type Refusal = { code: ErrorCode; message: string }

/** Close codes of the WebSocket (RFC 6455 §7.4). */
export const CLOSE_LEFT = 1000
const CLOSE_SHUTTING_DOWN = 1001
const CLOSE_POLICY = 1008
const CLOSE_TOO_LARGE = 1009
export const CLOSE_OVERLOADED = 1013

/** The close code that follows a `bye` with this code. */
export function closeCodeFor(code: ErrorCode): number {
  if (code === 'shutting-down') return CLOSE_SHUTTING_DOWN
  if (code === 'too-large') return CLOSE_TOO_LARGE
  if (code === 'overloaded' || code === 'internal') return CLOSE_OVERLOADED
  return CLOSE_POLICY
}

/** The HTTP status that REST, WHIP and WHEP give for a refusal. */
export const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  'bad-message': 400,
  'bad-state': 409,
  'unsupported-version': 400,
  unauthorized: 401,
  'token-expired': 401,
  'token-not-yet-valid': 401,
  forbidden: 403,
  'not-found': 404,
  'room-locked': 403,
  'room-full': 503,
  kicked: 403,
  replaced: 409,
  'rate-limited': 429,
  'too-large': 413,
  'bad-sdp': 400,
  'unsupported-media': 422,
  'session-gone': 404,
  overloaded: 503,
  'store-unavailable': 503,
  'shutting-down': 503,
  internal: 500,
}
