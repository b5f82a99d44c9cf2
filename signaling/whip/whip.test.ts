import test, { type ExecutionContext } from 'ava'
import { type OfferPart, offerOf } from '../test/offers.ts'
import { type Answer, type Call, openServer, type Server, token } from '../test/server.ts'

const SDP = { 'content-type': 'application/sdp' }
const FRAGMENT = { 'content-type': 'application/trickle-ice-sdpfrag' }
const SEND: OfferPart[] = [
  { mid: '0', kind: 'audio', direction: 'sendonly' },
  { mid: '1', kind: 'video', direction: 'sendonly' },
]
const RECEIVE: OfferPart[] = [
  { mid: '0', kind: 'audio', direction: 'recvonly' },
  { mid: '1', kind: 'video', direction: 'recvonly' },
  { mid: '2', kind: 'video', direction: 'recvonly' },
]

async function publish(server: Server, call: Call = {}): Promise<Answer> {
  const body = offerOf(SEND)
  return await server.call('/whip/giao-ban', {
    method: 'POST',
    headers: SDP,
    body,
    token: await token(),
    ...call,
  })
}

/** A published session with its token. */
async function published(
  t: ExecutionContext,
): Promise<{ server: Server; location: string; etag: string; owner: string }> {
  const server = await openServer(t)
  const owner = await token()
  const { headers } = await publish(server, { token: owner })
  return { server, location: headers.location ?? '', etag: headers.etag ?? '', owner }
}

const fragment = (ufrag: string, pwd = 'abcdefghijklmnopqrstuvwx'): string =>
  `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${pwd}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n`

test('POST of an offer makes a publishing participant and answers as RFC 9725 says', async (t) => {
  const server = await openServer(t)
  const answer = await publish(server)
  t.is(answer.status, 201)
  t.is(answer.headers['content-type'], 'application/sdp')
  t.regex(answer.headers.location ?? '', /^\/whip\/giao-ban\/[\w-]{22}$/)
  t.regex(answer.headers.etag ?? '', /^"[^"]+"$/)
  t.is(answer.headers['accept-patch'], 'application/trickle-ice-sdpfrag')
  t.is(answer.body.match(/^a=recvonly\r$/gm)?.length, 2)
  const [spec] = [...server.media.open.values()]
  t.deepEqual(
    spec?.sections.map(({ use }) => use),
    ['microphone', 'camera'],
  )
  t.deepEqual([...(spec?.permitted ?? [])].sort(), ['camera', 'microphone', 'screen'])
  await server.host.command('nobody', { type: 'hand', raised: true })
  const [member] = server.host.conference.summary('giao-ban')?.stage ?? []
  t.deepEqual(Object.keys(member?.sources ?? {}).sort(), ['camera', 'microphone'])
  t.is(member?.site, 'Mường Nhé')
})

test('WHEP shows the main picture first and the stage in further sections, and never publishes', async (t) => {
  const server = await openServer(t)
  await publish(server)
  const answer = await server.call('/whep/giao-ban', {
    method: 'POST',
    headers: SDP,
    body: offerOf(RECEIVE),
    token: await token({ role: 'speaker' }),
  })
  t.is(answer.status, 201)
  t.regex(answer.headers.location ?? '', /^\/whep\/giao-ban\/[\w-]{22}$/)
  const spec = [...server.media.open.values()].at(-1)
  t.deepEqual(
    spec?.sections.map(({ use }) => use),
    ['audio', 'main', 'tile'],
  )
  t.deepEqual(spec?.permitted, [])
  t.is(server.host.conference.summary('giao-ban')?.counts.audience, 1)
})

test('DELETE ends the participant and its transport', async (t) => {
  const { server, location, owner } = await published(t)
  t.is((await server.call(location, { method: 'DELETE', token: owner })).status, 200)
  t.is(server.media.open.size, 0)
  t.is((await server.call(location, { method: 'DELETE', token: owner })).status, 404)
  await server.host.command('nobody', { type: 'hand', raised: true })
  t.is(server.host.conference.summary('giao-ban')?.counts.sites ?? 0, 0)
})

