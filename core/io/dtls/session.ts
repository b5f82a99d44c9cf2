/**
 * The server's side of one handshake, from first ClientHello to released keys: the gate
 * (docs/adr/0004-dtls-gate.md). Message order, exactly-once and the three proofs are enforced here;
 * werift only makes messages and secrets. No clock, no sockets: datagrams and `nowMs` in, `outbox`
 * and `result` out.
 */
import type { KeyObject } from 'node:crypto'
import {
  ENCRYPTED_RECORDS_WAITING_MAX,
  FLIGHT_ANSWER_MS_MIN,
  FLIGHT_REPEAT_MS_MIN,
  HANDSHAKE_DATAGRAMS_MAX,
  HANDSHAKE_MS_MAX,
  UNPROVEN_BYTES_OUT_MAX,
} from '../../../config/limits.ts'
import { Association } from './association.ts'
import { chooseParameters, parseClientHello } from './client-hello.ts'
import { fragmentMessage, packRecords } from './flight.ts'
import type { RecordDropReason, RefusedReason, SrtpKeys } from './handshake.ts'
import type { DtlsIdentity } from './identity.ts'
import {
  checkCertificate,
  checkCertificateVerify,
  type ExpectedDigest,
  isFinished,
  verifyData,
} from './proof.ts'
import {
  buildMessage,
  CERTIFICATE,
  CERTIFICATE_VERIFY,
  CLIENT_HELLO,
  CLIENT_KEY_EXCHANGE,
  FINISHED,
  HANDSHAKE_HEADER_BYTES,
  type HandshakeMessage,
  HandshakeReassembler,
} from './reassembly.ts'
import { RecordCipher } from './record-cipher.ts'
import {
  buildRecord,
  CONTENT_ALERT,
  CONTENT_CHANGE_CIPHER_SPEC,
  CONTENT_HANDSHAKE,
  type DtlsRecord,
  splitRecords,
  VERSION_DTLS_1_2,
} from './records.ts'
import { WeriftServer } from './werift-server.ts'

/** What the session waits for. */
type State = 'hello' | 'certificate' | 'key-exchange' | 'certificate-verify' | 'finished'

/** The one message that each state takes; everything else ends the handshake. */
const EXPECTED: Record<State, number> = {
  hello: CLIENT_HELLO,
  certificate: CERTIFICATE,
  'key-exchange': CLIENT_KEY_EXCHANGE,
  'certificate-verify': CERTIFICATE_VERIFY,
  finished: FINISHED,
}

/** What we tell the peer (RFC 5246 §7.2.2); reasons that are not here get silence. */
const ALERT_OF: Partial<Record<RefusedReason, number>> = {
  'no-common-parameters': 40,
  'unexpected-message': 10,
  'malformed-message': 50,
  'no-certificate': 40,
  'fingerprint-mismatch': 42,
  'unsupported-certificate': 43,
  'bad-signature': 51,
  'bad-finished': 51,
  'internal-error': 80,
}
const ALERT_FATAL = 2

export type SessionResult =
  | { type: 'connected'; keys: SrtpKeys; association: Association }
  | { type: 'refused'; reason: RefusedReason }

export type SessionOptions = {
  identity: DtlsIdentity
  expected: readonly ExpectedDigest[]
  nowMs: number
  onDrop: (reason: RecordDropReason) => void
}

export class HandshakeSession {
  /** Datagrams to send, oldest first; the owner empties it after each call. */
  readonly outbox: Buffer[] = []
  /** Set once, at the end; after that the session does nothing. */
  result: SessionResult | undefined

  readonly #options: SessionOptions
  readonly #reassembler = new HandshakeReassembler()
  #state: State = 'hello'
  #server: WeriftServer | undefined
  #transcript: Buffer[] = []
  #flight: Buffer[] = []
  #peerKey: KeyObject | undefined
  #masterSecret: KeyObject | undefined
  #cipher: RecordCipher | undefined
  #cipherSpecChanged = false
  #waiting: DtlsRecord[] = []
  #finished: Buffer | undefined
  #datagramCount = 0
  #bytesOut = 0
  #plainSequence = 0
  #answeredAtMs = 0
  #answerMs = FLIGHT_ANSWER_MS_MIN
  #repeatMs = FLIGHT_REPEAT_MS_MIN
  #repeatAtMs = Number.POSITIVE_INFINITY

  constructor(options: SessionOptions) {
    this.#options = options
  }

  /** Whether the peer has answered our first flight: such handshakes are served first and displaced last. */
  get hasAnswered(): boolean {
    return this.#state !== 'hello' && this.#state !== 'certificate'
  }

  /** Whether our first flight has gone out. */
  get hasGreeted(): boolean {
    return this.#state !== 'hello'
  }

