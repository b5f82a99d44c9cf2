/**
 * Who asks from where: loopback, behind a proxy, from which page. Pure functions over a request's
 * head.
 */

import type { RequestHead } from '../door.ts'

const FORWARDING = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via']
const LOOPBACK_HOST =
  /^(localhost|([a-z0-9-]+\.)*localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i

/** 127.0.0.0/8 or ::1, in the text forms of the doors. */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address)
}

/** From this machine and, as far as it shows, not through a proxy on it. */
export function isDirectLoopback(head: RequestHead): boolean {
  const proxied = FORWARDING.some((name) => head.headers[name] !== undefined)
  return isLoopbackAddress(head.remoteAddress) && !proxied
}

/**
 * A page that this server itself served over loopback, in a browser on this machine: address, Host
 * and Origin must all say so. Host stops DNS rebinding, Origin other pages; both stop a proxy that
 * passes them on.
 */
export function isLoopbackPage(head: RequestHead): boolean {
  const host = head.headers['host'] ?? ''
  const scheme = head.secure ? 'https' : 'http'
  return (
    isDirectLoopback(head) &&
    LOOPBACK_HOST.test(host) &&
    head.headers['origin']?.toLowerCase() === `${scheme}://${host}`.toLowerCase()
  )
}

/** No Origin, our own, or one that the operator allows. */
export function isAllowedOrigin(head: RequestHead, allowed: readonly string[]): boolean {
  const origin = head.headers['origin']
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true
  const host = (head.headers['host'] ?? '').toLowerCase()
  // A TLS proxy in front of a plain door: the scheme of the Origin is not ours to know.
  return [`http://${host}`, `https://${host}`].includes(origin.toLowerCase())
}

/** CORS headers (Fetch standard) for an allowed foreign origin; none for our own pages. */
export function corsHeaders(head: RequestHead, allowed: readonly string[]): Record<string, string> {
  const origin = head.headers['origin']
  if (origin === undefined || !(allowed.includes('*') || allowed.includes(origin))) return {}
  return {
    'access-control-allow-origin': allowed.includes('*') ? '*' : origin,
    'access-control-expose-headers': 'location, etag, link, accept-patch, accept-post, allow',
    vary: 'origin',
  }
}

/** True for a CORS preflight. */
export function isPreflight(head: RequestHead): boolean {
  return (
    head.method === 'OPTIONS' &&
    head.headers['origin'] !== undefined &&
    head.headers['access-control-request-method'] !== undefined
  )
}