test('a kicked WHIP session is gone as a resource and stays out', async (t) => {
  const { server, location, owner } = await published(t)
  const member = server.host.conference.summary('giao-ban')?.stage[0]?.participant
  const chair = await token({ role: 'chair' })
  const path = `/api/v1/rooms/giao-ban/participants/${member}`
  t.is((await server.call(path, { method: 'DELETE', token: chair })).status, 204)
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  t.is(server.media.open.size, 0)
  t.is((await server.call(location, { method: 'DELETE', token: owner })).status, 404)
  t.is((await publish(server, { token: owner })).status, 403)
})

test('when its media is lost the session ends', async (t) => {
  const { server, location, owner } = await published(t)
  const [transportId = 0] = server.media.open.keys()
  server.media.open.delete(transportId)
  server.media.onReport({ type: 'disconnected', transportId, cause: 'consent-expired' })
  t.is((await server.call(location, { method: 'DELETE', token: owner })).status, 404)
})

test('trickle is acknowledged with 204 for the right entity tag', async (t) => {
  const { server, location, etag, owner } = await published(t)
  const headers = { ...FRAGMENT, 'if-match': etag }
  const body = fragment('abcd')
  const answer = await server.call(location, { method: 'PATCH', headers, body, token: owner })
  t.is(answer.status, 204)
  t.is(server.media.take('restart').length, 0)
})

test('ICE restart gives new credentials and a new entity tag; the old tag is over', async (t) => {
  const { server, location, etag, owner } = await published(t)
  const call = { method: 'PATCH', body: fragment('wxyz'), token: owner }
  const headers = { ...FRAGMENT, 'if-match': '*' }
  const answer = await server.call(location, { ...call, headers })
  t.is(answer.status, 200)
  t.is(answer.headers['content-type'], 'application/trickle-ice-sdpfrag')
  t.not(answer.headers.etag, etag)
  const [restart] = server.media.take('restart')
  t.is(restart?.iceRemote.usernameFragment, 'wxyz')
  t.true(answer.body.includes(`a=ice-ufrag:${restart?.iceLocal.usernameFragment}\r\n`))
  const late = await server.call(location, { ...call, headers: { ...FRAGMENT, 'if-match': etag } })
  t.is(late.status, 412)
})

const POST_REFUSED: Record<string, [number, () => Promise<Call>]> = {
  'no token': [401, async () => ({ headers: SDP, token: undefined as unknown as string })],
  'a bad token': [401, async () => ({ token: 'a.b.c' })],
  'an expired token': [401, async () => ({ token: await token({ nowMs: 0 }) })],
  'a token of another room': [403, async () => ({ token: await token({ room: 'khac' }) })],
  'an admin token': [403, async () => ({ token: await token({ room: '*', role: 'admin' }) })],
  'a viewer’s token': [403, async () => ({ token: await token({ role: 'viewer' }) })],
  'no content type': [415, async () => ({ headers: {} })],
  JSON: [415, async () => ({ headers: { 'content-type': 'application/json' } })],
  'a client that takes no SDP': [406, async () => ({ headers: { ...SDP, accept: 'text/html' } })],
  'a client that refuses SDP': [
    406,
    async () => ({ headers: { ...SDP, accept: 'application/sdp;q=0' } }),
  ],
  'junk as SDP': [400, async () => ({ body: 'hello' })],
  'an empty body': [400, async () => ({ body: '' })],
  'an SDP of a megabyte': [413, async () => ({ body: `v=0\r\n${'a'.repeat(1_000_000)}` })],
  'only receiving sections': [422, async () => ({ body: offerOf(RECEIVE) })],
  'no codec in common': [
    422,
    async () => ({ body: offerOf(SEND, { without: /opus|VP[89]|H264|AV1/ }) }),
  ],
}

