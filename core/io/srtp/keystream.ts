/**
 * The AES-CM keystream of one SSRC (RFC 3711 §4.1.1), made some packets ahead: it depends on key, SSRC and index only,
 * and one large AES call costs little more than a small one. Knows nothing of RTP.
 *
 *   byte   0         4            8                14         16
 *          | salt    | salt^SSRC  | salt ^ index   | counter  |    one counter block
 */
import type { KeyObject } from 'node:crypto'
import {
  SRTP_KEYSTREAM_AHEAD_BYTES,
  SRTP_KEYSTREAM_AHEAD_PACKETS_MAX,
  SRTP_PACKET_BYTES_MAX,
} from '../../../config/index.ts'
import { type BlockCipher, createBlockCipher } from './block-cipher.ts'

const BLOCK_BYTES = 16
const AHEAD_PACKETS_MIN = 4
const PACKET_BLOCKS_MAX = Math.ceil(SRTP_PACKET_BYTES_MAX / BLOCK_BYTES)
const AHEAD_BLOCKS_MAX = Math.max(
  SRTP_KEYSTREAM_AHEAD_BYTES / BLOCK_BYTES,
  AHEAD_PACKETS_MIN * PACKET_BLOCKS_MAX,
)

/** Counter blocks of one AES call; shared by all keystreams of the thread, full only within `#encrypt`. */
const input = new Uint8Array(AHEAD_BLOCKS_MAX * BLOCK_BYTES)
const inputWords = new Int32Array(input.buffer)
/** Keystream of one packet that is not in a batch; shared like `input`. */
const alone = Buffer.alloc(PACKET_BLOCKS_MAX * BLOCK_BYTES)
const EMPTY = Buffer.alloc(0)
/** Longer than what V8 keeps within its heap, where it would move. */
const AHEAD_BYTES_MIN = 256
/** Streams opened together would otherwise refill together, in one burst. */
let stagger = 0

/** An AES-128 key ready for any number of keystreams, and its salt (14 bytes). */
export class KeystreamKey {
  readonly cipher: BlockCipher
  readonly salt: Int32Array

  constructor(key: KeyObject, salt: Uint8Array) {
    this.cipher = createBlockCipher(key)
    const padded = new Uint8Array(BLOCK_BYTES)
    padded.set(salt)
    this.salt = new Int32Array(padded.buffer)
  }

  /** Ends all keystreams of this key; idempotent. */
  close(): void {
    this.cipher.close()
  }
}

/** `packets` in a row from `index` on, each of so many blocks. */
type Batch = { index: number; packets: number; blocks: number }

/** Costs nothing until the first packet; then at most SRTP_KEYSTREAM_AHEAD_BYTES or four packets. */
export class Keystream {
  /** Where `locate` found the keystream. */
  bytes: Buffer = EMPTY
  #key: KeystreamKey
  #ssrcWord: number
  #ahead: Buffer = EMPTY
  #first = 0
  #count = 0
  /** Blocks per packet in `#ahead`, the most that this batch needed, and the one before it. */
  #blocks = 0
  #blocksSeen = 0
  #blocksSeenBefore = 0

  constructor(key: KeystreamKey, ssrc: number) {
    this.#key = key
    this.#ssrcWord = (key.salt[1] as number) ^ swap32(ssrc)
  }

  /**
   * @hot Offset into `bytes` from which `bytes` (1..SRTP_PACKET_BYTES_MAX) of keystream for `index` (48 bits) stand,
   * valid until the next call. The last packets of the batch are found again for a retransmission; older ones are
   * computed alone.
   */
  locate(index: number, bytes: number): number {
    const blocks = (bytes + 15) >> 4
    if (blocks > this.#blocksSeen) this.#blocksSeen = blocks
    if (index >= this.#first + this.#count) this.#refill(index)
    const place = index - this.#first
    if (place >= 0 && blocks <= this.#blocks) {
      this.bytes = this.#ahead
      return place * this.#blocks * BLOCK_BYTES
    }
    this.#encrypt({ index, packets: 1, blocks }, alone)
    this.bytes = alone
    return 0
  }

  #refill(index: number): void {
    const blocks = Math.max(this.#blocksSeen, this.#blocksSeenBefore)
    const fit = Math.floor(SRTP_KEYSTREAM_AHEAD_BYTES / (blocks * BLOCK_BYTES))
    let count = Math.min(Math.max(fit, AHEAD_PACKETS_MIN), SRTP_KEYSTREAM_AHEAD_PACKETS_MAX)
    if (this.#count === 0) {
      stagger = (stagger + 1) & 0xffff
      count = 1 + (stagger % count)
    }
    this.#blocksSeenBefore = this.#blocksSeen
    this.#blocksSeen = 0
    const needed = Math.max(AHEAD_BYTES_MIN, count * blocks * BLOCK_BYTES)
    if (this.#ahead.length < needed) this.#ahead = Buffer.allocUnsafeSlow(needed)
    this.#encrypt({ index, packets: count, blocks }, this.#ahead)
    this.#first = index
    this.#count = count
    this.#blocks = blocks
  }

  #encrypt({ index, packets, blocks }: Batch, output: Buffer): void {
    const salt = this.#key.salt
    const word0 = salt[0] as number
    const word1 = this.#ssrcWord
    let at = 0
    for (let packet = index; packet < index + packets; packet += 1) {
      const high = Math.floor(packet / 65_536)
      const low = packet & 0xffff
      const word2 = (salt[2] as number) ^ swap32(high)
      const word3 = (salt[3] as number) ^ ((low >> 8) | ((low & 255) << 8))
      for (let counter = 0; counter < blocks; counter += 1) {
        inputWords[at] = word0
        inputWords[at + 1] = word1
        inputWords[at + 2] = word2
        // The counter's high byte is always 0: a packet has fewer than 256 blocks.
        inputWords[at + 3] = word3 | (counter << 24)
        at += 4
      }
    }
    this.#key.cipher.encrypt(input, at * 4, output)
  }
}

function swap32(value: number): number {
  return (
    (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | ((value >>> 24) & 0xff)
  )
}
