import { once } from 'node:events'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import test from 'ava'
import type { RequestHead } from '../door.ts'
import { corsHeaders, isAllowedOrigin, isDirectLoopback, isLoopbackPage } from '../http/index.ts'
import { type Answer, openServer, type Server, token } from './server.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

function page(): {
  root: string
  hashedPrefix: string
  route: RegExp
  documents: Record<string, string>
  contentSecurityPolicy: string
  permissionsPolicy: string
} {
  const outside = mkdtempSync(join(tmpdir(), 'nhipcau-page-'))
  const root = join(outside, 'dist')
  mkdirSync(join(root, 'assets'), { recursive: true })
  writeFileSync(join(outside, 'secret.txt'), 'secret')
  writeFileSync(join(root, 'index.html'), '<!doctype html>')
  writeFileSync(join(root, 'operator.html'), '<!doctype html><p>operator')
  writeFileSync(join(root, 'assets', 'a-1f.js'), 'let a')
  writeFileSync(join(root, 'assets', 'a-1f.js.br'), brotliCompressSync('let a'))
  symlinkSync(join(outside, 'secret.txt'), join(root, 'link.txt'))
  return {
    root,
    hashedPrefix: '/assets/',
    route: /^\/r\/[^/]+\/?$/,
    documents: { '/operator': '/operator.html' },
    contentSecurityPolicy: "default-src 'self'",
    permissionsPolicy: 'camera=(self)',
  }
}

test('a document of its own is served at its path, never cached', async (t) => {
  const server = await openServer(t, { page: page() })
  const { status, headers, body } = await server.call('/operator?lang=en')
  t.is(status, 200)
  t.is(headers['cache-control'], 'no-cache')
  t.regex(String(body), /operator/)
  t.is((await server.call('/constructor')).status, 404)
})

test('the page is served at / and /r/{room}, never cached; hashed files for ever', async (t) => {
  const server = await openServer(t, { page: page() })
  for (const path of ['/', '/r/giao-ban', '/r/giao-ban?lang=vi']) {
    const answer = await server.call(path)
    t.is(answer.status, 200, path)
    t.is(answer.headers['content-type'], 'text/html; charset=utf-8')
    t.is(answer.headers['cache-control'], 'no-cache')
    t.is(answer.headers['content-security-policy'], "default-src 'self'")
    t.is(answer.headers['x-content-type-options'], 'nosniff')
  }
  const asset = await server.call('/assets/a-1f.js')
  t.is(asset.headers['cache-control'], 'public, max-age=31536000, immutable')
  t.is(asset.headers['content-type'], 'text/javascript; charset=utf-8')
})

test('a known entity tag gets 304, HEAD no body, a brotli reader brotli', async (t) => {
  const server = await openServer(t, { page: page() })
  const { headers } = await server.call('/')
  const again = await server.call('/', { headers: { 'if-none-match': headers.etag ?? '' } })
  t.is(again.status, 304)
  t.is(again.body, '')
  const head = await server.call('/', { method: 'HEAD' })
  t.is(head.status, 200)
  t.is(head.headers['content-length'], '15')
  const { port } = server.signaling
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path: '/assets/a-1f.js',
    headers: { 'accept-encoding': 'gzip, br' },
    agent: false,
  })
  request.end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  t.is(response.headers['content-encoding'], 'br')
  const [chunk] = (await once(response, 'data')) as [Buffer]
  t.is(brotliDecompressSync(chunk).toString(), 'let a')
})

test('no path leads out of the page’s folder, nor to what a link points at', async (t) => {
  const server = await openServer(t, { page: page() })
  const paths = [
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%5c..%5csecret.txt',
    '//secret.txt',
    '/link.txt',
    '/assets',
    '/assets/',
    '/index.html%00.js',
    '/r/a/b',
    '/__proto__',
    '/constructor',
  ]
  for (const path of paths) {
    const answer = await server.call(path)
    t.is(answer.status, 404, path)
    t.false(answer.body.includes('secret'), path)
  }
  t.is((await server.call('/', { method: 'POST' })).status, 404)
})

test('health and readiness are open, readiness follows the store and the closing', async (t) => {
  const server = await openServer(t)
  t.is((await server.call('/healthz')).status, 200)
  const ready = await server.call('/readyz')
  t.is(ready.status, 200)
  t.deepEqual(JSON.parse(ready.body), { ready: true, store: 'ok', open: true })
})

test('a relay that is an island is healthy and ready, and says where it stands', async (t) => {
  const server = await openServer(t, { retryUpstream: () => {} })
  t.is((await server.call('/healthz')).body, 'ok\n')
  server.signaling.stage.setUpstream({
    ...{ state: 'island', sinceMs: Date.now() - 90_000, mark: 'red', upstream: 'Điện Biên' },
    ...{ rateBps: 0, lossRatio: 0, rttMs: 0 },
  })
  const health = await server.call('/healthz')
  t.is(health.status, 200)
  t.regex(health.body, /^ok\nupstream island for 9[01] s\n$/)
  const ready = await server.call('/readyz')
  t.is(ready.status, 200)
  t.is(JSON.parse(ready.body).upstream, 'island')
})

