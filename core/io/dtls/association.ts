/**
 * What is left of a handshake once keys are out, about 1 KB: enough to answer a peer that missed our last flight
 * (RFC 6347 §4.2.4) and to tell a true close_notify from a forged one. Nothing in plaintext is believed any more, and
 * there is no renegotiation.
 */
import { FLIGHT_ANSWER_MS_MIN } from '../../../config/limits.ts'
import type { RecordDropReason } from './handshake.ts'
import { FINISHED, type HandshakeMessage } from './reassembly.ts'
import type { RecordCipher } from './record-cipher.ts'
import {
  buildRecord,
  CONTENT_ALERT,
  CONTENT_CHANGE_CIPHER_SPEC,
  CONTENT_HANDSHAKE,
  type DtlsRecord,
  splitRecords,
  VERSION_DTLS_1_2,
} from './records.ts'

const ALERT_WARNING = 1
const ALERT_FATAL = 2
const CLOSE_NOTIFY = 0

export type AssociationParts = {
  cipher: RecordCipher
  /** Our Finished, which is sealed anew each time it is sent. */
  finished: HandshakeMessage
  /** message_seq of the peer's Finished. */
  peerFinishedSeq: number
  /** Next sequence number of our plaintext records. */
  plainSequence: number
}

export class Association {
  readonly #cipher: RecordCipher
  readonly #finished: Buffer
  readonly #peerFinishedSeq: number
  #plainSequence: number
  #answeredAtMs = Number.NEGATIVE_INFINITY
  #answerMs = FLIGHT_ANSWER_MS_MIN

  constructor(parts: AssociationParts) {
    this.#cipher = parts.cipher
    this.#finished = parts.finished.bytes
    this.#peerFinishedSeq = parts.peerFinishedSeq
    this.#plainSequence = parts.plainSequence
  }

  /** ChangeCipherSpec and Finished in one datagram, fresh each time. */
  lastFlight(): Buffer {
    const head = {
      contentType: CONTENT_CHANGE_CIPHER_SPEC,
      epoch: 0,
      sequence: this.#plainSequence,
    }
    this.#plainSequence += 1
    const sealed = this.#cipher.seal(CONTENT_HANDSHAKE, this.#finished)
    return Buffer.concat([buildRecord(head, Buffer.from([1])), sealed])
  }

  /** An authenticated goodbye. */
  closeNotify(): Buffer {
    return this.#cipher.seal(CONTENT_ALERT, Buffer.from([ALERT_WARNING, CLOSE_NOTIFY]))
  }

  /**
   * Takes a datagram in: 'repeat' when the peer missed our last flight and may have it again, 'closed' when the peer
   * ended the association; each dropped record is named to `onDrop`.
   */
  receive(
    datagram: Buffer,
    nowMs: number,
    onDrop: (reason: RecordDropReason) => void,
  ): 'closed' | 'repeat' | undefined {
    const records: DtlsRecord[] = []
    const fault = splitRecords(datagram, records)
    if (fault !== undefined) onDrop(fault)
    let repeats = false
    for (const record of records) {
      const meaning = this.#read(record)
      if (meaning === 'closed') return 'closed'
      if (meaning === 'repeat') repeats = true
      else onDrop(meaning)
    }
    return repeats && this.#mayAnswer(nowMs) ? 'repeat' : undefined
  }

  #read(record: DtlsRecord): 'closed' | 'repeat' | RecordDropReason {
    if (record.epoch === 0) return 'after-handshake'
    if (record.epoch !== 1) return 'epoch'
    if (record.version !== VERSION_DTLS_1_2) return 'version'
    const { contentType } = record
    if (contentType !== CONTENT_HANDSHAKE && contentType !== CONTENT_ALERT) return 'content-type'
    const plaintext = this.#cipher.open(record)
    if (plaintext === undefined) return 'not-authentic'
    if (contentType === CONTENT_HANDSHAKE) {
      const isFinished = plaintext.length >= 6 && plaintext[0] === FINISHED
      const isRepeated = isFinished && plaintext.readUInt16BE(4) === this.#peerFinishedSeq
      return isRepeated ? 'repeat' : 'after-handshake'
    }
    if (plaintext.length !== 2) return 'malformed'
    return plaintext[0] === ALERT_FATAL || plaintext[1] === CLOSE_NOTIFY
      ? 'closed'
      : 'after-handshake'
  }

  #mayAnswer(nowMs: number): boolean {
    if (nowMs - this.#answeredAtMs < this.#answerMs) return false
    if (Number.isFinite(this.#answeredAtMs)) this.#answerMs *= 2
    this.#answeredAtMs = nowMs
    return true
  }
}
