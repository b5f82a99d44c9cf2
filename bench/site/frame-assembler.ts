/**
 * Frames of one VP8 stream from its packets: whole, late or not, and, where the packets were
 * opened, which of them a decoder could show (RFC 7741 §4.2: TL0PICIDX, TID, Y). From headers alone
 * a frame is what shares a timestamp and ends with the marker, and begins after the marker of the
 * one before. Not a decoder and not a buffer: bytes are not kept.
 */
import { SITE_FRAMES_KEPT } from '../../config/limits.ts'
import { TimestampUnwrapper } from '../../core/media/rtp/index.ts'

const MASK = SITE_FRAMES_KEPT - 1
/**
 * One frame is one line of eight numbers, so that a thousand sites do not miss the cache at each of
 * them.
 */
const WIDTH = 8
const TICKS = 0
const FIRST = 1
const LAST = 2
const FIRST_MS = 3
const COUNT = 4
const FLAGS = 5
const TEMPORAL = 6
const TL0 = 7
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
const SHOWN = 64

/**
 * One packet as the assembler sees it; reusable. Fields after `marker` mean something only when it
 * was opened.
 */
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
  readonly #kept = new Float64Array(SITE_FRAMES_KEPT * WIDTH)
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
    const slot = lineOf(at)
    const { sequence } = packet
    if (sequence < this.#kept[slot + FIRST]!) this.#kept[slot + FIRST] = sequence
    if (sequence > this.#kept[slot + LAST]!) this.#kept[slot + LAST] = sequence
    this.#kept[slot + COUNT] = this.#kept[slot + COUNT]! + 1
    if (packet.marker) this.#kept[slot + FLAGS] = this.#kept[slot + FLAGS]! | MARKED
    if (packet.isOpened) this.#note(slot, packet)
    this.#check(at, nowMs)
    if (at + 1 < this.#end) this.#check(at + 1, nowMs)
  }

  /**
   * Frames that are not whole GIVEN_UP_MS after their first packet are incomplete, and so are those
   * never seen between.
   */
  read(nowMs: number): FrameReading {
    let incomplete = this.#incomplete
    for (let at = this.#oldest; at < this.#end; at++) {
      const isOver = nowMs - this.#kept[lineOf(at) + FIRST_MS]! > GIVEN_UP_MS
      if (isOver) incomplete += this.#missingAt(at)
    }
    const { complete, late, shown } = this
    return { complete, late, incomplete, shown }
  }

  /**
   * The stream goes on under other numbers (a new transport): what is not whole yet will not be.
   */
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
    while (at >= this.#oldest && this.#kept[lineOf(at) + TICKS]! > ticks) at -= 1
    if (at >= this.#oldest && this.#kept[lineOf(at) + TICKS] === ticks) return at
    // Before all that is kept: it was given up, or it comes from before the first frame.
    if (at < this.#oldest && this.#end > 0) {
      if (this.#end > this.#oldest || ticks < this.#kept[lineOf(this.#end - 1) + TICKS]!) return -1
    }
    at += 1
    this.#open(at, ticks, nowMs)
    this.#kept[lineOf(at) + FIRST] = packet.sequence
    this.#kept[lineOf(at) + LAST] = packet.sequence
    return at
  }

  /** @hot Makes room at this number; what stands there and behind moves up by one. */
  #open(at: number, ticks: number, nowMs: number): void {
    if (this.#end - this.#oldest === SITE_FRAMES_KEPT) {
      this.#incomplete += this.#missingAt(this.#oldest)
      this.#oldest += 1
    }
    for (let to = this.#end; to > at; to--) this.#copy(to - 1, to)
    if (this.#shownAt >= at) this.#shownAt += 1
    this.#end += 1
    const slot = lineOf(at)
    this.#kept[slot + TICKS] = ticks
    this.#kept[slot + FIRST_MS] = nowMs
    this.#kept[slot + COUNT] = 0
    this.#kept[slot + FLAGS] = 0
  }

  #copy(from: number, to: number): void {
    const start = lineOf(from)
    this.#kept.copyWithin(lineOf(to), start, start + WIDTH)
  }

  /** @hot */
  #note(slot: number, packet: FramePacket): void {
    const starts = packet.isStart ? STARTS | (packet.isKey ? KEY : 0) : 0
    this.#kept[slot + FLAGS] = this.#kept[slot + FLAGS]! | starts | (packet.isSync ? SYNC : 0)
    this.#kept[slot + TEMPORAL] = packet.temporalLayer
    this.#kept[slot + TL0] = packet.tl0PicIdx
  }

  /** @hot Whole, if so only now. */
  #check(at: number, nowMs: number): void {
    const slot = lineOf(at)
    const flags = this.#kept[slot + FLAGS]!
    if ((flags & MARKED) === 0 || (flags & WHOLE) !== 0) return
    if (this.#kept[slot + COUNT] !== this.#kept[slot + LAST]! - this.#kept[slot + FIRST]! + 1)
      return
    if (!this.#hasStart(at)) return
    this.#kept[slot + FLAGS] = flags | WHOLE
    this.complete += 1
    if (this.#isLate(this.#kept[slot + TICKS]!, nowMs)) this.late += 1
    if ((flags & KEY) !== 0) this.#listener.onKeyframe(nowMs)
    if (this.#decodes) this.#decode(nowMs)
    else if (at > this.#shownAt) this.#show(at, nowMs)
  }

  /** @hot */
  #hasStart(at: number): boolean {
    const slot = lineOf(at)
    if ((this.#kept[slot + FLAGS]! & STARTS) !== 0) return true
    // The very first frame: the stream begins with it.
    if (at === 0) return true
    if (this.#decodes) return false
    const before = lineOf(at - 1)
    return (
      (this.#kept[before + FLAGS]! & MARKED) !== 0 &&
      this.#kept[before + LAST] === this.#kept[slot + FIRST]! - 1
    )
  }

  /** @hot All that can be decoded now, in order; one turn while nothing is missing. */
  #decode(nowMs: number): void {
    let isStuck = false
    for (let at = Math.max(this.#shownAt + 1, this.#oldest); at < this.#end; at++) {
      const flags = this.#kept[lineOf(at) + FLAGS]!
      if ((flags & WHOLE) === 0 || (flags & SHOWN) !== 0) continue
      isStuck = !this.#isDecodable(at)
      if (!isStuck) this.#show(at, nowMs)
    }
    if (!isStuck) this.stuckSinceMs = Number.POSITIVE_INFINITY
    else if (this.stuckSinceMs === Number.POSITIVE_INFINITY) this.stuckSinceMs = nowMs
  }

  /** @hot Its references were decoded. */
  #isDecodable(at: number): boolean {
    const slot = lineOf(at)
    const flags = this.#kept[slot + FLAGS]!
    if ((flags & KEY) !== 0) return true
    if (this.#decodedTl0 < 0) return false
    if (this.#kept[slot + TEMPORAL] === 0)
      return this.#kept[slot + TL0] === ((this.#decodedTl0 + 1) & 0xff)
    if (this.#kept[slot + TL0] !== this.#decodedTl0) return false
    return (flags & SYNC) !== 0 || this.#shownAt === at - 1
  }

  /** @hot */
  #show(at: number, nowMs: number): void {
    const slot = lineOf(at)
    this.#kept[slot + FLAGS] = this.#kept[slot + FLAGS]! | SHOWN
    this.#shownAt = at
    this.shown += 1
    if (this.#kept[slot + TEMPORAL] === 0) this.#decodedTl0 = this.#kept[slot + TL0]!
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
    const slot = lineOf(at)
    if ((this.#kept[slot + FLAGS]! & WHOLE) === 0) return 1
    if (at <= this.#oldest) return 0
    const before = lineOf(at - 1)
    const isApart = this.#kept[before + LAST]! < this.#kept[slot + FIRST]! - 1
    return isApart && (this.#kept[before + FLAGS]! & WHOLE) !== 0 ? 1 : 0
  }
}

/** @hot Where the frame of this number stands. */
function lineOf(at: number): number {
  return (at & MASK) * WIDTH
}
