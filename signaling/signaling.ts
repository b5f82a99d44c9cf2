/**
 * Puts the doors together: tokens, sessions, WHIP, REST, health, pages behind one open door. Owns
 * the tick; owns neither the conference nor the media plane, which outlive it.
 */

import { randomBytes } from 'node:crypto'
import { SESSION_TICK_MS } from '../config/index.ts'
import type { Director } from '../core/conference/index.ts'
import type { MediaPlane } from '../core/media/control.ts'
import type { ConferenceHost } from '../core/store/index.ts'
import type { StagePort } from '../relay/stage-port.ts'
import { apiRoutes, type LinkTestDoor, openApiDocument } from './api/index.ts'
import { createTokenVerifier, type PinnedIssuers, type TokenKeys } from './auth/index.ts'
import type { Door, SocketRoute } from './door.ts'
import { DOOR_MESSAGE_BYTES_MAX, Gate } from './gate.ts'
import { healthRoutes, type MetricsAccess } from './health.ts'
import { json, type PageOptions, Pages, type Route } from './http/index.ts'
import { type DoorPreference, openDoor } from './io/index.ts'
import { type DoorCounters, Hub } from './session/index.ts'
import { WhipDesk } from './whip/index.ts'

/** The seams that main.ts fills, and the settings that concern the doors. */
export type SignalingOptions = {
  /** `onNotice` is taken. */
  host: ConferenceHost
  /** `onReport` is taken. */
  media: MediaPlane
  createDirector: () => Director
  keys: TokenKeys
  /** Other nodes whose tokens are good here too. */
  issuers?: PinnedIssuers
  /** Absent = no page is served. */
  page?: PageOptions
  metrics: { text: () => Promise<string>; contentType: string; access: MetricsAccess }
  listen: {
    host: string
    port: number
    door: DoorPreference
    tls?: { certificateFile: string; keyFile: string }
  }
  /** Foreign origins that may use the doors. */
  cors: readonly string[]
  /** Per address; loopback is exempt. */
  requestsPerS: number
  /** Whether a loopback page may give itself a token for room `demo`. */
  demo: boolean
  /** As people know this node; default ''. */
  nodeName?: string
  /** What `GET /api/v1/trunk?history={nodeId}` answers; absent on a node without trunks. */
  trunkStatus?: (historyOf: string | undefined) => unknown
  /** Dials the node above at once; absent on a node without one. */
  retryUpstream?: () => void
  /** Measures the link above; absent on a node without an upstream. */
  linkTest?: LinkTestDoor
  /** WebSockets of other paths, such as those of relays. */
  sockets?: readonly SocketRoute[]
  /** Of the program, for the OpenAPI document. */
  version: string
  /** Bugs: never called for what a client did. */
  onFault: (error: unknown) => void
}

export type SignalingFigures = {
  sockets: number
  participants: number
  rooms: number
  transports: number
  whipSessions: number
}

/** Open doors. */
export interface Signaling {
  readonly port: number
  readonly door: 'uws' | 'ws'
  /** Why it is this door. */
  readonly doorReason: string
  /** For the trunks. */
  readonly stage: StagePort
  /** What the doors have counted since the start. */
  readonly counters: DoorCounters
  figures(): SignalingFigures
  /** Tells every client, stops to listen, waits until the sockets are closed or cut. Idempotent. */
  close(): Promise<void>
}

/**
 * Opens the doors. Rejects when the port is taken, TLS files are missing, or the chosen door does
 * not load.
 */
export async function createSignaling(options: SignalingOptions): Promise<Signaling> {
  const { host, media, keys, onFault, sockets = [] } = options
  const verify = createTokenVerifier(keys, options.issuers)
  const hub = new Hub({
    host,
    media,
    createDirector: options.createDirector,
    verify,
    randomBytes: (count) => randomBytes(count),
    nodeName: options.nodeName ?? '',
    ...(options.retryUpstream === undefined ? {} : { retryUpstream: options.retryUpstream }),
    onFault,
  })
  const whip = new WhipDesk({ host, hub, verify })
  let isOpen = true
  const gate = new Gate({
    hub,
    routes: [
      ...healthRoutes({
        ...{ host, verify, metrics: options.metrics, isOpen: () => isOpen },
        upstream: () => hub.upstream.message,
      }),
      ...documentedRoutes(
        {
          ...{ host, hub, media, keys, verify, demo: options.demo },
          trunkStatus: options.trunkStatus,
          retryUpstream: options.retryUpstream,
          linkTest: options.linkTest,
        },
        options.version,
      ),
      ...whip.routes(),
    ],
    pages: options.page === undefined ? undefined : new Pages(options.page),
    sockets,
    cors: options.cors,
    requestsPerS: options.requestsPerS,
    nowMs: () => host.now().nowMs,
    onFault,
  })
  const { door, reason } = await openDoor(options.listen.door, {
    host: options.listen.host,
    port: options.listen.port,
    ...(options.listen.tls === undefined ? {} : { tls: options.listen.tls }),
    messageBytesMax: DOOR_MESSAGE_BYTES_MAX,
    deflatePaths: sockets.map(({ path }) => path),
    handlers: gate,
  })
  const ticker = setInterval(() => hub.tick(), SESSION_TICK_MS)
  return {
    port: door.port,
    door: door.kind,
    doorReason: reason,
    stage: hub.stage,
    counters: hub.counters,
    figures: () => ({
      sockets: hub.socketCount,
      participants: hub.seatCount,
      rooms: hub.roomCount,
      transports: hub.desk.transportCount,
      whipSessions: whip.size,
    }),
    close: once(async () => {
      isOpen = false
      hub.close()
      await closeDoor(door)
      clearInterval(ticker)
    }),
  }
}

function documentedRoutes(api: Parameters<typeof apiRoutes>[0], version: string): Route[] {
  const routes = apiRoutes(api)
  const document = openApiDocument(routes, version)
  return [
    ...routes,
    {
      method: 'GET',
      path: '/api/v1/openapi.json',
      bodyBytesMax: 0,
      handle: () => json(200, document),
    },
  ]
}

async function closeDoor(door: Door): Promise<void> {
  await door.close()
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closed: Promise<void> | undefined
  return () => {
    closed ??= close()
    return closed
  }
}
