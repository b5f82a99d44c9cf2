/**
 * What both doors need to turn a `DoorResponse` into bytes, and to survive a handler that fails.
 */

import { STATUS_CODES } from 'node:http'
import { REFUSED_BODY_BYTES_MAX } from '../../config/index.ts'
import type { DoorHandlers, DoorRequest, DoorResponse, RequestHead } from '../door.ts'

/** `200 OK`; unknown codes get a neutral phrase. */
export function statusLine(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? 'Status'}`
}

/** Headers fit for the wire: no control characters, without those that the door itself writes. */
export function headerEntries(response: DoorResponse): [string, string][] {
  const entries: [string, string][] = []
  for (const [name, value] of Object.entries(response.headers)) {
    const key = name.toLowerCase()
    if (key === 'content-length' || key === 'connection' || key === 'transfer-encoding') continue
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point, header injection
    entries.push([key, value.replace(/[\u0000-\u001f\u007f]/g, ' ')])
  }
  return entries
}

const CODES = { 400: 'bad-message', 413: 'too-large', 500: 'internal' } as const

/** A door's own refusal, in the form of all others (docs/PROTOCOL.md §3). */
export function failure(status: keyof typeof CODES, close = false): DoorResponse {
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(close ? { connection: 'close' } : {}),
    },
    body: JSON.stringify({ code: CODES[status], message: STATUS_CODES[status] }),
  }
}

/**
 * How much of a request's body is worth reading: `bytesMax`, or all of a longer one that says its
 * length and is not outrageous (undefined: refuse at once). Whoever still writes would lose our
 * answer when the connection is reset under it.
 */
export function bodyBytesToRead(head: RequestHead, bytesMax: number): number | undefined {
  const declaredBytes = Number(head.headers['content-length'] ?? 0)
  if (declaredBytes <= bytesMax) return bytesMax
  return declaredBytes <= REFUSED_BODY_BYTES_MAX ? declaredBytes : undefined
}

/** Subprotocols in the client's order, at most 16. */
export function offeredProtocols(head: RequestHead): string[] {
  const header = head.headers['sec-websocket-protocol']
  if (header === undefined) return []
  return header
    .split(',', 16)
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** The handler's answer, 500 when it throws: a bug costs one request. */
export async function answerSafely(
  handlers: DoorHandlers,
  request: DoorRequest,
): Promise<DoorResponse> {
  try {
    return await handlers.onRequest(request)
  } catch {
    return failure(500)
  }
}
