/**
 * `/healthz`, `/readyz` and `/metrics`: for machines that watch this one.
 */

import type { ConferenceHost } from '../core/store/index.ts'
import { isNodeRole, type TokenVerifier } from './auth/index.ts'
import type { DoorResponse } from './door.ts'
import {
  bearerOf,
  isDirectLoopback,
  json,
  type Route,
  type RouteRequest,
  refusal,
} from './http/index.ts'

export type MetricsAccess = 'loopback' | 'open' | 'token'

export type HealthOptions = {
  host: ConferenceHost
  verify: TokenVerifier
  metrics: { text: () => Promise<string>; contentType: string; access: MetricsAccess }
  /** False while closing. */
  isOpen: () => boolean
  /** The way to the node above; undefined on a node without one. An island is well all the same. */
  upstream: () => { state: string; forMs: number } | undefined
}

const PLAIN = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }

/** The three routes. */
export function healthRoutes(options: HealthOptions): Route[] {
  const { host, isOpen, upstream } = options
  return [
    {
      method: 'GET',
      path: '/healthz',
      bodyBytesMax: 0,
      handle: () => {
        const above = upstream()
        const line = above && `upstream ${above.state} for ${Math.round(above.forMs / 1_000)} s\n`
        return { status: 200, headers: { ...PLAIN }, body: `ok\n${line ?? ''}` }
      },
    },
    {
      method: 'GET',
      path: '/readyz',
      bodyBytesMax: 0,
      handle: () => {
        const { storeState } = host.conference
        const ready = isOpen() && storeState === 'ok'
        const above = upstream()
        const state = above === undefined ? {} : { upstream: above.state }
        return json(ready ? 200 : 503, { ready, store: storeState, open: isOpen(), ...state })
      },
    },
    { method: 'GET', path: '/metrics', bodyBytesMax: 0, handle: (r) => metrics(options, r) },
  ]
}

async function metrics(options: HealthOptions, request: RouteRequest): Promise<DoorResponse> {
  const { access, text, contentType } = options.metrics
  if (access === 'loopback' && !isDirectLoopback(request)) {
    return refusal({ code: 'forbidden', message: 'only from this machine' })
  }
  if (access === 'token') {
    const bearer = await bearerOf(request, options.verify, options.host.now().wallMs)
    if (!bearer.ok) return refusal(bearer)
    if (!isNodeRole(bearer.claims.role)) {
      return refusal({ code: 'forbidden', message: 'only with an admin or operator token' })
    }
  }
  const headers = { 'content-type': contentType, 'cache-control': 'no-store' }
  return { status: 200, headers, body: await text() }
}
