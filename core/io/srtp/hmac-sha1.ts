/**
 * Per-thread HMAC-SHA1 (RFC 2104) truncated to 80 bits, with prepared keys, and the memory that sealed packets are
 * sent from. Four messages at a time in WASM SIMD (wasm/hmac-sha1.as), one at a time through `node:crypto` where
 * there is no SIMD. Not a general hash: messages lie in this memory, and are destroyed behind their end.
 *
 *   address  what
 *   0        lane table, 4 × { state, data, dataBytes, out }   (u32 each)
 *   128      message schedule (WASM)
 *   1408     pad blocks while a key is prepared
 *   4096     staging for one packet that is being opened
 *   6144     keystream of the packet in hand
 *   8192     prepared keys, 40 bytes each
 *   ...      slab: slots of SLOT_BYTES
 */
import { hash } from 'node:crypto'
import { SRTP_KEYS_PER_WORKER_MAX, SRTP_SLAB_SLOTS } from '../../../config/index.ts'
import { HMAC_SHA1_WASM_BASE64 } from './wasm/hmac-sha1.wasm.ts'

const PADS = 1408
const STATES = 8192
const STATE_BYTES = 40
const LANE_WORDS = 4
const TAG_BYTES = 10
/** A lone message longer than this is cheaper by `crypto.hash` than in one of four lanes. */
const LONE_BYTES_MAX = 400
/** Copies within any Uint8Array without making a view, which `set` would need. */
const { copy } = Buffer.prototype
const BLOCK_BYTES = 64

/** A packet is opened here, outside the slab. */
export const STAGING = 4096
const KEYSTREAM = 6144
/** Whole SHA-1 blocks, so that every slot starts aligned; holds a packet, its tag and its padding. */
export const SLOT_BYTES = 1600
/** Where the slots begin. */
export const SLAB = STATES + Math.ceil((SRTP_KEYS_PER_WORKER_MAX * STATE_BYTES) / 64) * 64
const MEMORY_BYTES = SLAB + SRTP_SLAB_SLOTS * SLOT_BYTES
const PAGE_BYTES = 65_536

export interface HmacSha1 {
  /** 'simd': four packets at once in WASM; 'hash': `node:crypto`, where SIMD is missing. */
  readonly kind: 'simd' | 'hash'
  /** Sealed packets lie here (it is the whole memory). Its buffer never moves or grows. */
  readonly slab: Uint8Array
  /** Prepares a key of at most 64 bytes; -1 when SRTP_KEYS_PER_WORKER_MAX are in use. */
  addKey(key: Uint8Array): number
  /** Wipes a key; its number is used again. */
  removeKey(key: number): void
  /** @hot Describes the message `slab.subarray(data, data + bytes)` of one lane, whose tag goes to `out`. */
  setLane(lane: number, key: number, data: number, bytes: number): void
  /**
   * @hot Writes the 10-byte tags of lanes 0..count-1 behind `bytes - before` of each message. All must span the same
   * number of blocks (`hmacBlocks`); up to 72 bytes behind each message are overwritten.
   */
  tags(count: number, before: number): void
  /**
   * @hot XORs `bytes` of keystream, from byte `from` of `keystream`, into the slab at `to` (multiples of 4). Up to 15
   * bytes behind change too.
   */
  xor(to: number, keystream: Buffer, from: number, bytes: number): void
}

/** SHA-1 blocks after the inner pad; messages may share a call of `tags` when this is equal. */
export function hmacBlocks(bytes: number): number {
  return (bytes + 72) >> 6
}

/** One per thread. `kind` is chosen by what the machine has; tests and the fallback ask for 'hash'. */
export function createHmacSha1(kind?: 'simd' | 'hash'): HmacSha1 {
  if (kind === 'hash') return new HashHmacSha1()
  const binary = Buffer.from(HMAC_SHA1_WASM_BASE64, 'base64')
  if (WebAssembly.validate(binary)) return new SimdHmacSha1(binary)
  if (kind === 'simd') throw new Error('WebAssembly SIMD is missing')
  return new HashHmacSha1()
}

/** Numbers of prepared keys, and their pad blocks on the way in. */
class KeyTable {
  #free: number[] = []
  #used = 0

  take(): number {
    const key = this.#free.pop()
    if (key !== undefined) return key
    return this.#used < SRTP_KEYS_PER_WORKER_MAX ? this.#used++ : -1
  }

  give(key: number): void {
    this.#free.push(key)
  }
}

/** Inner and outer pad block of a key, 64 bytes each, into `out` at `offset`. */
function writePads(key: Uint8Array, out: Uint8Array, offset: number): void {
  for (let i = 0; i < BLOCK_BYTES; i += 1) {
    const byte = key[i] ?? 0
    out[offset + i] = byte ^ 0x36
    out[offset + BLOCK_BYTES + i] = byte ^ 0x5c
  }
}

class SimdHmacSha1 implements HmacSha1 {
  readonly kind = 'simd'
  readonly slab: Uint8Array
  #words: Uint32Array
  #lone: PadHasher
  #keys = new KeyTable()
  #xor: (to: number, from: number, bytes: number) => void
  #tags: (count: number) => void
  #prepare: (state: number, pads: number) => void

