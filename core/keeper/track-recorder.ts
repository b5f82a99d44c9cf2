/**
 * One track from packets to segments: decides where to cut, waits for what is late, asks for keyframes. Sound is cut
 * by the clock; a picture from keyframe to keyframe. Pure: packets, facts of its layer and time in; segments without
 * their place in a chain, wishes for keyframes and one next deadline out.
 */
import {
  SEGMENT_AUDIO_IDLE_MS,
  SEGMENT_AUDIO_MS,
  SEGMENT_BYTES_MAX,
  SEGMENT_CAMERA_MS,
  SEGMENT_FRAMES_MAX,
  SEGMENT_HOLD_MS,
  SEGMENT_KEYFRAME_MS,
  SEGMENT_MS_MAX,
  SEGMENT_PACKETS_MAX,
  SEGMENT_SCREEN_MS,
  SEGMENT_VIDEO_IDLE_MS,
  SEGMENT_VIDEO_MS_MIN,
  SEGMENT_WITHOUT_KEYFRAME_MS,
} from '../../config/limits.ts'
import type { SourceUse } from '../media/control.ts'
import type { SourceClock } from '../media/forward/index.ts'
import {
  type MediaPacket,
  opusDurationTicks,
  parseRed,
  RedBlocks,
  RTP_HEADER_BYTES,
} from '../media/rtp/index.ts'
import type { KeptCodec } from './contract.ts'
import { type AssembledFrame, FrameAssembly, vp8KeyframeSize } from './frame-assembly.ts'
import { PacketLog } from './packet-log.ts'
import { RoomClock } from './room-clock.ts'
import type { SegmentContents } from './segment-format.ts'

/** A segment before it has a place in its chain. */
export type SegmentDraft = Omit<
  SegmentContents,
  'room' | 'participant' | 'name' | 'origin' | 'chainMs' | 'sequence' | 'previous'
>

export type TrackRecorderOptions = {
  use: SourceUse
  codec: KeptCodec
  /** Of its layer: applyHandoffStatus keeps it up to date. */
  clock: () => SourceClock
  /** Unix time minus monotonic time. */
  wallOffsetMs: () => number
  /** Frames are copies and the taker's. */
  onSegment: (draft: SegmentDraft) => void
  onKeyframeWanted: () => void
}

/** Bytes and packets at which a segment is cut, whatever it is. */
const BYTES_FULL = SEGMENT_BYTES_MAX * 0.75
const COUNT_FULL = Math.min(SEGMENT_PACKETS_MAX, SEGMENT_FRAMES_MAX) * 0.75

type First = { sequence: number; timestamp: number; arrivalMs: number; keyframe: boolean }
type Cut = First & { deadlineMs: number }

/** One per track on the stage. */
export class TrackRecorder {
  readonly #options: TrackRecorderOptions
  readonly #isVideo: boolean
  readonly #clockRate: number
  readonly #idleMs: number
  readonly #askAfterMs: number
  /** The last frame's duration stays below the rest. */
  readonly #ticksMax: number
  readonly #log = new PacketLog()
  readonly #assembly: FrameAssembly
  readonly #roomClock: RoomClock
  readonly #red = new RedBlocks()
  readonly #payload = { start: 0, end: 0, levelDbov: 127, shown: true }
  #isShown = true
  #frames: AssembledFrame[] = []
  #epoch: number | undefined
  /** First number and timestamp of the segment in the making. */
  #first: First | undefined
  /** Below it everything is in segments already. */
  #doneBefore = Number.NEGATIVE_INFINITY
  #hasKeyframe = false
  #cut: Cut | undefined
  #lastPacketMs = Number.NEGATIVE_INFINITY
  #askedMs = Number.NEGATIVE_INFINITY
  /** What comes next does not continue what came before. */
  #gap = true
  /** Packets that came too late, or did not fit. */
  dropped = 0

  constructor(options: TrackRecorderOptions) {
    const { use, codec } = options
    this.#options = options
    this.#isVideo = codec === 'vp8'
    this.#clockRate = this.#isVideo ? 90_000 : 48_000
    this.#idleMs = this.#isVideo ? SEGMENT_VIDEO_IDLE_MS : SEGMENT_AUDIO_IDLE_MS
    this.#ticksMax = this.#clockRate * (SEGMENT_MS_MAX / 1_000 - 1)
    this.#askAfterMs = use === 'screen' ? SEGMENT_SCREEN_MS : SEGMENT_CAMERA_MS
    this.#assembly = new FrameAssembly(codec, (frame) => this.#frames.push(frame))
    this.#roomClock = new RoomClock(this.#clockRate)
  }

