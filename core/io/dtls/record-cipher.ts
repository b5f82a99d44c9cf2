/**
 * Encrypted records of TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 (RFC 5288 §3, RFC 6347 §4.1.2.1), and the replay window
 * (§4.1.2.6). About 250 bytes, since each connected peer keeps one; not for media, which is SRTP.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { buildRecord, type DtlsRecord, VERSION_DTLS_1_2 } from './records.ts'

const KEY_BYTES = 16
/** Implicit part of the nonce; the explicit part is epoch and sequence, and travels before the ciphertext. */
const SALT_BYTES = 4
const EXPLICIT_NONCE_BYTES = 8
const TAG_BYTES = 16
const REPLAY_WINDOW_RECORDS = 32
const EPOCH = 1

/** One side's share of the key block (RFC 5246 §6.3). */
export type WriteKeys = { key: Uint8Array; salt: Uint8Array }

type Head = { contentType: number; epoch: number; sequence: number }

const additionalData = (head: Head, lengthBytes: number): Buffer => {
  const data = Buffer.allocUnsafe(13)
  data.writeUInt16BE(head.epoch, 0)
  data.writeUIntBE(head.sequence, 2, 6)
  data[8] = head.contentType
  data.writeUInt16BE(VERSION_DTLS_1_2, 9)
  data.writeUInt16BE(lengthBytes, 11)
  return data
}

/** Both directions of one association, for epoch 1, the only encrypted one as we never renegotiate. */
export class RecordCipher {
  /** Ours and the peer's key and salt, 40 bytes; key objects are made on use, which is rare. */
  readonly #secrets = new Uint8Array(2 * (KEY_BYTES + SALT_BYTES))
  #sequenceOut = 0
  #sequenceInMax = -1
  #seen = 0

  constructor(local: WriteKeys, remote: WriteKeys) {
    this.#secrets.set(local.key, 0)
    this.#secrets.set(local.salt, KEY_BYTES)
    this.#secrets.set(remote.key, KEY_BYTES + SALT_BYTES)
    this.#secrets.set(remote.salt, 2 * KEY_BYTES + SALT_BYTES)
  }

  /** A whole record with the next sequence number: no nonce is ever used twice. */
  seal(contentType: number, plaintext: Uint8Array): Buffer {
    const head = { contentType, epoch: EPOCH, sequence: this.#sequenceOut }
    this.#sequenceOut += 1
    const explicit = Buffer.allocUnsafe(EXPLICIT_NONCE_BYTES)
    explicit.writeUInt16BE(head.epoch, 0)
    explicit.writeUIntBE(head.sequence, 2, 6)
    const cipher = createCipheriv('aes-128-gcm', this.#key(0), this.#nonce(0, explicit))
    cipher.setAAD(additionalData(head, plaintext.length))
    const body = [explicit, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]
    return buildRecord(head, Buffer.concat(body))
  }

  /** The plaintext; undefined when the record is forged, damaged or was seen before. */
  open(record: DtlsRecord): Buffer | undefined {
    const lengthBytes = record.body.length - EXPLICIT_NONCE_BYTES - TAG_BYTES
    if (record.epoch !== EPOCH || lengthBytes <= 0 || this.#isReplay(record.sequence))
      return undefined
    const explicit = record.body.subarray(0, EXPLICIT_NONCE_BYTES)
    const decipher = createDecipheriv('aes-128-gcm', this.#key(1), this.#nonce(1, explicit), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(additionalData(record, lengthBytes))
    decipher.setAuthTag(record.body.subarray(EXPLICIT_NONCE_BYTES + lengthBytes))
    const encrypted = record.body.subarray(EXPLICIT_NONCE_BYTES, EXPLICIT_NONCE_BYTES + lengthBytes)
    const plaintext = decipher.update(encrypted)
    try {
      decipher.final()
    } catch {
      return undefined
    }
    this.#markSeen(record.sequence)
    return plaintext
  }

  #key(side: 0 | 1): KeyObject {
    const at = side * (KEY_BYTES + SALT_BYTES)
    return createSecretKey(this.#secrets.subarray(at, at + KEY_BYTES))
  }

  #nonce(side: 0 | 1, explicit: Uint8Array): Buffer {
    const at = side * (KEY_BYTES + SALT_BYTES) + KEY_BYTES
    return Buffer.concat([this.#secrets.subarray(at, at + SALT_BYTES), explicit])
  }

  #isReplay(sequence: number): boolean {
    const behind = this.#sequenceInMax - sequence
    if (behind < 0) return false
    return behind >= REPLAY_WINDOW_RECORDS || ((this.#seen >>> behind) & 1) === 1
  }

  #markSeen(sequence: number): void {
    const ahead = sequence - this.#sequenceInMax
    if (ahead <= 0) {
      this.#seen |= 1 << -ahead
      return
    }
    // A shift by 32 would be a shift by 0 in this language.
    this.#seen = (ahead < REPLAY_WINDOW_RECORDS ? this.#seen << ahead : 0) | 1
    this.#sequenceInMax = sequence
  }
}
