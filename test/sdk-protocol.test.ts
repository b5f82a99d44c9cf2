/**
 * Holds the SDK's own words (web/sdk, which may not import the server) against the schemas of
 * signaling: a code, a message or a field that only one side knows is red. Types are held by `tsc`,
 * the names also when this runs.
 */
import test from 'ava'
import {
  CLIENT_MESSAGES,
  ERROR_CODES,
  SERVER_MESSAGES,
  type ErrorCode as ServerErrorCode,
  type ClientMessage as ServersClientMessage,
  type ServerMessage as ServersServerMessage,
} from '../signaling/protocol/index.ts'
import type { ClientMessage, ErrorCode, ServerMessage } from '../web/sdk/messages.ts'

// Exact lists: a missing name and one too many are both errors of type, so the lists are what the SDK knows.
const SDK_CODES: Record<ErrorCode, true> = {
  'bad-message': true,
  'bad-state': true,
  'unsupported-version': true,
  unauthorized: true,
  'token-expired': true,
  'token-not-yet-valid': true,
  forbidden: true,
  'not-found': true,
  'room-locked': true,
  'room-full': true,
  kicked: true,
  replaced: true,
  'rate-limited': true,
  'too-large': true,
  'bad-sdp': true,
  'unsupported-media': true,
  'session-gone': true,
  overloaded: true,
  'store-unavailable': true,
  'shutting-down': true,
  internal: true,
}
const SDK_SAYS: Record<ClientMessage['type'], true> = {
  join: true,
  offer: true,
  publish: true,
  mute: true,
  hand: true,
  chat: true,
  'chat-history': true,
  stage: true,
  pin: true,
  view: true,
  kick: true,
  lock: true,
  emergency: true,
  succession: true,
  'poll-open': true,
  'poll-close': true,
  vote: true,
  roster: true,
  'try-upstream': true,
  leave: true,
  ping: true,
}
const SDK_HEARS: Record<ServerMessage['type'], true> = {
  joined: true,
  answer: true,
  ok: true,
  error: true,
  room: true,
  speakers: true,
  slots: true,
  self: true,
  chat: true,
  'chat-page': true,
  'roster-page': true,
  quality: true,
  media: true,
  limit: true,
  upstream: true,
  pong: true,
  bye: true,
}

/** Names of the fields of each message; `ref` is of the envelope. */
type Fields<M extends { type: string }> = {
  [T in M['type']]: Exclude<keyof Extract<M, { type: T }>, 'ref'>
}
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never

const SAME: {
  codes: Same<ErrorCode, ServerErrorCode>
  said: Same<Fields<ClientMessage>, Fields<ServersClientMessage>>
  heard: Same<Fields<ServerMessage>, Fields<ServersServerMessage>>
} = { codes: true, said: true, heard: true }

/** Whatever the SDK can say, the server takes; whatever the server can say, the SDK can read. */
const taken = (message: ClientMessage): ServersClientMessage => message
const read = (message: ServersServerMessage): ServerMessage => message

const sorted = (names: Iterable<string>): string[] => [...names].sort()

test('the SDK and the server know the same error codes', (t) => {
  t.deepEqual(sorted(Object.keys(SDK_CODES)), sorted(ERROR_CODES))
  t.true(SAME.codes)
})

test('the SDK says what the server has a schema for, and nothing else', (t) => {
  t.deepEqual(sorted(Object.keys(SDK_SAYS)), sorted(Object.keys(CLIENT_MESSAGES)))
  t.true(SAME.said)
  const ping: ClientMessage = { type: 'ping' }
  t.is(taken(ping), ping)
})

test('the SDK hears what the server has a schema for, and nothing else', (t) => {
  t.deepEqual(sorted(Object.keys(SDK_HEARS)), sorted(Object.keys(SERVER_MESSAGES)))
  t.true(SAME.heard)
  const pong: ServersServerMessage = { type: 'pong' }
  t.is(read(pong), pong)
})
