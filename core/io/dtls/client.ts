/**
 * The active side, for load generators, tests and peers of our own: werift's DtlsClient driven like our server, by
 * datagrams and `nowMs`, with the proofs of the server checked (certificate, ServerKeyExchange signature, Finished).
 * The node itself never dials DTLS.
 */
import { DtlsClient } from 'werift'
import { FLIGHT_REPEAT_MS_MIN, HANDSHAKE_MS_MAX } from '../../../config/limits.ts'
import type { Fingerprint } from '../../media/control.ts'
import { RANDOM_BYTES, SRTP_PROFILE_NUMBER } from './client-hello.ts'
import { fragmentMessage, packRecords } from './flight.ts'
import type { RefusedReason, SrtpKeys, SrtpProfile } from './handshake.ts'
import type { DtlsIdentity } from './identity.ts'
import {
  checkCertificate,
  type ExpectedDigest,
  isFinished,
  isSignedBy,
  readFingerprints,
  verifyData,
} from './proof.ts'
import {
  CERTIFICATE,
  CERTIFICATE_REQUEST,
  FINISHED,
  HANDSHAKE_HEADER_BYTES,
  type HandshakeMessage,
  HandshakeReassembler,
  HELLO_VERIFY_REQUEST,
  SERVER_HELLO,
  SERVER_HELLO_DONE,
  SERVER_KEY_EXCHANGE,
} from './reassembly.ts'
import { RecordCipher } from './record-cipher.ts'
import {
  buildRecord,
  CONTENT_ALERT,
  CONTENT_HANDSHAKE,
  type DtlsRecord,
  splitRecords,
} from './records.ts'
import { adopt, asWerift, type SecretSource } from './werift-patch.ts'

/** What the client tells: exactly one of `connected` and `refused`, later perhaps `closed`. */
type DtlsClientEvent =
  | { type: 'send'; bytes: Uint8Array }
  | { type: 'connected'; keys: SrtpKeys }
  | { type: 'refused'; reason: RefusedReason }
  | { type: 'closed' }

type DtlsClientOptions = {
  identity: DtlsIdentity
  /** Of the server's SDP; one must match. */
  fingerprints: Fingerprint[]
  /** In order of preference; both by default. */
  profiles?: SrtpProfile[]
  /** Makes the ClientHello longer by a padding extension (RFC 7685), as browsers' post-quantum shares do. */
  helloPaddingBytes?: number
  emit: (event: DtlsClientEvent) => void
}

type FlightItem = { contentType: number; epoch: number; body: Buffer }

const EXTENSION_PADDING = 21
const SALT_BYTES: Record<SrtpProfile, number> = { 'aes-cm': 14, 'aes-gcm': 12 }
const KEY_BYTES = 16
const FLIGHT_1 = 1
const SERVER_MESSAGES_IN_ORDER = [
  SERVER_HELLO,
  CERTIFICATE,
  SERVER_KEY_EXCHANGE,
  CERTIFICATE_REQUEST,
  SERVER_HELLO_DONE,
]

/** One client side. Events come within the calls or in microtasks after them. */
export class DtlsClientSession {
  readonly #options: DtlsClientOptions
  readonly #expected: ExpectedDigest[]
  readonly #client: DtlsClient
  readonly #masterSecret: SecretSource
  readonly #reassembler = new HandshakeReassembler()
  #nextMessage = 0
  #serverParts: { certificate?: Buffer; random?: Buffer } = {}
  #flight: FlightItem[] = []
  #flightNumber = 0
  #cipher: RecordCipher | undefined
  #isOver = false
  #isConnected = false
  #plainSequence = 0
  #startedAtMs = 0
  #nowMs = 0
  #repeatMs = FLIGHT_REPEAT_MS_MIN
  #repeatAtMs = Number.POSITIVE_INFINITY

