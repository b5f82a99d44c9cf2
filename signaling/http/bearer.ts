/**
 * Who a request speaks for (RFC 6750 §2.1): the bearer token in its Authorization header, and
 * nowhere else.
 */

import type { Claims, TokenVerifier } from '../auth/index.ts'
import type { RequestHead } from '../door.ts'
import type { Refusal } from '../protocol/index.ts'

export type Bearer = { ok: true; claims: Claims } | ({ ok: false } & Refusal)

const MISSING: Bearer = {
  ok: false,
  code: 'unauthorized',
  message: 'a bearer token in the Authorization header is needed',
}

/** Checks the header's token; never rejects. */
export async function bearerOf(
  head: RequestHead,
  verify: TokenVerifier,
  wallMs: number,
): Promise<Bearer> {
  const token = /^Bearer +([A-Za-z0-9._~+/=-]{1,4096})$/i.exec(
    head.headers['authorization'] ?? '',
  )?.[1]
  return token === undefined ? MISSING : await verify(token, wallMs)
}

/** Whether these claims manage this room by REST: its chair, or an admin. */
export function mayManage(claims: Claims, room: string): boolean {
  return claims.role === 'admin' || (claims.role === 'chair' && claims.room === room)
}
