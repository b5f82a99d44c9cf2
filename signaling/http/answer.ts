/**
 * Answers in the forms that all HTTP routes share.
 */

import type { DoorResponse } from '../door.ts'
import { HTTP_STATUS, type Refusal } from '../protocol/index.ts'

/** A value as JSON, never cached. */
export function json(status: number, value: unknown): DoorResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    body: JSON.stringify(value),
  }
}

/**
 * A refusal as `{code, message}` with the status of its code; 401 says how to authenticate (RFC
 * 6750 §3).
 */
export function refusal({ code, message }: Refusal, status = HTTP_STATUS[code]): DoorResponse {
  const response = json(status, { code, message })
  if (status === 401) {
    const detail = code === 'unauthorized' ? '' : `, error="invalid_token"`
    response.headers['www-authenticate'] = `Bearer realm="nhipcau"${detail}`
  }
  if (status === 429 || status === 503) response.headers['retry-after'] = '1'
  return response
}

/** 204. */
export function noContent(headers: Record<string, string> = {}): DoorResponse {
  return { status: 204, headers }
}

/** 405 (RFC 9110 §15.5.6). */
export function methodNotAllowed(allow: readonly string[]): DoorResponse {
  const response = json(405, { code: 'bad-message', message: 'not with this method' })
  const methods = allow.includes('GET') ? [...allow, 'HEAD'] : allow
  response.headers['allow'] = methods.join(', ')
  return response
}
