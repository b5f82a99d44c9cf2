/**
 * REST `/api/v1` (docs/PROTOCOL.md §3): one table from which requests are answered and the OpenAPI
 * document is made. Everything that it can do to a room is a command of the conference; REST has no
 * state of its own.
 */

import * as v from 'valibot'
import { API_BODY_BYTES_MAX } from '../../config/index.ts'
import { type Claims, isNodeRole, issueToken } from '../auth/index.ts'
import type { DoorResponse } from '../door.ts'
import {
  bearerOf,
  isLoopbackPage,
  json,
  mayManage,
  noContent,
  type RouteRequest,
  refusal,
} from '../http/index.ts'
import { type Access, type ApiOptions, type ApiRoute, BAD_BODY, type Entry } from './entry.ts'
import { participantEntries } from './participant-entries.ts'
import { floorEntries, pollEntries, roomEntries, stateEntries } from './room-entries.ts'
import * as schemas from './schemas.ts'

const NO_TRUNK = { code: 'not-found', message: 'this node has no trunk' } as const
const NO_UPSTREAM = { code: 'bad-state', message: 'this node has no upstream' } as const
const LINK_TEST_SECONDS = 60
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
    ...floorEntries(options),
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

function trunkEntries({ trunkStatus, retryUpstream, linkTest }: ApiOptions): Entry[] {
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
    {
      method: 'GET',
      path: '/api/v1/trunk/link-test',
      summary: 'How the test of the link above goes, and what it found.',
      access: 'operator',
      success: { status: 200, schema: schemas.LINK_TEST_STATUS },
      answer: () => (linkTest === undefined ? refusal(NO_UPSTREAM) : json(200, linkTest.status())),
    },
    {
      method: 'POST',
      path: '/api/v1/trunk/link-test',
      summary: 'Measures the link above in both directions, beside what is live and below it.',
      access: 'admin',
      body: schemas.LINK_TEST,
      success: { status: 202, schema: schemas.LINK_TEST_STATUS },
      answer: ({ body }) => {
        if (linkTest === undefined) return refusal(NO_UPSTREAM)
        const why = linkTest.start((body as { seconds?: number }).seconds ?? LINK_TEST_SECONDS)
        if (why !== undefined) return refusal({ code: 'bad-state', message: why })
        return json(202, linkTest.status())
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
