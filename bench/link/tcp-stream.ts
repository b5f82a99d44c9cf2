/**
 * One direction of a TCP connection over a line: bytes are cut into segments that travel as cargo
 * of one Link and are acknowledged over the other, so they share rate, queue, loss and outages with
 * everything else there. What is lost is sent again after three later segments were acknowledged
 * (RFC 6675, simplified) or after the retransmission timeout (RFC 6298: 200 ms at least, doubling);
 * the window follows RFC 5681 (slow start, halving). Simplified: every segment is acknowledged at
 * once, the receive window is known to the sender without delay, no Nagle, no delayed
 * acknowledgement, no path MTU discovery beyond the line's own `mtuBytes`.
 */
import {
  STREAM_TRIES_MAX,
  STREAM_UNREAD_BYTES_MAX,
  STREAM_UNSENT_BYTES_MAX,
  STREAM_WINDOW_BYTES_MAX,
} from '../../config/limits.ts'
import type { Cargo } from './line.ts'
import type { Link } from './link.ts'

/** Payload of a full segment: 1500 - IPv4 20 - TCP 20 - timestamps 12. */
const SEGMENT_BYTES = 1448
/**
 * TCP with timestamps has 24 bytes of header more than UDP, whose 28 with IPv4 the link adds
 * itself.
 */
const HEADER_BYTES = 24
const RTO_MS_START = 1000
const RTO_MS_MIN = 200
const RTO_MS_MAX = 120_000
const WINDOW_BYTES_START = 10 * SEGMENT_BYTES
const REORDER_SEGMENTS = 3

/**
 * What comes out at the far end, in order. `reset` may come at any time. `write` false: call
 * `drained` later.
 */
export type StreamEnds = {
  onOpen: () => void
  write: (bytes: Uint8Array) => boolean
  onEnd: () => void
  /** The near end was reset, or a segment was lost too often. Nothing comes after it. */
  onReset: (why: 'reset' | 'timeout') => void
  /** `wantsMore` is true again. */
  onRoom: () => void
}

type SegmentKind = 'open' | 'data' | 'end' | 'reset'

/** Segments since creation. */
export type StreamCounters = { segments: number; retransmissions: number; timeouts: number }

class Segment implements Cargo {
  readonly kind: SegmentKind
  readonly index: number
  readonly bytes: Uint8Array
  sentMs = 0
  tries = 0
  /** Acknowledged segments with a higher index that were sent after this one. */
  passed = 0
  acked = false
  /** Given up as lost and not sent again yet; not part of what is under way. */
  lost = false
  readonly #stream: TcpStream

  constructor(stream: TcpStream, part: { kind: SegmentKind; index: number; bytes: Uint8Array }) {
    this.#stream = stream
    this.kind = part.kind
    this.index = part.index
    this.bytes = part.bytes
  }

  arrive(atMs: number): void {
    this.#stream.onSegment(this, atMs)
  }
}

/** Says what had arrived when it was made: all below `next`, and the one that caused it. */
class Acknowledgement implements Cargo {
  readonly #stream: TcpStream
  readonly #next: number
  readonly #cause: Segment

  constructor(stream: TcpStream, next: number, cause: Segment) {
    this.#stream = stream
    this.#next = next
    this.#cause = cause
  }

  arrive(atMs: number): void {
    this.#stream.onAck(this.#next, this.#cause, atMs)
  }
}

const NOTHING = new Uint8Array(0)

/**
 * Data waits until the own `open` was acknowledged and `allow` was called: both halves of the
 * handshake.
 */
export class TcpStream {
  readonly counters: StreamCounters = { segments: 0, retransmissions: 0, timeouts: 0 }
  readonly #forward: Link<Cargo>
  readonly #back: Link<Cargo>
  readonly #ends: StreamEnds
  readonly #unsent: Uint8Array[] = []
  #unsentBytes = 0
  #ending = false
  #endSent = false
  #allowed = false
  #opened = false
  #over = false
  /** Sent and not acknowledged, ascending by index; the bytes of those that are not `lost`. */
  #flying: Segment[] = []
  #flyingBytes = 0
  #nextIndex = 0
  #windowBytes = WINDOW_BYTES_START
  #thresholdBytes = STREAM_WINDOW_BYTES_MAX
  /** Losses of segments below this index belong to a loss that was answered already. */
  #recoverIndex = 0
  #rttMs = 0
  #rttVarMs = 0
  #backoff = 1
  #timeoutAtMs = Number.POSITIVE_INFINITY
  /** The far end: what came out of order, and what its owner did not take yet. */
  readonly #waiting = new Map<number, Segment>()
  #expected = 0
  readonly #unread: Segment[] = []
  #unreadBytes = 0
  #full = false

  constructor(forward: Link<Cargo>, back: Link<Cargo>, ends: StreamEnds) {
    this.#forward = forward
    this.#back = back
    this.#ends = ends
  }

  /** False: the owner should stop reading until `onRoom`. */
  wantsMore(): boolean {
    return !this.#over && this.#unsentBytes < STREAM_UNSENT_BYTES_MAX
  }

