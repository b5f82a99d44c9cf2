/**
 * Frames of one VP8 stream from its packets: whole, late or not, and, where the packets were opened, which of them a decoder
 * could show (RFC 7741 §4.2: TL0PICIDX, TID, Y). From headers alone a frame is what shares a timestamp and ends with the marker,
 * and begins after the marker of the one before. Not a decoder and not a buffer: bytes are not kept.
 */
import { TimestampUnwrapper } from '../../core/media/rtp/index.ts'

/** Frames kept: two and a half seconds at 25 a second; a power of two. */
const FRAMES = 64
const MASK = FRAMES - 1
/** Whole later than this above the least transit of the last 10 to 20 s. */
export const LATE_MS = 200
/** Not whole after this: it will not be. */
export const GIVEN_UP_MS = 2_000
const TRANSIT_WINDOW_MS = 10_000
const TICKS_PER_MS = 90

const MARKED = 1
const STARTS = 2
const WHOLE = 4
const KEY = 8
const SYNC = 16
const KNOWN = 32
const SHOWN = 64

/** One packet as the assembler sees it; reusable. Fields after `marker` mean something only when it was opened. */
export class FramePacket {
  /** Unwrapped. */
  sequence = 0
  /** 32 bits. */
  timestamp = 0
  marker = false
  isOpened = false
  isStart = false
  isKey = false
  temporalLayer = 0
  /** A decoder of lower temporal layers alone could decode it. */
  isSync = true
  tl0PicIdx = 0
}

/** What the owner hears, in the call of `add` that caused it. */
export type FrameListener = {
  /** A frame can be shown: decodable where packets are opened, whole elsewhere. */
  onShown: (nowMs: number) => void
  /** A key frame is whole. */
  onKeyframe: (nowMs: number) => void
}

export type FrameReading = { complete: number; late: number; incomplete: number; shown: number }

/** One per video stream. `decodes`: all packets are opened, so show only what a decoder could. */
export class FrameAssembler {
  complete = 0
  late = 0
  shown = 0
  /** Since when whole frames come that cannot be decoded; Infinity while all is well. */
  stuckSinceMs = Number.POSITIVE_INFINITY
  readonly #decodes: boolean
  readonly #listener: FrameListener
  readonly #unwrapper = new TimestampUnwrapper()
  readonly #ticks = new Float64Array(FRAMES)
  readonly #first = new Float64Array(FRAMES)
  readonly #last = new Float64Array(FRAMES)
  readonly #firstMs = new Float64Array(FRAMES)
  readonly #count = new Uint16Array(FRAMES)
  readonly #flags = new Uint8Array(FRAMES)
  readonly #temporal = new Uint8Array(FRAMES)
  readonly #tl0 = new Uint8Array(FRAMES)
  /** Frames are numbered in order of time; these are the oldest kept and one past the newest. */
  #oldest = 0
  #end = 0
  /** Number of the newest shown frame, -1 before. */
  #shownAt = -1
  #decodedTl0 = -1
  #incomplete = 0
  #leastMs = Number.POSITIVE_INFINITY
  #nextLeastMs = Number.POSITIVE_INFINITY
  #leastFromMs = 0

  constructor(listener: FrameListener, decodes: boolean) {
    this.#listener = listener
    this.#decodes = decodes
  }

