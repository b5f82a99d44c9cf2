/** REST, WHIP, pages and health by wrong methods, bodies, paths, hosts and origins (docs/PROTOCOL.md §2 and §3). */
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { Arena } from './arena.ts'

let arena: Arena
test.before(async () => {
  arena = await Arena.open()
})
test.after.always(() => arena.close())

/** One request as bytes, so that no client tidies it up; resolves with all that came until the end or `withinMs`. */
function rawRequest(text: string, withinMs = 15_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(arena.core.httpPort, '127.0.0.1')
    let answer = ''
    const done = (): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('data', (data) => {
      answer += data.toString('latin1')
    })
    socket.on('end', done)
    socket.on('error', done)
    socket.on('close', done)
    setTimeout(done, withinMs).unref()
    socket.write(text, 'latin1')
  })
}

const statusOf = (answer: string): number => Number(answer.slice(9, 12))

async function request(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<string> {
  const head = { host: `localhost:${arena.core.httpPort}`, connection: 'close', ...headers }
  const lines = Object.entries({ ...head, 'content-length': String(body.length) })
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return await rawRequest(`${method} ${path} HTTP/1.1\r\n${text}\r\n${body}`)
}

test.serial('wrong methods get 405 with what is allowed, unknown ones no more', async (t) => {
  const wrong: [string, string][] = [
    ['DELETE', '/healthz'],
    ['POST', '/metrics'],
    ['GET', '/api/v1/demo-token'],
    ['PATCH', '/api/v1/rooms'],
    ['GET', '/whip/attack'],
    ['PUT', '/whip/attack/x'],
    ['DELETE', '/whep/attack'],
  ]
  await arena.attack(t, {}, async () => {
    for (const [method, path] of wrong) {
      const answer = await request(method, path)
      t.is(statusOf(answer), 405, `${method} ${path}`)
      t.regex(answer, /\r\nallow: /i)
    }
    t.true([400, 404, 405].includes(statusOf(await request('BREW', '/healthz'))))
  })
})

test.serial('no path reaches a file outside of the page', async (t) => {
  const paths = [
    '/../package.json',
    '/../../etc/passwd',
    '/assets/../../package.json',
    '/assets/..%2f..%2fpackage.json',
    '/%2e%2e/%2e%2e/package.json',
    '/..\\..\\package.json',
    '/....//....//package.json',
    '/assets/%00',
    '/assets/index.html%00.js',
    '/%c0%ae%c0%ae/package.json',
    '//etc/passwd',
    '/file:///etc/passwd',
    '/r/..%2f..%2fetc%2fpasswd',
    '/data/token-key.pem',
    '/token-key.pem',
    '/.git/config',
  ]
  await arena.attack(t, {}, async () => {
    for (const path of paths) {
      const answer = await request('GET', path)
      t.notRegex(answer, /root:|"nhipcau"|PRIVATE KEY|\[core\]/, path)
      const isPage = path.startsWith('/r/') && statusOf(answer) === 200
      t.true(isPage || [400, 404].includes(statusOf(answer)), `${path}: ${statusOf(answer)}`)
    }
  })
})

test.serial(
  'room names that mean something in a path or a header are refused by every door',
  async (t) => {
    const authorization = `Bearer ${await arena.token({ role: 'admin', room: '*' })}`
    const sdp = { authorization, 'content-type': 'application/sdp' }
    const json = { authorization, 'content-type': 'application/json' }
    const names = [
      '..%2fx',
      'a%00b',
      'a%0d%0aset-cookie:%20x',
      '%1b%5b2J',
      'a%252f',
      '%ff',
      'x'.repeat(65),
    ]
    await arena.attack(t, {}, async () => {
      for (const name of names) {
        const answers = [
          await request('GET', `/api/v1/rooms/${name}`, { authorization }),
          await request('PUT', `/api/v1/rooms/${name}/lock`, json, '{"locked":true}'),
          await request('POST', `/whip/${name}`, sdp, 'v=0\r\n'),
        ]
        for (const answer of answers) {
          t.true([400, 403, 404].includes(statusOf(answer)), `${name}: ${statusOf(answer)}`)
          t.notRegex(answer, /set-cookie/i)
        }
      }
      for (const room of ['../x', 'a\0b', 'a\r\nb', '\u001b[2J', '__proto__/..']) {
        const body = JSON.stringify({ room })
        t.is(statusOf(await request('POST', '/api/v1/rooms', json, body)), 400, room)
      }
    })
  },
)

test.serial(
  'bodies that are too large, of another type, or lie about their length are refused',
  async (t) => {
    const admin = `Bearer ${await arena.token({ role: 'admin', room: '*' })}`
    const json = { authorization: admin, 'content-type': 'application/json' }
    const chair = `Bearer ${await arena.token({ role: 'chair' })}`
    await arena.attack(t, {}, async () => {
      const large = JSON.stringify({ room: 'x'.repeat(100_000) })
      t.is(statusOf(await request('POST', '/api/v1/rooms', json, large)), 413)
      const sdp = { authorization: chair, 'content-type': 'application/sdp' }
      t.is(statusOf(await request('POST', '/whip/attack', sdp, 'v=0\r\n'.repeat(60_000))), 413)
      t.is(statusOf(await request('GET', '/healthz', {}, 'x'.repeat(1_000))), 413)
      const text = { ...json, 'content-type': 'text/plain' }
      t.is(statusOf(await request('POST', '/api/v1/rooms', text, '{}')), 415)
      t.is(statusOf(await request('POST', '/whip/attack', { authorization: chair }, 'v=0')), 415)
      for (const body of ['{', '[]', '{"room":5}', '{"__proto__":{"room":"x"}}', 'null']) {
        t.is(statusOf(await request('POST', '/api/v1/rooms', json, body)), 400, body)
      }
      const endless = `POST /api/v1/rooms HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n`
      const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
      t.is(statusOf(await rawRequest(endless + chunk.repeat(64))), 413)
    })
  },
)

test.serial(
  'smuggling, bombs of headers and half requests end their connection alone',
  async (t) => {
    const host = `host: localhost\r\n`
    await arena.attack(t, {}, async () => {
      const both = `POST /healthz HTTP/1.1\r\n${host}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n${host}\r\n`
      t.notRegex(await rawRequest(both, 2_000), /nhipcau_media/)
      const bomb = `GET /healthz HTTP/1.1\r\n${host}${'x: y\r\n'.repeat(50_000)}\r\n`
      t.not(statusOf(await rawRequest(bomb, 2_000)), 200)
      const long = `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n`
      t.not(statusOf(await rawRequest(long, 2_000)), 200)
      t.not(statusOf(await rawRequest('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n', 2_000)), 200)
      // Two hundred who never finish their head, while others are served.
      const slow = Array.from({ length: 200 }, () =>
        rawRequest(`GET /healthz HTTP/1.1\r\nx: `, 1_000),
      )
      await sleep(200)
      t.is((await fetch(`${arena.core.url}/healthz`)).status, 200)
      await Promise.all(slow)
    })
  },
)

test.serial('a demo token is only for a page that this machine loaded from us', async (t) => {
  const { httpPort } = arena.core
  const json = { 'content-type': 'application/json' }
  const own = { host: `localhost:${httpPort}`, origin: `http://localhost:${httpPort}` }
  const ask = async (headers: Record<string, string>): Promise<number> =>
    statusOf(await request('POST', '/api/v1/demo-token', { ...json, ...headers }, '{}'))
  await arena.attack(t, {}, async () => {
    t.is(await ask(own), 201)
    const tricks: Record<string, Record<string, string>> = {
      'DNS rebinding': { host: 'evil.example', origin: 'http://evil.example' },
      'rebinding with our port': {
        host: `evil.example:${httpPort}`,
        origin: `http://evil.example:${httpPort}`,
      },
      'another page': { ...own, origin: 'https://evil.example' },
      'another port of this machine': { ...own, origin: 'http://localhost:1' },
      'no page': { host: own.host },
      'a sandboxed page': { ...own, origin: 'null' },
      'a name that begins like ours': {
        host: 'localhost.evil.example',
        origin: 'http://localhost.evil.example',
      },
      'a name that ends like an address': {
        host: '127.0.0.1.evil.example',
        origin: 'http://127.0.0.1.evil.example',
      },
      'through a proxy': { ...own, 'x-forwarded-for': '203.0.113.9' },
      'through another proxy': { ...own, forwarded: 'for=203.0.113.9' },
      'user info': { ...own, host: `localhost:${httpPort}@evil.example` },
    }
    for (const [name, headers] of Object.entries(tricks)) t.is(await ask(headers), 403, name)
    const preflight = await request('OPTIONS', '/api/v1/demo-token', {
      ...own,
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
    })
    t.notRegex(preflight, /access-control-allow-origin/i)
    const metrics = await request('GET', '/metrics', { 'x-forwarded-for': '203.0.113.9' })
    t.is(statusOf(metrics), 403)
  })
})

test.serial('every answer says what a browser must not do with it', async (t) => {
  for (const path of ['/', '/healthz', '/api/v1/rooms', '/nothing', '/metrics', '/ws']) {
    const answer = await request('GET', path)
    t.regex(answer, /\r\nx-content-type-options: nosniff/i, path)
    t.regex(answer, /\r\ncontent-security-policy: /i, path)
    t.regex(answer, /\r\nreferrer-policy: no-referrer/i, path)
    t.notRegex(answer, /\r\n(server|x-powered-by): /i, path)
  }
})

test.serial('afterwards nothing is left', async (t) => {
  await arena.assertBaseline(t)
})
