/**
 * Tokens: short JWTs signed with EdDSA (RFC 8037), checked offline. No other algorithm is ever
 * accepted, so neither `none` nor a public key used as an HMAC secret gets anywhere. A kick is not
 * in here: the conference remembers who was thrown out.
 */

import { type KeyObject, randomUUID } from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import { TOKEN_LEEWAY_S, TOKENS_CACHED_MAX } from '../../config/index.ts'
import type { Refusal } from '../protocol/index.ts'
import { type Claims, parseClaims, type TokenRole } from './claims.ts'
import type { TokenKeys } from './keys.ts'
import type { PinnedIssuers } from './pinned-issuers.ts'

export type TokenRequest = {
  /** `*` with role `admin`. */
  room: string
  role: TokenRole
  site?: string
  name?: string
  /** Seconds from now, at least 1. */
  ttlS: number
  /** Unix ms. */
  nowMs: number
  /** Unix ms from when it is valid; now when absent. */
  notBeforeMs?: number
  subject?: string
}

/**
 * Signs a token. Throws a RangeError that names the field when the request would make an invalid
 * one.
 */
export async function issueToken(keys: TokenKeys, request: TokenRequest): Promise<string> {
  const nowS = Math.floor(request.nowMs / 1000)
  const payload = {
    room: request.room.normalize('NFC'),
    role: request.role,
    site: (request.site ?? '').normalize('NFC'),
    name: (request.name ?? '').normalize('NFC'),
    ...(request.subject === undefined ? {} : { sub: request.subject }),
    jti: randomUUID(),
    iat: nowS,
    nbf: request.notBeforeMs === undefined ? nowS : Math.floor(request.notBeforeMs / 1000),
    exp: nowS + Math.floor(request.ttlS),
  }
  if (!(request.ttlS >= 1)) throw new RangeError('ttl: at least one second')
  if (parseClaims(payload) === undefined) {
    throw new RangeError(
      'room: 1 to 64 letters, digits, -, _ or . (or * for admin); site and name: at most 100 characters',
    )
  }
  return await new SignJWT(payload)
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
    .sign(keys.privateKey)
}

type Verification = { ok: true; claims: Claims } | ({ ok: false } & Refusal)

export type TokenVerifier = (token: string, nowMs: number) => Promise<Verification>

const UNAUTHORIZED: Verification = {
  ok: false,
  code: 'unauthorized',
  message: 'the token is not valid here',
}

function checkTimes(claims: Claims, nowMs: number): Verification {
  const leewayMs = TOKEN_LEEWAY_S * 1000
  if (nowMs > claims.expiresMs + leewayMs) {
    return { ok: false, code: 'token-expired', message: 'the token has expired' }
  }
  if (nowMs < claims.notBeforeMs - leewayMs) {
    return { ok: false, code: 'token-not-yet-valid', message: 'the token is not valid yet' }
  }
  return { ok: true, claims }
}

/**
 * Returns the check: never rejects. A token is good when it is signed by this node or by one of the pinned issuers. A
 * signature is checked once per token and remembered (bounded) until the issuers change; times are checked each time,
 * with five minutes' leeway both ways.
 */
export function createTokenVerifier(
  keys: Pick<TokenKeys, 'publicKey'>,
  pinned?: Pick<PinnedIssuers, 'keys' | 'revision'>,
): TokenVerifier {
  const known = new LRUCache<string, Claims>({ max: TOKENS_CACHED_MAX })
  let revision = pinned?.revision
  return async (token, nowMs) => {
    if (pinned?.revision !== revision) {
      revision = pinned?.revision
      known.clear()
    }
    const seen = known.get(token)
    if (seen !== undefined) return checkTimes(seen, nowMs)
    try {
      const claims = await claimsOf(token, [keys.publicKey, ...(pinned?.keys ?? [])])
      if (claims === undefined) return UNAUTHORIZED
      known.set(token, claims)
      return checkTimes(claims, nowMs)
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) return UNAUTHORIZED
      return { ok: false, code: 'internal', message: 'the token could not be checked' }
    }
  }
}

/**
 * Undefined when the token is well signed but says nothing that we know. Throws what jose does when nobody signed it.
 */
async function claimsOf(token: string, issuers: readonly KeyObject[]): Promise<Claims | undefined> {
  let failure: unknown
  for (const issuer of issuers) {
    try {
      const { payload } = await jwtVerify(token, issuer, {
        algorithms: ['EdDSA'],
        requiredClaims: ['exp', 'room', 'role'],
        // Times are checked by the caller, on remembered tokens too.
        clockTolerance: Number.MAX_SAFE_INTEGER,
      })
      return parseClaims(payload)
    } catch (error) {
      failure = error
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) break
    }
  }
  throw failure
}
