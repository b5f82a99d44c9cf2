/**
 * Sealing RTP and RTCP for many receivers on one thread (RFC 3711, RFC 7714). Not a socket and not a queue: sealed
 * packets lie in the slab, and at most three wait there for company in the four lanes of the HMAC.
 */
import { SRTP_PACKET_BYTES_MAX, SRTP_SEND_SSRCS_MAX } from '../../../config/index.ts'
import { GCM_TAG_BYTES, GcmKey } from './gcm.ts'
import { HandleTable } from './handle-table.ts'
import { type HmacSha1, hmacBlocks } from './hmac-sha1.ts'
import { deriveSessionKeys, type SessionKeys } from './key-derivation.ts'
import { Keystream, KeystreamKey } from './keystream.ts'
import type { SrtpMaster } from './master.ts'
import { SRTP_KEYSTREAM_REUSE, SRTP_MALFORMED, SRTP_REFUSED, SRTP_SLAB_FULL } from './outcome.ts'
import {
  looksLikeRtcp,
  RTCP_CLEAR_BYTES,
  rtpClearBytes,
  uint32At,
  writeUint32At,
} from './packet-shape.ts'
import { ResealGuard } from './reseal-guard.ts'
import { SendSlab } from './send-slab.ts'

/** Copies within any Uint8Array without making a view, which `set` would need. */
const { copy } = Buffer.prototype
const LANES = 4
const CM_TAG_BYTES = 10
const INDEX_BYTES = 4
const INDEX_MAX = 2 ** 48 - 1
const SRTCP_INDEX_MAX = 2 ** 31 - 1
const SRTCP_ENCRYPTED = 0x8000_0000

/** Where sealed packets go: a socket, in the worker; an array, in tests. */
export interface SealedSink {
  /**
   * @hot `slab.subarray(start, end)` (of `HmacSha1.slab`) is ready to be sent to the transport with this token.
   * Called inside the sender's methods, in the order of sealing. Must not call back into the sender.
   */
  onSealed(token: number, start: number, end: number): void
  /**
   * How many of the last packets given to onSealed may still be read by the kernel or libuv
   * (`socket.getSendQueueCount()`; too many is safe). Asked every 64 packets; their places are not reused.
   */
  inFlightCount(): number
}

export type SrtpSenderOptions = {
  hmac: HmacSha1
  sink: SealedSink
  /** By code of the drop-reason table; counted into, never read. */
  drops: Uint32Array
}

export interface SrtpSender {
  /** Takes a transport's master; `token` names the transport to the sink. Returns a handle, or a negative code. */
  addContext(master: SrtpMaster, token: number): number
  /** Ends a transport with all its streams. What waits is emitted first. Idempotent. */
  removeContext(context: number): void
  /** Opens an outgoing SSRC; once per context and SSRC for ever. Returns a handle, or a negative code. */
  openStream(context: number, ssrc: number): number
  /** Idempotent. The SSRC cannot be opened again: its keystream is used up. */
  closeStream(stream: number): void
  /**
   * @hot Seals plain RTP `bytes.subarray(start, end)` (at most SRTP_PACKET_BYTES_MAX; CSRCs and extension as they
   * stand). `index` is the 48-bit packet index whose low 16 bits stand in the header. An index may repeat with
   * identical bytes, up to SRTP_RESEAL_WINDOW behind the newest, and gives identical output; with other bytes it is
   * dropped and counted. `bytes` is read before this returns. Returns 0, or a negative code. Fastest when packets of
   * equal size follow one another.
   */
  seal(stream: number, bytes: Uint8Array, start: number, end: number, index: number): number
  /** Seals one compound RTCP packet under the context's next SRTCP index, and emits it. Codes as of `seal`. */
  sealRtcp(context: number, bytes: Uint8Array, start: number, end: number): number
  /** @hot Emits what waits for company: at most three packets. Call at the end of each burst. */
  flush(): void
}

/** One per thread. */
export function createSrtpSender(options: SrtpSenderOptions): SrtpSender {
  return new Sender(options)
}

