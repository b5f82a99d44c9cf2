/**
 * Requests to the node that runs on this machine, by a command beside it. Over TLS it must show
 * the certificate that it was configured with: names on it say nothing about loopback.
 */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import { fingerprintOfFile, fingerprintOfPeer } from './tls-fingerprint.ts'

const TIMEOUT_MS = 10_000

export type OwnAnswer = { status: number; body: string }
export type OwnRequest = { method: string; headers: Record<string, string>; body?: string }

/**
 * `certificateFile`: '' = without TLS. Rejects with the error of the socket (its `code`), or when another is at the
 * port.
 */
export async function askOwnDoors(
  url: string,
  { method, headers, body = '' }: OwnRequest,
  certificateFile: string,
): Promise<OwnAnswer> {
  const { hostname, port, pathname } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const socket = certificateFile === '' ? undefined : await trusted(host, port, certificateFile)
  const asking = request({
    ...{ host, port, path: pathname, method, timeout: TIMEOUT_MS },
    headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    ...(socket === undefined ? {} : { createConnection: () => socket }),
  })
  asking.once('timeout', () => asking.destroy(new Error('no answer')))
  asking.end(body)
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  return { status: answer.statusCode ?? 0, body: await text(answer) }
}

async function trusted(host: string, port: string, certificateFile: string) {
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  if (fingerprintOfPeer(socket) === fingerprintOfFile(certificateFile)) return socket
  socket.destroy()
  throw new Error('shows another certificate than http.tls.cert')
}
