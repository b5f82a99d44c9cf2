/**
 * For tests of the doors: everything behind a real door on loopback, with a fake media plane and a
 * store in memory.
 */

import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { ExecutionContext } from 'ava'
import { createConference, createDirector } from '../../core/conference/index.ts'
import { type ConferenceHost, createConferenceHost } from '../../core/store/index.ts'
import { issueToken, type TokenRequest } from '../auth/index.ts'
import { createSignaling, type Signaling, type SignalingOptions } from '../signaling.ts'
import { FakeMedia } from './fake-media.ts'
import { testKeys } from './keys.ts'
import { MemoryStore } from './memory-store.ts'

export type Answer = { status: number; headers: IncomingMessage['headers']; body: string }

export type Call = {
  method?: string
  headers?: Record<string, string>
  body?: string
  token?: string
}

export class Server {
  readonly media: FakeMedia
  readonly host: ConferenceHost
  readonly signaling: Signaling
  readonly faults: unknown[]

  constructor(parts: Pick<Server, 'media' | 'host' | 'signaling' | 'faults'>) {
    this.media = parts.media
    this.host = parts.host
    this.signaling = parts.signaling
    this.faults = parts.faults
  }

  async call(
    path: string,
    { method = 'GET', headers = {}, body, token }: Call = {},
  ): Promise<Answer> {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const { port } = this.signaling
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      path,
      method,
      headers: { ...authorization, ...headers },
      agent: false,
    })
    request.end(body)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    const status = response.statusCode ?? 0
    return { status, headers: response.headers, body: Buffer.concat(chunks).toString() }
  }
}

/** A token for room `giao-ban`. */
export function token(request: Partial<TokenRequest> = {}): Promise<string> {
  const defaults = { room: 'giao-ban', role: 'speaker', site: 'Mường Nhé', ttlS: 3600 } as const
  return issueToken(testKeys(), { ...defaults, nowMs: Date.now(), ...request })
}

/** Open until the test ends. */
export async function openServer(
  t: ExecutionContext,
  overrides: Partial<SignalingOptions> = {},
): Promise<Server> {
  const now = { nowMs: performance.now(), wallMs: Date.now() }
  const randomBytes = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count))
  const log = new MemoryStore()
  const conference = createConference({ store: log, randomBytes, now })
  const host = createConferenceHost({ conference, log })
  const media = new FakeMedia()
  const faults: unknown[] = []
  const signaling = await createSignaling({
    host,
    media,
    createDirector,
    keys: testKeys(),
    metrics: { text: async () => 'nhipcau_up 1\n', contentType: 'text/plain', access: 'loopback' },
    listen: { host: '127.0.0.1', port: 0, door: 'auto' },
    cors: [],
    requestsPerS: 200,
    demo: true,
    version: '0.0.0',
    onFault: (error) => faults.push(error),
    ...overrides,
  })
  t.teardown(async () => {
    await signaling.close()
    await host.close()
  })
  return new Server({ media, host, signaling, faults })
}
