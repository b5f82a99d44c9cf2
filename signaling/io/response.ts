/**
 * What both doors need to turn a `DoorResponse` into bytes, and to survive a handler that fails.
 */

import { STATUS_CODES } from 'node:http'
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

/** A door's own refusal. */
export function failure(status: number, close = false): DoorResponse {
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      ...(close ? { connection: 'close' } : {}),
    },
    body: `${STATUS_CODES[status] ?? 'Error'}\n`,
  }
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
