/**
 * Messages of a session, from bytes and to bytes, checked field by field. Unknown types are told apart from
 * malformed ones: the first are a newer program's, the second end the trunk.
 */
import * as v from 'valibot'
import {
  IDENTITY_CHARACTERS_MAX,
  LAYERS_PER_PUBLICATION_MAX,
  LINK_TEST_SECONDS_MAX,
  STREAM_ID_MAX,
  TOKEN_KEYS_MAX,
  TRACKS_PER_ANNOUNCE_MAX,
  TRUNK_LIST_ENTRIES_MAX,
  TRUNK_MESSAGE_BYTES_MAX,
  TRUNK_MESSAGE_DEPTH_MAX,
  TRUNK_MESSAGE_VALUES_MAX,
  TRUNK_SYNC_LOST_MAX,
  TRUNK_SYNC_ORIGINS_MAX,
} from '../../config/limits.ts'
import { parseEvent, type RoomEvent } from '../../core/conference/index.ts'
import { packPlain, unpackPlain } from '../../core/msgpack/index.ts'
import { id, label, list, naturalNumber, positiveNumber, room } from './fields.ts'
import { path, tokenKey } from './handshake-messages.ts'
import { LINK_TEST_REFUSALS, type LostPlace, type TrunkMessage } from './messages.ts'

/** What the session itself says and hears; never seen by its owner. */
export type SessionMessage =
  /** `rttMs`: as the child has measured it so far. */
  | { type: 'ping'; n: number; rttMs: number }
  | { type: 'pong'; n: number }
  /** Downwards: from the parent to the top, when that has changed. */
  | { type: 'path'; path: string[] }
  /** The last message. */
  | { type: 'end'; reason: string }

export type AnyMessage = TrunkMessage | SessionMessage

export type ParsedMessage =
  | { kind: 'message'; message: AnyMessage }
  | { kind: 'unknown' }
  | { kind: 'malformed' }

const BOUNDS = { depthMax: TRUNK_MESSAGE_DEPTH_MAX, valuesMax: TRUNK_MESSAGE_VALUES_MAX }
const CODECS_MAX = 16
const FMTP_CHARACTERS_MAX = 512
const EVENTS_MAX = 4_096
/** Our slots are three; a newer program may have more. */
const HEARD_MAX = 16
const MALFORMED: ParsedMessage = { kind: 'malformed' }
const UNKNOWN: ParsedMessage = { kind: 'unknown' }

const use = v.picklist(['microphone', 'camera', 'screen'])
const shown = v.nullable(v.object({ participant: id, use }))
const streamId = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(STREAM_ID_MAX))
const place = v.object({ origin: id, sequence: positiveNumber })
const vector = v.pipe(
  v.record(id, naturalNumber),
  v.check((entries) => Object.keys(entries).length <= TRUNK_SYNC_ORIGINS_MAX, 'too many origins'),
)
const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const payloadType = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(127))
const codec = v.object({
  codec: v.picklist(['opus', 'red', 'vp8', 'h264', 'vp9', 'av1']),
  payloadType,
  rtxPayloadType: v.exactOptional(payloadType),
  clockRate: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000)),
  fmtp: v.exactOptional(label(FMTP_CHARACTERS_MAX)),
})
const track = v.object({
  room,
  participant: id,
  use,
  kind: v.picklist(['audio', 'video']),
  codecs: v.pipe(list(codec, CODECS_MAX), v.minLength(1)),
  layerCount: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(1),
    v.maxValue(LAYERS_PER_PUBLICATION_MAX),
  ),
  started: v.boolean(),
  flowing: v.boolean(),
})

const speechLimit = v.object({
  packetMs: v.picklist([20, 40, 60]),
  bitrateBps: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(510_000)),
})

const amount = v.pipe(v.number(), v.finite(), v.minValue(0))

