/**
 * The invitation: where the page finds the token, and what it reads in it for show. Deliberately no verification: the
 * server does that. The token stands in the URL's fragment, which browsers never send to a server.
 */
import type { Role } from '../sdk/index.ts'

export type Invitation = {
  token: string
  room: string
  role: Role
  name: string
  site: string
  /** Milliseconds since the epoch, `undefined` when the token does not say. */
  expiresAtMs: number | undefined
}

const ROLES: ReadonlySet<string> = new Set(['chair', 'speaker', 'viewer', 'observer'])

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const decodeBase64Url = (encoded: string): string => {
  const binary = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'))
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)))
}

/** What the token says of itself; `undefined` when it is no JWT. */
export const parseInvitation = (token: string): Invitation | undefined => {
  const payload = token.split('.')[1]
  if (payload === undefined || token.split('.').length !== 3) return undefined
  try {
    const claims = JSON.parse(decodeBase64Url(payload)) as Record<string, unknown> | null
    if (typeof claims !== 'object' || claims === null) return undefined
    const role = text(claims.role)
    return {
      token,
      room: text(claims.room),
      role: ROLES.has(role) ? (role as Role) : 'viewer',
      name: text(claims.name),
      site: text(claims.site),
      expiresAtMs: typeof claims.exp === 'number' ? claims.exp * 1_000 : undefined,
    }
  } catch {
    return undefined
  }
}

/** The token in a fragment such as `#token=...`, or in a whole link that a person pasted. */
export const findToken = (link: string): string | undefined => {
  const fragment = link.includes('#') ? link.slice(link.indexOf('#') + 1) : link
  const found = new URLSearchParams(fragment).get('token')
  if (found !== null && found !== '') return found
  const bare = link.trim()
  return parseInvitation(bare) === undefined ? undefined : bare
}

/** Whether the server may hand out demo tokens to this page: it was loaded over loopback. */
export const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' ||
  hostname.endsWith('.localhost') ||
  hostname === '[::1]' ||
  /^127\.\d+\.\d+\.\d+$/.test(hostname)

export type DemoAnswer = { token: string } | { failure: 'refused' | 'unreachable' }

/** Asks the server on loopback for a token of the room `demo`. */
export const requestDemoToken = async (name: string, role: Role): Promise<DemoAnswer> => {
  try {
    const response = await fetch('/api/v1/demo-token', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, role }),
    })
    if (!response.ok) return { failure: 'refused' }
    const body = (await response.json()) as { token?: unknown }
    return typeof body.token === 'string' ? { token: body.token } : { failure: 'refused' }
  } catch {
    return { failure: 'unreachable' }
  }
}
