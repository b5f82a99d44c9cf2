/**
 * The SHA-256 of a TLS certificate, as both ends of a trunk put it into their handshake: lower-case hex, no
 * colons.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { TLSSocket } from 'node:tls'

const plain = ({ fingerprint256 }: X509Certificate): string =>
  fingerprint256.replaceAll(':', '').toLowerCase()

/** Of the first certificate of a PEM file. Throws when there is none. */
export function fingerprintOfFile(path: string): string {
  return plain(new X509Certificate(readFileSync(path)))
}

/** Of whoever answered; undefined when it showed no certificate. */
export function fingerprintOfPeer(socket: TLSSocket): string | undefined {
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? undefined : plain(certificate)
}
