/**
 * The media side of a synthetic site: one UDP socket, ICE (we are full and controlling), DTLS
 * (active), SRTP. Cheap enough for a thousand in one process: no timers of its own (`tick` is
 * called by the owner), numeric addresses, no promises per packet.
 */
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import type { DtlsClientSession, DtlsIdentity, SrtpKeys } from '../../core/io/dtls/index.ts'
import {
  createSrtpReceiver,
  type HmacSha1,
  receiveMaster,
  type SrtpReceiver,
} from '../../core/io/srtp/index.ts'
import {
  answerBinding,
  parseStun,
  StunMessage,
  writeBindingRequest,
} from '../../core/io/stun/index.ts'
import type { SiteAnswer, SiteIdentity } from './offer.ts'
import { createSitePort, type SitePort } from './site-port.ts'

/** Consent (RFC 7675) every 5 s; an unanswered first check is repeated sooner. */
const CONSENT_MS = 5000
const CHECK_REPEAT_MS = 100
const BINDING_REQUEST = 0x0001
const BINDING_SUCCESS = 0x0101

/**
 * What the owner gives and hears. `onMedia` gets protected datagrams; the buffer is reused after
 * the call.
 */
export type SiteLinkOptions = {
  identity: SiteIdentity
  dtlsIdentity: DtlsIdentity
  createDtls: (options: ConstructorParameters<typeof DtlsClientSession>[0]) => DtlsClientSession
  hmac: HmacSha1
  drops: Uint32Array
  onConnected: (keys: SrtpKeys) => void
  onFailed: (why: string) => void
  onMedia: (datagram: Buffer, isRtcp: boolean) => void
}

/** When each step of the join was done, ms of the owner's clock; 0 = not yet. */
export type LinkTimes = { startedMs: number; bindingMs: number; connectedMs: number }

/** One per site and join. `close` is idempotent. */
export class SiteLink {
  readonly times: LinkTimes = { startedMs: 0, bindingMs: 0, connectedMs: 0 }
  receiver: SrtpReceiver | undefined
  /**
   * When the datagram in hand arrived, of `performance.now()`: by the kernel's clock where it
   * tells.
   */
  arrivedMs = 0
  /** Of all datagrams, UDP payload, STUN and DTLS included. */
  receivedBytes = 0
  sentBytes = 0
  sentPackets = 0
  readonly #options: SiteLinkOptions
  readonly #port: SitePort
  readonly #remoteAddress: string
  readonly #remotePort: number
  readonly #key: KeyObject
  readonly #username: string
  readonly #fingerprints: SiteAnswer['fingerprints']
  readonly #tieBreaker = randomBytes(8).readBigUInt64BE()
  #dtls: DtlsClientSession | undefined
  #nextCheckMs = 0
  #closed = false

  constructor(answer: SiteAnswer, options: SiteLinkOptions) {
    const candidate =
      answer.candidates.find(({ address }) => address === '127.0.0.1') ??
      answer.candidates.find(({ address }) => !address.includes(':'))
    if (candidate === undefined) throw new Error('no IPv4 candidate in the answer')
    this.#options = options
    this.#remoteAddress = candidate.address
    this.#remotePort = candidate.port
    this.#key = createSecretKey(Buffer.from(answer.ice.password, 'utf8'))
    this.#username = `${answer.ice.usernameFragment}:${options.identity.ice.usernameFragment}`
    this.#fingerprints = answer.fingerprints
    this.#port = createSitePort({
      remote: candidate,
      onDatagram: (datagram, arrivedMs) => this.#onDatagram(datagram, arrivedMs),
      onError: options.onFailed,
    })
  }

  /** Binds and sends the first check. */
  start(nowMs: number): void {
    this.times.startedMs = nowMs
    this.#port.open(() => this.tick(performance.now()))
  }

  /** Checks, consent and DTLS repetition that are due. Call every 100 ms or so. */
  tick(nowMs: number): void {
    if (this.#closed) return
    if (nowMs >= this.#nextCheckMs) {
      this.#nextCheckMs = nowMs + (this.times.bindingMs === 0 ? CHECK_REPEAT_MS : CONSENT_MS)
      this.#check()
    }
    this.#dtls?.tick(nowMs)
  }

  /**
   * Sends a protected or plain datagram as it is; the bytes may be sent later: they must not be
   * reused.
   */
  send(datagram: Uint8Array): void {
    if (this.#closed) return
    this.sentBytes += datagram.length
    this.sentPackets += 1
    this.#port.send(datagram)
  }

  close(): void {
    if (this.#closed) return
    this.#dtls?.close()
    this.#closed = true
    this.receiver?.close()
    this.#port.close()
  }

  #check(): void {
    const request = {
      transactionId: randomBytes(12),
      username: this.#username,
      priority: 0x6e_00_01_ff,
      useCandidate: true,
      controlling: true,
      tieBreaker: this.#tieBreaker,
    }
    this.send(writeBindingRequest(request, this.#key))
  }

  #onDatagram(datagram: Buffer, arrivedMs: number): void {
    if (this.#closed) return
    this.arrivedMs = arrivedMs
    this.receivedBytes += datagram.length
    const first = datagram[0] ?? 255
    if (first >= 128 && first < 192) {
      const type = datagram[1] ?? 0
      this.#options.onMedia(datagram, type >= 192 && type <= 223)
    } else if (first >= 20 && first < 64) this.#dtls?.receive(datagram, performance.now())
    else if (first < 4) this.#onStun(datagram)
  }

  #onStun(datagram: Buffer): void {
    if (datagram.length >= 20 && datagram.readUInt16BE(0) === BINDING_REQUEST)
      this.#answer(datagram)
    const isSuccess = datagram.length >= 20 && datagram.readUInt16BE(0) === BINDING_SUCCESS
    if (!isSuccess || this.times.bindingMs !== 0) return
    this.times.bindingMs = performance.now()
    this.#nextCheckMs = this.times.bindingMs + CONSENT_MS
    this.#dtls = this.#options.createDtls({
      identity: this.#options.dtlsIdentity,
      fingerprints: this.#fingerprints,
      emit: (event) => {
        if (event.type === 'send') this.send(event.bytes)
        else if (event.type === 'connected') this.#onKeys(event.keys)
        else if (event.type === 'refused') this.#options.onFailed(`DTLS refused: ${event.reason}`)
      },
    })
    this.#dtls.start(performance.now())
  }

  /**
   * Our own server is lite and never asks; a full agent on the other side must be answered (RFC
   * 8445 §7.3).
   */
  #answer(datagram: Buffer): void {
    const message = new StunMessage()
    if (!parseStun(datagram, message)) return
    const octets = Uint8Array.from(this.#remoteAddress.split('.'), Number)
    const mapped = { octets, port: this.#remotePort }
    const key = createSecretKey(Buffer.from(this.#options.identity.ice.password, 'utf8'))
    const answer = answerBinding(message, 'accepted', { mapped, key })
    if (answer !== undefined) this.send(answer)
  }

  #onKeys(keys: SrtpKeys): void {
    const { hmac, drops, onConnected } = this.#options
    this.times.connectedMs = performance.now()
    this.receiver = createSrtpReceiver({ hmac, master: receiveMaster(keys), drops })
    onConnected(keys)
  }
}
