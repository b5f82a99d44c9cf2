/**
 * The four system calls that `node:dgram` does not reach, through koffi: many datagrams to or from the kernel in one
 * call (sendmmsg(2), recvmmsg(2)), and a socket made so that both dgram and they may use it. Linux on 64-bit
 * little-endian machines; elsewhere, and where koffi's binary does not load, there is no `NativeUdp` and dgram does
 * the work. Nothing here knows what is in a datagram.
 */
import { endianness } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { firstLineOf, type Koffi, loadKoffi } from '../koffi.ts'

/** Values of Linux's headers, the same on x64 and arm64. */
const AF_INET = 2
const AF_INET6 = 10
const SOCK_DGRAM_CLOEXEC = 0o2000002
const SOL_SOCKET = 1
const SO_SNDBUF = 7
const SO_RCVBUF = 8
const SO_RCVBUFFORCE = 33
const SO_TIMESTAMPNS = 35
const IPPROTO_IP = 0
const IP_PKTINFO = 8
const IP_MTU_DISCOVER = 10
const IPV6_MTU_DISCOVER = 23
const PMTUDISC_PROBE = 3
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const MSG_DONTWAIT = 0x40
const EINTR = 4
const CLOCK_REALTIME = 0

/** A system call failed; `code` is its name, such as EADDRINUSE. */
export class NativeUdpError extends Error {
  readonly code: string

  constructor(call: string, errno: number) {
    const code = getSystemErrorName(-errno)
    super(`${call} ${code}`)
    this.code = code
  }
}

export type OpenNative = {
  family: 0 | 1
  /** 4 or 16 octets. */
  address: Uint8Array
  /** 0 = any free one. */
  port: number
  bufferBytes: number
  /**
   * A larger one for receiving, beyond net.core.rmem_max: where this process may administer the
   * network, else `bufferBytes`.
   */
  receiveBytes?: number
  /** Each datagram received tells where it was sent to, and when the kernel took it in (IPv4 only). */
  tellArrival?: boolean
  /** Datagrams are never cut into fragments, by nobody: what is too large for the path is lost (RFC 8899 §3). */
  findsMtu?: boolean
}

export interface NativeUdp {
  /** A bound socket's descriptor; throws NativeUdpError. */
  open(options: OpenNative): number
  close(descriptor: number): void
  /** The UDP port that it is bound to. */
  portOf(descriptor: number): number
  /** Where `bytes` stand in this process's memory. They must never move: an ArrayBuffer of more than 64 bytes. */
  addressOf(bytes: Uint8Array): number
  /**
   * @hot Sends `count` messages described at `headers`; how many the kernel took, or the negative
   * errno of the first.
   */
  send(descriptor: number, headers: number, count: number): number
  /** Milliseconds since 1970 on the clock of `tellArrival`, with fractions. */
  wallMs(): number
  /** @hot Fills up to `count` messages described at `headers`; how many, or a negative errno. Never waits. */
  receive(descriptor: number, headers: number, count: number): number
}

let loaded: NativeUdp | string | undefined

/** The calls, or why there are none, in words for the log. Loaded once per thread. */
export function loadNativeUdp(): NativeUdp | string {
  loaded ??= load()
  return loaded
}

/** Why every datagram costs a system call of its own on this machine; empty when it does not. */
export function whyNotBatched(): string {
  const native = loadNativeUdp()
  return typeof native === 'string' ? native : ''
}

function load(): NativeUdp | string {
  if (process.platform !== 'linux') return `no sendmmsg on ${process.platform}`
  if (endianness() !== 'LE' || !['x64', 'arm64'].includes(process.arch)) {
    return `structures of ${process.arch} are not known`
  }
  const koffi = loadKoffi()
  if (typeof koffi === 'string') return koffi
  try {
    return bind(koffi)
  } catch (error) {
    return firstLineOf(error)
  }
}

