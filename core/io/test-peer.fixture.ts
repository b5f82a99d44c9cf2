/**
 * A peer for tests of the media plane, over a real socket on loopback: ICE-full by hand, DTLS client, SRTP. Not a
 * browser and not a load generator (bench/ has one).
 */
import { createSecretKey, type KeyObject, randomBytes, randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import type {
  Fingerprint,
  HostCandidate,
  IceCredentials,
  Section,
  TransportSpec,
} from '../media/control.ts'
import { createDropCounters } from '../media/rtp/index.ts'
import { systemClock } from './clock.ts'
import { type DtlsClientSession, type DtlsIdentity, loadDtls, type SrtpKeys } from './dtls/index.ts'
import {
  createHmacSha1,
  createSrtpReceiver,
  createSrtpSender,
  receiveMaster,
  type SrtpReceiver,
  type SrtpSender,
  sendMaster,
} from './srtp/index.ts'
import { writeBindingRequest } from './stun/index.ts'

export type TestPeerOptions = {
  transportId: number
  roomId: number
  candidates: HostCandidate[]
  fingerprint: Fingerprint
  sections: Section[]
}

/** One certificate for all peers of a test: making one takes some milliseconds. */
let sharedIdentity: Promise<DtlsIdentity> | undefined

/** One peer; the test drives it step by step and closes it. */
export class TestPeer {
  readonly spec: TransportSpec
  /** Plain RTP packets, as received. */
  readonly received: Uint8Array[] = []
  readonly receivedRtcp: Uint8Array[] = []
  stunAnswers = 0
  closedByServer = false
  #socket: Socket
  readonly #candidate: HostCandidate
  readonly #dtls: DtlsClientSession
  #credentials: { local: IceCredentials; key: KeyObject }
  #remoteUfrag: string
  #receiver: SrtpReceiver | undefined
  #sender: SrtpSender | undefined
  #context = -1
  readonly #streams = new Map<number, number>()
  readonly #hmac = createHmacSha1('hash')
  #connected = false

  static async create(options: TestPeerOptions): Promise<TestPeer> {
    const dtls = await loadDtls()
    sharedIdentity ??= dtls.createDtlsIdentity()
    const peer = new TestPeer(options, await sharedIdentity, dtls.DtlsClientSession)
    peer.#socket = await peer.#bind()
    return peer
  }

  private constructor(
    options: TestPeerOptions,
    identity: DtlsIdentity,
    Session: typeof DtlsClientSession,
  ) {
    const { transportId, roomId, candidates, fingerprint, sections } = options
    const local = newCredentials()
    const remote = newCredentials()
    this.spec = {
      transportId,
      roomId,
      iceLocal: remote,
      iceRemote: local,
      fingerprints: [identity.fingerprint],
      sections,
      permitted: ['microphone', 'camera', 'screen'],
    }
    this.#credentials = { local, key: createSecretKey(Buffer.from(remote.password)) }
    this.#remoteUfrag = remote.usernameFragment
    const loopback = candidates.find(({ address }) => address === '127.0.0.1')
    this.#candidate = loopback ?? candidates[0]!
    this.#socket = createSocket('udp4')
    this.#dtls = new Session({
      identity,
      fingerprints: [fingerprint],
      emit: (event) => {
        if (event.type === 'send') this.sendRaw(event.bytes)
        else if (event.type === 'connected') this.#secure(event.keys)
        else if (event.type === 'closed') this.closedByServer = true
      },
    })
  }

  get connected(): boolean {
    return this.#connected
  }

  /** The worker's port that it talks to. */
  get port(): number {
    return this.#candidate.port
  }

  /** One connectivity check; nominates unless told otherwise. `password` forges. */
  check({
    useCandidate = true,
    password,
  }: {
    useCandidate?: boolean
    password?: string
  } = {}): void {
    const key =
      password === undefined ? this.#credentials.key : createSecretKey(Buffer.from(password))
    const request = {
      transactionId: randomBytes(12),
      username: `${this.#remoteUfrag}:${this.#credentials.local.usernameFragment}`,
      priority: 1_845_501_695,
      useCandidate,
      controlling: true,
      tieBreaker: 5n,
    }
    this.sendRaw(writeBindingRequest(request, key))
  }

  startDtls(): void {
    this.#dtls.start(systemClock.nowMs())
  }

  tick(): void {
    this.#dtls.tick(systemClock.nowMs())
  }

  /** New credentials on both sides, as an ICE restart negotiates them. */
  renewCredentials(): { iceLocal: IceCredentials; iceRemote: IceCredentials } {
    const local = newCredentials()
    const remote = newCredentials()
    this.#credentials = { local, key: createSecretKey(Buffer.from(remote.password)) }
    this.#remoteUfrag = remote.usernameFragment
    return { iceLocal: remote, iceRemote: local }
  }

  /** Continues from another source port, as after a change of network. */
  async roam(): Promise<void> {
    const old = this.#socket
    this.#socket = await this.#bind()
    old.close()
  }

  sendRaw(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#candidate.port, this.#candidate.address)
  }

  /** Seals and sends plain RTP. */
  sendRtp(bytes: Uint8Array, index: number): void {
    const ssrc = Buffer.from(bytes).readUInt32BE(8)
    let stream = this.#streams.get(ssrc)
    if (stream === undefined) {
      stream = this.#sender!.openStream(this.#context, ssrc)
      this.#streams.set(ssrc, stream)
    }
    this.#sender!.seal(stream, bytes, 0, bytes.length, index)
    this.#sender!.flush()
  }

  closeDtls(): void {
    this.#dtls.close()
  }

  close(): void {
    this.#socket.close()
  }

  #secure(keys: SrtpKeys): void {
    const drops = createDropCounters()
    const { slab } = this.#hmac
    this.#sender = createSrtpSender({
      hmac: this.#hmac,
      drops,
      sink: {
        onSealed: (_token, start, end) => this.sendRaw(slab.slice(start, end)),
        inFlightCount: () => 0,
      },
    })
    this.#context = this.#sender.addContext(sendMaster(keys), 0)
    this.#receiver = createSrtpReceiver({ hmac: this.#hmac, master: receiveMaster(keys), drops })
    this.#connected = true
  }

  #onDatagram(bytes: Buffer): void {
    const first = bytes[0] ?? 255
    if (first <= 3) this.stunAnswers++
    else if (first <= 63) this.#dtls.receive(bytes, systemClock.nowMs())
    else this.#onMedia(bytes)
  }

  #onMedia(bytes: Buffer): void {
    const rtcp = bytes[1]! >= 192 && bytes[1]! <= 223
    const end = rtcp
      ? (this.#receiver?.openRtcp(bytes, 0, bytes.length) ?? -1)
      : (this.#receiver?.openRtp(bytes, 0, bytes.length) ?? -1)
    if (end < 0) return
    const list = rtcp ? this.receivedRtcp : this.received
    list.push(Uint8Array.from(bytes.subarray(0, end)))
  }

  #bind(): Promise<Socket> {
    const socket = createSocket('udp4')
    socket.on('message', (bytes) => this.#onDatagram(bytes))
    return new Promise((resolve) => {
      socket.bind(0, '127.0.0.1', () => resolve(socket))
    })
  }
}

