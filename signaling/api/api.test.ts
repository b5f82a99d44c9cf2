import test from 'ava'
import { offerOf } from '../test/offers.ts'
import { type Call, openServer, type Server, token } from '../test/server.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

const admin = (): Promise<string> => token({ role: 'admin', room: '*' })
const chair = (): Promise<string> => token({ role: 'chair' })

const post = (body: object): Call => ({
  method: 'POST',
  headers: JSON_TYPE,
  body: JSON.stringify(body),
})

/** Somebody on the stage of giao-ban, by WHIP. */
async function speaker(server: Server): Promise<string> {
  const parts = [{ mid: '0', kind: 'audio', direction: 'sendonly' }] as const
  const headers = { 'content-type': 'application/sdp' }
  const call = { method: 'POST', headers, body: offerOf(parts), token: await token() }
  await server.call('/whip/giao-ban', call)
  return server.host.conference.summary('giao-ban')?.stage[0]?.participant ?? ''
}

test('an admin opens a room, sees it, and closes it', async (t) => {
  const server = await openServer(t)
  const made = await server.call('/api/v1/rooms', {
    ...post({ room: 'phòng-1' }),
    token: await admin(),
  })
  t.is(made.status, 201)
  t.is(made.headers.location, `/api/v1/rooms/${encodeURIComponent('phòng-1')}`)
  const list = await server.call('/api/v1/rooms', { token: await admin() })
  t.is(JSON.parse(list.body).rooms[0].room, 'phòng-1')
  const path = made.headers.location ?? ''
  t.is(JSON.parse((await server.call(path, { token: await admin() })).body).locked, false)
  const first = await server.call(`${path}/state-hash`, { token: await admin() })
  t.regex(JSON.parse(first.body).hash, /^[0-9a-f]{64}$/)
  t.is((await server.call(path, { method: 'DELETE', token: await admin() })).status, 204)
  t.is((await server.call(path, { token: await admin() })).status, 404)
})

test('the chair of a room manages it, and no other', async (t) => {
  const server = await openServer(t)
  await speaker(server)
  const own = await chair()
  t.is((await server.call('/api/v1/rooms/giao-ban', { token: own })).status, 200)
  t.is((await server.call('/api/v1/rooms/khac', { token: own })).status, 403)
  t.is((await server.call('/api/v1/rooms', { token: own })).status, 403)
  for (const role of ['speaker', 'viewer', 'observer'] as const) {
    const answer = await server.call('/api/v1/rooms/giao-ban', { token: await token({ role }) })
    t.is(answer.status, 403, role)
  }
  t.is((await server.call('/api/v1/rooms/giao-ban')).status, 401)
})

test('participants come in pages, and can be muted, staged and removed', async (t) => {
  const server = await openServer(t)
  const participant = await speaker(server)
  const base = '/api/v1/rooms/giao-ban/participants'
  const own = await chair()
  const page = JSON.parse((await server.call(`${base}?limit=1`, { token: own })).body)
  t.is(page.total, 1)
  t.is(page.members[0].participant, participant)
  const one = `${base}/${participant}`
  const mute = post({ use: 'microphone', muted: true })
  t.is((await server.call(`${one}/mute`, { ...mute, token: own })).status, 204)
  t.true(server.host.conference.participant(participant)?.self.muted.microphone.chair)
  t.is((await server.call(`${one}/stage`, { ...post({ onStage: false }), token: own })).status, 204)
  t.false(server.host.conference.participant(participant)?.self.onStage)
  const stats = await server.call(`${one}/statistics`, { token: own })
  t.is(JSON.parse(stats.body).rttMs, 20)
  t.is((await server.call(one, { method: 'DELETE', token: own })).status, 204)
  t.is((await server.call(one, { method: 'DELETE', token: own })).status, 404)
})

test('a chair who was removed manages nothing any more', async (t) => {
  const server = await openServer(t)
  const own = await chair()
  const room = '/api/v1/rooms/giao-ban'
  const parts = [{ mid: '0', kind: 'audio', direction: 'sendonly' }] as const
  const headers = { 'content-type': 'application/sdp' }
  await speaker(server)
  await server.call('/whip/giao-ban', { method: 'POST', headers, body: offerOf(parts), token: own })
  const members = server.host.conference.summary('giao-ban')?.stage ?? []
  const one = members.find(({ role }) => role === 'chair')?.participant ?? ''
  const remove = { method: 'DELETE', token: await chair() }
  t.is((await server.call(`${room}/participants/${one}`, remove)).status, 204)
  for (const path of [room, `${room}/participants`]) {
    const answer = await server.call(path, { token: own })
    t.is(answer.status, 403)
    t.is(JSON.parse(answer.body).code, 'kicked')
  }
  const lock = { method: 'PUT', headers: JSON_TYPE, token: own, body: '{"locked":true}' }
  t.is((await server.call(`${room}/lock`, lock)).status, 403)
  t.is((await server.call(room, { token: await chair() })).status, 200)
})