const SCHEMAS = {
  sync: v.object({
    type: v.literal('sync'),
    vector,
    lost: list(place, TRUNK_SYNC_LOST_MAX),
    more: v.boolean(),
  }),
  events: v.object({
    type: v.literal('events'),
    batch: positiveNumber,
    events: list(v.custom<Record<string, unknown>>(isPlainObject), EVENTS_MAX),
  }),
  'events-taken': v.object({
    type: v.literal('events-taken'),
    batch: positiveNumber,
    vector,
    refused: v.nullable(v.picklist(['gap', 'clock-ahead', 'store-unavailable', 'unknown'])),
  }),
  'events-wanted': v.object({ type: v.literal('events-wanted'), creditBytes: naturalNumber }),
  announce: v.object({
    type: v.literal('announce'),
    tracks: list(v.object({ streamId, track }), TRACKS_PER_ANNOUNCE_MAX),
  }),
  withdraw: v.object({ type: v.literal('withdraw'), streamIds: list(streamId) }),
  choice: v.object({
    type: v.literal('choice'),
    choice: v.object({
      room,
      heard: list(v.union([v.literal(''), id]), HEARD_MAX),
      main: shown,
      mainFallback: shown,
      active: v.nullable(id),
    }),
  }),
  speech: v.object({
    type: v.literal('speech'),
    limits: list(v.object({ streamId, limit: speechLimit })),
  }),
  rooms: v.object({
    type: v.literal('rooms'),
    rooms: list(v.object({ room, present: v.boolean() })),
  }),
  status: v.object({
    type: v.literal('status'),
    status: v.custom<Record<string, unknown>>(isPlainObject),
  }),
  'token-keys': v.object({ type: v.literal('token-keys'), keys: list(tokenKey, TOKEN_KEYS_MAX) }),
  revoked: v.object({
    type: v.literal('revoked'),
    tokens: list(v.object({ tokenId: label(IDENTITY_CHARACTERS_MAX), expiresMs: naturalNumber })),
  }),
  'link-test': v.object({
    type: v.literal('link-test'),
    seconds: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(LINK_TEST_SECONDS_MAX)),
  }),
  'link-test-answer': v.object({
    type: v.literal('link-test-answer'),
    refused: v.nullable(v.picklist(LINK_TEST_REFUSALS)),
  }),
  'link-test-figures': v.object({
    type: v.literal('link-test-figures'),
    figures: v.object({
      rateBps: amount,
      sentBps: amount,
      rttMs: amount,
      lossRatio: v.pipe(amount, v.maxValue(1)),
      lossBurst: amount,
      jitterMs: amount,
      queueDelayMs: amount,
      mtuBytes: amount,
    }),
  }),
  ping: v.object({
    type: v.literal('ping'),
    n: naturalNumber,
    rttMs: amount,
  }),
  pong: v.object({ type: v.literal('pong'), n: naturalNumber }),
  path: v.object({ type: v.literal('path'), path }),
  end: v.object({ type: v.literal('end'), reason: label(64) }),
}

/** Never throws; copies what it keeps. */
export function parseMessage(frame: Uint8Array): ParsedMessage {
  if (frame.length > TRUNK_MESSAGE_BYTES_MAX) return MALFORMED
  const value = unpackPlain(frame, BOUNDS)
  const type = (value as { type?: unknown } | undefined)?.type
  if (typeof type !== 'string') return MALFORMED
  if (!Object.hasOwn(SCHEMAS, type)) return UNKNOWN
  const result = v.safeParse(SCHEMAS[type as keyof typeof SCHEMAS], value)
  if (!result.success) return MALFORMED
  const message = result.output
  if (message.type !== 'events') return { kind: 'message', message }
  const events = readEvents(message.events)
  return events === undefined
    ? MALFORMED
    : { kind: 'message', message: { type: 'events', batch: message.batch, ...events } }
}

/** An event that we cannot read keeps its place, as long as it has one: a newer program may have written it. */
function readEvents(
  values: readonly Record<string, unknown>[],
): { events: RoomEvent[]; unreadable: LostPlace[] } | undefined {
  const events: RoomEvent[] = []
  const unreadable: LostPlace[] = []
  for (const value of values) {
    const event = parseEvent(value)
    const at = event === undefined ? v.safeParse(place, value) : undefined
    if (event !== undefined) events.push(event)
    else if (at?.success === true) unreadable.push(at.output)
    else return undefined
  }
  return { events, unreadable }
}

/** The list of a message that may be told in several, and how long one may be. */
const LISTS: Record<string, { key: string; countMax: number }> = {
  announce: { key: 'tracks', countMax: TRACKS_PER_ANNOUNCE_MAX },
  withdraw: { key: 'streamIds', countMax: TRUNK_LIST_ENTRIES_MAX },
  speech: { key: 'limits', countMax: TRUNK_LIST_ENTRIES_MAX },
  rooms: { key: 'rooms', countMax: TRUNK_LIST_ENTRIES_MAX },
  revoked: { key: 'tokens', countMax: TRUNK_LIST_ENTRIES_MAX },
}

/**
 * Frames of at most TRUNK_MESSAGE_BYTES_MAX; a list that is too long for one is told in several messages. None
 * for what cannot be told: a single value that is larger than that.
 */
export function writeMessage(message: AnyMessage): Uint8Array[] {
  const divisible = LISTS[message.type]
  const frame = packPlain(message)
  const fits = frame.length <= TRUNK_MESSAGE_BYTES_MAX
  if (divisible === undefined) return fits ? [frame] : []
  const { key, countMax } = divisible
  const entries = (message as unknown as Record<string, unknown[]>)[key] ?? []
  if (fits && entries.length <= countMax) return [frame]
  if (entries.length < 2) return []
  const middle = Math.ceil(entries.length / 2)
  return [entries.slice(0, middle), entries.slice(middle)].flatMap((part) =>
    writeMessage({ ...message, [key]: part } as AnyMessage),
  )
}