function newCredentials(): IceCredentials {
  return {
    usernameFragment: randomBytes(6).toString('base64'),
    password: randomBytes(18).toString('base64'),
  }
}

/** A section on which a peer sends Opus under a declared SSRC. */
export function microphoneSection(publicationId: number, ssrc: number): Section {
  return {
    direction: 'in',
    use: 'microphone',
    publicationId,
    rids: [],
    ssrcs: [{ ssrc }],
    mid: '0',
    kind: 'audio',
    ...OPUS,
  }
}

/** A Slot that plays Opus. */
export function audioSlotSection(index = 0): Section {
  return {
    direction: 'out',
    use: 'audio',
    index,
    ssrc: randomInt(1, 2 ** 31),
    rtxSsrc: 0,
    mid: `a${index}`,
    kind: 'audio',
    ...OPUS,
  }
}

const OPUS = {
  codecs: [{ codec: 'opus' as const, payloadType: 111, clockRate: 48_000 }],
  extensions: {},
  feedback: { nack: false, pli: false, transportWide: false, remb: false },
}

/** A plain Opus packet of 20 ms: 12 bytes of header, then `payload`. */
export function opusPacket(ssrc: number, sequence: number, payload: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(12 + payload.length)
  bytes[0] = 0x80
  bytes[1] = 111
  bytes.writeUInt16BE(sequence & 0xffff, 2)
  bytes.writeUInt32BE((sequence * 960) >>> 0, 4)
  bytes.writeUInt32BE(ssrc, 8)
  bytes.set(payload, 12)
  return bytes
}