test('a lock, an emergency and a pin are set by PUT', async (t) => {
  const server = await openServer(t)
  const participant = await speaker(server)
  const put = { method: 'PUT', headers: JSON_TYPE, token: await chair() }
  const room = '/api/v1/rooms/giao-ban'
  t.is((await server.call(`${room}/lock`, { ...put, body: '{"locked":true}' })).status, 204)
  t.is((await server.call(`${room}/emergency`, { ...put, body: '{"on":true}' })).status, 204)
  const body = JSON.stringify({ participant, use: 'camera' })
  t.is((await server.call(`${room}/pin`, { ...put, body })).status, 204)
  const summary = server.host.conference.summary('giao-ban')
  t.true(summary?.locked)
  t.true(summary?.emergency)
  t.is(summary?.pin?.participant, participant)
})

test('the chair opens and closes polls by REST, and counts stand in the room', async (t) => {
  const server = await openServer(t)
  await speaker(server)
  const own = await chair()
  const room = '/api/v1/rooms/giao-ban'
  const opening = post({ question: 'Mổ ngay?', options: ['Có', 'Không'] })
  t.is((await server.call(`${room}/polls`, { ...opening, token: await token() })).status, 403)
  t.is((await server.call(`${room}/polls`, { ...opening, token: own })).status, 204)
  const one = post({ question: 'Mổ ngay?', options: ['Có'] })
  t.is((await server.call(`${room}/polls`, { ...one, token: own })).status, 400)
  const polls = async () => JSON.parse((await server.call(room, { token: own })).body).polls
  const [poll] = await polls()
  t.like(poll, { question: 'Mổ ngay?', counts: [0, 0], closed: false })
  const close = { method: 'POST', token: own }
  t.is((await server.call(`${room}/polls/${poll.poll}/close`, close)).status, 204)
  t.true((await polls())[0].closed)
  t.is((await server.call(`${room}/polls/none/close`, close)).status, 404)
})

test('the trunk is told to admins and operators, and an admin may have the upstream tried at once', async (t) => {
  let tries = 0
  const server = await openServer(t, {
    trunkStatus: (historyOf) => ({ node: 'nrelay', historyOf }),
    retryUpstream: () => {
      tries += 1
    },
  })
  const path = '/api/v1/trunk'
  const own = await chair()
  t.is((await server.call(path, { token: own })).status, 403)
  const answer = await server.call(path, { token: await admin() })
  t.deepEqual([answer.status, JSON.parse(answer.body)], [200, { node: 'nrelay' }])
  const operator = await token({ role: 'operator', room: '*' })
  const seen = await server.call(`${path}?history=nchild`, { token: operator })
  t.deepEqual([seen.status, JSON.parse(seen.body).historyOf], [200, 'nchild'])
  t.is((await server.call('/api/v1/rooms', { token: operator })).status, 403)
  t.is((await server.call(`${path}/retry`, { method: 'POST', token: operator })).status, 403)
  const retry = { method: 'POST', token: own }
  t.is((await server.call(`${path}/retry`, retry)).status, 403)
  t.is((await server.call(`${path}/retry`, { ...retry, token: await admin() })).status, 204)
  t.is(tries, 1)
})

test('an admin may have the link above measured, an operator may look', async (t) => {
  const asked: number[] = []
  const server = await openServer(t, {
    linkTest: {
      start: (seconds) => (asked.push(seconds) > 1 ? 'busy' : undefined),
      status: () => ({ state: 'asked' }),
    },
  })
  const path = '/api/v1/trunk/link-test'
  const operator = await token({ role: 'operator', room: '*' })
  const ask = (seconds: number) => ({ ...post({ seconds }) })
  t.is((await server.call(path, { ...ask(20), token: operator })).status, 403)
  const seen = await server.call(path, { token: operator })
  t.deepEqual([seen.status, JSON.parse(seen.body)], [200, { state: 'asked' }])
  const own = await admin()
  t.is((await server.call(path, { ...ask(9), token: own })).status, 400)
  t.is((await server.call(path, { ...ask(121), token: own })).status, 400)
  t.is((await server.call(path, { ...ask(20), token: own })).status, 202)
  const again = await server.call(path, { ...ask(20), token: own })
  t.deepEqual([again.status, JSON.parse(again.body).message], [409, 'busy'])
  t.deepEqual(asked, [20, 20])
})