/** AES-CM with HMAC-SHA1, or GCM; either for SRTP or for SRTCP. */
class SealingKey {
  readonly gcm: GcmKey | undefined
  readonly cm: KeystreamKey | undefined
  /** Prepared HMAC key; -1 for GCM, or when there was no room. */
  readonly hmacKey: number

  constructor(keys: SessionKeys, gcm: boolean, hmac: HmacSha1) {
    this.gcm = gcm ? new GcmKey(keys) : undefined
    this.cm = gcm ? undefined : new KeystreamKey(keys.cipherKey, keys.salt)
    this.hmacKey = gcm ? -1 : hmac.addKey(keys.authKey)
    keys.authKey.fill(0)
  }
}

class SendContext {
  readonly token: number
  readonly rtp: SealingKey
  readonly rtcp: SealingKey
  readonly streams: number[] = []
  readonly ssrcs = new Set<number>()
  srtcpIndex = 0
  srtcpSsrc = 0
  srtcpKeystream: Keystream | undefined

  constructor(token: number, rtp: SealingKey, rtcp: SealingKey) {
    this.token = token
    this.rtp = rtp
    this.rtcp = rtcp
  }
}

class SendStream {
  readonly context: SendContext
  /** Of the context, here as well: with a thousand receivers each step to another object is a miss of the cache. */
  readonly token: number
  readonly hmacKey: number
  readonly ssrc: number
  readonly keystream: Keystream | undefined
  readonly guard = new ResealGuard()

  constructor(context: SendContext, ssrc: number) {
    this.context = context
    this.token = context.token
    this.hmacKey = context.rtp.hmacKey
    this.ssrc = ssrc
    this.keystream = context.rtp.cm ? new Keystream(context.rtp.cm, ssrc) : undefined
  }
}

class Sender implements SrtpSender {
  #hmac: HmacSha1
  #sink: SealedSink
  #drops: Uint32Array
  #slots: SendSlab
  #contexts = new HandleTable<SendContext>()
  #streams = new HandleTable<SendStream>()
  /** The lanes: packets that are encrypted and wait for their tag. */
  #waiting = 0
  #waitingBlocks = 0
  #laneStream: (SendStream | undefined)[] = new Array<undefined>(LANES).fill(undefined)
  #laneIndex = new Float64Array(LANES)
  #laneStart = new Int32Array(LANES)
  #laneEnd = new Int32Array(LANES)

  constructor({ hmac, sink, drops }: SrtpSenderOptions) {
    this.#hmac = hmac
    this.#sink = sink
    this.#drops = drops
    this.#slots = new SendSlab(() => sink.inFlightCount())
  }

