/**
 * The door of `web/`: where the built page stands. Deliberately without a server; the doors in `signaling/` serve
 * the files. Everything under `assets/` has a hash in its name and may be cached for a year; `index.html` may not.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Absolute path of the built page (`index.html`, `assets/`, `sdk/`), without a slash at the end. */
export const PAGE_ROOT = fileURLToPath(new URL('./dist', import.meta.url))

/** URL prefix of the files with a hash in their name: serve them `immutable`. */
export const HASHED_PREFIX = '/assets/'

/** Paths besides `/` that must answer with `index.html`: `/r/{room}`; the token stays in the fragment. */
export const PAGE_ROUTE = /^\/r\/[^/]+\/?$/

/** Documents of their own, by path; the operator's token stays in the fragment too. */
export const PAGE_DOCUMENTS: Readonly<Record<string, string>> = { '/operator': '/operator.html' }

/**
 * The Content-Security-Policy under which the page works: no inline script or style, no foreign host. `ws:` and
 * `wss:` stand beside 'self' because older browsers do not count WebSockets as same origin.
 */
export const PAGE_CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "media-src 'self' blob: mediastream:",
  "connect-src 'self' ws: wss:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Value of the Permissions-Policy header that the page needs. */
export const PAGE_PERMISSIONS_POLICY =
  'camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), screen-wake-lock=(self)'

/** Whether `web/build.ts` has run: without a page the server still serves its API. */
export const pageIsBuilt = (): boolean => existsSync(new URL('./dist/index.html', import.meta.url))
