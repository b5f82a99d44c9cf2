import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { SignJWT } from 'jose'
import {
  createTokenVerifier,
  isRoomName,
  issuerJwk,
  issueToken,
  loadTokenKeys,
  PinnedIssuers,
} from './index.ts'

const NOW = Date.UTC(2026, 5, 1)
const keys = generateKeyPairSync('ed25519')
const verify = createTokenVerifier(keys)
const REQUEST = {
  room: 'giao-ban',
  role: 'viewer',
  site: 'Mường Nhé',
  ttlS: 7200,
  nowMs: NOW,
} as const

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const CLAIMS = { room: 'giao-ban', role: 'chair', site: '', name: '', exp: NOW / 1000 + 60 }

async function codeOf(token: string, nowMs = NOW): Promise<string> {
  const result = await verify(token, nowMs)
  return result.ok ? 'ok' : result.code
}

async function signed(
  claims: object,
  key: KeyObject = keys.privateKey,
  alg = 'EdDSA',
): Promise<string> {
  return await new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(key)
}

test('an issued token says what was asked, and each has its own id', async (t) => {
  const token = await issueToken(keys, { ...REQUEST, name: 'Lò Thị Mỷ' })
  const result = await verify(token, NOW)
  t.like(result, {
    ok: true,
    claims: { room: 'giao-ban', role: 'viewer', site: 'Mường Nhé', name: 'Lò Thị Mỷ' },
  })
  const other = await verify(await issueToken(keys, REQUEST), NOW)
  t.true(result.ok && other.ok && result.claims.tokenId !== other.claims.tokenId)
})

test('five minutes of difference between clocks are forgiven, both ways, and not more', async (t) => {
  const token = await issueToken(keys, REQUEST)
  t.is(await codeOf(token, NOW - 300_000), 'ok')
  t.is(await codeOf(token, NOW - 300_001), 'token-not-yet-valid')
  t.is(await codeOf(token, NOW + 7_200_000 + 300_000), 'ok')
  t.is(await codeOf(token, NOW + 7_200_000 + 300_001), 'token-expired')
  t.is(await codeOf(token), 'ok', 'an answer for another time was not remembered')
})

test('alg none is refused, with and without signature', async (t) => {
  for (const alg of ['none', 'None', 'NONE', '']) {
    t.is(await codeOf(`${base64({ alg })}.${base64(CLAIMS)}.`), 'unauthorized')
    t.is(await codeOf(`${base64({ alg })}.${base64(CLAIMS)}.AAAA`), 'unauthorized')
  }
})

