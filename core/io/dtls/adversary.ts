/**
 * A DTLS client for tests that shares no code with werift and does whatever a test wants of it:
 * skips, swaps and forges messages under true keys. Knows only our cipher suite, and no repetition.
 * Not for production: nothing imports it there.
 */
import {
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { buildClientHello, CURVE_P256, CURVE_X25519, type Curve } from './client-hello.ts'
import type { DtlsIdentity } from './identity.ts'
import {
  buildMessage,
  CERTIFICATE,
  CERTIFICATE_VERIFY,
  CLIENT_HELLO,
  CLIENT_KEY_EXCHANGE,
  FINISHED,
  HANDSHAKE_HEADER_BYTES,
  HandshakeReassembler,
  SERVER_HELLO,
  SERVER_KEY_EXCHANGE,
} from './reassembly.ts'
import { RecordCipher } from './record-cipher.ts'
import {
  buildRecord,
  CONTENT_CHANGE_CIPHER_SPEC,
  CONTENT_HANDSHAKE,
  type DtlsRecord,
  splitRecords,
} from './records.ts'

const prf = (secret: Buffer, label: string, seed: Buffer, lengthBytes: number): Buffer => {
  const labelled = Buffer.concat([Buffer.from(label), seed])
  const hmac = (data: Buffer) => createHmac('sha256', secret).update(data).digest()
  let a = labelled
  let out = Buffer.alloc(0)
  while (out.length < lengthBytes) {
    a = hmac(a)
    out = Buffer.concat([out, hmac(Buffer.concat([a, labelled]))])
  }
  return out.subarray(0, lengthBytes)
}

const sha256 = (data: Buffer): Buffer => createHash('sha256').update(data).digest()

const SPKI_PREFIX: Record<Curve, string> = {
  [CURVE_X25519]: '302a300506032b656e032100',
  [CURVE_P256]: '3059301306072a8648ce3d020106082a8648ce3d030107034200',
}
const POINT_BYTES: Record<Curve, number> = { [CURVE_X25519]: 32, [CURVE_P256]: 65 }

export type AdversaryOptions = {
  identity: DtlsIdentity
  curve?: Curve
  srtpProfiles?: number[]
  /** Signs CertificateVerify with another key than the certificate's. */
  signingKey?: KeyObject
  signatureScheme?: number
}

/** Messages and records of the client's flights, made one by one in the order that the test asks for. */
export class Adversary {
  readonly random = randomBytes(32)
  transcript: Buffer[] = []
  serverMessages: { messageType: number; body: Buffer }[] = []
  cipher: RecordCipher | undefined
  nextSeq = 0
  readonly #options: AdversaryOptions
  readonly #curve: Curve
  readonly #reassembler = new HandshakeReassembler()
  #masterSecret: Buffer = Buffer.alloc(0)
  #serverRandom: Buffer = Buffer.alloc(0)
  #recordSequence = 0

  constructor(options: AdversaryOptions) {
    this.#options = options
    this.#curve = options.curve ?? CURVE_X25519
  }

  /** The body of an honest ClientHello. */
  helloBody(): Buffer {
    return buildClientHello({
      random: this.random,
      cookie: Buffer.alloc(0),
      groups: [this.#curve],
      srtpProfiles: this.#options.srtpProfiles ?? [1, 7],
    })
  }

  /** A message with the next message_seq, noted in the transcript. */
  message(messageType: number, body: Buffer): Buffer {
    const { bytes } = buildMessage(messageType, this.nextSeq, body)
    this.nextSeq += 1
    this.transcript.push(bytes)
    return bytes
  }

  /** A plaintext record with the next sequence number. */
  record(contentType: number, body: Uint8Array): Buffer {
    const head = { contentType, epoch: 0, sequence: this.#recordSequence }
    this.#recordSequence += 1
    return buildRecord(head, body)
  }

  hello(): Buffer {
    return this.record(CONTENT_HANDSHAKE, this.message(CLIENT_HELLO, this.helloBody()))
  }

  /** Reads flight 4. */
  receive(datagram: Uint8Array): void {
    const records: DtlsRecord[] = []
    splitRecords(Buffer.from(datagram), records)
    for (const { contentType, epoch, body } of records) {
      if (contentType === CONTENT_HANDSHAKE && epoch === 0) this.#reassembler.accept(body)
    }
    for (let next = this.#reassembler.take(); next; next = this.#reassembler.take()) {
      this.transcript.push(next.bytes)
      this.serverMessages.push(next)
      if (next.messageType === SERVER_HELLO) this.#serverRandom = next.body.subarray(2, 34)
    }
  }

  certificateBody(der: Buffer = this.#options.identity.certificateDer): Buffer {
    const body = Buffer.alloc(6)
    body.writeUIntBE(der.length + 3, 0, 3)
    body.writeUIntBE(der.length, 3, 3)
    return Buffer.concat([body, der])
  }

  certificate(): Buffer {
    return this.record(CONTENT_HANDSHAKE, this.message(CERTIFICATE, this.certificateBody()))
  }

  /** Sends our point and derives all keys, with the session hash as it stands now. */
  keyExchange(): Buffer {
    const { privateKey, publicKey } =
      this.#curve === CURVE_X25519
        ? generateKeyPairSync('x25519')
        : generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    const spki = publicKey.export({ type: 'spki', format: 'der' })
    const point = spki.subarray(-POINT_BYTES[this.#curve])
    const bytes = this.message(
      CLIENT_KEY_EXCHANGE,
      Buffer.concat([Buffer.from([point.length]), point]),
    )
    this.#derive(privateKey)
    return this.record(CONTENT_HANDSHAKE, bytes)
  }

  certificateVerifyBody(): Buffer {
    const key = this.#options.signingKey ?? this.#options.identity.privateKey
    const signature = sign('sha256', Buffer.concat(this.transcript), key)
    const head = Buffer.alloc(4)
    head.writeUInt16BE(this.#options.signatureScheme ?? 0x0403, 0)
    head.writeUInt16BE(signature.length, 2)
    return Buffer.concat([head, signature])
  }

  certificateVerify(): Buffer {
    const body = this.certificateVerifyBody()
    return this.record(CONTENT_HANDSHAKE, this.message(CERTIFICATE_VERIFY, body))
  }

  changeCipherSpec(): Buffer {
    return this.record(CONTENT_CHANGE_CIPHER_SPEC, Buffer.from([1]))
  }

  finishedBody(): Buffer {
    const seed = sha256(Buffer.concat(this.transcript))
    return prf(this.#masterSecret, 'client finished', seed, 12)
  }

  finished(body: Buffer = this.finishedBody()): Buffer {
    return this.cipher!.seal(CONTENT_HANDSHAKE, this.message(FINISHED, body))
  }

  /** The whole honest answer to flight 4. */
  flight5(): Buffer[] {
    return [
      this.certificate(),
      this.keyExchange(),
      this.certificateVerify(),
      this.changeCipherSpec(),
      this.finished(),
    ]
  }

  /** True when a record of the server's last flight carries the right verify_data. */
  accepts(datagram: Uint8Array): boolean {
    const records: DtlsRecord[] = []
    splitRecords(Buffer.from(datagram), records)
    const sealed = records.find(({ epoch }) => epoch === 1)
    const plaintext = sealed && this.cipher!.open(sealed)
    const seed = sha256(Buffer.concat(this.transcript))
    const expected = prf(this.#masterSecret, 'server finished', seed, 12)
    return plaintext?.subarray(HANDSHAKE_HEADER_BYTES).equals(expected) ?? false
  }

  /** SRTP keys as the client derives them (RFC 5764 §4.2): key, key, salt, salt, client first. */
  srtpKeyingMaterial(lengthBytes: number): Buffer {
    const seed = Buffer.concat([this.random, this.#serverRandom])
    return prf(this.#masterSecret, 'EXTRACTOR-dtls_srtp', seed, lengthBytes)
  }

  #derive(privateKey: KeyObject): void {
    const exchange = this.serverMessages.find(
      ({ messageType }) => messageType === SERVER_KEY_EXCHANGE,
    )!.body
    const point = exchange.subarray(4, 4 + exchange[3]!)
    const spki = Buffer.concat([Buffer.from(SPKI_PREFIX[this.#curve], 'hex'), point])
    const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    const shared = diffieHellman({ privateKey, publicKey })
    const sessionHash = sha256(Buffer.concat(this.transcript))
    this.#masterSecret = prf(shared, 'extended master secret', sessionHash, 48)
    const seed = Buffer.concat([this.#serverRandom, this.random])
    const block = prf(this.#masterSecret, 'key expansion', seed, 40)
    const ours = { key: block.subarray(0, 16), salt: block.subarray(32, 36) }
    const theirs = { key: block.subarray(16, 32), salt: block.subarray(36, 40) }
    this.cipher = new RecordCipher(ours, theirs)
  }
}
