/**
 * REST `/api/v1` (docs/PROTOCOL.md §3): one table from which requests are answered and the OpenAPI
 * document is made. Everything that it can do to a room is a command of the conference; REST has no
 * state of its own.
 */

import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { API_BODY_BYTES_MAX } from '../../config/index.ts'
import type { OperatorCommand } from '../../core/conference/index.ts'
import type { MediaPlane } from '../../core/media/control.ts'
import type { ConferenceHost } from '../../core/store/index.ts'
import type { TokenVerifier } from '../auth/index.ts'
import { type Claims, isNodeRole, isRoomName, issueToken, type TokenKeys } from '../auth/index.ts'
import type { DoorResponse } from '../door.ts'
import {
  bearerOf,
  isLoopbackPage,
  json,
  mayManage,
  noContent,
  type Route,
  type RouteRequest,
  refusal,
} from '../http/index.ts'
import type { Hub } from '../session/index.ts'
import * as schemas from './schemas.ts'

export type ApiOptions = {
  host: ConferenceHost
  hub: Hub
  media: MediaPlane
  keys: TokenKeys
  verify: TokenVerifier
  demo: boolean
  trunkStatus: ((historyOf: string | undefined) => unknown) | undefined
  retryUpstream: (() => void) | undefined
}

/** Who may call: nobody has to prove anything, the room's chair or an admin, an operator or an admin, an admin only. */
type Access = 'none' | 'chair' | 'operator' | 'admin'

export type ApiRoute = Route & {
  summary: string
  access: Access
  body?: v.GenericSchema
  /** Names and types of query parameters. */
  query?: Readonly<Record<string, 'string' | 'integer'>>
  /** Status of success, and its body. */
  success: { status: number; schema?: v.GenericSchema }
}

type Call = { request: RouteRequest; claims: Claims | undefined; body: unknown }
type Entry = Omit<ApiRoute, 'handle' | 'bodyBytesMax'> & {
  answer: (call: Call) => DoorResponse | Promise<DoorResponse>
}

const BAD_BODY = { code: 'bad-message', message: 'the body is not as documented' } as const
const NO_ROOM = { code: 'not-found', message: 'no such room' } as const
const NO_PARTICIPANT = { code: 'not-found', message: 'no such participant in this room' } as const
const NO_TRUNK = { code: 'not-found', message: 'this node has no trunk' } as const
const NO_UPSTREAM = { code: 'bad-state', message: 'this node has no upstream' } as const
const DEMO_TOKEN_TTL_S = 12 * 3600

/**
 * The parsed body: `{}` for an empty one, so that bodies with only optional fields may be left out.
 */
function parseBody(request: RouteRequest, schema: v.GenericSchema): { value: unknown } | undefined {
  try {
    const text = Buffer.from(request.body).toString('utf8')
    const result = v.safeParse(schema, text === '' ? {} : JSON.parse(text))
    return result.success ? { value: result.output } : undefined
  } catch {
    return undefined
  }
}

function isJson(request: RouteRequest): boolean {
  if (request.body.byteLength === 0) return true
  return /^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')
}

/** The table. */
export function apiRoutes(options: ApiOptions): ApiRoute[] {
  const entries = [
    ...roomEntries(options),
    ...participantEntries(options),
    ...pollEntries(options),
    ...stateEntries(options),
    ...trunkEntries(options),
    ...nodeEntries(options),
  ]
  return entries.map((entry) => guarded(entry, options))
}