test('the public key as an HMAC secret is refused', async (t) => {
  for (const format of ['pem', 'der'] as const) {
    const secret = keys.publicKey.export({ type: 'spki', format: format as 'pem' })
    const body = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64(CLAIMS)}`
    const mac = createHmac('sha256', secret).update(body).digest('base64url')
    t.is(await codeOf(`${body}.${mac}`), 'unauthorized')
  }
})

test('another key, a changed payload, a cut token and junk are refused', async (t) => {
  const stranger = generateKeyPairSync('ed25519')
  t.is(await codeOf(await signed(CLAIMS, stranger.privateKey)), 'unauthorized')
  const token = await issueToken(keys, REQUEST)
  const [header, , signature] = token.split('.')
  const raised = base64({ ...CLAIMS, role: 'chair' })
  t.is(await codeOf(`${header}.${raised}.${signature}`), 'unauthorized')
  t.is(await codeOf(token.slice(0, -2)), 'unauthorized')
  t.is(await codeOf(''), 'unauthorized')
  t.is(await codeOf('a.b.c'), 'unauthorized')
  t.is(await codeOf('\0'), 'unauthorized')
})

test('a signed token with claims out of bounds is refused', async (t) => {
  const bad = {
    'no expiry': { ...CLAIMS, exp: undefined },
    'expiry as text': { ...CLAIMS, exp: '9999999999' },
    'expiry beyond all bounds': { ...CLAIMS, exp: 1e300 },
    'unknown role': { ...CLAIMS, role: 'root' },
    'role __proto__': { ...CLAIMS, role: '__proto__' },
    'room with a path': { ...CLAIMS, room: '../x' },
    'room with a slash': { ...CLAIMS, room: 'a/b' },
    'room with CRLF': { ...CLAIMS, room: 'a\r\nb' },
    'no room': { ...CLAIMS, room: '' },
    'name with ANSI escapes': { ...CLAIMS, name: '\u001b[31m' },
    'name that turns the line around': { ...CLAIMS, name: 'a\u202eb' },
    'name of 101': { ...CLAIMS, name: 'x'.repeat(101) },
    'admin of one room': { ...CLAIMS, role: 'admin' },
    'chair of all rooms': { ...CLAIMS, room: '*' },
  }
  for (const [name, claims] of Object.entries(bad)) {
    t.is(await codeOf(await signed(claims)), 'unauthorized', name)
  }
  t.is(await codeOf(await signed(CLAIMS)), 'ok')
})

test('a token that could not be verified is not issued', async (t) => {
  await t.throwsAsync(issueToken(keys, { ...REQUEST, room: '../x' }), { instanceOf: RangeError })
  await t.throwsAsync(issueToken(keys, { ...REQUEST, ttlS: 0 }), { instanceOf: RangeError })
  await t.throwsAsync(issueToken(keys, { ...REQUEST, site: 'x\0' }), { instanceOf: RangeError })
})

test('room names take any script and nothing that means something in a path', (t) => {
  for (const name of ['demo', 'giao-ban-tuần', 'Phòng_1', 'a.b', '会議', 'x'.repeat(64)]) {
    t.true(isRoomName(name), name)
  }
  const bad = [
    '',
    '.',
    '..',
    '.a',
    'a/b',
    'a\\b',
    'a b',
    'a%2f',
    'a\0',
    'tuần'.normalize('NFD'),
    'x'.repeat(65),
    '*',
  ]
  for (const name of bad) t.false(isRoomName(name), name)
})

test('the first start makes a key that only its owner reads, later starts find it', async (t) => {
  const folder = join(mkdtempSync(join(tmpdir(), 'nhipcau-keys-')), 'data')
  const first = loadTokenKeys(folder)
  const [name] = readdirSync(folder)
  t.is(readdirSync(folder).length, 1, 'no draft is left behind')
  t.is(statSync(join(folder, name ?? '')).mode & 0o777, 0o600)
  t.is(statSync(folder).mode & 0o077, 0)
  const second = loadTokenKeys(folder)
  const result = await createTokenVerifier(second)(await issueToken(first, REQUEST), NOW)
  t.true(result.ok)
})

test('a key that others may read, or that is none, is an error that names the file', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-keys-'))
  loadTokenKeys(folder)
  const path = join(folder, 'token-key.pem')
  t.true(existsSync(path))
  chmodSync(path, 0o644)
  t.throws(() => loadTokenKeys(folder), { message: /token-key\.pem.*chmod 600/ })
  chmodSync(path, 0o600)
  writeFileSync(path, 'not a key')
  t.throws(() => loadTokenKeys(folder))
})

test('a relay takes the tokens of the issuers that it has pinned, also after a start, until they are replaced', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-issuers-'))
  const [own, nation, other] = ['own', 'nation', 'other'].map((name) =>
    loadTokenKeys(join(folder, name)),
  )
  const relayDir = join(folder, 'relay')
  const pinned = new PinnedIssuers(relayDir)
  const verifyHere = createTokenVerifier(own!, pinned)
  const token = await issueToken(nation!, REQUEST)
  t.false((await verifyHere(token, NOW)).ok)
  pinned.replace([issuerJwk(nation!.publicKey)])
  t.true((await verifyHere(token, NOW)).ok)
  t.true((await verifyHere(await issueToken(own!, REQUEST), NOW)).ok)
  t.false((await verifyHere(await issueToken(other!, REQUEST), NOW)).ok)
  t.true((await createTokenVerifier(own!, new PinnedIssuers(relayDir))(token, NOW)).ok)
  pinned.replace([issuerJwk(other!.publicKey)])
  t.false((await verifyHere(token, NOW)).ok, 'remembered tokens are forgotten with their issuer')
})

test('keys that are none are refused and change nothing; a damaged file of issuers counts as none', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-issuers-'))
  const relayDir = join(folder, 'relay')
  const pinned = new PinnedIssuers(relayDir)
  const good = issuerJwk(loadTokenKeys(join(folder, 'nation')).publicKey)
  pinned.replace([good])
  t.throws(() => pinned.replace([{ ...good, x: 'short' }]))
  t.is(pinned.keys.length, 1)
  writeFileSync(join(relayDir, 'issuers.json'), '[{"kty":"RSA"}]')
  t.is(new PinnedIssuers(relayDir).keys.length, 0)
})
