/** Tokens that are forged, stale, of another room, or used again after a kick; and what their names may say. */
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { SignJWT } from 'jose'
import { createIceCredentials, siteOffer } from '../../../bench/site/offer.ts'
import { issueToken } from '../../../signaling/auth/index.ts'
import { Arena } from './arena.ts'
import { RawSocket, type Told } from './raw-socket.ts'

const MINUTE_MS = 60_000
const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

let arena: Arena
test.before(async () => {
  arena = await Arena.open()
})
test.after.always(() => arena.close())

const claims = (more: object = {}): Record<string, unknown> => ({
  room: 'attack',
  role: 'chair',
  site: '',
  name: '',
  exp: Math.floor(Date.now() / 1000) + 3_600,
  ...more,
})

async function signed(
  payload: Record<string, unknown>,
  key: KeyObject = arena.keys.privateKey,
): Promise<string> {
  return await new SignJWT(payload).setProtectedHeader({ alg: 'EdDSA' }).sign(key)
}

/** Joins by WebSocket and tells what the first answer was. */
async function tryJoin(t: ExecutionContext<unknown>, token: string): Promise<Told> {
  const raw = await RawSocket.open(arena.doorUrl)
  t.teardown(() => raw.close())
  raw.say({ type: 'join', ref: 1, token })
  return (await raw.hear(({ ref }) => ref === 1)) ?? { type: 'silence' }
}

/** The same token at every door that takes one. */
async function codesOf(t: ExecutionContext<unknown>, token: string): Promise<string[]> {
  const headers = { authorization: `Bearer ${token}` }
  const offer = { 'content-type': 'application/sdp', ...headers }
  const { url } = arena.core
  const [rest, whip] = await Promise.all([
    fetch(`${url}/api/v1/rooms/attack`, { headers }),
    fetch(`${url}/whip/attack`, { method: 'POST', headers: offer, body: 'v=0\r\n' }),
  ])
  const bodies = (await Promise.all([rest.json(), whip.json()])) as { code?: string }[]
  const joined = await tryJoin(t, token)
  return [String(joined.code), ...bodies.map(({ code }) => String(code))]
}

