/**
 * An array of Linux's `struct mmsghdr` (64-bit, little-endian) in memory of our own, each with one piece of data:
 * what sendmmsg(2) and recvmmsg(2) read and write. Pointers are written as two halves.
 *
 *   mmsghdr, 64 bytes:  0 name*   8 name bytes   16 iovec*   24 iovecs   32 control*   40 control bytes
 *                       48 flags  56 data bytes (written by the kernel)
 *   iovec, 16 bytes:    0 data*   8 data bytes
 */
import type { NativeUdp } from './libc.ts'

const HEADER_WORDS = 16
const IOVEC_WORDS = 4
const NAME_WORDS = 8
const TWO_TO_32 = 2 ** 32

/** A control message with `struct in_pktinfo`: 16 bytes of cmsghdr, three words, padded. */
export const PACKET_INFO_BYTES = 32
const PACKET_INFO_USED = 28
const IPPROTO_IP = 0
const IP_PKTINFO = 8
const SOL_SOCKET = 1
const MSG_TRUNC = 0x20
/** SO_TIMESTAMPNS: `struct timespec` after 16 bytes of cmsghdr. */
const TIMESTAMP_NS = 35

export type HeaderOptions = {
  native: NativeUdp
  count: number
  /** Room for control messages of each, bytes; 0 for sending. */
  controlBytes: number
}

/** `count` headers with an iovec, a name of 32 bytes and room for control messages each. */
export class MessageHeaders {
  /** Address of the first one. */
  readonly address: number
  /** The whole memory; names and control messages are found with `nameWord` and `controlWord`. */
  readonly words: Int32Array
  readonly count: number
  readonly #iovecs: number
  readonly #names: number
  readonly #controls: number
  readonly #controlWords: number

  constructor({ native, count, controlBytes }: HeaderOptions) {
    this.count = count
    this.#controlWords = controlBytes / 4
    this.#iovecs = count * HEADER_WORDS
    this.#names = this.#iovecs + count * IOVEC_WORDS
    this.#controls = this.#names + count * NAME_WORDS
    this.words = new Int32Array(this.#controls + count * this.#controlWords)
    this.address = native.addressOf(new Uint8Array(this.words.buffer))
    for (let at = 0; at < count; at += 1) {
      const header = at * HEADER_WORDS
      this.#point(header, this.#names + at * NAME_WORDS)
      this.#point(header + 4, this.#iovecs + at * IOVEC_WORDS)
      this.words[header + 6] = 1
      if (controlBytes > 0) this.#point(header + 8, this.#controls + at * this.#controlWords)
    }
  }

  /** @hot Data of message `at` stand (or have room) at `address`. */
  setData(at: number, address: number, bytes: number): void {
    const iovec = this.#iovecs + at * IOVEC_WORDS
    this.words[iovec] = address | 0
    this.words[iovec + 1] = address / TWO_TO_32
    this.words[iovec + 2] = bytes
  }

  /** @hot Bytes of the name: of where to, or the room for where from. */
  setNameBytes(at: number, bytes: number): void {
    this.words[at * HEADER_WORDS + 2] = bytes
  }

  /** @hot Room for (or size of) control messages. */
  setControlBytes(at: number, bytes: number): void {
    this.words[at * HEADER_WORDS + 10] = bytes
  }

  /** @hot What the kernel wrote (or may write) of control messages. */
  controlBytes(at: number): number {
    return this.words[at * HEADER_WORDS + 10]!
  }

  /** @hot Where in `words` the name of message `at` begins: a sockaddr. */
  nameWord(at: number): number {
    return this.#names + at * NAME_WORDS
  }

  /** @hot Where in `words` the control messages of message `at` begin. */
  controlWord(at: number): number {
    return this.#controls + at * this.#controlWords
  }

  /** @hot Where message `at` begins, for a call that shall begin with it. */
  addressAt(at: number): number {
    return this.address + at * HEADER_WORDS * 4
  }

  /** @hot Bytes that the kernel received into message `at`. */
  receivedBytes(at: number): number {
    return this.words[at * HEADER_WORDS + 14]!
  }

  /** @hot True when the kernel had to cut the datagram in message `at`. */
  isCut(at: number): boolean {
    return (this.words[at * HEADER_WORDS + 12]! & MSG_TRUNC) !== 0
  }

  #point(word: number, target: number): void {
    const address = this.address + target * 4
    this.words[word] = address | 0
    this.words[word + 1] = address / TWO_TO_32
  }
}

/** Message `at` goes out from the IPv4 address whose word in memory is `source`. */
export function writePacketInfo(headers: MessageHeaders, at: number, source: number): void {
  const word = headers.controlWord(at)
  const { words } = headers
  words[word] = PACKET_INFO_USED
  words[word + 2] = IPPROTO_IP
  words[word + 3] = IP_PKTINFO
  words[word + 4] = 0
  words[word + 5] = source
  headers.setControlBytes(at, PACKET_INFO_BYTES)
}

/** Where and when a datagram came in; 0 where the kernel did not say. */
export type Arrival = { destination: number; wallMs: number }

/** @hot Reads the control messages of a received message `at` into `arrival`. */
export function readArrival(headers: MessageHeaders, at: number, arrival: Arrival): void {
  const { words } = headers
  let word = headers.controlWord(at)
  const end = word + (headers.controlBytes(at) >> 2)
  arrival.destination = 0
  arrival.wallMs = 0
  while (word + 4 <= end) {
    const bytes = words[word]!
    if (bytes < 16) return
    const level = words[word + 2]
    const type = words[word + 3]
    if (level === IPPROTO_IP && type === IP_PKTINFO) arrival.destination = words[word + 6]!
    if (level === SOL_SOCKET && type === TIMESTAMP_NS) {
      const seconds = (words[word + 4]! >>> 0) + words[word + 5]! * TWO_TO_32
      arrival.wallMs = seconds * 1000 + words[word + 6]! / 1e6
    }
    word += ((bytes + 7) >> 3) << 1
  }
}