  /** @hot A packet of the kept layer; `isPadding`: its number is used up, and nothing is in it. */
  onPacket(
    packet: MediaPacket,
    { levelDbov, isPadding, nowMs }: { levelDbov: number; isPadding: boolean; nowMs: number },
  ): void {
    if (this.#epoch !== packet.epoch) this.#startEpoch(packet.epoch, nowMs)
    if (packet.sequence < this.#doneBefore) {
      this.dropped += 1
      return
    }
    this.#lastPacketMs = nowMs
    const payload = this.#payload
    payload.levelDbov = levelDbov
    payload.shown = this.#isShown
    payload.start = packet.start + RTP_HEADER_BYTES
    payload.end = isPadding ? payload.start : packet.end
    const isAdded = packet.codec === 'red' ? this.#addRed(packet, levelDbov) : this.#add(packet)
    if (isAdded && !isPadding) this.#place(packet, nowMs)
  }

  /** A picture that comes to be the main one should begin with a keyframe. */
  setShown(isShown: boolean, nowMs: number): void {
    if (isShown && !this.#isShown && this.#isVideo && this.#first !== undefined) {
      this.#askKeyframe(nowMs)
    }
    this.#isShown = isShown
  }

  /** Everything that is here becomes segments: the track has left the stage, or the node ends. */
  end(): void {
    this.#finish(Number.POSITIVE_INFINITY)
    this.#gap = true
    this.#first = undefined
    this.#hasKeyframe = false
    this.#cut = undefined
    this.#assembly.restart()
  }

  nextDeadlineMs(): number {
    if (this.#log.count === 0) return Number.POSITIVE_INFINITY
    const idleMs = this.#lastPacketMs + this.#idleMs
    return Math.min(idleMs, this.#cut?.deadlineMs ?? Number.POSITIVE_INFINITY)
  }

  onDeadline(nowMs: number): void {
    if (this.#cut !== undefined && this.#cut.deadlineMs <= nowMs) this.#finish(this.#cut.sequence)
    if (this.#log.count === 0 || this.#lastPacketMs + this.#idleMs > nowMs) return
    // Nothing comes any more; what may come later continues it.
    this.#finish(Number.POSITIVE_INFINITY)
  }

  #startEpoch(epoch: number, nowMs: number): void {
    if (this.#epoch !== undefined) this.end()
    this.#epoch = epoch
    this.#doneBefore = Number.NEGATIVE_INFINITY
    this.#roomClock.restart()
    this.#lastPacketMs = nowMs
  }

  #add(packet: MediaPacket): boolean {
    const { start, end } = this.#payload
    // A frame larger than a segment: it cannot be kept, and what needs it cannot either.
    if (!this.#log.hasRoom(end - start)) this.end()
    if (this.#log.add(packet, this.#payload)) return true
    this.dropped += 1
    return false
  }

  /** The primary block under its own number, the older ones (RFC 2198) where theirs are missing. */
  #addRed(packet: MediaPacket, levelDbov: number): boolean {
    const red = this.#red
    if (!parseRed(red, packet.bytes, packet.start + RTP_HEADER_BYTES, packet.end)) return false
    const { sequence, timestamp } = packet
    let isAdded = false
    for (let index = 0; index < red.count; index++) {
      const before = red.count - 1 - index
      const at = {
        sequence: sequence - before,
        timestamp: (timestamp - red.timestampOffsetTicks[index]!) >>> 0,
      }
      const payload = { start: red.start[index]!, end: red.end[index]!, levelDbov, shown: true }
      if (payload.start === payload.end || !this.#isDue(at.sequence, before > 0)) continue
      isAdded = this.#log.add(packet, payload, at)
    }
    return isAdded
  }

  /** Old blocks fill holes; they do not begin anything. */
  #isDue(sequence: number, isOld: boolean): boolean {
    if (sequence < this.#doneBefore || this.#log.has(sequence)) return false
    return !isOld || (this.#first !== undefined && sequence > this.#first.sequence)
  }

  /** Where it stands among the segments, and whether it is where one is to be cut. */
  #place(packet: MediaPacket, nowMs: number): void {
    if (this.#isVideo && !this.#hasKeyframe) {
      this.#awaitKeyframe(packet, nowMs)
      return
    }
    const { sequence, timestamp, keyframe } = packet
    const first = this.#first
    if (first === undefined || sequence < first.sequence) {
      this.#first = { sequence, timestamp, arrivalMs: nowMs, keyframe }
      if (this.#isVideo && !keyframe) this.#askKeyframe(nowMs)
      return
    }
    const cut = this.#cut
    if (cut !== undefined) {
      if (sequence < cut.sequence) this.#finishIfWhole(cut, first.sequence)
      return
    }
    const ageMs = (((timestamp - first.timestamp) | 0) / this.#clockRate) * 1_000
    if (this.#isCut(packet, first, ageMs)) {
      const deadlineMs = nowMs + SEGMENT_HOLD_MS
      this.#cut = { sequence, timestamp, keyframe, arrivalMs: nowMs, deadlineMs }
      this.#finishIfWhole(this.#cut, first.sequence)
    } else if (this.#isVideo && (ageMs > this.#askAfterMs || this.#isStuck(first))) {
      this.#askKeyframe(nowMs)
    }
  }

  #awaitKeyframe(packet: MediaPacket, nowMs: number): void {
    const { sequence, timestamp } = packet
    if (packet.keyframe) {
      // What came before it cannot be shown.
      this.#log.drop(sequence)
      this.#doneBefore = sequence
      this.#assembly.restart()
      this.#hasKeyframe = true
      this.#first = { sequence, timestamp, arrivalMs: nowMs, keyframe: true }
      return
    }
    this.#askKeyframe(nowMs)
    if (this.#log.count > COUNT_FULL || this.#log.sizeBytes > BYTES_FULL) this.#log.drop(sequence)
  }

  #isCut(packet: MediaPacket, first: First, ageMs: number): boolean {
    if (!packet.frameStart) return false
    if (this.#log.sizeBytes > BYTES_FULL || this.#log.count > COUNT_FULL) return true
    if (!this.#isVideo) return ageMs >= SEGMENT_AUDIO_MS
    if (packet.keyframe) return ageMs >= SEGMENT_VIDEO_MS_MIN || !first.keyframe
    return ageMs >= SEGMENT_WITHOUT_KEYFRAME_MS
  }

  /** What comes cannot be shown before the next keyframe. */
  #isStuck(first: First): boolean {
    return !first.keyframe && this.#assembly.needsKeyframe
  }

  #finishIfWhole(cut: Cut, first: number): void {
    if (this.#log.isContiguous(first, cut.sequence)) this.#finish(cut.sequence)
  }

  #askKeyframe(nowMs: number): void {
    if (nowMs - this.#askedMs < SEGMENT_KEYFRAME_MS) return
    this.#askedMs = nowMs
    this.#options.onKeyframeWanted()
  }

  /** What has a number below `end` becomes a segment. */
  #finish(end: number): void {
    const isLast = end === Number.POSITIVE_INFINITY
    const first = this.#first
    let last = this.#doneBefore
    this.#log.take(end, (packet) => {
      last = packet.sequence + 1
      this.#assembly.add(packet)
    })
    this.#doneBefore = isLast ? last : end
    this.#first = isLast ? undefined : this.#cut
    this.#cut = undefined
    const frames = this.#frames
    this.#frames = []
    if (first !== undefined && frames.length > 0) this.#draft(frames, first.arrivalMs)
  }

  #draft(frames: AssembledFrame[], arrivalMs: number): void {
    const { use, codec, clock, wallOffsetMs } = this.#options
    const first = frames[0]!
    const { timestamp } = first
    const at = { timestamp, arrivalMs, wallOffsetMs: wallOffsetMs() }
    let highest = 0
    const kept = frames.map(({ timestamp: own, ...frame }) => {
      // A sender whose timestamps step back, or away, is held to its order and to the bound.
      const ticks = Math.min(this.#ticksMax, (own - timestamp) | 0)
      highest = Math.max(highest, ticks)
      return { ...frame, offsetTicks: highest }
    })
    const size = codec === 'vp8' ? vp8KeyframeSize(first.bytes) : undefined
    const gapBefore = this.#gap || first.gapBefore
    this.#gap = false
    this.#options.onSegment({
      ...{ use, codec, clockRate: this.#clockRate },
      startMs: this.#roomClock.startOf(at, clock()),
      durationTicks: highest + lastTicks(codec, kept),
      gapBefore,
      incomplete: kept.some((frame, index) => index > 0 && frame.gapBefore),
      widthPx: size?.widthPx ?? 0,
      heightPx: size?.heightPx ?? 0,
      frames: kept,
    })
  }
}

/** How long the last frame lasts: sound says so, a picture as long as the one before it. */
function lastTicks(
  codec: KeptCodec,
  frames: readonly { offsetTicks: number; bytes: Uint8Array }[],
): number {
  const last = frames.at(-1)!
  if (codec === 'opus') return opusDurationTicks(last.bytes, 0, last.bytes.length)
  const before = frames.at(-2)
  const ticks = before === undefined ? 3_000 : last.offsetTicks - before.offsetTicks
  return Math.min(9_000, Math.max(1, ticks))
}
