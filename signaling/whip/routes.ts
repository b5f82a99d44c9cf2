/**
 * WHIP (RFC 9725) at `/whip/{room}` and WHEP (draft-ietf-wish-whep) at `/whep/{room}`. A session is
 * a participant like any other, with HTTP instead of a WebSocket: whatever ends the one ends the
 * other.
 */

import { randomBytes } from 'node:crypto'
import { SDP_BYTES_MAX, WHIP_RESOURCES_MAX } from '../../config/index.ts'
import { may } from '../../core/conference/index.ts'
import type { ConferenceHost } from '../../core/store/index.ts'
import { type Claims, isNodeRole, type TokenVerifier } from '../auth/index.ts'
import type { DoorResponse } from '../door.ts'
import { bearerOf, noContent, type Route, type RouteRequest, refusal } from '../http/index.ts'
import type { Refusal } from '../protocol/index.ts'
import { parseFragment, parseOffer, writeFragment } from '../sdp/index.ts'
import type { Hub } from '../session/index.ts'
import { type WhipKind, WhipResource } from './resource.ts'
import { usesOf } from './uses.ts'

export type WhipOptions = { host: ConferenceHost; hub: Hub; verify: TokenVerifier }

const SDP = 'application/sdp'
const FRAGMENT = 'application/trickle-ice-sdpfrag'
const GONE: Refusal = { code: 'not-found', message: 'no such session' }

/** A refusal as a value: thrown nowhere, returned early. */
type Step<T> = { ok: true; value: T } | { ok: false; response: DoorResponse }

function fail(refused: Refusal, status?: number): { ok: false; response: DoorResponse } {
  return { ok: false, response: refusal(refused, status) }
}

function hasType(request: RouteRequest, type: string): boolean {
  const given = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase()
  return given === type
}

