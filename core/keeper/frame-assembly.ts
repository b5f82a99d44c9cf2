/**
 * Packets in order to whole frames: VP8 by RFC 7741 (descriptors taken off, payloads joined), Opus one to one. A
 * frame that is not whole is dropped, and so is what needs it: until a keyframe, or as far as temporal layers and
 * TL0PICIDX tell that only pictures which nobody refers to were lost. One per track; state lasts over segments.
 */
import type { KeptCodec } from './contract.ts'
import type { LoggedPacket } from './packet-log.ts'
import type { KeptFrame } from './segment-format.ts'

/** A frame with the 32-bit timestamp of its source. */
export type AssembledFrame = Omit<KeptFrame, 'offsetTicks'> & { timestamp: number }

const ANY_LAYER = 4

/** Feed packets in the order of their numbers. */
export class FrameAssembly {
  readonly #codec: KeptCodec
  /** Where the next packet should be; undefined before the first. */
  #expected: number | undefined
  /** Frames of this temporal layer and above cannot be decoded now; 0 = only a keyframe helps. */
  #brokenFrom = 0
  #lastTl0 = -1
  #parts: Uint8Array[] = []
  #frame: AssembledFrame | undefined
  #tl0 = -1
  #switches = false
  #gap = false
  readonly #receive: (frame: AssembledFrame) => void

  constructor(codec: KeptCodec, receive: (frame: AssembledFrame) => void) {
    this.#codec = codec
    this.#receive = receive
  }

  /** Nothing but a keyframe can be shown next. */
  get needsKeyframe(): boolean {
    return this.#codec === 'vp8' && this.#brokenFrom === 0
  }

  /** What comes next continues nothing. */
  restart(): void {
    if (this.#frame !== undefined) this.#dropFrame()
    this.#expected = undefined
    this.#brokenFrom = 0
    this.#lastTl0 = -1
  }

  /** Duplicates are ignored. */
  add(packet: LoggedPacket): void {
    if (this.#expected !== undefined && packet.sequence < this.#expected) return
    const isNext = this.#expected === undefined || packet.sequence === this.#expected
    this.#expected = packet.sequence + 1
    if (!isNext) {
      this.#gap = true
      if (this.#frame !== undefined) this.#dropFrame()
      // Whole frames may be gone; the next one's TL0PICIDX tells which kind.
      if (this.#codec === 'vp8') this.#brokenFrom = Math.min(this.#brokenFrom, 1)
    }
    if (packet.bytes.length === 0) return
    if (this.#codec === 'opus') this.#addOpus(packet)
    else this.#addVp8(packet, isNext)
  }

  #addOpus({ timestamp, levelDbov, bytes }: LoggedPacket): void {
    const gapBefore = this.#gap
    this.#gap = false
    const facts = { keyframe: true, gapBefore, shown: true, temporalLayer: 0, levelDbov }
    this.#receive({ ...facts, timestamp, bytes: bytes.slice() })
  }

  #addVp8(packet: LoggedPacket, isNext: boolean): void {
    if (packet.frameStart) {
      // Its predecessor had no last packet.
      if (this.#frame !== undefined) this.#dropFrame()
      const { timestamp, keyframe, temporalLayer, shown } = packet
      const facts = { keyframe, shown, gapBefore: false, temporalLayer, levelDbov: 127 }
      this.#frame = { ...facts, timestamp, bytes: packet.bytes }
      this.#tl0 = packet.tl0PicIdx
      this.#switches = packet.temporalSwitch
    } else if (this.#frame === undefined || !isNext || packet.timestamp !== this.#frame.timestamp) {
      if (this.#frame !== undefined) this.#dropFrame()
      this.#gap = true
      return
    }
    const payload = packet.bytes.subarray(vp8PayloadOffset(packet.bytes))
    this.#parts.push(payload.slice())
    if (packet.marker) this.#complete()
  }

  #dropFrame(): void {
    const { temporalLayer } = this.#frame!
    this.#gap = true
    this.#brokenFrom = Math.min(this.#brokenFrom, temporalLayer)
    this.#frame = undefined
    this.#parts = []
  }

  #complete(): void {
    const frame = this.#frame!
    if (!this.#isDecodable(frame)) {
      this.#dropFrame()
      return
    }
    this.#frame = undefined
    frame.gapBefore = this.#gap
    this.#gap = false
    frame.bytes = joined(this.#parts)
    this.#parts = []
    if (frame.temporalLayer === 0) this.#lastTl0 = this.#tl0
    this.#receive(frame)
  }

  /** Also learns from it what can be decoded from now on. */
  #isDecodable(frame: AssembledFrame): boolean {
    if (frame.keyframe) {
      this.#brokenFrom = ANY_LAYER
      return true
    }
    if (this.#brokenFrom === ANY_LAYER) return true
    if (this.#brokenFrom === 0) return false
    // A number was skipped: only frames above the base are gone, if the base's count goes on.
    const isBase = frame.temporalLayer === 0
    const due = isBase ? (this.#lastTl0 + 1) & 0xff : this.#lastTl0
    if (this.#tl0 < 0 || this.#lastTl0 < 0 || this.#tl0 !== due) {
      this.#brokenFrom = 0
      return false
    }
    if (isBase) return true
    if (frame.temporalLayer < this.#brokenFrom) return true
    if (!this.#switches) return false
    this.#brokenFrom = ANY_LAYER
    return true
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Bytes of the payload descriptor (RFC 7741 §4.2), which was found sound when the packet came in. */
function vp8PayloadOffset(bytes: Uint8Array): number {
  if ((bytes[0]! & 0x80) === 0) return 1
  const extended = bytes[1]!
  let at = 2
  if ((extended & 0x80) !== 0) at += (bytes[at]! & 0x80) !== 0 ? 2 : 1
  if ((extended & 0x40) !== 0) at += 1
  if ((extended & 0x30) !== 0) at += 1
  return at
}

/** Picture size of a VP8 keyframe (RFC 6386 §9.1); undefined when it is none. */
export function vp8KeyframeSize(
  bytes: Uint8Array,
): { widthPx: number; heightPx: number } | undefined {
  if (bytes.length < 10 || (bytes[0]! & 1) !== 0) return undefined
  if (bytes[3] !== 0x9d || bytes[4] !== 0x01 || bytes[5] !== 0x2a) return undefined
  const widthPx = (bytes[6]! | (bytes[7]! << 8)) & 0x3fff
  const heightPx = (bytes[8]! | (bytes[9]! << 8)) & 0x3fff
  return { widthPx, heightPx }
}