  /**
   * True when nothing is under way and nothing more will come: after the end or a reset was
   * acknowledged.
   */
  isDone(): boolean {
    return this.#over || (this.#endSent && this.#flying.length === 0 && this.#unread.length === 0)
  }

  /** The first packet of the handshake. */
  open(nowMs: number): void {
    this.#transmit(this.#segment('open', NOTHING), nowMs)
  }

  /** The other half of the handshake has arrived here. */
  allow(nowMs: number): void {
    this.#allowed = true
    this.#pump(nowMs)
  }

  /**
   * Takes bytes, always; the owner stops when `wantsMore` is false. The bytes must not be reused.
   */
  offer(bytes: Uint8Array, nowMs: number): void {
    if (this.#over || this.#ending || bytes.length === 0) return
    this.#unsent.push(bytes)
    this.#unsentBytes += bytes.length
    this.#pump(nowMs)
  }

  /** No more bytes will come (FIN). */
  end(nowMs: number): void {
    this.#ending = true
    this.#pump(nowMs)
  }

  /**
   * The near end broke: what was not sent is dropped, the far end is told by a segment of its own.
   */
  reset(nowMs: number): void {
    if (this.#over || this.#flying.at(-1)?.kind === 'reset') return
    this.#dropUnsent()
    this.#ending = true
    this.#endSent = true
    this.#transmit(this.#segment('reset', NOTHING), nowMs)
  }

  /** Forgets everything; no callback comes any more. */
  destroy(): void {
    this.#over = true
    this.#dropUnsent()
    this.#flying = []
    this.#flyingBytes = 0
    this.#waiting.clear()
    this.#unread.length = 0
    this.#timeoutAtMs = Number.POSITIVE_INFINITY
  }

  /** The far end takes bytes again. */
  drained(nowMs: number): void {
    this.#full = false
    this.#read()
    this.#pump(nowMs)
  }

  /** When `tick` has something to do; Infinity when nothing is under way. */
  nextDeadlineMs(): number {
    return this.#timeoutAtMs
  }

  /** Sends again what was not acknowledged in time. */
  tick(nowMs: number): void {
    if (nowMs < this.#timeoutAtMs) return
    if (this.#flying.length === 0) return
    this.counters.timeouts += 1
    this.#backoff = Math.min(this.#backoff * 2, RTO_MS_MAX / RTO_MS_MIN)
    this.#thresholdBytes = this.#halved()
    this.#windowBytes = SEGMENT_BYTES
    this.#recoverIndex = this.#nextIndex
    for (const segment of this.#flying) segment.lost = true
    this.#flyingBytes = 0
    this.#repeatLost(nowMs)
  }

  /** Only for cargo: a segment has arrived at the far end. */
  onSegment(segment: Segment, nowMs: number): void {
    if (this.#over) return
    if (segment.index >= this.#expected) this.#waiting.set(segment.index, segment)
    for (;;) {
      const next = this.#waiting.get(this.#expected)
      if (next === undefined) break
      this.#waiting.delete(this.#expected)
      this.#expected += 1
      this.#unread.push(next)
      this.#unreadBytes += next.bytes.length
    }
    const ack = new Acknowledgement(this, this.#expected, segment)
    this.#back.send(ack, HEADER_BYTES, nowMs)
    if (segment.kind === 'reset') this.#ends.onReset('reset')
    else this.#read()
  }

  /** Only for cargo: an acknowledgement has come back. */
  onAck(next: number, cause: Segment, nowMs: number): void {
    if (this.#over) return
    const before = this.#flying.length
    cause.acked = true
    // Of a segment that was sent twice nobody knows which one was acknowledged (Karn).
    if (cause.tries === 1) this.#measure(nowMs - cause.sentMs)
    let ackedBytes = 0
    this.#flying = this.#flying.filter((segment) => {
      if (!segment.acked && segment.index >= next) {
        if (segment.index < cause.index && segment.sentMs <= cause.sentMs) segment.passed += 1
        return true
      }
      segment.acked = true
      if (!segment.lost) this.#flyingBytes -= segment.bytes.length
      ackedBytes += segment.bytes.length
      if (segment.kind === 'open') this.#opened = true
      return false
    })
    if (this.#flying.length < before) this.#grow(ackedBytes, nowMs)
    for (const segment of this.#flying) {
      if (segment.passed >= REORDER_SEGMENTS && !segment.lost) this.#repair(segment, nowMs)
    }
    this.#repeatLost(nowMs)
    this.#pump(nowMs)
  }

  #segment(kind: SegmentKind, bytes: Uint8Array): Segment {
    const segment = new Segment(this, { kind, index: this.#nextIndex, bytes })
    this.#nextIndex += 1
    this.#flying.push(segment)
    this.#flyingBytes += bytes.length
    return segment
  }

  #transmit(segment: Segment, nowMs: number): void {
    if (segment.tries >= STREAM_TRIES_MAX) {
      this.destroy()
      this.#ends.onReset('timeout')
      return
    }
    this.counters.segments += 1
    if (segment.tries > 0) this.counters.retransmissions += 1
    segment.tries += 1
    segment.passed = 0
    segment.sentMs = nowMs
    this.#timeoutAtMs = nowMs + this.#timeoutMs()
    this.#forward.send(segment, segment.bytes.length + HEADER_BYTES, nowMs)
  }

  /** After a timeout: one segment in any case, the others as the window opens. */
  #repeatLost(nowMs: number): void {
    for (const segment of this.#flying) {
      if (!segment.lost) continue
      if (this.#flyingBytes > 0 && this.#flyingBytes >= this.#windowBytes) return
      segment.lost = false
      this.#flyingBytes += segment.bytes.length
      this.#transmit(segment, nowMs)
    }
  }

  #repair(segment: Segment, nowMs: number): void {
    if (segment.index >= this.#recoverIndex) {
      this.#thresholdBytes = this.#halved()
      this.#windowBytes = this.#thresholdBytes
      this.#recoverIndex = this.#nextIndex
    }
    this.#transmit(segment, nowMs)
  }

  #pump(nowMs: number): void {
    const hadRoom = this.wantsMore()
    while (this.#opened && this.#allowed && !this.#over && this.#unsentBytes > 0) {
      const room = Math.min(this.#windowBytes, STREAM_UNREAD_BYTES_MAX - this.#unreadBytes)
      if (this.#flyingBytes > 0 && this.#flyingBytes >= room) break
      // A far end that reads nothing at all stops everything; its `drained` starts it again.
      if (room <= 0) break
      this.#transmit(this.#segment('data', this.#cut()), nowMs)
    }
    const isEmpty = this.#ending && !this.#endSent && this.#unsentBytes === 0
    if (isEmpty && this.#opened && this.#allowed && !this.#over) {
      this.#endSent = true
      this.#transmit(this.#segment('end', NOTHING), nowMs)
    }
    if (!hadRoom && this.wantsMore()) this.#ends.onRoom()
  }

  /** The next segment's bytes: small writes that wait are joined. */
  #cut(): Uint8Array {
    const { mtuBytes } = this.#forward.settings
    const bytesMax = mtuBytes > 0 ? Math.min(SEGMENT_BYTES, mtuBytes - HEADER_BYTES) : SEGMENT_BYTES
    const sizeBytes = Math.min(this.#unsentBytes, Math.max(64, bytesMax))
    this.#unsentBytes -= sizeBytes
    const first = this.#unsent[0] as Uint8Array
    if (first.length > sizeBytes) {
      this.#unsent[0] = first.subarray(sizeBytes)
      return first.subarray(0, sizeBytes)
    }
    return this.#joined(sizeBytes)
  }

  #joined(sizeBytes: number): Uint8Array {
    const segment = new Uint8Array(sizeBytes)
    let end = 0
    while (end < sizeBytes) {
      const piece = this.#unsent[0] as Uint8Array
      const taken = piece.subarray(0, sizeBytes - end)
      segment.set(taken, end)
      end += taken.length
      if (taken.length === piece.length) this.#unsent.shift()
      else this.#unsent[0] = piece.subarray(taken.length)
    }
    return segment
  }

  /** Hands over what is in order, until the owner is full. */
  #read(): void {
    while (!this.#full && !this.#over) {
      const segment = this.#unread.shift()
      if (segment === undefined) return
      this.#unreadBytes -= segment.bytes.length
      if (segment.kind === 'open') this.#ends.onOpen()
      else if (segment.kind === 'end') this.#ends.onEnd()
      else if (segment.kind === 'data') this.#full = !this.#ends.write(segment.bytes)
    }
  }

  #grow(ackedBytes: number, nowMs: number): void {
    this.#backoff = 1
    const isSlowStart = this.#windowBytes < this.#thresholdBytes
    const step = isSlowStart
      ? ackedBytes
      : (SEGMENT_BYTES * ackedBytes) / Math.max(this.#windowBytes, SEGMENT_BYTES)
    this.#windowBytes = Math.min(STREAM_WINDOW_BYTES_MAX, this.#windowBytes + step)
    this.#timeoutAtMs =
      this.#flying.length === 0 ? Number.POSITIVE_INFINITY : nowMs + this.#timeoutMs()
  }

  #halved(): number {
    return Math.max(2 * SEGMENT_BYTES, this.#flyingBytes / 2)
  }

  #measure(rttMs: number): void {
    const isFirst = this.#rttMs === 0
    const off = Math.abs(this.#rttMs - rttMs)
    this.#rttVarMs = isFirst ? rttMs / 2 : 0.75 * this.#rttVarMs + 0.25 * off
    this.#rttMs = isFirst ? rttMs : 0.875 * this.#rttMs + 0.125 * rttMs
  }

  #timeoutMs(): number {
    const base = this.#rttMs === 0 ? RTO_MS_START : this.#rttMs + 4 * this.#rttVarMs
    return Math.min(RTO_MS_MAX, Math.max(RTO_MS_MIN, base) * this.#backoff)
  }

  #dropUnsent(): void {
    this.#unsent.length = 0
    this.#unsentBytes = 0
  }
}
