/**
 * What clients may say (docs/PROTOCOL.md §1.1). Unknown fields are dropped, so that newer clients
 * can talk to us; unknown types are refused.
 */

import * as v from 'valibot'
import {
  POLL_OPTION_CHARACTERS_MAX,
  POLL_OPTIONS_MAX,
  POLL_OPTIONS_MIN,
  POLL_QUESTION_CHARACTERS_MAX,
  SECTIONS_PER_OFFER_MAX,
  SUCCESSION_ENTRIES_MAX,
} from '../../config/index.ts'
import {
  mid,
  pageLimit,
  participantId,
  pixels,
  pollId,
  pollOption,
  slotUse,
  sourceUse,
  successor,
  text,
  uint,
  wideUint,
} from './fields.ts'

const ref = v.exactOptional(uint)
const picture = v.object({ participant: participantId, use: sourceUse })
const viewSlot = v.object({
  mid,
  participant: v.exactOptional(participantId),
  use: v.exactOptional(sourceUse),
  widthPx: pixels,
  heightPx: pixels,
})
const section = v.object({ mid, use: v.union([sourceUse, slotUse]) })
const list = <T extends v.GenericSchema>(item: T) =>
  v.pipe(v.array(item), v.maxLength(SECTIONS_PER_OFFER_MAX))

/** One schema per message type. */
export const CLIENT_MESSAGES = {
  join: v.object({
    type: v.literal('join'),
    ref,
    token: v.pipe(v.string(), v.maxLength(4096)),
    client: v.exactOptional(text(0, 64)),
    resume: v.exactOptional(v.object({ session: text(1, 128), secret: text(1, 128) })),
  }),
  offer: v.object({ type: v.literal('offer'), ref, sdp: v.string(), sections: list(section) }),
  publish: v.object({ type: v.literal('publish'), ref, use: sourceUse, live: v.boolean() }),
  mute: v.object({
    type: v.literal('mute'),
    ref,
    participant: v.exactOptional(participantId),
    use: sourceUse,
    muted: v.boolean(),
  }),
  hand: v.object({
    type: v.literal('hand'),
    ref,
    raised: v.boolean(),
    participant: v.exactOptional(participantId),
  }),
  chat: v.object({ type: v.literal('chat'), ref, text: text(1, 2000) }),
  'chat-history': v.object({
    type: v.literal('chat-history'),
    ref,
    before: v.exactOptional(wideUint),
    limit: pageLimit,
  }),
  stage: v.object({
    type: v.literal('stage'),
    ref,
    participant: participantId,
    onStage: v.boolean(),
  }),
  pin: v.object({
    type: v.literal('pin'),
    ref,
    participant: v.nullable(participantId),
    use: v.exactOptional(sourceUse),
  }),
  view: v.object({
    type: v.literal('view'),
    ref,
    main: v.exactOptional(v.nullable(picture)),
    slots: list(viewSlot),
  }),
  kick: v.object({
    type: v.literal('kick'),
    ref,
    participant: participantId,
    reason: v.exactOptional(text(0, 200)),
  }),
  lock: v.object({ type: v.literal('lock'), ref, locked: v.boolean() }),
  emergency: v.object({ type: v.literal('emergency'), ref, on: v.boolean() }),
  succession: v.object({
    type: v.literal('succession'),
    ref,
    order: v.pipe(v.array(successor), v.maxLength(SUCCESSION_ENTRIES_MAX)),
  }),
  'poll-open': v.object({
    type: v.literal('poll-open'),
    ref,
    question: text(1, POLL_QUESTION_CHARACTERS_MAX),
    options: v.pipe(
      v.array(text(1, POLL_OPTION_CHARACTERS_MAX)),
      v.minLength(POLL_OPTIONS_MIN),
      v.maxLength(POLL_OPTIONS_MAX),
    ),
  }),
  'poll-close': v.object({ type: v.literal('poll-close'), ref, poll: pollId }),
  vote: v.object({ type: v.literal('vote'), ref, poll: pollId, option: pollOption }),
  roster: v.object({
    type: v.literal('roster'),
    ref,
    cursor: v.exactOptional(text(0, 256)),
    limit: pageLimit,
    search: v.exactOptional(text(0, 64)),
  }),
  'try-upstream': v.object({ type: v.literal('try-upstream'), ref }),
  leave: v.object({ type: v.literal('leave'), ref }),
  ping: v.object({ type: v.literal('ping'), ref }),
} as const

type ClientMessageType = keyof typeof CLIENT_MESSAGES
export type ClientMessage = {
  [T in ClientMessageType]: v.InferOutput<(typeof CLIENT_MESSAGES)[T]>
}[ClientMessageType]
export type ClientMessageOf<T extends ClientMessageType> = v.InferOutput<
  (typeof CLIENT_MESSAGES)[T]
>

export type ParsedMessage =
  | { ok: true; message: ClientMessage }
  | { ok: false; ref: number | undefined; problem: string }

/**
 * Checks a decoded value against the schema of its type. Never throws; `problem` names the first
 * bad field.
 */
export function parseClientMessage(value: unknown): ParsedMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, ref: undefined, problem: 'not a map' }
  }
  const { type, ref: given } = value as { type?: unknown; ref?: unknown }
  const ref = v.is(uint, given) ? given : undefined
  if (typeof type !== 'string' || !Object.hasOwn(CLIENT_MESSAGES, type)) {
    return { ok: false, ref, problem: 'unknown type' }
  }
  const schema = CLIENT_MESSAGES[type as ClientMessageType]
  const result = v.safeParse(schema, value, { abortEarly: true, abortPipeEarly: true })
  if (result.success) return { ok: true, message: result.output }
  const path = v.getDotPath(result.issues[0]) ?? 'message'
  return { ok: false, ref, problem: `${type}.${path}` }
}