  /** @hot A distinct packet, repaired ones included. */
  add(packet: FramePacket, nowMs: number): void {
    const at = this.#place(packet, nowMs)
    if (at < 0) return
    const slot = at & MASK
    const { sequence } = packet
    if (sequence < this.#first[slot]!) this.#first[slot] = sequence
    if (sequence > this.#last[slot]!) this.#last[slot] = sequence
    this.#count[slot] = this.#count[slot]! + 1
    if (packet.marker) this.#flags[slot] = this.#flags[slot]! | MARKED
    if (packet.isOpened) this.#note(slot, packet)
    this.#check(at, nowMs)
    if (at + 1 < this.#end) this.#check(at + 1, nowMs)
  }

  /** Frames that are not whole GIVEN_UP_MS after their first packet are incomplete, and so are those never seen between. */
  read(nowMs: number): FrameReading {
    let incomplete = this.#incomplete
    for (let at = this.#oldest; at < this.#end; at++) {
      const isOver = nowMs - this.#firstMs[at & MASK]! > GIVEN_UP_MS
      if (isOver) incomplete += this.#missingAt(at)
    }
    const { complete, late, shown } = this
    return { complete, late, incomplete, shown }
  }

  /** The stream goes on under other numbers (a new transport): what is not whole yet will not be. */
  cut(): void {
    for (let at = this.#oldest; at < this.#end; at++) this.#incomplete += this.#missingAt(at)
    this.#oldest = 0
    this.#end = 0
    this.#shownAt = -1
    this.#decodedTl0 = -1
    this.stuckSinceMs = Number.POSITIVE_INFINITY
    this.#unwrapper.reset()
    this.#leastFromMs = 0
    this.#leastMs = Number.POSITIVE_INFINITY
    this.#nextLeastMs = Number.POSITIVE_INFINITY
  }

  /** @hot Number of the frame that the packet belongs to, -1 when it is forgotten. */
  #place(packet: FramePacket, nowMs: number): number {
    const ticks = this.#unwrapper.unwrap(packet.timestamp)
    let at = this.#end - 1
    while (at >= this.#oldest && this.#ticks[at & MASK]! > ticks) at -= 1
    if (at >= this.#oldest && this.#ticks[at & MASK] === ticks) return at
    // Before all that is kept: it was given up, or it comes from before the first frame.
    if (at < this.#oldest && this.#end > 0) {
      if (this.#end > this.#oldest || ticks < this.#ticks[(this.#end - 1) & MASK]!) return -1
    }
    at += 1
    this.#open(at, ticks, nowMs)
    this.#first[at & MASK] = packet.sequence
    this.#last[at & MASK] = packet.sequence
    return at
  }

  /** @hot Makes room at this number; what stands there and behind moves up by one. */
  #open(at: number, ticks: number, nowMs: number): void {
    if (this.#end - this.#oldest === FRAMES) {
      this.#incomplete += this.#missingAt(this.#oldest)
      this.#oldest += 1
    }
    for (let to = this.#end; to > at; to--) this.#copy(to - 1, to)
    if (this.#shownAt >= at) this.#shownAt += 1
    this.#end += 1
    const slot = at & MASK
    this.#ticks[slot] = ticks
    this.#firstMs[slot] = nowMs
    this.#count[slot] = 0
    this.#flags[slot] = 0
  }

  #copy(from: number, to: number): void {
    const a = from & MASK
    const b = to & MASK
    this.#ticks[b] = this.#ticks[a]!
    this.#first[b] = this.#first[a]!
    this.#last[b] = this.#last[a]!
    this.#firstMs[b] = this.#firstMs[a]!
    this.#count[b] = this.#count[a]!
    this.#flags[b] = this.#flags[a]!
    this.#temporal[b] = this.#temporal[a]!
    this.#tl0[b] = this.#tl0[a]!
  }

  /** @hot */
  #note(slot: number, packet: FramePacket): void {
    const starts = packet.isStart ? STARTS | (packet.isKey ? KEY : 0) : 0
    this.#flags[slot] = this.#flags[slot]! | starts | KNOWN | (packet.isSync ? SYNC : 0)
    this.#temporal[slot] = packet.temporalLayer
    this.#tl0[slot] = packet.tl0PicIdx
  }

  /** @hot Whole, if so only now. */
  #check(at: number, nowMs: number): void {
    const slot = at & MASK
    const flags = this.#flags[slot]!
    if ((flags & MARKED) === 0 || (flags & WHOLE) !== 0) return
    if (this.#count[slot] !== this.#last[slot]! - this.#first[slot]! + 1) return
    if (!this.#hasStart(at)) return
    this.#flags[slot] = flags | WHOLE
    this.complete += 1
    if (this.#isLate(this.#ticks[slot]!, nowMs)) this.late += 1
    if ((flags & KEY) !== 0) this.#listener.onKeyframe(nowMs)
    if (this.#decodes) this.#decode(nowMs)
    else if (at > this.#shownAt) this.#show(at, nowMs)
  }

  /** @hot */
  #hasStart(at: number): boolean {
    const slot = at & MASK
    if ((this.#flags[slot]! & STARTS) !== 0) return true
    // The very first frame: the stream begins with it.
    if (at === 0) return true
    if (this.#decodes) return false
    const before = (at - 1) & MASK
    return (this.#flags[before]! & MARKED) !== 0 && this.#last[before] === this.#first[slot]! - 1
  }

  /** @hot All that can be decoded now, in order; one turn while nothing is missing. */
  #decode(nowMs: number): void {
    let isStuck = false
    for (let at = Math.max(this.#shownAt + 1, this.#oldest); at < this.#end; at++) {
      const flags = this.#flags[at & MASK]!
      if ((flags & WHOLE) === 0 || (flags & SHOWN) !== 0) continue
      isStuck = !this.#isDecodable(at)
      if (!isStuck) this.#show(at, nowMs)
    }
    if (!isStuck) this.stuckSinceMs = Number.POSITIVE_INFINITY
    else if (this.stuckSinceMs === Number.POSITIVE_INFINITY) this.stuckSinceMs = nowMs
  }

  /** @hot Its references were decoded. */
  #isDecodable(at: number): boolean {
    const slot = at & MASK
    const flags = this.#flags[slot]!
    if ((flags & KEY) !== 0) return true
    if (this.#decodedTl0 < 0) return false
    if (this.#temporal[slot] === 0) return this.#tl0[slot] === ((this.#decodedTl0 + 1) & 0xff)
    if (this.#tl0[slot] !== this.#decodedTl0) return false
    return (flags & SYNC) !== 0 || this.#shownAt === at - 1
  }

  /** @hot */
  #show(at: number, nowMs: number): void {
    const slot = at & MASK
    this.#flags[slot] = this.#flags[slot]! | SHOWN
    this.#shownAt = at
    this.shown += 1
    if (this.#temporal[slot] === 0) this.#decodedTl0 = this.#tl0[slot]!
    this.#listener.onShown(nowMs)
  }

  /** @hot Transit against the least of the present and the former window. */
  #isLate(ticks: number, nowMs: number): boolean {
    const transitMs = nowMs - ticks / TICKS_PER_MS
    if (nowMs - this.#leastFromMs > TRANSIT_WINDOW_MS) {
      this.#leastMs = this.#nextLeastMs
      this.#nextLeastMs = Number.POSITIVE_INFINITY
      this.#leastFromMs = nowMs
    }
    if (transitMs < this.#leastMs) this.#leastMs = transitMs
    if (transitMs < this.#nextLeastMs) this.#nextLeastMs = transitMs
    return transitMs - this.#leastMs > LATE_MS
  }

  /** Frames missing at this number: itself, or one at least between it and the one before. */
  #missingAt(at: number): number {
    const slot = at & MASK
    if ((this.#flags[slot]! & WHOLE) === 0) return 1
    if (at <= this.#oldest) return 0
    const before = (at - 1) & MASK
    const isApart = this.#last[before]! < this.#first[slot]! - 1
    return isApart && (this.#flags[before]! & WHOLE) !== 0 ? 1 : 0
  }
}
