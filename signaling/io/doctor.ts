/**
 * `./nhipcau doctor`: looks at this machine as a core would use it, before the day it matters.
 * Opens ports for a moment, changes nothing, and says in one line each what it found and what to
 * do.
 */
import { createSocket, type Socket } from 'node:dgram'
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism, freemem, networkInterfaces } from 'node:os'
import { resolve } from 'node:path'
import { type Config, UDP_BUFFER_BYTES } from '../../config/index.ts'
import { whyNotBatched } from '../../core/io/index.ts'
import { probeDoor } from './open-door.ts'

/** `bad`: a core will not start or not work. `warn`: it works, but not as well as it could. */
export type Finding = { name: string; state: 'ok' | 'warn' | 'bad'; detail: string }

const DISK_FREE_MIN_BYTES = 1e9
const MEMORY_FREE_MIN_BYTES = 512e6

/** All findings, in the order in which a person should read them. Never throws. */
export async function examine(config: Config): Promise<Finding[]> {
  return [
    node(),
    door(config),
    dataFolder(config),
    await tcpPort(config),
    ...(await Promise.all([udpPort(config, 'udp4'), udpPort(config, 'udp6')])),
    sending(config),
    addresses(config),
    browserAccess(config),
    resources(config),
  ]
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const fits = major > 24 || (major === 24 && minor >= 12)
  const detail = `Node ${process.versions.node}, C library ${libcVersion()}`
  return {
    name: 'node',
    state: fits ? 'ok' : 'bad',
    detail: fits ? detail : `${detail}: needs 24.12`,
  }
}

function libcVersion(): string {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return report.header?.glibcVersionRuntime ?? 'unknown'
}

function door(config: Config): Finding {
  const { kind, reason } = probeDoor()
  const asked = config['http.door']
  if (asked === 'uws' && kind !== 'uws') return { name: 'door', state: 'bad', detail: reason }
  if (asked === 'ws') return { name: 'door', state: 'ok', detail: 'ws, chosen by http.door' }
  return { name: 'door', state: kind === 'uws' ? 'ok' : 'warn', detail: `${kind}: ${reason}` }
}

function dataFolder(config: Config): Finding {
  const name = 'data folder'
  const folder = resolve(config['data.dir'])
  const existing = existsSync(folder) ? folder : resolve(folder, '..')
  try {
    accessSync(existing, constants.W_OK)
    const { bavail, bsize } = statfsSync(existing)
    const freeBytes = bavail * bsize
    const detail = `${folder}, ${(freeBytes / 1e9).toFixed(1)} GB free`
    return { name, state: freeBytes < DISK_FREE_MIN_BYTES ? 'warn' : 'ok', detail }
  } catch (error) {
    return { name, state: 'bad', detail: `${folder}: ${(error as Error).message}` }
  }
}

function tcpPort(config: Config): Promise<Finding> {
  const name = 'http port'
  const port = config['http.port']
  const server = createServer()
  return new Promise((done) => {
    server.once('error', (error) =>
      done({ name, state: 'bad', detail: `TCP ${port}: ${error.message}` }),
    )
    server.listen(port, config['http.host'], () => {
      server.close(() => done({ name, state: 'ok', detail: `TCP ${port} is free` }))
    })
  })
}

function udpPort(config: Config, family: 'udp4' | 'udp6'): Promise<Finding> {
  const name = `media port (${family})`
  const port = config['media.port']
  const wanted = UDP_BUFFER_BYTES
  const socket = createSocket({ type: family, ipv6Only: family === 'udp6' })
  return new Promise((done) => {
    // A machine without IPv6 is common and works; one without IPv4 is not what we are for.
    socket.once('error', (error) => {
      socket.close()
      const state = family === 'udp6' ? 'warn' : 'bad'
      done({ name, state, detail: `UDP ${port}: ${error.message}` })
    })
    socket.bind(port, () => {
      const given = receiveBufferBytes(socket, wanted)
      socket.close()
      const small = given < wanted
      const advice = `the kernel gives ${given} of ${wanted} bytes: sysctl -w net.core.rmem_max=${wanted} net.core.wmem_max=${wanted}`
      done({ name, state: small ? 'warn' : 'ok', detail: small ? advice : `UDP ${port} is free` })
    })
  })
}

/**
 * What the kernel grants when asked for `wanted`; Linux reports twice that, for its own
 * bookkeeping.
 */
function receiveBufferBytes(socket: Socket, wanted: number): number {
  try {
    socket.setRecvBufferSize(wanted)
  } catch {
    // What we read back tells the rest.
  }
  return socket.getRecvBufferSize() / 2
}

function sending(config: Config): Finding {
  const name = 'sending'
  if (config['media.udp'] === 'dgram') return { name, state: 'ok', detail: 'dgram, by media.udp' }
  const why = whyNotBatched()
  if (why === '') return { name, state: 'ok', detail: 'many datagrams per system call' }
  return { name, state: 'warn', detail: `one datagram per system call: ${why}` }
}

function addresses(config: Config): Finding {
  const name = 'addresses'
  const announced = config['media.announcedIps']
  if (announced.length > 0)
    return { name, state: 'ok', detail: `announced: ${announced.join(', ')}` }
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address)
  if (own.length > 0) return { name, state: 'ok', detail: `of this machine: ${own.join(', ')}` }
  return { name, state: 'warn', detail: 'loopback only: nobody else can reach the media' }
}

function browserAccess(config: Config): Finding {
  const name = 'camera and microphone'
  const { 'http.tls.cert': cert, 'http.publicUrl': publicUrl } = config
  if (cert !== '') {
    const readable = [cert, config['http.tls.key']].every((file) => canRead(file))
    const detail = readable ? 'TLS files are readable' : 'the TLS files cannot be read'
    return { name, state: readable ? 'ok' : 'bad', detail }
  }
  if (publicUrl.startsWith('https:'))
    return { name, state: 'ok', detail: `TLS ends before us: ${publicUrl}` }
  const detail =
    'no TLS: browsers give camera and microphone on http://localhost only; set http.tls.*'
  return { name, state: 'warn', detail }
}

function canRead(file: string): boolean {
  try {
    return readFileSync(file).length > 0
  } catch {
    return false
  }
}

function resources(config: Config): Finding {
  const cores = availableParallelism()
  const workers = config['media.workers'] || Math.max(1, cores - 1)
  const memory = `${(freemem() / 1e9).toFixed(1)} GB of memory free`
  const tight = workers > cores || freemem() < MEMORY_FREE_MIN_BYTES
  const detail = `${cores} cores, ${workers} media workers, ${memory}`
  return { name: 'resources', state: tight ? 'warn' : 'ok', detail }
}
