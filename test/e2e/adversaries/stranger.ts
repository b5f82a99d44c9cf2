/**
 * Sockets of those whom the server must not trust: a stranger who sends what it likes and counts
 * what comes back, and a peer that joined with a token but does ICE and DTLS by hand.
 */
import { createSecretKey, randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import {
  createIceCredentials,
  readAnswer,
  type SiteAnswer,
  type SitePlan,
  siteOffer,
} from '../../../bench/site/offer.ts'
import { SiteDoor } from '../../../bench/site/site-door.ts'
import { writeBindingRequest } from '../../../core/io/stun/index.ts'
import type { Fingerprint, IceCredentials } from '../../../core/media/control.ts'
import { eventual } from './eventual.ts'
import type { Sounder } from './sounder.ts'

/** One UDP socket on loopback, aimed at the media port. */
export class Stranger {
  readonly received: Buffer[] = []
  bytesIn = 0
  bytesOut = 0
  onDatagram: (datagram: Buffer) => void = () => undefined
  readonly #socket: Socket
  readonly #port: number
  #closed = false

  private constructor(socket: Socket, port: number) {
    this.#socket = socket
    this.#port = port
    socket.on('message', (datagram) => {
      this.received.push(datagram)
      this.bytesIn += datagram.length
      this.onDatagram(datagram)
    })
    socket.on('error', () => undefined)
  }

  /**
   * `from` chooses the source: another loopback address with a victim's port is as near as we come
   * to spoofing.
   */
  static open(port: number, from: { address?: string; port?: number } = {}): Promise<Stranger> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 19 })
    return new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.bind(from.port ?? 0, from.address ?? '127.0.0.1', () =>
        resolve(new Stranger(socket, port)),
      )
    })
  }

  get address(): { address: string; port: number } {
    return this.#socket.address()
  }

  send(datagram: Uint8Array): void {
    this.bytesOut += datagram.length
    this.#socket.send(datagram, this.#port, '127.0.0.1')
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
  }
}

export type Check = {
  useCandidate?: boolean
  /** Not the right one: a forged check. */
  password?: string
  username?: string
  /** False claims the server's own role. */
  controlling?: boolean
}

/** Who speaks, as in a Binding request of `ice` towards `answer`. */
export function bindingRequest(
  answer: SiteAnswer,
  ice: IceCredentials,
  { useCandidate = true, password = answer.ice.password, username, controlling = true }: Check = {},
): Buffer {
  const request = {
    transactionId: randomBytes(12),
    username: username ?? `${answer.ice.usernameFragment}:${ice.usernameFragment}`,
    priority: 0x6e_00_01_ff,
    useCandidate,
    controlling,
    tieBreaker: 77n,
  }
  return writeBindingRequest(request, createSecretKey(Buffer.from(password)))
}

/** Joined and answered, but neither ICE nor DTLS has begun: both are the test's to do. */
export type HandmadePeer = {
  door: SiteDoor
  answer: SiteAnswer
  ice: IceCredentials
  udp: Stranger
  check: (check?: Check) => Buffer
  /** Binds its 5-tuple: one check, answered and forgotten. */
  bind: () => Promise<void>
  /** Leaves, so that nothing waits for a resume. */
  close: () => Promise<void>
}

/**
 * Offers `fingerprint` as its own, whether it is or not. Resolves when the server listens for its
 * checks.
 */
export async function joinByHand(options: {
  doorUrl: string
  token: string
  mediaPort: number
  sounder: Sounder
  fingerprint: Fingerprint
  plans?: readonly SitePlan[]
}): Promise<HandmadePeer> {
  const {
    doorUrl,
    token,
    mediaPort,
    sounder,
    fingerprint,
    plans = [{ use: 'microphone' }],
  } = options
  const door = await SiteDoor.open(doorUrl)
  await door.request({ type: 'join', token })
  const ice = createIceCredentials()
  const offer = siteOffer({ ice, fingerprint }, plans, { transportWide: false })
  const answered = await door.request({ type: 'offer', ...offer })
  const answer = readAnswer(String(answered.sdp))
  const [udp] = await Promise.all([Stranger.open(mediaPort), sounder.sound(answer, ice)])
  let closed: Promise<void> | undefined
  const leave = async (): Promise<void> => {
    await door.request({ type: 'leave' }).catch(() => undefined)
    udp.close()
    door.terminate()
  }
  return {
    door,
    answer,
    ice,
    udp,
    check: (check) => bindingRequest(answer, ice, check),
    bind: () => bind(udp, () => bindingRequest(answer, ice)),
    close: () => {
      closed ??= leave()
      return closed
    },
  }
}

async function bind(udp: Stranger, check: () => Buffer): Promise<void> {
  udp.send(check())
  if (!(await eventual(() => udp.received.length > 0)))
    throw new Error('the check was not answered')
  udp.received.length = 0
}