  /** When `tick` wants to be called, in the caller's milliseconds. */
  get deadlineMs(): number {
    return Math.min(this.endMs, this.#repeatAtMs)
  }

  /** When the session gives up, in the caller's milliseconds. */
  get endMs(): number {
    return this.#options.nowMs + HANDSHAKE_MS_MAX
  }

  /** Takes one datagram in; never throws. */
  receive(datagram: Buffer, nowMs: number): void {
    if (this.result !== undefined) return
    this.#datagramCount += 1
    if (this.#datagramCount > HANDSHAKE_DATAGRAMS_MAX) this.#refuse('flood')
    const records: DtlsRecord[] = []
    const fault = splitRecords(datagram, records)
    if (fault !== undefined) this.#options.onDrop(fault)
    for (const record of records) {
      if (this.result !== undefined) return
      const dropped = this.#record(record, nowMs)
      if (dropped !== undefined) this.#options.onDrop(dropped)
    }
  }

  /** Repeats the unanswered flight or gives up, when it is time. */
  tick(nowMs: number): void {
    if (nowMs >= this.endMs) this.#refuse('timeout')
    if (this.result !== undefined || nowMs < this.#repeatAtMs) return
    this.#repeatMs *= 2
    this.#sendFlight(nowMs)
  }

  /** Ends the session from outside, without a word to the peer. */
  displace(): void {
    this.#refuse('too-many-half-open')
  }

  #record(record: DtlsRecord, nowMs: number): RecordDropReason | undefined {
    if (record.epoch > 1) return 'epoch'
    // Only the first flight may carry DTLS 1.0's number (RFC 6347 §4.2.1).
    if (record.version !== VERSION_DTLS_1_2 && this.#state !== 'hello') return 'version'
    if (record.epoch === 1) return this.#encryptedRecord(record)
    switch (record.contentType) {
      case CONTENT_HANDSHAKE:
        return this.#fragments(record.body, nowMs)
      case CONTENT_CHANGE_CIPHER_SPEC:
        if (record.body.length !== 1 || record.body[0] !== 1) return 'malformed'
        if (this.#state === 'hello') return 'epoch'
        this.#cipherSpecChanged = true
        this.#openWaiting()
        return undefined
      case CONTENT_ALERT:
        // Anyone can write one: whoever means it goes away, and the deadline notices.
        return 'plaintext-alert'
      default:
        return 'content-type'
    }
  }

  #fragments(body: Buffer, nowMs: number): RecordDropReason | undefined {
    const fate = this.#reassembler.accept(body)
    if (fate === 'flood') {
      this.#refuse('flood')
      return undefined
    }
    while (this.result === undefined) {
      const message = this.#reassembler.take()
      if (message === undefined) break
      const refused = this.#message(message, nowMs)
      if (refused !== undefined) this.#refuse(refused)
    }
    this.#openWaiting()
    if (fate === 'old') this.#answerRepetition(nowMs)
    if (fate === 'old') return 'duplicate'
    return fate === 'taken' ? undefined : fate
  }

  #message(message: HandshakeMessage, nowMs: number): RefusedReason | undefined {
    const state = this.#state
    if (message.messageType !== EXPECTED[state]) {
      const skipped = state === 'certificate' && message.messageType === CLIENT_KEY_EXCHANGE
      return skipped ? 'no-certificate' : 'unexpected-message'
    }
    switch (state) {
      case 'hello':
        return this.#onClientHello(message, nowMs)
      case 'certificate':
        return this.#onCertificate(message)
      case 'key-exchange':
        return this.#onKeyExchange(message)
      case 'certificate-verify':
        return this.#onCertificateVerify(message)
      case 'finished':
        // A Finished in plaintext: the true one comes encrypted, by another way.
        return 'unexpected-message'
    }
  }

  #onClientHello(message: HandshakeMessage, nowMs: number): RefusedReason | undefined {
    const hello = parseClientHello(message.body)
    if (hello === undefined) return 'malformed-message'
    const parameters = chooseParameters(hello)
    if (parameters === undefined) return 'no-common-parameters'
    this.#server = new WeriftServer(this.#options.identity, parameters)
    const answer = this.#server.hello(message, hello.random)
    if (answer === undefined) return 'internal-error'
    this.#flight = answer
    this.#transcript.push(message.bytes, ...answer)
    this.#state = 'certificate'
    this.#sendFlight(nowMs)
    return undefined
  }

  #onCertificate(message: HandshakeMessage): RefusedReason | undefined {
    const key = checkCertificate(message.body, this.#options.expected)
    if (typeof key === 'string') return key
    this.#peerKey = key
    this.#server!.certificate(message)
    this.#transcript.push(message.bytes)
    this.#state = 'key-exchange'
    return undefined
  }

  #onKeyExchange(message: HandshakeMessage): RefusedReason | undefined {
    const secret = this.#server!.keyExchange(message)
    if (secret === undefined) return 'malformed-message'
    this.#masterSecret = secret
    const { local, remote } = this.#server!.recordKeys()
    this.#cipher = new RecordCipher(local, remote)
    this.#transcript.push(message.bytes)
    this.#state = 'certificate-verify'
    return undefined
  }

