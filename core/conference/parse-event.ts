/**
 * Events as they come from outside (another node, a disk) checked field by field: what passes can be folded. Unknown
 * fields are refused, so that all nodes hold the same bytes.
 */
import * as v from 'valibot'
import {
  CHAT_TEXT_CHARACTERS_MAX,
  IDENTITY_CHARACTERS_MAX,
  ISLAND_NODES_MAX,
  KICK_REASON_CHARACTERS_MAX,
  POLL_OPTION_CHARACTERS_MAX,
  POLL_OPTIONS_MAX,
  POLL_OPTIONS_MIN,
  POLL_QUESTION_CHARACTERS_MAX,
  ROOM_NAME_CHARACTERS_MAX,
  SUCCESSION_ENTRIES_MAX,
} from '../../config/limits.ts'
import type { RoomEvent } from './events.ts'
import { ROLES } from './roles.ts'
import { SOURCE_USES } from './room-state.ts'

const id = v.pipe(v.string(), v.regex(/^[a-z][a-z2-7]{1,32}$/))
const text = (charactersMax: number) => v.pipe(v.string(), v.maxLength(charactersMax))
const naturalNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const claim = text(IDENTITY_CHARACTERS_MAX)
const pollId = v.pipe(v.string(), v.regex(/^[a-z][a-z2-7]{1,32}-[1-9][0-9]{0,15}$/))
const use = v.picklist(SOURCE_USES)
const token = { subject: claim, tokenId: claim, tokenExpiresMs: v.pipe(v.number(), v.finite()) }

const PLACE = {
  origin: id,
  sequence: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  time: naturalNumber,
  room: v.pipe(text(ROOM_NAME_CHARACTERS_MAX), v.minLength(1)),
}

const island = v.exactOptional(id)

function fact<const T extends string, E extends v.ObjectEntries>(type: T, entries: E) {
  return v.strictObject({ ...PLACE, type: v.literal(type), payload: v.strictObject(entries) })
}

const eventSchema = v.variant('type', [
  fact('room-created', { by: v.picklist(['operator', 'join']) }),
  fact('room-closed', { cause: v.picklist(['chair', 'operator', 'empty', 'fault']) }),
  fact('joined', {
    participant: id,
    role: v.picklist(ROLES),
    name: claim,
    site: claim,
    ...token,
    onStage: v.boolean(),
  }),
  fact('left', {
    participant: id,
    cause: v.picklist(['left', 'connection-lost', 'node-restarted', 'room-closed']),
  }),
  fact('published', { participant: id, use, live: v.boolean() }),
  fact('muted', {
    participant: id,
    use,
    muted: v.boolean(),
    by: v.picklist(['self', 'chair']),
  }),
  fact('hand-raised', { participant: id }),
  fact('hand-lowered', { participant: id }),
  fact('staged', { participant: id, onStage: v.boolean() }),
  v.strictObject({
    ...PLACE,
    type: v.literal('pinned'),
    payload: v.union([
      v.strictObject({ participant: id, use, island }),
      v.strictObject({ participant: v.null(), island }),
    ]),
  }),
  fact('kicked', { participant: id, ...token, reason: text(KICK_REASON_CHARACTERS_MAX) }),
  fact('locked', { locked: v.boolean(), island }),
  fact('emergency', { on: v.boolean(), island }),
  fact('succession', {
    order: v.pipe(
      v.array(
        v.union([
          v.strictObject({ site: claim }),
          v.strictObject({ participant: id, subject: claim }),
        ]),
      ),
      v.maxLength(SUCCESSION_ENTRIES_MAX),
    ),
  }),
  fact('acting-chair', {
    participant: v.nullable(id),
    nodes: v.pipe(v.array(id), v.maxLength(ISLAND_NODES_MAX)),
    cause: v.picklist(['island', 'gone', 'chair', 'heal']),
  }),
  fact('poll-opened', {
    question: text(POLL_QUESTION_CHARACTERS_MAX),
    options: v.pipe(
      v.array(text(POLL_OPTION_CHARACTERS_MAX)),
      v.minLength(POLL_OPTIONS_MIN),
      v.maxLength(POLL_OPTIONS_MAX),
    ),
    by: v.union([id, v.literal('')]),
  }),
  fact('poll-closed', { poll: pollId }),
  fact('vote', {
    participant: id,
    poll: pollId,
    option: v.pipe(naturalNumber, v.maxValue(POLL_OPTIONS_MAX - 1)),
  }),
  fact('chat', { participant: id, name: claim, site: claim, text: text(CHAT_TEXT_CHARACTERS_MAX) }),
  v.strictObject({
    ...PLACE,
    room: v.literal(''),
    type: v.literal('lost'),
    payload: v.strictObject({}),
  }),
])

/** Whether another node would take it as the name of a node. */
export function isOrigin(value: string): boolean {
  return v.is(id, value)
}

/** The event, or undefined when anything about it is not as events.ts says. */
export function parseEvent(value: unknown): RoomEvent | undefined {
  const result = v.safeParse(eventSchema, value)
  return result.success ? result.output : undefined
}
