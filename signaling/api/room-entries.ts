/** REST of rooms: opening and closing, the floor, polls, and what nodes compare. */
import { createHash } from 'node:crypto'
import type * as v from 'valibot'
import { isRoomName } from '../auth/index.ts'
import { json, refusal } from '../http/index.ts'
import { type ApiOptions, BAD_BODY, type Entry, NO_ROOM, operate, roomOf } from './entry.ts'
import * as schemas from './schemas.ts'

/** Rooms as such. */
export function roomEntries({ host }: ApiOptions): Entry[] {
  const room = '/api/v1/rooms/{room}'
  return [
    {
      method: 'GET',
      path: '/api/v1/rooms',
      summary: 'All open rooms.',
      access: 'admin',
      success: { status: 200, schema: schemas.ROOMS },
      answer: () => json(200, { rooms: host.conference.rooms() }),
    },
    {
      method: 'POST',
      path: '/api/v1/rooms',
      summary: 'Opens a room; one that is open stays as it is.',
      access: 'admin',
      body: schemas.CREATE_ROOM,
      success: { status: 201, schema: schemas.ROOM },
      answer: async ({ body }) => {
        const name = (body as v.InferOutput<typeof schemas.CREATE_ROOM>).room.normalize('NFC')
        if (!isRoomName(name)) return refusal(BAD_BODY)
        const result = await host.operate(name, { type: 'create-room' })
        if (!result.ok) return refusal(result)
        const response = json(201, host.conference.summary(name) ?? {})
        response.headers['location'] = `/api/v1/rooms/${encodeURIComponent(name)}`
        return response
      },
    },
    {
      method: 'GET',
      path: room,
      summary: 'One room: counts, stage, hands.',
      access: 'chair',
      success: { status: 200, schema: schemas.ROOM },
      answer: (call) => {
        const summary = host.conference.summary(roomOf(call))
        return summary === undefined ? refusal(NO_ROOM) : json(200, summary)
      },
    },
    {
      method: 'DELETE',
      path: room,
      summary: 'Closes a room and ends everybody in it.',
      access: 'chair',
      success: { status: 204 },
      answer: (call) => operate(host, roomOf(call), { type: 'close-room' }),
    },
  ]
}

/** What a chair says of a room. */
export function floorEntries({ host }: ApiOptions): Entry[] {
  const room = '/api/v1/rooms/{room}'
  return [
    {
      method: 'PUT',
      path: `${room}/lock`,
      summary: 'Locks or unlocks a room for newcomers.',
      access: 'chair',
      body: schemas.LOCK,
      success: { status: 204 },
      answer: (call) =>
        operate(host, roomOf(call), {
          type: 'lock',
          ...(call.body as v.InferOutput<typeof schemas.LOCK>),
        }),
    },
    {
      method: 'PUT',
      path: `${room}/emergency`,
      summary:
        'Marks a room as an emergency, which goes before all others on every link, or lifts it.',
      access: 'chair',
      body: schemas.EMERGENCY,
      success: { status: 204 },
      answer: (call) =>
        operate(host, roomOf(call), {
          type: 'emergency',
          ...(call.body as v.InferOutput<typeof schemas.EMERGENCY>),
        }),
    },
    {
      method: 'PUT',
      path: `${room}/succession`,
      summary:
        'Says who moderates, in this order, where a part of the tree is cut off: sites or participants.',
      access: 'chair',
      body: schemas.SUCCESSION,
      success: { status: 204 },
      answer: (call) =>
        operate(host, roomOf(call), {
          type: 'succession',
          ...(call.body as v.InferOutput<typeof schemas.SUCCESSION>),
        }),
    },
    {
      method: 'PUT',
      path: `${room}/pin`,
      summary: 'Puts one picture before everybody, or none.',
      access: 'chair',
      body: schemas.PIN,
      success: { status: 204 },
      answer: (call) =>
        operate(host, roomOf(call), {
          type: 'pin',
          ...(call.body as v.InferOutput<typeof schemas.PIN>),
        }),
    },
  ]
}

/** For whoever compares nodes. */
export function stateEntries({ host }: ApiOptions): Entry[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/rooms/{room}/state-hash',
      summary: 'SHA-256 of what this node makes of the log of a room: equal where the logs are.',
      access: 'operator',
      success: { status: 200, schema: schemas.STATE_HASH },
      answer: (call) => {
        const text = host.conference.stateText(roomOf(call))
        if (text === undefined) return refusal(NO_ROOM)
        return json(200, { hash: createHash('sha256').update(text).digest('hex') })
      },
    },
  ]
}

/** Polls of a room. */
export function pollEntries({ host }: ApiOptions): Entry[] {
  const path = '/api/v1/rooms/{room}/polls'
  return [
    {
      method: 'POST',
      path,
      summary: 'Opens a poll; its counts stand in the room.',
      access: 'chair',
      body: schemas.OPEN_POLL,
      success: { status: 204 },
      answer: (call) =>
        operate(host, roomOf(call), {
          type: 'poll-open',
          ...(call.body as v.InferOutput<typeof schemas.OPEN_POLL>),
        }),
    },
    {
      method: 'POST',
      path: `${path}/{poll}/close`,
      summary: 'Closes a poll: no vote counts from now on.',
      access: 'chair',
      success: { status: 204 },
      answer: (call) =>
        operate(host, roomOf(call), {
          type: 'poll-close',
          poll: call.request.parameters['poll'] ?? '',
        }),
    },
  ]
}