test('a node without trunks or upstream says so', async (t) => {
  const server = await openServer(t)
  const call = { token: await admin() }
  t.is((await server.call('/api/v1/trunk', call)).status, 404)
  const retry = await server.call('/api/v1/trunk/retry', { ...call, method: 'POST' })
  t.deepEqual([retry.status, JSON.parse(retry.body).code], [409, 'bad-state'])
})

test('bad bodies, types, sizes and queries get their status', async (t) => {
  const server = await openServer(t)
  await speaker(server)
  const own = await chair()
  const lock = '/api/v1/rooms/giao-ban/lock'
  const put = { method: 'PUT', headers: JSON_TYPE, token: own }
  t.is((await server.call(lock, { ...put, body: '{"locked":1}' })).status, 400)
  t.is((await server.call(lock, { ...put, body: '{' })).status, 400)
  t.is((await server.call(lock, { ...put, body: '[]' })).status, 400)
  t.is((await server.call(lock, { ...put, headers: {}, body: '{"locked":true}' })).status, 415)
  t.is((await server.call(lock, { ...put, body: ' '.repeat(16 * 1024 + 1) })).status, 413)
  t.is((await server.call(lock, { method: 'POST', token: own })).status, 405)
  const list = '/api/v1/rooms/giao-ban/participants'
  t.is((await server.call(`${list}?limit=101`, { token: own })).status, 400)
  t.is((await server.call(`${list}?limit=x`, { token: own })).status, 400)
  t.is((await server.call('/api/v1/rooms/%2e%2e%2f', { token: own })).status, 403)
  const bad = { ...post({ room: '../x' }), token: await admin() }
  t.is((await server.call('/api/v1/rooms', bad)).status, 400)
  t.deepEqual(server.faults, [])
})

test('what is unknown gets 404, to those who may know', async (t) => {
  const server = await openServer(t)
  const own = await chair()
  t.is((await server.call('/api/v1/rooms/giao-ban', { token: own })).status, 404)
  await speaker(server)
  const one = '/api/v1/rooms/giao-ban/participants/pnobody'
  t.is((await server.call(one, { method: 'DELETE', token: own })).status, 404)
  t.is((await server.call(`${one}/statistics`, { token: own })).status, 404)
})

type Json = { [key: string]: Json } & { [index: number]: Json }

/** Every value of an object, at any depth, with its key. */
function walk(value: unknown, visit: (key: string, value: unknown) => void): void {
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    visit(key, inner)
    walk(inner, visit)
  }
}

test('the OpenAPI document is whole: references resolve, parameters and answers are described', async (t) => {
  const server = await openServer(t)
  const answer = await server.call('/api/v1/openapi.json')
  t.is(answer.status, 200)
  const document = JSON.parse(answer.body) as Json
  t.is(document['openapi'] as unknown, '3.1.0')
  walk(document, (key, value) => {
    if (key !== '$ref') return
    let target: unknown = document
    for (const part of String(value).slice(2).split('/')) target = (target as Json)?.[part]
    t.truthy(target, String(value))
  })
  const ids = new Set<string>()
  for (const [path, methods] of Object.entries(document['paths'] as Json)) {
    for (const [method, operation] of Object.entries(methods as Json)) {
      const { operationId, parameters, responses, security } = operation as Json
      t.false(ids.has(String(operationId)), String(operationId))
      ids.add(String(operationId))
      const named = (parameters as unknown as { in: string; name: string }[])
        .filter((parameter) => parameter.in === 'path')
        .map(({ name }) => name)
      t.deepEqual(
        named,
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''),
        path,
      )
      t.true(
        Object.keys(responses as object).some((status) => status.startsWith('2')),
        method,
      )
      t.truthy(security)
    }
  }
  t.is(ids.size, 22)
})

test('every documented operation exists, and without a token none but the demo’s says more than 401', async (t) => {
  const server = await openServer(t)
  const document = JSON.parse((await server.call('/api/v1/openapi.json')).body) as Json
  for (const [template, methods] of Object.entries(document['paths'] as Json)) {
    for (const method of Object.keys(methods as object)) {
      const path = template.replace(/\{\w+\}/g, 'x')
      const { status } = await server.call(path, { method: method.toUpperCase() })
      t.is(status, template.endsWith('demo-token') ? 403 : 401, `${method} ${template}`)
    }
  }
})
