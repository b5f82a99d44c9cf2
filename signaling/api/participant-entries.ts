/** REST of the people in a room: the roster, and what a chair may do to one. */
import type * as v from 'valibot'
import type { OperatorCommand } from '../../core/conference/index.ts'
import type { ConferenceHost } from '../../core/store/index.ts'
import type { DoorResponse } from '../door.ts'
import { json, refusal } from '../http/index.ts'
import { type ApiOptions, type Call, type Entry, NO_ROOM, operate, roomOf } from './entry.ts'
import * as schemas from './schemas.ts'

const NO_PARTICIPANT = { code: 'not-found', message: 'no such participant in this room' } as const

/** Participants of a room. */
export function participantEntries({ host, hub, media }: ApiOptions): Entry[] {
  const path = '/api/v1/rooms/{room}/participants/{participant}'
  /** A command about the participant in the path, who must be in the room in the path. */
  const about =
    (make: (participant: string, body: unknown) => OperatorCommand) =>
    async (call: Call): Promise<DoorResponse> => {
      const participant = call.request.parameters['participant'] ?? ''
      return await operate(host, roomOf(call), make(participant, call.body))
    }
  return [
    {
      method: 'GET',
      path: '/api/v1/rooms/{room}/participants',
      summary: 'A page of participants; `cursor` of one answer asks for the next.',
      access: 'chair',
      query: { cursor: 'string', limit: 'integer', search: 'string' },
      success: { status: 200, schema: schemas.PARTICIPANTS },
      answer: (call) => rosterPage(host, call),
    },
    {
      method: 'DELETE',
      path,
      summary: 'Removes a participant, who stays out while the token lives.',
      access: 'chair',
      body: schemas.KICK,
      success: { status: 204 },
      answer: about((participant, body) => {
        const { reason } = body as v.InferOutput<typeof schemas.KICK>
        return { type: 'kick', participant, ...(reason === undefined ? {} : { reason }) }
      }),
    },
    {
      method: 'POST',
      path: `${path}/mute`,
      summary: 'Mutes one of the sources, or lifts the mute.',
      access: 'chair',
      body: schemas.MUTE,
      success: { status: 204 },
      answer: about((participant, body) => {
        return { type: 'mute', participant, ...(body as v.InferOutput<typeof schemas.MUTE>) }
      }),
    },
    {
      method: 'POST',
      path: `${path}/stage`,
      summary: 'Brings onto the stage, or off it.',
      access: 'chair',
      body: schemas.STAGE,
      success: { status: 204 },
      answer: about((participant, body) => {
        return { type: 'stage', participant, ...(body as v.InferOutput<typeof schemas.STAGE>) }
      }),
    },
    {
      method: 'GET',
      path: `${path}/statistics`,
      summary: 'Figures of the participant’s transport now.',
      access: 'chair',
      success: { status: 200, schema: schemas.TRANSPORT_STATISTICS },
      answer: async (call) => {
        const seat = hub.seat(call.request.parameters['participant'] ?? '')
        if (seat?.room !== roomOf(call) || seat.leg === undefined) return refusal(NO_PARTICIPANT)
        const stats = await media.stats(seat.leg.transportId)
        return stats === undefined ? refusal(NO_PARTICIPANT) : json(200, stats)
      },
    },
  ]
}

function rosterPage(host: ConferenceHost, call: Call): DoorResponse {
  const { search } = call.request
  const limit = Number(search.get('limit') ?? 50)
  const cursor = search.get('cursor')
  const text = search.get('search')
  if (!Number.isInteger(limit) || limit < 1 || limit > 100 || (text?.length ?? 0) > 64) {
    return refusal({
      code: 'bad-message',
      message: 'limit is 1 to 100, search at most 64 characters',
    })
  }
  if (host.conference.summary(roomOf(call)) === undefined) return refusal(NO_ROOM)
  const page = host.conference.roster(roomOf(call), {
    limit,
    ...(cursor === null ? {} : { cursor: cursor.slice(0, 256) }),
    ...(text === null ? {} : { search: text }),
  })
  return json(200, page)
}
