/** How people reach this node's pages. */
import { hostname } from 'node:os'
import type { Config } from './config/index.ts'

/** The operator's setting, or what the doors and the host name make likely; no slash at the end. */
export function publicUrl(config: Config, httpPort: number): string {
  if (config['http.publicUrl'] !== '') return config['http.publicUrl']
  const scheme = config['http.tls.cert'] === '' ? 'http' : 'https'
  // Without TLS browsers give camera and microphone on localhost only, so that is the useful link.
  const host = scheme === 'https' ? hostname() : 'localhost'
  return `${scheme}://${host}:${httpPort}`
}