test('metrics: loopback without proxy, an admin token, or everyone, as configured', async (t) => {
  const metrics = { text: async () => 'nhipcau_up 1\n', contentType: 'text/plain' }
  const local = await openServer(t, { metrics: { ...metrics, access: 'loopback' } })
  t.is((await local.call('/metrics')).body, 'nhipcau_up 1\n')
  const proxied = { 'x-forwarded-for': '203.0.113.1' }
  t.is((await local.call('/metrics', { headers: proxied })).status, 403)
  const guarded = await openServer(t, { metrics: { ...metrics, access: 'token' } })
  t.is((await guarded.call('/metrics')).status, 401)
  t.is((await guarded.call('/metrics', { token: await token({ role: 'chair' }) })).status, 403)
  const admin = await token({ role: 'admin', room: '*' })
  t.is((await guarded.call('/metrics', { token: admin })).status, 200)
})

const asPage = (server: Server, headers: Record<string, string> = {}): Promise<Answer> => {
  const host = `localhost:${server.signaling.port}`
  return server.call('/api/v1/demo-token', {
    method: 'POST',
    headers: { host, origin: `http://${host}`, ...JSON_TYPE, ...headers },
    body: JSON.stringify({ name: 'An' }),
  })
}

test('a page loaded over loopback may give itself a token for demo, and for nothing else', async (t) => {
  const server = await openServer(t)
  const answer = await asPage(server)
  t.is(answer.status, 201)
  const { token: made, room } = JSON.parse(answer.body)
  t.is(room, 'demo')
  const elsewhere = await server.call('/whip/giao-ban', { method: 'POST', token: made })
  t.is(elsewhere.status, 403)
  t.is((await server.call('/api/v1/rooms', { token: made })).status, 403)
})

test('no demo token for other pages, rebound names, proxies, programs, or where it is off', async (t) => {
  const server = await openServer(t)
  const local = `http://localhost:${server.signaling.port}`
  const refused: Record<string, Record<string, string>> = {
    'another page': { origin: 'http://evil.example' },
    'another port': { origin: 'http://localhost:1' },
    'a sandboxed page': { origin: 'null' },
    'a rebound name': { host: 'evil.example', origin: 'http://evil.example' },
    'a name that only begins well': { host: 'localhost.evil.example', origin: local },
    'a proxy on this machine': { 'x-forwarded-for': '203.0.113.1' },
    'another proxy': { via: '1.1 proxy' },
  }
  for (const [name, headers] of Object.entries(refused)) {
    t.is((await asPage(server, headers)).status, 403, name)
  }
  const program = await server.call('/api/v1/demo-token', { method: 'POST' })
  t.is(program.status, 403)
  t.is((await asPage(await openServer(t, { demo: false }))).status, 403)
})

const head = (headers: Record<string, string>, remoteAddress = '127.0.0.1'): RequestHead => {
  return { method: 'GET', path: '/', query: '', headers, remoteAddress, secure: false }
}

test('loopback means this machine, by address', (t) => {
  t.true(isDirectLoopback(head({}, '::1')))
  t.true(isDirectLoopback(head({}, '127.9.9.9')))
  for (const address of ['192.0.2.1', '10.0.0.1', '::', '127.evil', '']) {
    t.false(isDirectLoopback(head({}, address)), address)
  }
  const local = { host: '[::1]:8080', origin: 'http://[::1]:8080' }
  t.true(isLoopbackPage(head(local, '::1')))
  t.false(isLoopbackPage(head(local, '192.0.2.1')))
})

test('origins: our own, listed ones, and programs without any', (t) => {
  const allowed = ['https://portal.example']
  t.true(isAllowedOrigin(head({ host: 'hop.vn' }), []))
  t.true(isAllowedOrigin(head({ host: 'hop.vn', origin: 'https://hop.vn' }), []))
  t.true(isAllowedOrigin(head({ host: 'hop.vn', origin: 'https://portal.example' }), allowed))
  t.false(isAllowedOrigin(head({ host: 'hop.vn', origin: 'https://evil.example' }), allowed))
  t.false(isAllowedOrigin(head({ host: 'hop.vn', origin: 'null' }), allowed))
  t.deepEqual(corsHeaders(head({ origin: 'https://evil.example' }), allowed), {})
})

test('a WebSocket needs its path, a subprotocol that we speak, and an allowed page', async (t) => {
  const server = await openServer(t)
  const upgrade = async (path: string, headers: Record<string, string>): Promise<number> => {
    const request = httpRequest({
      host: '127.0.0.1',
      port: server.signaling.port,
      path,
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    })
    request.end()
    return await new Promise((resolve) => {
      request.on('response', (response) => {
        response.destroy()
        resolve(response.statusCode ?? 0)
      })
      request.on('upgrade', (_response, socket) => {
        socket.destroy()
        resolve(101)
      })
    })
  }
  const json = { 'sec-websocket-protocol': 'x, nhipcau.1.json' }
  t.is(await upgrade('/ws', json), 101)
  t.is(await upgrade('/ws', {}), 400)
  t.is(await upgrade('/ws', { 'sec-websocket-protocol': 'nhipcau.2.json' }), 400)
  t.is(await upgrade('/other', json), 404)
  t.is(await upgrade('/ws', { ...json, origin: 'http://evil.example' }), 403)
  t.is((await server.call('/ws')).status, 426)
})

test('every refusal is JSON with a code, and no answer can be framed or sniffed', async (t) => {
  const server = await openServer(t)
  for (const path of ['/api/v1/rooms', '/nothing', '/whip/a']) {
    const answer = await server.call(path)
    t.is(typeof JSON.parse(answer.body).code, 'string', path)
    t.is(answer.headers['x-content-type-options'], 'nosniff')
    t.is(answer.headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'")
  }
})
