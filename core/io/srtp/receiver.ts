/**
 * Opening SRTP and SRTCP of one transport (RFC 3711 §3.3, §3.4, RFC 7714). Not a parser: it looks
 * at no more of a packet than it must. Nothing changes before a tag has proved right, and no
 * failure ends anything.
 */
import {
  SRTCP_REPLAY_WINDOW,
  SRTP_PACKET_BYTES_MAX,
  SRTP_RECEIVE_SSRCS_MAX,
  SRTP_REPLAY_WINDOW,
} from '../../../config/index.ts'
import { GCM_TAG_BYTES, GcmKey } from './gcm.ts'
import { type HmacSha1, STAGING } from './hmac-sha1.ts'
import { deriveSessionKeys, type SessionKeys } from './key-derivation.ts'
import { Keystream, KeystreamKey } from './keystream.ts'
import type { SrtpMaster } from './master.ts'
import {
  SRTP_AUTH_FAILED,
  SRTP_MALFORMED,
  SRTP_REFUSED,
  SRTP_SSRC_LIMIT,
  SRTP_TOO_OLD,
} from './outcome.ts'
import {
  looksLikeRtcp,
  RTCP_CLEAR_BYTES,
  rtpClearBytes,
  uint32At,
  writeUint32At,
} from './packet-shape.ts'
import { ReplayWindow } from './replay-window.ts'

/** Copies within any Uint8Array without making a view, which `set` would need. */
const { copy } = Buffer.prototype
const CM_TAG_BYTES = 10
const INDEX_BYTES = 4
const ROLLOVER = 65_536
const INDEX_MAX = 2 ** 48 - 1

export type SrtpReceiverOptions = {
  hmac: HmacSha1
  master: SrtpMaster
  /** By code of the drop-reason table; counted into, never read. */
  drops: Uint32Array
}

export interface SrtpReceiver {
  /** 48-bit index (RFC 3711 §3.3.1) of the RTP packet opened last. */
  readonly index: number
  /**
   * @hot Authenticates and decrypts `bytes.subarray(start, end)` in place. Returns the end of the plain packet, or a
   * negative code with bytes and state as they were. A packet of an unknown SSRC in the lower half of the
   * sequence is also tried with a rollover of one: the first packets before a wrap may have been lost.
   */
  openRtp(bytes: Uint8Array, start: number, end: number): number
  /** The same for a compound SRTCP packet (RFC 3711 §3.4). Authentic ones in clear (E = 0) are accepted. */
  openRtcp(bytes: Uint8Array, start: number, end: number): number
  /** Forgets the keys; later packets are refused. Idempotent. */
  close(): void
}

/** One per transport. Throws when the worker has no room for its keys: see SRTP_KEYS_PER_WORKER_MAX. */
export function createSrtpReceiver(options: SrtpReceiverOptions): SrtpReceiver {
  return new Receiver(options)
}

/** One SSRC that has sent an authentic packet. */
class Source {
  readonly window: ReplayWindow
  readonly keystream: Keystream | undefined

  constructor(window: ReplayWindow, keystream: Keystream | undefined) {
    this.window = window
    this.keystream = keystream
  }
}

/** Keys, and what is known of each SSRC, of SRTP or of SRTCP. */
class OpeningSide {
  readonly gcm: GcmKey | undefined
  readonly cm: KeystreamKey | undefined
  readonly hmacKey: number
  readonly sources = new Map<number, Source>()
  readonly windowSize: number

  constructor(keys: SessionKeys, windowSize: number, options: SrtpReceiverOptions) {
    const gcm = options.master.profile === 'aes-gcm'
    this.windowSize = windowSize
    this.gcm = gcm ? new GcmKey(keys) : undefined
    this.cm = gcm ? undefined : new KeystreamKey(keys.cipherKey, keys.salt)
    this.hmacKey = gcm ? -1 : options.hmac.addKey(keys.authKey)
    keys.authKey.fill(0)
    if (gcm || this.hmacKey >= 0) return
    this.forget(options.hmac)
    throw new Error('no room for another HMAC key')
  }