  #onCertificateVerify(message: HandshakeMessage): RefusedReason | undefined {
    const transcript = Buffer.concat(this.#transcript)
    const fault = checkCertificateVerify(message.body, this.#peerKey!, transcript)
    if (fault !== undefined) return fault
    this.#transcript.push(message.bytes)
    this.#state = 'finished'
    return undefined
  }

  #encryptedRecord(record: DtlsRecord): RecordDropReason | undefined {
    if (record.contentType !== CONTENT_HANDSHAKE) return 'content-type'
    if (this.#waiting.length === ENCRYPTED_RECORDS_WAITING_MAX) return 'queue-full'
    this.#waiting.push({ ...record, body: Buffer.from(record.body) })
    this.#openWaiting()
    return undefined
  }

  /** Reads encrypted records once there are keys and the peer has said that it uses them. */
  #openWaiting(): void {
    if (this.#cipher === undefined || !this.#cipherSpecChanged || this.result !== undefined) return
    for (const record of this.#waiting.splice(0)) {
      const plaintext = this.#cipher.open(record)
      if (plaintext === undefined) this.#options.onDrop('not-authentic')
      else this.#finished ??= plaintext
    }
    if (this.#finished === undefined) return
    const refused = this.#onFinished(this.#finished)
    if (refused !== undefined) this.#refuse(refused)
  }

  #onFinished(plaintext: Buffer): RefusedReason | undefined {
    if (plaintext.length < HANDSHAKE_HEADER_BYTES) return 'malformed-message'
    const messageSeq = plaintext.readUInt16BE(4)
    // Something before it is still on its way.
    if (messageSeq > this.#reassembler.nextSeq) return undefined
    const body = plaintext.subarray(HANDSHAKE_HEADER_BYTES)
    const message = buildMessage(FINISHED, messageSeq, body)
    const isInPlace = this.#state === 'finished' && messageSeq === this.#reassembler.nextSeq
    // Equal bytes also mean: type Finished, one fragment, no lies in the lengths.
    if (!isInPlace || !message.bytes.equals(plaintext)) return 'unexpected-message'
    const before = Buffer.concat(this.#transcript)
    if (!isFinished(body, verifyData(this.#masterSecret!, 'client', before))) {
      return 'bad-finished'
    }
    this.#reassembler.skip()
    this.#transcript.push(message.bytes)
    this.#connect(messageSeq)
    return undefined
  }

  #connect(peerFinishedSeq: number): void {
    const data = verifyData(this.#masterSecret!, 'server', Buffer.concat(this.#transcript))
    const association = new Association({
      cipher: this.#cipher!,
      finished: buildMessage(FINISHED, this.#flight.length, data),
      peerFinishedSeq,
      plainSequence: this.#plainSequence,
    })
    this.outbox.push(association.lastFlight())
    this.#end({ type: 'connected', keys: this.#server!.srtpKeys(), association })
  }

  #refuse(reason: RefusedReason): void {
    if (this.result !== undefined) return
    const alert = ALERT_OF[reason]
    if (alert !== undefined) this.#sendAlert(alert)
    this.#end({ type: 'refused', reason })
  }

  /** Lets go of everything that the peer made us keep. */
  #end(result: SessionResult): void {
    this.result = result
    this.#server = undefined
    this.#transcript = []
    this.#flight = []
    this.#waiting = []
    this.#finished = undefined
    this.#peerKey = undefined
    this.#masterSecret = undefined
    this.#cipher = undefined
  }

  #sendAlert(description: number): void {
    const head = { contentType: CONTENT_ALERT, epoch: 0, sequence: this.#plainSequence }
    this.#plainSequence += 1
    this.outbox.push(buildRecord(head, Buffer.from([ALERT_FATAL, description])))
  }

  /** The peer repeats its ClientHello, so our flight was lost or is late: say it again, but not as often as asked. */
  #answerRepetition(nowMs: number): void {
    if (this.#state !== 'certificate' || nowMs - this.#answeredAtMs < this.#answerMs) return
    this.#answerMs *= 2
    this.#sendFlight(nowMs)
  }

  #sendFlight(nowMs: number): void {
    this.#answeredAtMs = nowMs
    this.#repeatAtMs = nowMs + this.#repeatMs
    const records = this.#flight.flatMap(fragmentMessage).map((fragment) => {
      const head = { contentType: CONTENT_HANDSHAKE, epoch: 0, sequence: this.#plainSequence }
      this.#plainSequence += 1
      return buildRecord(head, fragment)
    })
    for (const datagram of packRecords(records)) {
      if (this.#bytesOut + datagram.length > UNPROVEN_BYTES_OUT_MAX) return
      this.#bytesOut += datagram.length
      this.outbox.push(datagram)
    }
  }
}