test.serial(
  'forged signatures open no door: none, another key, the public key as a secret',
  async (t) => {
    const stranger = generateKeyPairSync('ed25519')
    const { publicKey } = arena.keys
    const [head, , signature] = (await arena.token()).split('.')
    const hmac = (secret: string | Buffer): string => {
      const body = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64(claims())}`
      return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
    }
    const embedded = {
      alg: 'EdDSA',
      jwk: stranger.publicKey.export({ format: 'jwk' }),
      kid: '../../x',
    }
    const forged = {
      none: `${base64({ alg: 'none' })}.${base64(claims())}.`,
      'none with a signature': `${base64({ alg: 'None' })}.${base64(claims())}.${signature}`,
      'another key': await signed(claims(), stranger.privateKey),
      'another key, shown in the header': await new SignJWT(claims())
        .setProtectedHeader(embedded)
        .sign(stranger.privateKey),
      'HS256 with the public PEM': hmac(publicKey.export({ type: 'spki', format: 'pem' })),
      'HS256 with the public DER': hmac(publicKey.export({ type: 'spki', format: 'der' })),
      'raised to chair': `${head}.${base64(claims())}.${signature}`,
      'raised to admin': `${head}.${base64(claims({ role: 'admin', room: '*' }))}.${signature}`,
      'no token': '.',
    }
    await arena.attack(t, {}, async () => {
      for (const [name, token] of Object.entries(forged)) {
        t.deepEqual(await codesOf(t, token), Array(3).fill('unauthorized'), name)
      }
    })
  },
)

test.serial(
  'expired and not yet valid are refused as such; clocks four minutes off are forgiven',
  async (t) => {
    const nowMs = Date.now()
    const issued = (offsetMs: number, ttlS: number) =>
      issueToken(arena.keys, { room: 'attack', role: 'chair', ttlS, nowMs: nowMs + offsetMs })
    await arena.attack(t, {}, async () => {
      const expired = await issued(-20 * MINUTE_MS, 60)
      t.deepEqual(await codesOf(t, expired), Array(3).fill('token-expired'))
      const early = await issued(10 * MINUTE_MS, 3_600)
      t.deepEqual(await codesOf(t, early), Array(3).fill('token-not-yet-valid'))
      t.is((await tryJoin(t, await issued(4 * MINUTE_MS, 3_600))).type, 'joined')
      t.is((await tryJoin(t, await issued(-5 * MINUTE_MS, 60))).type, 'joined')
    })
    await arena.closeRoom('attack')
  },
)

test.serial(
  'a token is for its room and its role: no other room, no more than it says',
  async (t) => {
    const { url } = arena.core
    const call = (await arena.series()).get('nhipcau_participants') ?? 0
    t.true(call >= 2)
    await arena.attack(t, {}, async () => {
      for (const role of ['chair', 'speaker', 'viewer', 'observer'] as const) {
        const token = await arena.token({ role, room: 'attack' })
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
        const tries = [
          ['GET', '/api/v1/rooms'],
          ['POST', '/api/v1/rooms'],
          ['GET', '/api/v1/statistics'],
          ['GET', '/api/v1/rooms/call'],
          ['DELETE', '/api/v1/rooms/call'],
          ['PUT', '/api/v1/rooms/call/lock'],
          ['GET', '/api/v1/rooms/call/participants'],
        ] as const
        for (const [method, path] of tries) {
          const response = await fetch(`${url}${path}`, { method, headers })
          t.is(response.status, 403, `${role} ${method} ${path}`)
        }
        const offer = { ...headers, 'content-type': 'application/sdp' }
        const whip = await fetch(`${url}/whip/call`, {
          method: 'POST',
          headers: offer,
          body: 'v=0',
        })
        t.is(whip.status, 403)
      }
      const admin = await tryJoin(t, await arena.token({ role: 'admin', room: '*' }))
      t.is(admin.code, 'forbidden')
    })
  },
)

test.serial('viewers and observers get no chair’s powers and no air by asking', async (t) => {
  const viewer = await RawSocket.open(arena.doorUrl)
  t.teardown(() => viewer.close())
  viewer.say({ type: 'join', token: await arena.token({ room: 'powers', role: 'viewer' }) })
  const chair = await RawSocket.open(arena.doorUrl)
  t.teardown(() => chair.close())
  t.teardown(() => arena.closeRoom('powers'))
  chair.say({ type: 'join', token: await arena.token({ room: 'powers', role: 'chair' }) })
  const joined = await chair.hear(({ type }) => type === 'joined')
  const participant = String(joined?.participant)
  const asks = [
    { type: 'kick', participant },
    { type: 'mute', participant, use: 'microphone', muted: true },
    { type: 'stage', participant, onStage: false },
    { type: 'lock', locked: true },
    { type: 'pin', participant },
    { type: 'publish', use: 'camera', live: true },
  ]
  await arena.attack(t, {}, async () => {
    for (const [index, ask] of asks.entries()) {
      viewer.say({ ...ask, ref: 100 + index })
      const told = await viewer.hear(({ ref }) => ref === 100 + index)
      t.is(told?.code, 'forbidden', ask.type)
    }
  })
  t.is(chair.closeCode, undefined)
})

test.serial(
  'whoever was kicked stays out, with the same token, by resume, and by WHIP',
  async (t) => {
    const room = 'kicked'
    t.teardown(() => arena.closeRoom(room))
    const chair = await RawSocket.open(arena.doorUrl)
    t.teardown(() => chair.close())
    chair.say({ type: 'join', token: await arena.token({ room, role: 'chair' }) })
    t.truthy(await chair.hear(({ type }) => type === 'joined'))
    const token = await arena.token({ room })
    const guest = await RawSocket.open(arena.doorUrl)
    t.teardown(() => guest.close())
    guest.say({ type: 'join', token })
    const joined = await guest.hear(({ type }) => type === 'joined')
    await arena.attack(t, {}, async () => {
      chair.say({ type: 'kick', ref: 9, participant: joined?.participant, reason: 'noise' })
      t.is((await chair.hear(({ ref }) => ref === 9))?.type, 'ok')
      t.is(await guest.ended(), 1008)
      t.like(guest.told.at(-1), { type: 'bye', code: 'kicked' })
      t.is((await tryJoin(t, token)).code, 'kicked')
      const { fingerprint } = arena.context.dtlsIdentity
      const identity = { ice: createIceCredentials(), fingerprint }
      const { sdp } = siteOffer(identity, [{ use: 'microphone' }], { transportWide: false })
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' }
      const whip = await fetch(`${arena.core.url}/whip/${room}`, {
        method: 'POST',
        headers,
        body: sdp,
      })
      t.is(whip.status, 403)
      const again = await RawSocket.open(arena.doorUrl)
      t.teardown(() => again.close())
      const resume = { session: joined?.session, secret: joined?.secret }
      again.say({ type: 'join', ref: 2, token, resume })
      const told = await again.hear(({ ref }) => ref === 2)
      t.is(told?.type, 'error')
      t.true(['kicked', 'session-gone'].includes(String(told?.code)), String(told?.code))
      again.say({ type: 'join', ref: 3, token })
      const fresh = await again.hear(({ ref }) => ref === 3, 500)
      t.not(fresh?.type, 'joined')
    })
  },
)

test.serial(
  'a resume with another’s session and a guessed secret takes nobody’s seat',
  async (t) => {
    const room = 'resume'
    t.teardown(() => arena.closeRoom(room))
    const victim = await RawSocket.open(arena.doorUrl)
    t.teardown(() => victim.close())
    victim.say({ type: 'join', token: await arena.token({ room, role: 'chair' }) })
    const joined = await victim.hear(({ type }) => type === 'joined')
    await arena.attack(t, {}, async () => {
      for (const secret of ['x', '\0', String(joined?.session), 'A'.repeat(128)]) {
        const thief = await RawSocket.open(arena.doorUrl)
        t.teardown(() => thief.close())
        const resume = { session: joined?.session, secret }
        thief.say({ type: 'join', ref: 1, token: await arena.token({ room }), resume })
        const told = await thief.hear(({ ref }) => ref === 1)
        t.is(told?.type, 'error', secret)
      }
      // The true secret with a token of another room.
      const resume = { session: joined?.session, secret: joined?.secret }
      const thief = await RawSocket.open(arena.doorUrl)
      t.teardown(() => thief.close())
      thief.say({ type: 'join', ref: 1, token: await arena.token({ room: 'elsewhere' }), resume })
      t.is((await thief.hear(({ ref }) => ref === 1))?.type, 'error')
    })
    await sleep(50)
    t.is(victim.closeCode, undefined, 'nobody has replaced it')
  },
)

test.serial('signed names with paths, NUL, line ends or terminal codes are refused', async (t) => {
  const bad: Record<string, object> = {
    'room ../': { room: '../../etc/passwd' },
    'room NUL': { room: 'a\0b' },
    'room CRLF': { room: 'a\r\nSet-Cookie: x' },
    'room %2f': { room: 'a%2f..' },
    'room ANSI': { room: '\u001b[2J' },
    'room of 65': { room: 'x'.repeat(65) },
    'name ANSI': { name: '\u001b[31mđỏ' },
    'name CRLF': { name: 'a\r\n{"level":60}' },
    'name NUL': { name: 'a\0' },
    'site bidi': { site: 'a\u202eb' },
    'site of 101': { site: 'x'.repeat(101) },
    'role __proto__': { role: '__proto__' },
    'exp beyond': { exp: 1e300 },
  }
  await arena.attack(t, {}, async () => {
    for (const [name, more] of Object.entries(bad)) {
      t.is((await tryJoin(t, await signed(claims(more)))).code, 'unauthorized', name)
    }
    const html = await tryJoin(t, await signed(claims({ name: '<b onclick=x>', room: 'html' })))
    t.like(html, { type: 'joined', name: '<b onclick=x>' })
  })
  await arena.closeRoom('html')
})

test.serial('the log holds lines of its own making only, and no token or secret', async (t) => {
  const text = JSON.stringify(arena.core.log)
  t.true(
    arena.core.log.every(({ level }) => typeof level === 'number'),
    'every line is JSON',
  )
  t.notRegex(text, /eyJ[A-Za-z0-9_-]{10}/)
  t.notRegex(text, /\\u001b|PRIVATE KEY/)
})

test.serial('afterwards nothing is left', async (t) => {
  await arena.assertBaseline(t)
})