function bind(koffi: Koffi): NativeUdp {
  const libc = koffi.load(null)
  const socket = libc.func('int socket(int family, int type, int protocol)')
  const setOption = libc.func('int setsockopt(int fd, int level, int name, int *value, uint size)')
  const bindSocket = libc.func('int bind(int fd, void *address, uint size)')
  const readName = libc.func('int getsockname(int fd, void *address, uint *size)')
  const close = libc.func('int close(int fd)')
  const sendMany = libc.func('int sendmmsg(int fd, uintptr_t headers, uint count, int flags)')
  const receiveMany = libc.func(
    'int recvmmsg(int fd, uintptr_t headers, uint count, int flags, void *timeout)',
  )
  const readClock = libc.func('int clock_gettime(int clock, void *time)')
  const time = new BigInt64Array(16)
  const outcome = (result: number): number => (result < 0 ? -koffi.errno() : result)

  const set = (descriptor: number, [level, name, value]: [number, number, number]): void => {
    const result = outcome(setOption(descriptor, level, name, Int32Array.of(value), 4))
    if (result < 0) throw new NativeUdpError('setsockopt', -result)
  }
  const prepare = (descriptor: number, options: OpenNative): void => {
    const { family, bufferBytes } = options
    if (family === 1) set(descriptor, [IPPROTO_IPV6, IPV6_V6ONLY, 1])
    set(descriptor, [SOL_SOCKET, SO_SNDBUF, bufferBytes])
    set(descriptor, [SOL_SOCKET, SO_RCVBUF, bufferBytes])
    if (options.receiveBytes !== undefined) {
      const value = Int32Array.of(options.receiveBytes)
      // Refused without CAP_NET_ADMIN: what was set before stays.
      setOption(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, value, 4)
    }
    if (options.tellArrival === true) {
      set(descriptor, [IPPROTO_IP, IP_PKTINFO, 1])
      set(descriptor, [SOL_SOCKET, SO_TIMESTAMPNS, 1])
    }
    if (options.findsMtu === true) {
      const [level, name] =
        family === 0 ? [IPPROTO_IP, IP_MTU_DISCOVER] : [IPPROTO_IPV6, IPV6_MTU_DISCOVER]
      set(descriptor, [level, name, PMTUDISC_PROBE])
    }
    const words = socketAddress(options.address, options.port)
    const result = outcome(bindSocket(descriptor, new Uint8Array(words.buffer), words.byteLength))
    if (result < 0) throw new NativeUdpError('bind', -result)
  }

  return {
    open: (options) => {
      const family = options.family === 0 ? AF_INET : AF_INET6
      const descriptor = outcome(socket(family, SOCK_DGRAM_CLOEXEC, 0))
      if (descriptor < 0) throw new NativeUdpError('socket', -descriptor)
      try {
        prepare(descriptor, options)
      } catch (error) {
        close(descriptor)
        throw error
      }
      return descriptor
    },
    close: (descriptor) => {
      close(descriptor)
    },
    portOf: (descriptor) => {
      const name = new Uint8Array(128)
      const result = outcome(readName(descriptor, name, Uint32Array.of(name.length)))
      if (result < 0) throw new NativeUdpError('getsockname', -result)
      return name[2]! * 256 + name[3]!
    },
    addressOf: (bytes) => Number(koffi.address(bytes)),
    send: (descriptor, headers, count) => {
      let result = sendMany(descriptor, headers, count, MSG_DONTWAIT)
      while (result < 0 && koffi.errno() === EINTR) {
        result = sendMany(descriptor, headers, count, MSG_DONTWAIT)
      }
      return outcome(result)
    },
    wallMs: () => {
      readClock(CLOCK_REALTIME, time)
      return Number(time[0]) * 1000 + Number(time[1]) / 1e6
    },
    receive: (descriptor, headers, count) =>
      outcome(receiveMany(descriptor, headers, count, MSG_DONTWAIT, null)),
  }
}

/** `sockaddr_in` (4 words) or `sockaddr_in6` (7 words) of 4 or 16 octets and a port. */
export function socketAddress(octets: Uint8Array, port: number): Int32Array {
  const isIpv4 = octets.length === 4
  const words = new Int32Array(isIpv4 ? 4 : 7)
  const view = new DataView(words.buffer)
  view.setUint16(0, isIpv4 ? AF_INET : AF_INET6, true)
  view.setUint16(2, port)
  new Uint8Array(words.buffer).set(octets, isIpv4 ? 4 : 8)
  return words
}