/** Adds what every route needs: content type, token, body. */
function guarded({ answer, ...entry }: Entry, { verify, host }: ApiOptions): ApiRoute {
  const handle = async (request: RouteRequest): Promise<DoorResponse> => {
    let claims: Claims | undefined
    if (entry.access !== 'none') {
      const bearer = await bearerOf(request, verify, host.now().wallMs)
      if (!bearer.ok) return refusal(bearer)
      claims = bearer.claims
      const { room } = request.parameters
      const allowed = mayCall(entry.access, claims, room)
      if (!allowed) return refusal({ code: 'forbidden', message: 'not with this token' })
      if (room !== undefined && host.conference.isBarred(room, claims, host.now().wallMs)) {
        return refusal({ code: 'kicked', message: 'removed from this room' })
      }
    }
    if (entry.body === undefined) return answer({ request, claims, body: undefined })
    if (!isJson(request)) return refusal(BAD_BODY, 415)
    const body = parseBody(request, entry.body)
    return body === undefined ? refusal(BAD_BODY) : answer({ request, claims, body: body.value })
  }
  return { ...entry, handle, bodyBytesMax: entry.body === undefined ? 0 : API_BODY_BYTES_MAX }
}

function mayCall(access: Access, claims: Claims, room: string | undefined): boolean {
  if (access === 'operator') return isNodeRole(claims.role)
  if (access === 'admin' || room === undefined) return claims.role === 'admin'
  return mayManage(claims, room)
}

async function operate(
  host: ConferenceHost,
  room: string,
  command: OperatorCommand,
): Promise<DoorResponse> {
  const result = await host.operate(room, command)
  return result.ok ? noContent() : refusal(result)
}

function roomOf({ request }: Call): string {
  return request.parameters['room'] ?? ''
}

function roomEntries({ host }: ApiOptions): Entry[] {
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
function stateEntries({ host }: ApiOptions): Entry[] {
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

function participantEntries({ host, hub, media }: ApiOptions): Entry[] {
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

function pollEntries({ host }: ApiOptions): Entry[] {
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

function trunkEntries({ trunkStatus, retryUpstream }: ApiOptions): Entry[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/trunk',
      summary:
        'The links of this node to others: estimates, shares by class, what is left out and why.',
      access: 'operator',
      query: { history: 'string' },
      success: { status: 200, schema: schemas.TRUNK_STATUS },
      answer: ({ request }) => {
        if (trunkStatus === undefined) return refusal(NO_TRUNK)
        return json(200, trunkStatus(request.search.get('history') ?? undefined))
      },
    },
    {
      method: 'POST',
      path: '/api/v1/trunk/retry',
      summary: 'Dials the node above at once instead of at the next turn.',
      access: 'admin',
      success: { status: 204 },
      answer: () => {
        if (retryUpstream === undefined) return refusal(NO_UPSTREAM)
        retryUpstream()
        return noContent()
      },
    },
  ]
}

function nodeEntries({ hub, keys, demo, host }: ApiOptions): Entry[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/statistics',
      summary: 'What this node carries now.',
      access: 'admin',
      success: { status: 200, schema: schemas.NODE_STATISTICS },
      answer: () =>
        json(200, {
          rooms: host.conference.rooms().length,
          participants: hub.seatCount,
          sockets: hub.socketCount,
          transports: hub.desk.transportCount,
        }),
    },
    {
      method: 'POST',
      path: '/api/v1/demo-token',
      summary: 'A token for room `demo`, only for a page loaded from this machine over loopback.',
      access: 'none',
      body: schemas.DEMO_TOKEN,
      success: { status: 201, schema: schemas.TOKEN },
      answer: async ({ request, body }) => {
        if (!demo || !isLoopbackPage(request)) {
          return refusal({ code: 'forbidden', message: 'only for a page loaded over loopback' })
        }
        const {
          name = '',
          site = '',
          role = 'speaker',
        } = body as {
          [field in 'name' | 'site']?: string
        } & { role?: 'chair' | 'speaker' | 'viewer' | 'observer' }
        const nowMs = host.now().wallMs
        const wanted = { room: 'demo', role, name, site, ttlS: DEMO_TOKEN_TTL_S, nowMs }
        try {
          return json(201, { token: await issueToken(keys, wanted), room: 'demo', role })
        } catch {
          return refusal(BAD_BODY)
        }
      },
    },
  ]
}
