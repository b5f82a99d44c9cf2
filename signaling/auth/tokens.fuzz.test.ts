import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { FUZZ_INPUTS, FUZZ_MS, fuzz, fuzzed } from '../../test/fuzz.ts'
import { parseClaims } from './claims.ts'
import { createTokenVerifier, isRoomName, issueToken } from './index.ts'

const NOW_MS = Date.UTC(2026, 5, 1)
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
    copies: true,
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
  t.log(result.summary)
  t.true(result.accepted > 0 && result.accepted < result.count)
  t.deepEqual(Object.keys(Object.prototype), [])
})

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=\0é'
/** Signatures are checked on the thread pool: so many at once, or this loop would wait for each. */
const AT_ONCE = 64

/** xorshift32 from a fixed seed. */
function createRandom(): (below: number) => number {
  let seed = 0x4e43
  return (below) => {
    seed ^= seed << 13
    seed ^= seed >>> 17
    seed ^= seed << 5
    return (seed >>> 0) % below
  }
}

/**
 * Half of the changes in the header and the structure (what is parsed), a quarter each in the
 * payload and in the signature (what is proven, which costs most).
 */
function changed(genuine: string, random: (below: number) => number): string {
  const [head = '', payload = '', signature = ''] = genuine.split('.')
  const turn = random(8)
  if (turn === 0) return genuine.slice(0, random(genuine.length))
  if (turn === 1) {
    const parts = [head, payload, signature, '']
    return Array.from({ length: 1 + random(5) }, () => parts[random(4)]).join('.')
  }
  const starts = [0, head.length + 1, head.length + payload.length + 2]
  const part = turn < 4 ? 0 : turn < 6 ? 1 : 2
  const length = [head, payload, signature][part]!.length
  const at = starts[part]! + random(length)
  return genuine.slice(0, at) + ALPHABET[random(ALPHABET.length)]! + genuine.slice(at + 1)
}

test.serial(
  'tokens: no change of a genuine one is accepted, and none is an error of ours',
  async (t) => {
    const keys = generateKeyPairSync('ed25519')
    const verify = createTokenVerifier(keys)
    const wish = { room: 'giao-ban', role: 'chair', ttlS: 3_600, nowMs: NOW_MS } as const
    const genuine = await issueToken(keys, wish)
    const random = createRandom()
    const startedMs = performance.now()
    const codes = new Map<string, number>()
    let count = 0
    const verifyOne = async (): Promise<void> => {
      const token = changed(genuine, random)
      count += 1
      if (token === genuine) return
      const result = await verify(token, NOW_MS)
      // The last character of a signature holds bits that decoders do not look at.
      if (result.ok && token.slice(0, -1) === genuine.slice(0, -1)) return
      const code = result.ok ? 'ok' : result.code
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    while (count < FUZZ_INPUTS && performance.now() < startedMs + FUZZ_MS) {
      await Promise.all(Array.from({ length: AT_ONCE }, verifyOne))
    }
    t.log(fuzzed(count, startedMs))
    t.deepEqual([...codes.keys()], ['unauthorized'])
    t.true((await verify(genuine, NOW_MS)).ok)
  },
)
