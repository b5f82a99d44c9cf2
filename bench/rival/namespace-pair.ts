/**
 * Two network namespaces joined by a veth pair, one for a server and one for its load: Janus offers no loopback
 * candidate, so its load must come from elsewhere. Needs root and Linux. Removed by `close` and when this process
 * ends; who wants more (kill -9) writes the names down before they are made.
 */
import { execFileSync } from 'node:child_process'

/** One side: programs started through `enter` live in it. */
export type NamespaceSide = {
  name: string
  /** IPv4 of this side, as the other sees it. */
  address: string
  /**
   * Words to put before a command, so that it runs in here and ends with us; its pid stays the one
   * that was started.
   */
  enter: string[]
}

export type NamespacePair = {
  server: NamespaceSide
  load: NamespaceSide & {
    /** First of 2^22 addresses that are routed here, so that many sites can share a socket (bench/site). */
    seats: string
  }
  /** Idempotent. The caller has ended what runs inside. */
  close: () => void
}

const PREFIX = 'nhipcau-rival'
const NETWORK = '10.204.0'
const SEATS = { first: '10.64.0.1', network: '10.64.0.0/10' }
const INTERFACE_CHARS_MAX = 15

/** Why there can be no pair here; undefined when there can. */
export function whyNoNamespacePair(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces exist on Linux only'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  try {
    execFileSync('ip', ['-V'], { stdio: 'ignore' })
  } catch {
    return 'the program `ip` (package iproute2) is missing'
  }
  return undefined
}

/**
 * `track` is called with each name before it is made. Throws with the output of `ip` when the kernel refuses; nothing
 * is left then.
 */
export function createNamespacePair(track: (name: string) => void = () => {}): NamespacePair {
  const server = side('server', 1)
  const load = { ...side('load', 2), seats: SEATS.first }
  for (const { name } of [server, load]) track(name)
  const remove = (): void => {
    for (const { name } of [server, load]) removeNamespace(name)
  }
  let open = true
  const close = (): void => {
    if (!open) return
    open = false
    process.off('exit', close)
    remove()
  }
  process.on('exit', close)
  try {
    connect(server, load)
  } catch (error) {
    close()
    throw error
  }
  return { server, load, close }
}

function side(what: 'server' | 'load', host: number): NamespaceSide {
  const name = `${PREFIX}-${process.pid}-${what}`
  const enter = ['ip', 'netns', 'exec', name, 'setpriv', '--pdeathsig', 'KILL']
  return { name, address: `${NETWORK}.${host}`, enter }
}

function connect(server: NamespaceSide, load: NamespaceSide): void {
  const device = (letter: string) => `nr${process.pid}${letter}`.slice(-INTERFACE_CHARS_MAX)
  const ends = [
    { side: server, device: device('s') },
    { side: load, device: device('l') },
  ]
  for (const { name } of [server, load]) ip('netns', 'add', name)
  const [near, far] = ends.map(({ side, device }) => [device, 'netns', side.name])
  ip('link', 'add', ...near!, 'type', 'veth', 'peer', 'name', ...far!)
  for (const { side, device } of ends) {
    const inside = (...args: string[]) => ip('-n', side.name, ...args)
    inside('addr', 'add', `${side.address}/30`, 'dev', device)
    inside('link', 'set', device, 'up')
    inside('link', 'set', 'lo', 'up')
  }
  ip('-n', load.name, 'route', 'add', 'local', SEATS.network, 'dev', 'lo')
  ip('-n', server.name, 'route', 'add', SEATS.network, 'via', load.address)
}

function removeNamespace(name: string): void {
  try {
    ip('netns', 'del', name)
  } catch {
    // It was never made, or is gone: either is what was wanted.
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
