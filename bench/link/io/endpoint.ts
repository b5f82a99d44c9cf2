/** `host:port` on the command line, resolved once: sockets get numeric addresses only. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

/** `host` is a name or an address; IPv6 without brackets. */
export type Endpoint = { host: string; port: number }

/** Reads `127.0.0.1:5000`, `[::1]:5000`, `name:5000`; undefined when it is none. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]=]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  const host = match?.[1] ?? match?.[2]
  return host === undefined || port > 65_535 ? undefined : { host, port }
}

/** The way that it is written in reports. */
export function endpointText({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** The same with a numeric host; rejects when the name is unknown. */
export async function resolveEndpoint({ host, port }: Endpoint): Promise<Endpoint> {
  return isIP(host) > 0 ? { host, port } : { host: (await lookup(host)).address, port }
}