/** Whether the client takes an answer of this type (RFC 9110 §12.5.1); no Accept means anything. */
function accepts(request: RouteRequest, type: string): boolean {
  const header = request.headers['accept']
  if (header === undefined || header.trim() === '') return true
  return header.split(',').some((range) => {
    const [name, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const refused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    return !refused && (name === type || name === '*/*' || name === 'application/*')
  })
}

/** The sessions of this node that came by WHIP or WHEP. */
export class WhipDesk {
  readonly #options: WhipOptions
  readonly #resources = new Map<string, WhipResource>()
  /** Reserved while a join is on its way, so that the bound holds across awaits. */
  #pending = 0

  constructor(options: WhipOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#resources.size
  }

  routes(): Route[] {
    return (['whip', 'whep'] as const).flatMap((kind) => this.#routesOf(kind))
  }

  #routesOf(kind: WhipKind): Route[] {
    const path = `/${kind}/{room}`
    const one = `${path}/{id}`
    const options = (headers: Record<string, string>): Route['handle'] => {
      return () => noContent(headers)
    }
    return [
      { method: 'POST', path, bodyBytesMax: SDP_BYTES_MAX, handle: (r) => this.#create(kind, r) },
      {
        method: 'OPTIONS',
        path,
        bodyBytesMax: 0,
        handle: options({ 'accept-post': SDP, allow: 'POST, OPTIONS' }),
      },
      {
        method: 'PATCH',
        path: one,
        bodyBytesMax: SDP_BYTES_MAX,
        handle: (r) => this.#patch(kind, r),
      },
      { method: 'DELETE', path: one, bodyBytesMax: 0, handle: (r) => this.#delete(kind, r) },
      {
        method: 'OPTIONS',
        path: one,
        bodyBytesMax: 0,
        handle: options({ 'accept-patch': FRAGMENT, allow: 'PATCH, DELETE, OPTIONS' }),
      },
    ]
  }

  /** The claims of a token for the room in the path, and for what this kind does. */
  async #authorise(kind: WhipKind, request: RouteRequest): Promise<Step<Claims>> {
    const { verify, host } = this.#options
    const bearer = await bearerOf(request, verify, host.now().wallMs)
    if (!bearer.ok) return fail(bearer)
    const { claims } = bearer
    if (isNodeRole(claims.role) || claims.room !== request.parameters['room']) {
      return fail({ code: 'forbidden', message: 'the token is for another room' })
    }
    if (kind === 'whip' && !may(claims.role, 'start-on-stage')) {
      return fail({ code: 'forbidden', message: 'this role does not publish' })
    }
    return { ok: true, value: claims }
  }

  async #create(kind: WhipKind, request: RouteRequest): Promise<DoorResponse> {
    const authorised = await this.#authorise(kind, request)
    if (!authorised.ok) return authorised.response
    if (!hasType(request, SDP)) {
      return refusal({ code: 'bad-message', message: `the body must be ${SDP}` }, 415)
    }
    if (!accepts(request, SDP)) {
      return refusal({ code: 'bad-message', message: `the answer is ${SDP}` }, 406)
    }
    const sdp = Buffer.from(request.body).toString('utf8')
    const parsed = parseOffer(sdp)
    if (!parsed.ok) return refusal(parsed)
    const uses = usesOf(kind, parsed.offer)
    if (uses.length === 0) {
      return refusal({ code: 'unsupported-media', message: 'no section of the right direction' })
    }
    if (this.#resources.size + this.#pending >= WHIP_RESOURCES_MAX) {
      return refusal({ code: 'overloaded', message: 'too many sessions' })
    }
    this.#pending++
    try {
      return await this.#admit({ kind, claims: authorised.value, sdp, uses })
    } finally {
      this.#pending--
    }
  }

  async #admit(session: {
    kind: WhipKind
    claims: Claims
    sdp: string
    uses: ReturnType<typeof usesOf>
  }): Promise<DoorResponse> {
    const { hub, host } = this.#options
    const { kind, claims, sdp, uses } = session
    const id = randomBytes(16).toString('base64url')
    // A WHEP session watches, whatever else its token would allow.
    const role = kind === 'whep' && claims.role !== 'observer' ? 'viewer' : claims.role
    const admission = await hub.admit(
      { ...claims, role },
      {
        onGone: () => this.#resources.delete(id),
        onMediaLost: () => this.#end(id),
      },
    )
    if (!admission.ok) return refusal(admission)
    const { seat } = admission
    const answered = hub.desk.answer(seat, sdp, uses)
    if (!answered.ok) {
      hub.leave(seat)
      return refusal(answered)
    }
    const resource = new WhipResource({ id, kind, seat, claims })
    this.#resources.set(id, resource)
    for (const use of seat.leg?.publications.keys() ?? []) {
      void host.command(seat.participant, { type: 'publish', use, live: true })
    }
    return {
      status: 201,
      headers: {
        'content-type': SDP,
        location: resource.location,
        etag: resource.etag,
        'accept-patch': FRAGMENT,
        'cache-control': 'no-store',
      },
      body: answered.answer,
    }
  }

  #end(id: string): void {
    const resource = this.#resources.get(id)
    if (resource === undefined) return
    this.#resources.delete(id)
    this.#options.hub.leave(resource.seat)
  }

  /** The resource in the path, for its owner only. */
  async #find(kind: WhipKind, request: RouteRequest): Promise<Step<WhipResource>> {
    const { verify, host } = this.#options
    const bearer = await bearerOf(request, verify, host.now().wallMs)
    if (!bearer.ok) return fail(bearer)
    const resource = this.#resources.get(request.parameters['id'] ?? '')
    const here = resource?.kind === kind && resource.room === request.parameters['room']
    if (resource === undefined || !here) return fail(GONE)
    if (!resource.isOwnedBy(bearer.claims)) {
      return fail({ code: 'forbidden', message: 'the session belongs to another token' })
    }
    return { ok: true, value: resource }
  }

  async #delete(kind: WhipKind, request: RouteRequest): Promise<DoorResponse> {
    const found = await this.#find(kind, request)
    if (!found.ok) return found.response
    this.#end(found.value.id)
    return { status: 200, headers: {} }
  }

  /**
   * Trickle and ICE restart (RFC 9725 §4.3.2, §4.3.3). A lite server has no use for candidates, so
   * trickle is only acknowledged.
   */
  async #patch(kind: WhipKind, request: RouteRequest): Promise<DoorResponse> {
    const found = await this.#find(kind, request)
    if (!found.ok) return found.response
    const resource = found.value
    const { leg } = resource
    if (!hasType(request, FRAGMENT)) {
      return refusal({ code: 'bad-message', message: `the body must be ${FRAGMENT}` }, 415)
    }
    const condition = request.headers['if-match']?.trim()
    if (condition === undefined) {
      return refusal({ code: 'bad-message', message: 'If-Match is needed' }, 428)
    }
    const isRestart = condition === '*'
    const matches = condition.split(',').some((tag) => tag.trim() === resource.etag)
    if (!isRestart && !matches) {
      return refusal({ code: 'bad-state', message: 'this ICE session is over' }, 412)
    }
    const remote = parseFragment(Buffer.from(request.body).toString('utf8'))
    if (remote === undefined) {
      return refusal({ code: 'bad-sdp', message: 'no ICE credentials in the fragment' })
    }
    if (leg === undefined) return refusal(GONE)
    const same =
      remote.usernameFragment === leg.iceRemote.usernameFragment &&
      remote.password === leg.iceRemote.password
    if (same) return noContent({ etag: resource.etag })
    if (!isRestart) {
      const message = 'new credentials restart ICE, which needs If-Match: *'
      return refusal({ code: 'bad-sdp', message }, 422)
    }
    this.#options.hub.desk.restart(resource.seat, leg, remote)
    const mid = leg.sections.find(({ section }) => section !== undefined)?.offered.mid ?? '0'
    return {
      status: 200,
      headers: { 'content-type': FRAGMENT, etag: resource.etag, 'cache-control': 'no-store' },
      body: writeFragment(leg.ice, mid, leg.candidates),
    }
  }
}