for (const [name, [status, call]] of Object.entries(POST_REFUSED)) {
  test(`POST with ${name} gets ${status} and leaves nobody in the room`, async (t) => {
    const server = await openServer(t)
    const answer = await publish(server, await call())
    t.is(answer.status, status)
    if (status === 401) t.regex(answer.headers['www-authenticate'] ?? '', /^Bearer /)
    t.is(server.media.open.size, 0)
    t.is(server.signaling.figures().whipSessions, 0)
    t.deepEqual(server.faults, [])
  })
}

const PATCH_REFUSED: Record<string, [number, (etag: string) => Promise<Call>]> = {
  'no If-Match': [428, async () => ({ headers: FRAGMENT })],
  'another entity tag': [412, async () => ({ headers: { ...FRAGMENT, 'if-match': '"x"' } })],
  'SDP instead of a fragment': [415, async () => ({ headers: { ...SDP, 'if-match': '*' } })],
  'no credentials': [
    400,
    async () => ({ headers: { ...FRAGMENT, 'if-match': '*' }, body: 'a=x\r\n' }),
  ],
  'new credentials without *': [
    422,
    async (etag) => ({ headers: { ...FRAGMENT, 'if-match': etag }, body: fragment('wxyz') }),
  ],
  'no token': [401, async () => ({ token: undefined as unknown as string })],
  'another’s token': [403, async () => ({ token: await token() })],
}

for (const [name, [status, call]] of Object.entries(PATCH_REFUSED)) {
  test(`PATCH with ${name} gets ${status} and restarts nothing`, async (t) => {
    const { server, location, etag, owner } = await published(t)
    const usual = {
      headers: { ...FRAGMENT, 'if-match': '*' },
      body: fragment('wxyz'),
      token: owner,
    }
    const answer = await server.call(location, { method: 'PATCH', ...usual, ...(await call(etag)) })
    t.is(answer.status, status)
    t.is(server.media.take('restart').length, 0)
  })
}

test('OPTIONS says what may be posted and patched', async (t) => {
  const { server, location } = await published(t)
  const endpoint = await server.call('/whip/giao-ban', { method: 'OPTIONS' })
  t.is(endpoint.status, 204)
  t.is(endpoint.headers['accept-post'], 'application/sdp')
  const resource = await server.call(location, { method: 'OPTIONS' })
  t.is(resource.headers['accept-patch'], 'application/trickle-ice-sdpfrag')
})

test('other methods get 405 and the list of those that are allowed', async (t) => {
  const { server, location } = await published(t)
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
    const answer = await server.call('/whip/giao-ban', { method })
    t.is(answer.status, 405, method)
    t.is(answer.headers.allow, 'POST, OPTIONS')
  }
  for (const method of ['GET', 'PUT', 'POST']) {
    t.is((await server.call(location, { method })).status, 405, method)
  }
})

test('another session’s id, kind or room finds nothing', async (t) => {
  const { server, location, owner } = await published(t)
  const call = { method: 'DELETE', token: owner }
  t.is((await server.call(location.replace('whip', 'whep'), call)).status, 404)
  t.is((await server.call(location.replace('giao-ban', 'khac'), call)).status, 404)
  t.is((await server.call('/whip/giao-ban/%2e%2e', call)).status, 404)
  t.is((await server.call('/whip/giao-ban/%ff', call)).status, 400)
  t.is(server.media.open.size, 1)
})

test('a foreign page sees Location and ETag only where the operator allows its origin', async (t) => {
  const server = await openServer(t, { cors: ['https://portal.example'] })
  const headers = { ...SDP, origin: 'https://portal.example' }
  const answer = await publish(server, { headers })
  t.is(answer.headers['access-control-allow-origin'], 'https://portal.example')
  t.regex(answer.headers['access-control-expose-headers'] ?? '', /location.*etag/)
  const preflight = await server.call('/whip/giao-ban', {
    method: 'OPTIONS',
    headers: { origin: 'https://portal.example', 'access-control-request-method': 'POST' },
  })
  t.is(preflight.status, 204)
  t.regex(preflight.headers['access-control-allow-headers'] ?? '', /authorization.*if-match/)
  const stranger = await publish(server, { headers: { ...SDP, origin: 'https://evil.example' } })
  t.is(stranger.headers['access-control-allow-origin'], undefined)
})
