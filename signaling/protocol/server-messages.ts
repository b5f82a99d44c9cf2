/**
 * What the server says (docs/PROTOCOL.md §1.2). The server does not check itself at run time: these
 * schemas give the types, and tests hold every message that leaves against them.
 */

import * as v from 'valibot'
import { ERROR_CODES } from './errors.ts'
import {
  mid,
  participantId,
  pollId,
  pollOption,
  role,
  sourceUse,
  successor,
  uint,
  wideUint,
} from './fields.ts'

const code = v.picklist(ERROR_CODES)
const source = v.object({ muted: v.boolean() })
const counts = v.object({ sites: uint, stage: uint, audience: uint, hands: uint })
const pin = v.nullable(v.object({ participant: participantId, use: sourceUse }))
const ref = v.exactOptional(uint)

const stageMember = v.strictObject({
  participant: participantId,
  name: v.string(),
  site: v.string(),
  role,
  sources: v.strictObject({
    microphone: v.exactOptional(source),
    camera: v.exactOptional(source),
    screen: v.exactOptional(source),
  }),
})

const poll = v.strictObject({
  poll: pollId,
  question: v.string(),
  options: v.array(v.string()),
  counts: v.array(uint),
  closed: v.boolean(),
})
const tally = v.strictObject({ poll: pollId, counts: v.array(uint) })
const vote = v.strictObject({ poll: pollId, option: pollOption })

const acting = v.array(
  v.strictObject({ participant: participantId, name: v.string(), site: v.string() }),
)
const succession = v.array(successor)

const roomState = v.strictObject({
  room: v.string(),
  revision: uint,
  locked: v.boolean(),
  emergency: v.boolean(),
  pin,
  counts,
  stage: v.array(stageMember),
  hands: v.array(participantId),
  polls: v.array(poll),
  acting,
  succession,
})

const chatEntry = v.strictObject({
  number: wideUint,
  participant: participantId,
  name: v.string(),
  site: v.string(),
  text: v.string(),
  time: wideUint,
})

const slot = v.strictObject({
  mid,
  participant: v.nullable(participantId),
  use: v.nullable(sourceUse),
  state: v.picklist(['live', 'waiting', 'paused', 'empty']),
})

const mute = v.strictObject({ self: v.boolean(), chair: v.boolean() })
const mutes = v.strictObject({ microphone: mute, camera: mute, screen: mute })

const stream = v.strictObject({
  mid,
  direction: v.picklist(['in', 'out']),
  mark: v.picklist(['green', 'amber', 'red']),
  reason: v.picklist(['none', 'loss', 'bandwidth', 'delay', 'no-packets']),
  bitrateBps: v.number(),
  lossRatio: v.number(),
  rttMs: v.number(),
  spatialLayer: v.pipe(v.number(), v.integer()),
})

/** One schema per message type; unknown fields are errors here. */
export const SERVER_MESSAGES = {
  joined: v.strictObject({
    type: v.literal('joined'),
    ref,
    protocol: v.literal(1),
    session: v.string(),
    secret: v.string(),
    resumed: v.boolean(),
    participant: participantId,
    role,
    name: v.string(),
    site: v.string(),
    room: roomState,
    chat: v.array(chatEntry),
    slots: v.exactOptional(v.array(slot)),
  }),
  answer: v.strictObject({ type: v.literal('answer'), ref, sdp: v.string() }),
  ok: v.strictObject({ type: v.literal('ok'), ref }),
  error: v.strictObject({
    type: v.literal('error'),
    ref,
    code,
    message: v.string(),
    fatal: v.boolean(),
  }),
  room: v.strictObject({
    type: v.literal('room'),
    revision: uint,
    counts: v.exactOptional(counts),
    stage: v.exactOptional(
      v.strictObject({ set: v.array(stageMember), remove: v.array(participantId) }),
    ),
    hands: v.exactOptional(v.array(participantId)),
    locked: v.exactOptional(v.boolean()),
    emergency: v.exactOptional(v.boolean()),
    pin: v.exactOptional(pin),
    polls: v.exactOptional(v.strictObject({ set: v.array(poll), remove: v.array(pollId) })),
    tallies: v.exactOptional(v.array(tally)),
    acting: v.exactOptional(acting),
    succession: v.exactOptional(succession),
  }),
  speakers: v.strictObject({
    type: v.literal('speakers'),
    active: v.nullable(participantId),
    heard: v.array(participantId),
  }),
  slots: v.strictObject({ type: v.literal('slots'), slots: v.array(slot) }),
  self: v.strictObject({
    type: v.literal('self'),
    onStage: v.boolean(),
    permitted: v.array(sourceUse),
    muted: mutes,
    votes: v.array(vote),
  }),
  chat: v.strictObject({ type: v.literal('chat'), entries: v.array(chatEntry) }),
  'chat-page': v.strictObject({
    type: v.literal('chat-page'),
    ref,
    entries: v.array(chatEntry),
    more: v.boolean(),
  }),
  'roster-page': v.strictObject({
    type: v.literal('roster-page'),
    ref,
    members: v.array(
      v.strictObject({
        participant: participantId,
        name: v.string(),
        site: v.string(),
        role,
        onStage: v.boolean(),
      }),
    ),
    cursor: v.nullable(v.string()),
    total: uint,
  }),
  quality: v.strictObject({ type: v.literal('quality'), streams: v.array(stream) }),
  media: v.strictObject({
    type: v.literal('media'),
    state: v.picklist(['connected', 'disconnected']),
    cause: v.exactOptional(v.string()),
  }),
  upstream: v.strictObject({
    type: v.literal('upstream'),
    state: v.picklist(['connected', 'connecting', 'island']),
    forMs: wideUint,
    mark: v.picklist(['green', 'amber', 'red']),
    rateBps: v.number(),
    lossRatio: v.number(),
    rttMs: v.number(),
    node: v.string(),
    upstream: v.string(),
  }),
  limit: v.strictObject({
    type: v.literal('limit'),
    use: sourceUse,
    packetMs: uint,
    bitrateBps: uint,
  }),
  pong: v.strictObject({ type: v.literal('pong'), ref }),
  bye: v.strictObject({ type: v.literal('bye'), code, message: v.string() }),
} as const

type ServerMessageType = keyof typeof SERVER_MESSAGES
export type ServerMessage = {
  [T in ServerMessageType]: v.InferOutput<(typeof SERVER_MESSAGES)[T]>
}[ServerMessageType]
export type ServerMessageOf<T extends ServerMessageType> = v.InferOutput<
  (typeof SERVER_MESSAGES)[T]
>
export type SlotState = v.InferOutput<typeof slot>
export type StreamMark = v.InferOutput<typeof stream>
