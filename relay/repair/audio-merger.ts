/**
 * Consecutive Opus packets of one stream as one, and back: 20 ms packets of clients cross a thin link as 40 or 60 ms,
 * and the far end's clients see them as they were made. Only packets that continue each other (sequence, timestamp,
 * configuration) are merged; anything else ends a merge.
 */
import { OpusFrames } from './opus-frames.ts'

/** RTP's clock for Opus, whatever the codec's own rate (RFC 7587 §4.1). */
const TICKS_PER_MS = 48
/** A merge waits for its next packet half a packet longer than that should take. */
const PATIENCE_PACKETS = 0.5

/** One Opus packet's place in its stream; reused by the caller. */
export type AudioPacket = {
  /** Unwrapped. */
  sequence: number
  /** RTP timestamp. */
  timestamp: number
  marker: boolean
}

/** Sender, one per stream. `push`; `take` when it was refused, when `isFull`, or at the deadline. */
export class AudioMerger {
  readonly #frames = new OpusFrames()
  #target = 1
  #framesPerPacket = 0
  #openedMs = 0

  // Place of the merged packet: that of its first.
  sequence = 0
  timestamp = 0
  marker = false
  /** Packets that are open. */
  packetCount = 0
  /** Packets in what `take` wrote last. */
  takenCount = 0

  /** How many packets one shall carry, 1..6. */
  configure(packetsPerFrame: number): void {
    this.#target = Math.max(1, Math.min(6, Math.floor(packetsPerFrame)))
  }

  get isFull(): boolean {
    return this.packetCount >= this.#target
  }

  /** When what is open should go out as it is; Infinity when nothing is. */
  nextDeadlineMs(): number {
    if (this.packetCount === 0) return Number.POSITIVE_INFINITY
    return (
      this.#openedMs + (this.#packetTicks() * (this.packetCount + PATIENCE_PACKETS)) / TICKS_PER_MS
    )
  }

  /** @hot Takes an Opus payload in; false when it does not continue what is open (take that first) or is not Opus. */
  push(packet: AudioPacket, bytes: Uint8Array, start: number, end: number, nowMs: number): boolean {
    const isFirst = this.packetCount === 0
    if (!isFirst && !this.#continues(packet)) return false
    if (isFirst) this.#frames.clear()
    const before = this.#frames.count
    if (!this.#frames.append(bytes, start, end)) return false
    const frames = this.#frames.count - before
    if (isFirst) {
      this.#framesPerPacket = frames
      this.#openedMs = nowMs
      this.sequence = packet.sequence
      this.timestamp = packet.timestamp
      this.marker = packet.marker
    } else if (frames !== this.#framesPerPacket) {
      this.#frames.truncate(before)
      return false
    }
    this.packetCount += 1
    return true
  }

  /**
   * @hot Writes what is open as one Opus packet and returns its end; its place stays in the fields until the next
   * `push`.
   */
  take(out: Uint8Array, at: number): number {
    const end = this.#frames.write(out, at, 0, this.#frames.count)
    this.takenCount = this.packetCount
    this.packetCount = 0
    return end
  }

  #packetTicks(): number {
    return this.#framesPerPacket * this.#frames.frameTicks
  }

  #continues(packet: AudioPacket): boolean {
    const ticks = (packet.timestamp - this.timestamp) >>> 0
    return (
      !packet.marker &&
      packet.sequence === this.sequence + this.packetCount &&
      ticks === this.packetCount * this.#packetTicks()
    )
  }
}

/** Receiver. `open` a merged packet, then `write` each of its parts. */
export class AudioSplitter {
  readonly #frames = new OpusFrames()
  #framesPerPacket = 0

  /** Between the timestamps of two parts. */
  packetTicks = 0

  /** @hot False when the payload is not Opus or cannot be so many equal packets. */
  open(bytes: Uint8Array, start: number, end: number, packetCount: number): boolean {
    this.#frames.clear()
    if (!this.#frames.append(bytes, start, end)) return false
    const perPacket = this.#frames.count / packetCount
    if (!Number.isInteger(perPacket) || perPacket < 1) return false
    this.#framesPerPacket = perPacket
    this.packetTicks = perPacket * this.#frames.frameTicks
    return true
  }

  /** @hot Writes part 0..packetCount-1; returns its end. */
  write(out: Uint8Array, at: number, place: number): number {
    return this.#frames.write(out, at, place * this.#framesPerPacket, this.#framesPerPacket)
  }
}