  forget(hmac: HmacSha1): void {
    this.cm?.close()
    if (this.hmacKey >= 0) hmac.removeKey(this.hmacKey)
    this.sources.clear()
  }

  /** Called with an authentic packet of an SSRC that is not known, while there is room. */
  admit(ssrc: number): Source {
    const keystream = this.cm ? new Keystream(this.cm, ssrc) : undefined
    const source = new Source(new ReplayWindow(this.windowSize), keystream)
    this.sources.set(ssrc | 0, source)
    return source
  }
}

class Receiver implements SrtpReceiver {
  index = 0
  #hmac: HmacSha1
  #drops: Uint32Array
  #rtp: OpeningSide
  #rtcp: OpeningSide
  #closed = false

  constructor(options: SrtpReceiverOptions) {
    const keys = deriveSessionKeys(options.master)
    this.#hmac = options.hmac
    this.#drops = options.drops
    this.#rtp = new OpeningSide(keys.rtp, SRTP_REPLAY_WINDOW, options)
    try {
      this.#rtcp = new OpeningSide(keys.rtcp, SRTCP_REPLAY_WINDOW, options)
    } catch (error) {
      this.#rtp.forget(options.hmac)
      throw error
    }
  }

  openRtp(bytes: Uint8Array, start: number, end: number): number {
    if (this.#closed) return this.#drop(SRTP_REFUSED)
    const side = this.#rtp
    const plainEnd = end - (side.gcm ? GCM_TAG_BYTES : CM_TAG_BYTES)
    const clear = rtpClearBytes(bytes, start, plainEnd)
    if (clear === 0 || plainEnd - start > SRTP_PACKET_BYTES_MAX) return this.#drop(SRTP_MALFORMED)
    const sequence = ((bytes[start + 2] as number) << 8) | (bytes[start + 3] as number)
    const ssrc = uint32At(bytes, start + 8)
    let source = side.sources.get(ssrc | 0)
    let index = sequence
    if (source !== undefined) {
      index = guessIndex(source.window.highest, sequence)
      if (index < 0) return this.#drop(SRTP_TOO_OLD)
      if (index > INDEX_MAX) return this.#drop(SRTP_REFUSED)
      const known = source.window.check(index)
      if (known !== 0) return this.#drop(known)
    } else if (side.sources.size >= SRTP_RECEIVE_SSRCS_MAX) return this.#drop(SRTP_SSRC_LIMIT)
    const packet = { bytes, start, plainEnd, clear, ssrc }
    let authentic = this.#proveRtp(packet, index)
    if (!authentic && source === undefined && sequence < ROLLOVER / 2) {
      index = ROLLOVER + sequence
      authentic = this.#proveRtp(packet, index)
    }
    if (!authentic) return this.#drop(SRTP_AUTH_FAILED)
    source ??= side.admit(ssrc)
    if (source.keystream) this.#decrypt(packet, source.keystream, index)
    source.window.mark(index)
    this.index = index
    return plainEnd
  }

  openRtcp(bytes: Uint8Array, start: number, end: number): number {
    if (this.#closed) return this.#drop(SRTP_REFUSED)
    const side = this.#rtcp
    const plainEnd = end - INDEX_BYTES - (side.gcm ? GCM_TAG_BYTES : CM_TAG_BYTES)
    if (!looksLikeRtcp(bytes, start, plainEnd) || plainEnd - start > SRTP_PACKET_BYTES_MAX) {
      return this.#drop(SRTP_MALFORMED)
    }
    const flagged = uint32At(bytes, side.gcm ? end - INDEX_BYTES : plainEnd)
    const index = flagged & 0x7fff_ffff
    const encrypted = flagged >>> 31 === 1
    const ssrc = uint32At(bytes, start + 4)
    let source = side.sources.get(ssrc | 0)
    if (source !== undefined) {
      const known = source.window.check(index)
      if (known !== 0) return this.#drop(known)
    } else if (side.sources.size >= SRTP_RECEIVE_SSRCS_MAX) return this.#drop(SRTP_SSRC_LIMIT)
    const clear = encrypted ? RTCP_CLEAR_BYTES : plainEnd - start
    const packet = { bytes, start, plainEnd, clear, ssrc }
    if (!this.#proveRtcp(packet, index, flagged)) return this.#drop(SRTP_AUTH_FAILED)
    source ??= side.admit(ssrc)
    if (source.keystream) this.#decrypt(packet, source.keystream, index)
    source.window.mark(index)
    return plainEnd
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#rtp.forget(this.#hmac)
    this.#rtcp.forget(this.#hmac)
  }

  /** True when the tag fits this index. GCM has decrypted in place then; of CM the ciphertext is in STAGING. */
  #proveRtp(packet: Packet, index: number): boolean {
    const { bytes, start, plainEnd, clear, ssrc } = packet
    const gcm = this.#rtp.gcm
    if (gcm) {
      return gcm.open(ssrc, index, {
        associated: bytes.subarray(start, start + clear),
        text: bytes.subarray(start + clear, plainEnd),
        tag: bytes.subarray(plainEnd, plainEnd + GCM_TAG_BYTES),
      })
    }
    const { slab } = this.#hmac
    const length = plainEnd - start
    copy.call(bytes as Buffer, slab, STAGING, start, plainEnd)
    writeUint32At(slab, STAGING + length, Math.floor(index / ROLLOVER))
    this.#hmac.setLane(0, this.#rtp.hmacKey, STAGING, length + INDEX_BYTES)
    this.#hmac.tags(1, INDEX_BYTES)
    return equalTags(slab, STAGING + length, bytes, plainEnd)
  }

  #proveRtcp(packet: Packet, index: number, flagged: number): boolean {
    const { bytes, start, plainEnd, clear, ssrc } = packet
    const gcm = this.#rtcp.gcm
    if (gcm) {
      const associated = new Uint8Array(clear + INDEX_BYTES)
      associated.set(bytes.subarray(start, start + clear))
      writeUint32At(associated, clear, flagged)
      return gcm.open(ssrc, index, {
        associated,
        text: bytes.subarray(start + clear, plainEnd),
        tag: bytes.subarray(plainEnd, plainEnd + GCM_TAG_BYTES),
      })
    }
    const { slab } = this.#hmac
    const length = plainEnd + INDEX_BYTES - start
    copy.call(bytes as Buffer, slab, STAGING, start, start + length)
    this.#hmac.setLane(0, this.#rtcp.hmacKey, STAGING, length)
    this.#hmac.tags(1, 0)
    return equalTags(slab, STAGING + length, bytes, start + length)
  }

  /** Of the ciphertext in STAGING, back to where the packet came from. */
  #decrypt(packet: Packet, keystream: Keystream, index: number): void {
    const { bytes, start, plainEnd, clear } = packet
    const length = plainEnd - start
    if (length === clear) return
    const from = keystream.locate(index, length - clear)
    this.#hmac.xor(STAGING + clear, keystream.bytes, from, length - clear)
    copy.call(this.#hmac.slab as Buffer, bytes, start + clear, STAGING + clear, STAGING + length)
  }

  #drop(code: number): number {
    this.#drops[-code] = (this.#drops[-code] as number) + 1
    return code
  }
}

/** What was read off one packet; V8 keeps it off the heap where it matters. */
type Packet = {
  bytes: Uint8Array
  start: number
  plainEnd: number
  /** Bytes that are not encrypted. */
  clear: number
  ssrc: number
}

/** RFC 3711 §3.3.1: the index nearest to the highest that has this sequence; negative before the first rollover. */
function guessIndex(highest: number, sequence: number): number {
  const last = highest % ROLLOVER
  const base = highest - last
  if (last < ROLLOVER / 2) {
    return (sequence - last > ROLLOVER / 2 ? base - ROLLOVER : base) + sequence
  }
  return (last - ROLLOVER / 2 > sequence ? base + ROLLOVER : base) + sequence
}

/** Ten bytes, in a time that does not depend on where they differ. */
function equalTags(a: Uint8Array, atA: number, b: Uint8Array, atB: number): boolean {
  let difference = 0
  for (let i = 0; i < CM_TAG_BYTES; i += 1) {
    difference |= (a[atA + i] as number) ^ (b[atB + i] as number)
  }
  return difference === 0
}