  constructor(binary: Uint8Array<ArrayBuffer>) {
    // Initial = maximum: a grown memory would detach the buffer under sends that are queued.
    const pages = Math.ceil(MEMORY_BYTES / PAGE_BYTES)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), { env: { memory } })
    this.slab = new Uint8Array(memory.buffer)
    this.#lone = new PadHasher(this.slab)
    this.#words = new Uint32Array(memory.buffer)
    this.#xor = instance.exports['xor'] as (to: number, from: number, bytes: number) => void
    this.#tags = instance.exports['tags'] as (count: number) => void
    this.#prepare = instance.exports['prepare'] as (state: number, pads: number) => void
    for (let lane = 0; lane < 4; lane += 1) this.setLane(lane, 0, STAGING, 0)
  }

  addKey(key: Uint8Array): number {
    const number = this.#keys.take()
    if (number < 0) return -1
    this.#lone.addKey(number, key)
    writePads(key, this.slab, PADS)
    this.#prepare(STATES + number * STATE_BYTES, PADS)
    return number
  }

  removeKey(key: number): void {
    const state = STATES + key * STATE_BYTES
    this.#lone.removeKey(key)
    this.slab.fill(0, state, state + STATE_BYTES)
    this.#keys.give(key)
  }

  setLane(lane: number, key: number, data: number, bytes: number): void {
    const words = this.#words
    const at = lane * LANE_WORDS
    words[at] = STATES + key * STATE_BYTES
    words[at + 1] = data
    words[at + 2] = bytes
  }

  tags(count: number, before: number): void {
    const words = this.#words
    if (count === 1 && (words[2] as number) > LONE_BYTES_MAX) {
      const key = ((words[0] as number) - STATES) / STATE_BYTES
      const end = (words[1] as number) + (words[2] as number)
      this.#lone.tag(key, words[1] as number, end, end - before)
      return
    }
    for (let lane = 0; lane < 4; lane += 1) {
      const at = lane * LANE_WORDS
      if (lane >= count) {
        // An idle lane reads what lane 0 reads; its result is not stored.
        words[at] = words[0] as number
        words[at + 1] = words[1] as number
      }
      words[at + 3] = (words[at + 1] as number) + (words[at + 2] as number) - before
    }
    this.#tags(count)
  }

  xor(to: number, keystream: Buffer, from: number, bytes: number): void {
    // Buffer.copy allocates nothing, and V8's loop over words would take several times as long.
    keystream.copy(this.slab, KEYSTREAM, from, from + bytes)
    this.#xor(to, KEYSTREAM, bytes)
  }
}

/** `crypto.hash` alone, where there is no SIMD. */
class HashHmacSha1 implements HmacSha1 {
  readonly kind = 'hash'
  readonly slab = new Uint8Array(MEMORY_BYTES)
  #words = new Uint32Array(this.slab.buffer)
  #keys = new KeyTable()
  #hasher = new PadHasher(this.slab)

  addKey(key: Uint8Array): number {
    const number = this.#keys.take()
    if (number >= 0) this.#hasher.addKey(number, key)
    return number
  }

  removeKey(key: number): void {
    this.#hasher.removeKey(key)
    this.#keys.give(key)
  }

  setLane(lane: number, key: number, data: number, bytes: number): void {
    const words = this.#words
    const at = lane * LANE_WORDS
    words[at] = key
    words[at + 1] = data
    words[at + 2] = bytes
  }

  tags(count: number, before: number): void {
    for (let lane = 0; lane < count; lane += 1) {
      const at = lane * LANE_WORDS
      const data = this.#words[at + 1] as number
      const bytes = this.#words[at + 2] as number
      this.#hasher.tag(this.#words[at] as number, data, data + bytes, data + bytes - before)
    }
  }

  xor(to: number, keystream: Buffer, from: number, bytes: number): void {
    const words = this.#words
    const count = (bytes + 3) >> 2
    const key = new Uint32Array(keystream.buffer, keystream.byteOffset + from, count)
    const at = to >> 2
    for (let i = 0; i < count; i += 1)
      words[at + i] = (words[at + i] as number) ^ (key[i] as number)
  }
}

/** One message at a time: `crypto.hash` twice over prepared pad blocks. 'binary' (latin1) output is the cheapest. */
class PadHasher {
  #slab: Uint8Array
  #pads = new Uint8Array(SRTP_KEYS_PER_WORKER_MAX * 2 * BLOCK_BYTES)
  #inner = new Uint8Array(BLOCK_BYTES + SLOT_BYTES)
  #outer = new Uint8Array(BLOCK_BYTES + 20)
  /** One view per message length, made when first needed: a view per packet would be garbage. */
  #views: Uint8Array<ArrayBuffer>[] = []

  constructor(slab: Uint8Array) {
    this.#slab = slab
  }

  addKey(number: number, key: Uint8Array): void {
    writePads(key, this.#pads, number * 2 * BLOCK_BYTES)
  }

  removeKey(key: number): void {
    this.#pads.fill(0, key * 2 * BLOCK_BYTES, (key + 1) * 2 * BLOCK_BYTES)
  }

  /** @hot Tag of `slab.subarray(data, end)` to `out`. */
  tag(key: number, data: number, end: number, out: number): void {
    const pads = key * 2 * BLOCK_BYTES
    const bytes = end - data
    copy.call(this.#pads as Buffer, this.#inner, 0, pads, pads + BLOCK_BYTES)
    copy.call(this.#slab as Buffer, this.#inner, BLOCK_BYTES, data, end)
    this.#views[bytes] ??= this.#inner.subarray(0, BLOCK_BYTES + bytes)
    const digest = hash('sha1', this.#views[bytes] as Uint8Array<ArrayBuffer>, 'binary')
    copy.call(this.#pads as Buffer, this.#outer, 0, pads + BLOCK_BYTES, pads + 2 * BLOCK_BYTES)
    for (let i = 0; i < 20; i += 1) this.#outer[BLOCK_BYTES + i] = digest.charCodeAt(i)
    const tag = hash('sha1', this.#outer, 'binary')
    for (let i = 0; i < TAG_BYTES; i += 1) this.#slab[out + i] = tag.charCodeAt(i)
  }
}
