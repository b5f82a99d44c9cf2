/**
 * What stands right behind the door: rates, origins, headers that every answer gets, the way to a
 * route or a page, and who may open a WebSocket. Everything that is said here is said to strangers.
 */

import { API_BODY_BYTES_MAX, OFFER_BYTES_MAX } from '../config/index.ts'
import type {
  DoorHandlers,
  DoorRequest,
  DoorResponse,
  DoorSocket,
  RequestHead,
  SocketRoute,
  UpgradeDecision,
} from './door.ts'
import {
  corsHeaders,
  isAllowedOrigin,
  isLoopbackAddress,
  isPreflight,
  json,
  methodNotAllowed,
  noContent,
  type Pages,
  type Route,
  Router,
  refusal,
} from './http/index.ts'
import { codecFor, type ErrorCode } from './protocol/index.ts'
import { type Hub, KeyedBuckets } from './session/index.ts'

export type GateOptions = {
  hub: Hub
  routes: readonly Route[]
  pages: Pages | undefined
  /** Sockets of other paths than `/ws`, each with a subprotocol of its own. */
  sockets: readonly SocketRoute[]
  /** Origins besides our own; `*` for all. */
  cors: readonly string[]
  requestsPerS: number
  nowMs: () => number
  onFault: (error: unknown) => void
}

/** Largest WebSocket message: an offer. */
export const DOOR_MESSAGE_BYTES_MAX = OFFER_BYTES_MAX

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
}
const API_CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'"
const PREFLIGHT_MAX_AGE_S = '600'

function refuseAs(code: ErrorCode, message: string, status?: number): DoorResponse {
  return refusal({ code, message }, status)
}

/** The handlers of a door. */
export class Gate implements DoorHandlers {
  readonly #options: GateOptions
  readonly #router: Router<Route>
  readonly #rates: KeyedBuckets

  constructor(options: GateOptions) {
    this.#options = options
    this.#router = new Router(options.routes)
    const perS = options.requestsPerS
    this.#rates = new KeyedBuckets({ perS, burst: perS * 2 })
  }

  #isTooFast(head: RequestHead): boolean {
    if (isLoopbackAddress(head.remoteAddress)) return false
    return !this.#rates.take(head.remoteAddress, this.#options.nowMs())
  }

  bodyBytesMax(head: RequestHead): number {
    const found = this.#router.find(head.method, head.path)
    // What is not there is told so, whatever came with the question: 404 and 405, not 413.
    return found.kind === 'route' ? found.route.bodyBytesMax : API_BODY_BYTES_MAX
  }

  async onRequest(request: DoorRequest): Promise<DoorResponse> {
    const response = await this.#respond(request)
    const cors = corsHeaders(request, this.#options.cors)
    const policy = { 'content-security-policy': API_CONTENT_SECURITY_POLICY }
    response.headers = { ...policy, ...SECURITY_HEADERS, ...response.headers, ...cors }
    if ('access-control-allow-origin' in cors) {
      response.headers['cross-origin-resource-policy'] = 'cross-origin'
    }
    return response
  }

  async #respond(request: DoorRequest): Promise<DoorResponse> {
    if (this.#isTooFast(request)) return refuseAs('rate-limited', 'too many requests')
    const found = this.#router.find(request.method, request.path)
    if (isPreflight(request)) return this.#preflight(request, found.kind === 'nothing')
    if (request.path === '/ws') return refuseAs('bad-message', 'a WebSocket lives here', 426)
    switch (found.kind) {
      case 'route':
        return await this.#run(found.route, found.parameters, request)
      case 'other-method':
        return methodNotAllowed(found.allow)
      case 'bad-path':
        return refuseAs('bad-message', 'the path is not well-formed')
      case 'nothing':
        return this.#page(request)
    }
  }

  async #run(
    route: Route,
    parameters: Record<string, string>,
    request: DoorRequest,
  ): Promise<DoorResponse> {
    try {
      const search = new URLSearchParams(request.query)
      return await route.handle({ ...request, parameters, search })
    } catch (error) {
      this.#options.onFault(error)
      return refuseAs('internal', 'this should not have happened')
    }
  }

  #preflight(request: DoorRequest, isUnknown: boolean): DoorResponse {
    const cors = corsHeaders(request, this.#options.cors)
    if (isUnknown || !('access-control-allow-origin' in cors)) return noContent()
    return noContent({
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      'access-control-allow-headers': 'authorization, content-type, if-match',
      'access-control-max-age': PREFLIGHT_MAX_AGE_S,
    })
  }

  #page(request: DoorRequest): DoorResponse {
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const page = isRead ? this.#options.pages?.answer(request) : undefined
    return page ?? json(404, { code: 'not-found', message: 'nothing here' })
  }

  onUpgrade(head: RequestHead, offered: readonly string[]): UpgradeDecision {
    const route = this.#options.sockets.find(({ path }) => path === head.path)
    if (route !== undefined) return this.#upgradeTo(route, head, offered)
    if (head.path !== '/ws') return { response: refuseAs('not-found', 'nothing here') }
    if (this.#isTooFast(head)) return { response: refuseAs('rate-limited', 'too many requests') }
    if (!isAllowedOrigin(head, this.#options.cors)) {
      return { response: refuseAs('forbidden', 'not from this page') }
    }
    const protocol = offered.find((name) => codecFor(name) !== undefined)
    if (protocol === undefined) {
      const message = 'offer nhipcau.1.msgpack or nhipcau.1.json as subprotocol'
      return { response: refuseAs('unsupported-version', message) }
    }
    const isLoopback = isLoopbackAddress(head.remoteAddress)
    if (!this.#options.hub.hasPlaceFor(head.remoteAddress, isLoopback)) {
      return { response: refuseAs('overloaded', 'too many connections') }
    }
    return { protocol }
  }

  /** No page may open such a socket: they are for programs, which say no origin. */
  #upgradeTo(route: SocketRoute, head: RequestHead, offered: readonly string[]): UpgradeDecision {
    if (this.#isTooFast(head)) return { response: refuseAs('rate-limited', 'too many requests') }
    if (head.headers.origin !== undefined) {
      return { response: refuseAs('forbidden', 'not from a page') }
    }
    if (!offered.includes(route.subprotocol)) {
      const message = `offer ${route.subprotocol} as subprotocol`
      return { response: refuseAs('unsupported-version', message) }
    }
    if (!route.hasPlaceFor(head.remoteAddress)) {
      return { response: refuseAs('overloaded', 'too many connections') }
    }
    return { protocol: route.subprotocol }
  }

  #ownerOf(socket: DoorSocket): Pick<SocketRoute, 'onOpen' | 'onMessage' | 'onClose'> {
    const { sockets, hub } = this.#options
    return sockets.find(({ subprotocol }) => subprotocol === socket.protocol) ?? hub
  }

  // Whoever owns a socket watches it; the door never asks us again.
  onOpen: DoorHandlers['onOpen'] = (socket) => this.#ownerOf(socket).onOpen(socket)
  onMessage: DoorHandlers['onMessage'] = (socket, data, binary) =>
    this.#ownerOf(socket).onMessage(socket, data, binary)
  onDrain: DoorHandlers['onDrain'] = () => {}
  onClose: DoorHandlers['onClose'] = (socket) => this.#ownerOf(socket).onClose(socket)
}
