import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { fuzz } from '../../test/fuzz.ts'
import { parseClaims } from './claims.ts'
import { createTokenVerifier, isRoomName, issueToken } from './index.ts'

const NOW_MS = Date.UTC(2026, 5, 1)
const SECONDS = Number(process.env.NHIPCAU_FUZZ_SECONDS ?? 3)
const TOKENS_MAX = 1_000_000
const CONTROL = /\p{Cc}/u
const PAYLOAD = {
  room: 'giao-ban',
  role: 'viewer',
  site: 'Mường Nhé',
  name: 'Lò Thị Mỷ',
  sub: 's',
  jti: 'j',
  nbf: 1,
  exp: 4_000_000_000,
}

// JSON.parse throws for most inputs: without stack traces that is five times as fast.
Error.stackTraceLimit = 0

function payloadOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

test.serial('payloads: whatever is signed, claims keep their bounds', (t) => {
  const result = fuzz({
    samples: [PAYLOAD, { ...PAYLOAD, role: 'admin', room: '*' }].map((payload) =>
      Buffer.from(JSON.stringify(payload)),
    ),
    parse: (bytes, start, end) => {
      const text = Buffer.from(bytes.subarray(start, end)).toString('utf8')
      const claims = parseClaims(payloadOf(text))
      if (claims === undefined) return 0
      const { room, role, site, name } = claims
      const isRoom = role === 'admin' ? room === '*' : isRoomName(room)
      if (!isRoom || CONTROL.test(room + site + name)) throw new Error('out of bounds')
      return `${role} ${room} ${site} ${name} ${claims.expiresMs} ${claims.notBeforeMs}`
    },
  })
  t.log(`${result.count} payloads, ${result.accepted} accepted, seed ${result.seed}`)
  t.true(result.accepted > 0 && result.accepted < result.count)
  t.deepEqual(Object.keys(Object.prototype), [])
})

test.serial(
  'tokens: no change of a genuine one is accepted, and none is an error of ours',
  async (t) => {
    const keys = generateKeyPairSync('ed25519')
    const verify = createTokenVerifier(keys)
    const wish = { room: 'giao-ban', role: 'chair', ttlS: 3_600, nowMs: NOW_MS } as const
    const genuine = await issueToken(keys, wish)
    const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=\0é'
    const endMs = performance.now() + SECONDS * 1_000
    const codes = new Map<string, number>()
    let seed = 0x4e43
    const random = (below: number): number => {
      seed ^= seed << 13
      seed ^= seed >>> 17
      seed ^= seed << 5
      return (seed >>> 0) % below
    }
    let count = 0
    for (; count < TOKENS_MAX && (count % 64 !== 0 || performance.now() < endMs); count++) {
      const at = random(genuine.length)
      const changed = ALPHABET[random(ALPHABET.length)]!
      const cut = random(8) === 0 ? at : genuine.length
      const token = (genuine.slice(0, at) + changed + genuine.slice(at + 1)).slice(0, cut)
      if (token === genuine) continue
      const result = await verify(token, NOW_MS)
      const code = result.ok ? 'ok' : result.code
      // The last character of a signature holds bits that decoders do not look at.
      const isSameSignature = result.ok && at === genuine.length - 1
      if (!isSameSignature) codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    t.log(`${count} tokens`)
    t.deepEqual([...codes.keys()], ['unauthorized'])
    t.true((await verify(genuine, NOW_MS)).ok)
  },
)
