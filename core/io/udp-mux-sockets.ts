/**
 * The two long-lived, unconnected UDP sockets of a worker: IPv4 and, where the machine has it, IPv6 on the same port.
 * Two rather than one dual-stack socket: IPv4 through an IPv6 socket costs a longer address text on every datagram.
 * See docs/adr/one-udp-port.md for what was measured. Not the mux: it only carries.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { UDP_BUFFER_BYTES } from '../../config/index.ts'
import type { SendRoute } from './udp-mux-send.ts'
import type { TupleSource } from './udp-mux-tuple.ts'
import { loadNativeUdp, type NativeUdp, SendBatch } from './udp-native/index.ts'

export type UdpSocketsOptions = {
  /** 0 = any free port, the same for both families. */
  port: number
  /** Makes the sockets so that sendmmsg reaches them too, where this machine has it. */
  batching: boolean
  /** Whoever sends finds the path's MTU; without sendmmsg the kernel goes on fragmenting. */
  findsMtu?: boolean
  /** Called once per datagram on the loop; `source` is reused and valid only during the call. */
  onDatagram: (bytes: Uint8Array, source: TupleSource) => void
}

export type UdpSockets = {
  /** IPv4 first, then IPv6 when there is any: index = `TupleSource.family`. */
  sockets: Socket[]
  port: number
  /** The smaller of what the kernel gave for receiving and sending, in bytes as asked (it reports twice that). */
  bufferBytes: number
  /** Why there is no sendmmsg; empty when there is. */
  unbatched: string
  /** Ways to send what lies in `slab`, `held` at a time; index = `TupleSource.family`. */
  routes(slab: Uint8Array, held: number): SendRoute[]
  close(): Promise<void>
}

/** No port could be bound: taken, or not permitted. */
class UdpBindError extends Error {
  readonly code = 'media-port-unavailable'

  constructor(port: number, cause: unknown) {
    super(`UDP port ${port} cannot be bound: ${cause instanceof Error ? cause.message : cause}`)
  }
}

const FREE_PORT_TRIES_MAX = 16
/** The machine has no IPv6, or it is switched off. */
const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT'])

/** Binds the sockets; rejects with UdpBindError. */
export async function bindUdpSockets(options: UdpSocketsOptions): Promise<UdpSockets> {
  for (let tries = 1; ; tries++) {
    try {
      return await bindBoth(options)
    } catch (error) {
      // A free IPv4 port may be taken in IPv6: ask for another one.
      const again =
        options.port === 0 && tries < FREE_PORT_TRIES_MAX && codeOf(error) === 'EADDRINUSE'
      if (!again) throw new UdpBindError(options.port, error)
    }
  }
}

/** A socket, and its descriptor where it was made by us. */
type Bound = { socket: Socket; descriptor: number }

async function bindBoth(options: UdpSocketsOptions): Promise<UdpSockets> {
  const { port, onDatagram, batching, findsMtu = false } = options
  const loaded = batching ? loadNativeUdp() : 'switched off'
  const native = typeof loaded === 'string' ? undefined : loaded
  const ipv4 = await bindOne({ family: 0, port, onDatagram, native, findsMtu })
  const both = [ipv4]
  const bound = ipv4.socket.address().port
  try {
    both.push(await bindOne({ family: 1, port: bound, onDatagram, native, findsMtu }))
  } catch (error) {
    if (!NO_IPV6.has(codeOf(error))) {
      ipv4.socket.close()
      throw error
    }
  }
  const sockets = both.map(({ socket }) => socket)
  const sizes = sockets.flatMap((socket) => [
    socket.getRecvBufferSize() / 2,
    socket.getSendBufferSize() / 2,
  ])
  return {
    sockets,
    port: bound,
    bufferBytes: Math.min(...sizes),
    unbatched: typeof loaded === 'string' ? loaded : '',
    routes: (slab, held) =>
      both.map(({ socket, descriptor }) => {
        if (native === undefined) return { socket }
        const batch = new SendBatch({ native, descriptor, memory: slab, capacity: held })
        return { socket, batch }
      }),
    close: async () => {
      await Promise.all(sockets.map((socket) => closeOne(socket)))
    },
  }
}

type BindOne = {
  family: 0 | 1
  port: number
  onDatagram: UdpSocketsOptions['onDatagram']
  native: NativeUdp | undefined
  findsMtu: boolean
}

async function bindOne({ family, port, onDatagram, native, findsMtu }: BindOne): Promise<Bound> {
  const descriptor =
    native?.open({
      family,
      address: new Uint8Array(family === 0 ? 4 : 16),
      port,
      bufferBytes: UDP_BUFFER_BYTES,
      findsMtu,
    }) ?? -1
  const socket = createSocket({
    type: family === 0 ? 'udp4' : 'udp6',
    ipv6Only: family === 1,
    recvBufferSize: UDP_BUFFER_BYTES,
    sendBufferSize: UDP_BUFFER_BYTES,
    // Addresses are numeric already: without this every send would go through the resolver's queue.
    lookup: (address, _options, callback) => callback(null, address, family === 0 ? 4 : 6),
  })
  const source: TupleSource = { address: '', port: 0, family }
  socket.on('message', (bytes: Uint8Array, from: RemoteInfo) => {
    source.address = from.address
    source.port = from.port
    onDatagram(bytes, source)
  })
  await new Promise<void>((resolve, reject) => {
    // With a synchronous lookup 'listening' fires inside bind(): the listeners come first.
    socket.once('error', reject)
    socket.once('listening', () => {
      socket.off('error', reject)
      // A receive error (an ICMP message, a full kernel table) concerns one datagram, never the port.
      socket.on('error', () => undefined)
      resolve()
    })
    if (descriptor >= 0) socket.bind({ fd: descriptor })
    else socket.bind({ port, address: family === 0 ? '0.0.0.0' : '::', exclusive: true })
  })
  return { socket, descriptor }
}

function closeOne(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.close(() => resolve())
  })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