  addContext(master: SrtpMaster, token: number): number {
    const gcm = master.profile === 'aes-gcm'
    const keys = deriveSessionKeys(master)
    const rtp = new SealingKey(keys.rtp, gcm, this.#hmac)
    const rtcp = new SealingKey(keys.rtcp, gcm, this.#hmac)
    const full = !gcm && (rtp.hmacKey < 0 || rtcp.hmacKey < 0)
    const context = new SendContext(token, rtp, rtcp)
    const handle = full ? -1 : this.#contexts.open(context)
    if (handle >= 0) return handle
    this.#forgetKeys(context)
    return this.#drop(SRTP_REFUSED)
  }

  removeContext(handle: number): void {
    this.flush()
    const context = this.#contexts.close(handle)
    if (!context) return
    for (const stream of context.streams) this.#streams.close(stream)
    this.#forgetKeys(context)
  }

  openStream(handle: number, ssrc: number): number {
    const context = this.#contexts.get(handle)
    if (!context || context.ssrcs.has(ssrc)) return this.#drop(SRTP_REFUSED)
    if (context.ssrcs.size >= SRTP_SEND_SSRCS_MAX) return this.#drop(SRTP_REFUSED)
    const stream = this.#streams.open(new SendStream(context, ssrc))
    if (stream < 0) return this.#drop(SRTP_REFUSED)
    context.ssrcs.add(ssrc)
    context.streams.push(stream)
    return stream
  }

  closeStream(handle: number): void {
    this.flush()
    const stream = this.#streams.close(handle)
    if (!stream) return
    const streams = stream.context.streams
    streams.splice(streams.indexOf(handle), 1)
  }

  seal(handle: number, bytes: Uint8Array, start: number, end: number, index: number): number {
    const stream = this.#streams.get(handle)
    if (stream === undefined) return this.#drop(SRTP_REFUSED)
    const clear = rtpClearBytes(bytes, start, end)
    if (clear === 0 || end - start > SRTP_PACKET_BYTES_MAX) return this.#drop(SRTP_MALFORMED)
    const sequence = ((bytes[start + 2] as number) << 8) | (bytes[start + 3] as number)
    if ((index & 0xffff) !== sequence || uint32At(bytes, start + 8) !== stream.ssrc) {
      return this.#drop(SRTP_MALFORMED)
    }
    if (!(index >= 0 && index <= INDEX_MAX)) return this.#drop(SRTP_REFUSED)
    if (!stream.guard.isKnown(index)) return this.#drop(SRTP_KEYSTREAM_REUSE)
    const slot = this.#takeSlot()
    if (slot < 0) return this.#drop(SRTP_SLAB_FULL)
    const length = end - start
    copy.call(bytes as Buffer, this.#hmac.slab, slot, start, end)
    const keystream = stream.keystream
    if (keystream === undefined) return this.#sealGcm(stream, slot, { length, clear, index })
    if (length > clear) {
      const from = keystream.locate(index, length - clear)
      this.#hmac.xor(slot + clear, keystream.bytes, from, length - clear)
    }
    writeUint32At(this.#hmac.slab, slot + length, Math.floor(index / 65_536))
    this.#wait(stream, slot, slot + length, index)
    return 0
  }

  sealRtcp(handle: number, bytes: Uint8Array, start: number, end: number): number {
    const context = this.#contexts.get(handle)
    if (context === undefined) return this.#drop(SRTP_REFUSED)
    if (!looksLikeRtcp(bytes, start, end) || end - start > SRTP_PACKET_BYTES_MAX) {
      return this.#drop(SRTP_MALFORMED)
    }
    if (context.srtcpIndex === SRTCP_INDEX_MAX) return this.#drop(SRTP_REFUSED)
    this.flush()
    const slot = this.#takeSlot()
    if (slot < 0) return this.#drop(SRTP_SLAB_FULL)
    context.srtcpIndex += 1
    const length = end - start
    const ssrc = uint32At(bytes, start + 4)
    copy.call(bytes as Buffer, this.#hmac.slab, slot, start, end)
    const sealed = context.rtcp.gcm
      ? this.#sealRtcpGcm(context, slot, length, ssrc)
      : this.#sealRtcpCm(context, slot, length, ssrc)
    this.#sink.onSealed(context.token, slot, sealed)
    return 0
  }

  flush(): void {
    const count = this.#waiting
    if (count === 0) return
    this.#waiting = 0
    const slab = this.#hmac.slab
    // Set only now: a receiver may have used the HMAC's lanes since the first of these was sealed.
    for (let lane = 0; lane < count; lane += 1) {
      const start = this.#laneStart[lane] as number
      const bytes = (this.#laneEnd[lane] as number) + INDEX_BYTES - start
      const key = (this.#laneStream[lane] as SendStream).hmacKey
      this.#hmac.setLane(lane, key, start, bytes)
    }
    this.#hmac.tags(count, INDEX_BYTES)
    for (let lane = 0; lane < count; lane += 1) {
      const stream = this.#laneStream[lane] as SendStream
      const end = this.#laneEnd[lane] as number
      this.#laneStream[lane] = undefined
      if (stream.guard.admit(this.#laneIndex[lane] as number, uint32At(slab, end))) {
        const start = this.#laneStart[lane] as number
        this.#sink.onSealed(stream.token, start, end + CM_TAG_BYTES)
      } else {
        this.#slots.giveUp()
        this.#drop(SRTP_KEYSTREAM_REUSE)
      }
    }
  }

  /** @hot Joins the lanes if it has as many SHA-1 blocks as those that wait; otherwise those go first. */
  #wait(stream: SendStream, start: number, end: number, index: number): void {
    const blocks = hmacBlocks(end + INDEX_BYTES - start)
    if (this.#waiting > 0 && blocks !== this.#waitingBlocks) this.flush()
    const lane = this.#waiting
    this.#waitingBlocks = blocks
    this.#laneStream[lane] = stream
    this.#laneIndex[lane] = index
    this.#laneStart[lane] = start
    this.#laneEnd[lane] = end
    this.#waiting = lane + 1
    if (this.#waiting === LANES) this.flush()
  }

  #takeSlot(): number {
    // The socket is asked what it still reads: by then it must have been given all that was taken.
    if (this.#slots.lapEnds) this.flush()
    return this.#slots.take()
  }

  #sealGcm(
    stream: SendStream,
    slot: number,
    packet: { length: number; clear: number; index: number },
  ): number {
    this.flush()
    const slab = this.#hmac.slab
    const { length, clear, index } = packet
    const end = slot + length
    ;(stream.context.rtp.gcm as GcmKey).seal(stream.ssrc, index, {
      associated: slab.subarray(slot, slot + clear),
      text: slab.subarray(slot + clear, end),
      tag: slab.subarray(end, end + GCM_TAG_BYTES),
    })
    if (!stream.guard.admit(index, uint32At(slab, end))) {
      this.#slots.giveUp()
      return this.#drop(SRTP_KEYSTREAM_REUSE)
    }
    this.#sink.onSealed(stream.context.token, slot, end + GCM_TAG_BYTES)
    return 0
  }

  /** RTCP, E and index, tag: RFC 3711 §3.4. Returns the end. */
  #sealRtcpCm(context: SendContext, slot: number, length: number, ssrc: number): number {
    if (context.srtcpKeystream === undefined || context.srtcpSsrc !== ssrc) {
      context.srtcpKeystream = new Keystream(context.rtcp.cm as KeystreamKey, ssrc)
      context.srtcpSsrc = ssrc
    }
    const keystream = context.srtcpKeystream
    const end = slot + length
    const textBytes = length - RTCP_CLEAR_BYTES
    if (textBytes > 0) {
      const from = keystream.locate(context.srtcpIndex, textBytes)
      this.#hmac.xor(slot + RTCP_CLEAR_BYTES, keystream.bytes, from, textBytes)
    }
    writeUint32At(this.#hmac.slab, end, SRTCP_ENCRYPTED + context.srtcpIndex)
    this.#hmac.setLane(0, context.rtcp.hmacKey, slot, length + INDEX_BYTES)
    this.#hmac.tags(1, 0)
    return end + INDEX_BYTES + CM_TAG_BYTES
  }

  /** RTCP, tag, E and index: RFC 7714 §9. Returns the end. */
  #sealRtcpGcm(context: SendContext, slot: number, length: number, ssrc: number): number {
    const slab = this.#hmac.slab
    const end = slot + length
    const associated = new Uint8Array(RTCP_CLEAR_BYTES + INDEX_BYTES)
    associated.set(slab.subarray(slot, slot + RTCP_CLEAR_BYTES))
    writeUint32At(associated, RTCP_CLEAR_BYTES, SRTCP_ENCRYPTED + context.srtcpIndex)
    ;(context.rtcp.gcm as GcmKey).seal(ssrc, context.srtcpIndex, {
      associated,
      text: slab.subarray(slot + RTCP_CLEAR_BYTES, end),
      tag: slab.subarray(end, end + GCM_TAG_BYTES),
    })
    slab.set(associated.subarray(RTCP_CLEAR_BYTES), end + GCM_TAG_BYTES)
    return end + GCM_TAG_BYTES + INDEX_BYTES
  }

  #forgetKeys(context: SendContext): void {
    for (const { cm, hmacKey } of [context.rtp, context.rtcp]) {
      cm?.close()
      if (hmacKey >= 0) this.#hmac.removeKey(hmacKey)
    }
  }

  #drop(code: number): number {
    this.#drops[-code] = (this.#drops[-code] as number) + 1
    return code
  }
}