  constructor(options: DtlsClientOptions) {
    this.#options = options
    this.#expected = readFingerprints(options.fingerprints)
    const profiles = options.profiles ?? ['aes-cm', 'aes-gcm']
    const transport = {
      type: 'none',
      onData: () => {},
      send: async (bytes: Buffer) => this.#onSent(bytes),
      close: async () => {},
    }
    this.#client = new DtlsClient({
      transport: transport as never,
      srtpProfiles: profiles.map((profile) => SRTP_PROFILE_NUMBER[profile]),
      extendedMasterSecret: true,
    })
    this.#masterSecret = adopt(this.#client, options.identity)
    const paddingBytes = options.helloPaddingBytes ?? 0
    if (paddingBytes > 0) {
      this.#client.extensions.push({ type: EXTENSION_PADDING, data: Buffer.alloc(paddingBytes) })
    }
  }

  /** When `tick` wants to be called; infinite when there is nothing to wait for. */
  get deadlineMs(): number {
    if (this.#isOver || this.#isConnected) return Number.POSITIVE_INFINITY
    return Math.min(this.#repeatAtMs, this.#startedAtMs + HANDSHAKE_MS_MAX)
  }

  /** Sends the ClientHello. */
  start(nowMs: number): void {
    this.#nowMs = nowMs
    this.#startedAtMs = nowMs
    this.#client.connect().catch(() => this.#refuse('internal-error'))
  }

  /** Takes one datagram of the server in. */
  receive(datagram: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs
    const records: DtlsRecord[] = []
    splitRecords(Buffer.from(datagram), records)
    for (const record of records) {
      if (this.#isOver) return
      if (record.epoch === 1) this.#onEncrypted(record)
      else if (record.contentType === CONTENT_HANDSHAKE) this.#onFragments(record.body)
    }
  }

  /** Repeats what is unanswered or gives up, when it is time. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs
    if (nowMs < this.deadlineMs) return
    if (nowMs >= this.#startedAtMs + HANDSHAKE_MS_MAX) return void this.#refuse('timeout')
    this.#repeatMs *= 2
    this.#sendFlight()
  }

  /** Says close_notify if the association stands, and ends. */
  close(): void {
    if (this.#isConnected && !this.#isOver) {
      this.#send(this.#cipher!.seal(CONTENT_ALERT, Buffer.from([1, 0])))
    }
    this.#isOver = true
  }

  #send(bytes: Buffer): void {
    this.#options.emit({ type: 'send', bytes: new Uint8Array(bytes) })
  }

  #refuse(reason: RefusedReason): void {
    if (this.#isOver || this.#isConnected) return
    this.#isOver = true
    this.#options.emit({ type: 'refused', reason })
  }

  #onFragments(body: Buffer): void {
    if (this.#isConnected) return
    this.#reassembler.accept(body)
    while (!this.#isOver) {
      const message = this.#reassembler.take()
      if (message === undefined) return
      const refused = this.#onMessage(message)
      if (refused !== undefined) this.#refuse(refused)
    }
  }

  #onMessage(message: HandshakeMessage): RefusedReason | undefined {
    const { messageType } = message
    const isFirst = this.#nextMessage === 0
    if (isFirst && messageType === HELLO_VERIFY_REQUEST) {
      this.#feed(message)
      return undefined
    }
    if (messageType !== SERVER_MESSAGES_IN_ORDER[this.#nextMessage]) return 'unexpected-message'
    this.#nextMessage += 1
    const refused = this.#check(message)
    if (refused === undefined) this.#feed(message)
    return refused
  }

  #check({ messageType, body }: HandshakeMessage): RefusedReason | undefined {
    if (messageType === SERVER_HELLO) this.#serverParts.random = body.subarray(2, 2 + RANDOM_BYTES)
    if (messageType === CERTIFICATE) this.#serverParts.certificate = body
    if (messageType !== SERVER_KEY_EXCHANGE) return undefined
    const key = checkCertificate(this.#serverParts.certificate!, this.#expected)
    if (typeof key === 'string') return key
    // curve type 1, curve 2, point length 1, point; then scheme 2, signature length 2, signature.
    const parametersBytes = 4 + (body[3] ?? 0)
    if (body.length < parametersBytes + 4) return 'malformed-message'
    const clientRandom = this.#client.cipher.localRandom.serialize()
    const parameters = body.subarray(0, parametersBytes)
    const signed = Buffer.concat([clientRandom, this.#serverParts.random!, parameters])
    const isProven = isSignedBy(key, signed, body.subarray(parametersBytes + 4))
    return isProven ? undefined : 'bad-signature'
  }

  #feed(message: HandshakeMessage): void {
    this.#client.onHandleHandshakes([asWerift(message) as never]).catch(() => {
      this.#refuse('internal-error')
    })
  }

  /** werift has made a part of a flight: keep it, and send the flight when it is whole. */
  #onSent(bytes: Buffer): void {
    const { dtls } = this.#client
    if (dtls.flight !== this.#flightNumber) {
      this.#flight = []
      this.#flightNumber = dtls.flight
      // All parts come in this turn of the microtask queue.
      queueMicrotask(() => this.#startFlight())
    }
    const records: DtlsRecord[] = []
    splitRecords(bytes, records)
    for (const { contentType, epoch, body } of records) {
      this.#flight.push({ contentType, epoch, body: Buffer.from(body) })
    }
  }

  #startFlight(): void {
    if (this.#flightNumber === FLIGHT_1) this.#joinHello()
    if (this.#flight.some(({ epoch }) => epoch === 1)) this.#takeKeys()
    this.#repeatMs = FLIGHT_REPEAT_MS_MIN
    this.#sendFlight()
  }

  /** werift fragments a long ClientHello but remembers only its first fragment. */
  #joinHello(): void {
    const whole = new HandshakeReassembler()
    for (const { body } of this.#flight) whole.accept(body)
    const hello = whole.take()
    if (hello === undefined) throw new Error('werift made a ClientHello that is none')
    this.#flight = [{ contentType: CONTENT_HANDSHAKE, epoch: 0, body: hello.bytes }]
    this.#client.dtls.handshakeCache[FLIGHT_1]!.data = [asWerift(hello) as never]
  }

  /** From here records are ours, numbered without repetition; the Finished that werift sealed is opened for that. */
  #takeKeys(): void {
    const { clientWriteKey, clientNonce, serverWriteKey, serverNonce } = this.#client.cipher.cipher
    const ours = { key: clientWriteKey!, salt: clientNonce!.subarray(0, 4) }
    const theirs = { key: serverWriteKey!, salt: serverNonce!.subarray(0, 4) }
    this.#cipher = new RecordCipher(ours, theirs)
    const mirror = new RecordCipher(theirs, ours)
    for (const item of this.#flight) {
      if (item.epoch === 0) continue
      // werift counts the record on from epoch 0 and repeats that number in the nonce.
      const sequence = item.body.readUIntBE(2, 6)
      item.body = mirror.open({ ...item, sequence, version: 0 }) ?? Buffer.alloc(0)
    }
  }

  #sendFlight(): void {
    this.#repeatAtMs = this.#nowMs + this.#repeatMs
    const records: Buffer[] = []
    for (const { contentType, epoch, body } of this.#flight) {
      if (epoch === 1) {
        records.push(this.#cipher!.seal(contentType, body))
        continue
      }
      const parts = contentType === CONTENT_HANDSHAKE ? fragmentMessage(body) : [body]
      for (const part of parts) {
        records.push(buildRecord({ contentType, epoch, sequence: this.#plainSequence }, part))
        this.#plainSequence += 1
      }
    }
    for (const datagram of packRecords(records)) this.#send(datagram)
  }

  #onEncrypted(record: DtlsRecord): void {
    const plaintext = this.#cipher?.open(record)
    if (plaintext === undefined) return
    if (record.contentType === CONTENT_ALERT && this.#isConnected) {
      this.#isOver = true
      this.#options.emit({ type: 'closed' })
    }
    if (record.contentType === CONTENT_HANDSHAKE && !this.#isConnected) this.#onFinished(plaintext)
  }

  #onFinished(plaintext: Buffer): void {
    const transcript = this.#client.dtls.sortedHandshakeCache.map((one) => one.serialize())
    const expected = verifyData(this.#masterSecret()!, 'server', Buffer.concat(transcript))
    const body = plaintext.subarray(HANDSHAKE_HEADER_BYTES)
    if (plaintext[0] !== FINISHED || !isFinished(body, expected)) {
      this.#refuse('bad-finished')
      return
    }
    this.#isConnected = true
    this.#flight = []
    this.#options.emit({ type: 'connected', keys: this.#keys() })
  }

  #keys(): SrtpKeys {
    const isCm = this.#client.srtp.srtpProfile === SRTP_PROFILE_NUMBER['aes-cm']
    const profile = isCm ? 'aes-cm' : 'aes-gcm'
    const keys = this.#client.extractSessionKeys(KEY_BYTES, SALT_BYTES[profile])
    return {
      profile,
      localKey: new Uint8Array(keys.localKey),
      localSalt: new Uint8Array(keys.localSalt),
      remoteKey: new Uint8Array(keys.remoteKey),
      remoteSalt: new Uint8Array(keys.remoteSalt),
    }
  }
}
