/**
 * The renumbering of one Slot: which packets of which source layer go out, and under which sequence
 * index, timestamp and VP8 picture numbers, so that the receiver sees one continuous stream (RFC
 * 3550 §5.1, RFC 7741 §4.2) through switches of layer and source, pauses, temporal filtering,
 * padding and reordering. It writes no bytes (packet-writer.ts) and chooses no layer (allocator).
 */
import {
  LATE_PACKETS_MAX,
  SEGMENTS_AUDIO,
  SEGMENTS_VIDEO,
  SOURCE_GAP_PACKETS_MAX,
} from '../../../config/limits.ts'
import type { MediaKind } from '../control.ts'
import { DROP_CODE, type MediaPacket } from '../rtp/index.ts'
import type { OutgoingStream } from './outgoing-stream.ts'
import { Segments } from './segments.ts'
import type { SourceLayer } from './source-layer.ts'
import { subscribe, unsubscribe } from './subscription.ts'

const FORWARD = 0
const AWAITING_KEYFRAME = DROP_CODE['awaiting-keyframe']
const TEMPORAL_FILTERED = DROP_CODE['temporal-filtered']
const PADDING = DROP_CODE.padding
const BEFORE_SWITCH = DROP_CODE['before-switch']
const TOO_LATE = DROP_CODE['too-late']

/** All temporal layers. */
const TEMPORAL_ALL = 3
/** Sender clocks that disagree with arrival by more than this are not believed at a switch. */
const ALIGNMENT_MS_MAX = 2_000

export type ForwarderOptions = {
  kind: MediaKind
  /** Hz of the outgoing timestamps. */
  clockRate: number
  /** First outgoing index, 0..32767 (RFC 3711 §3.3.1: the first is below 2^15). */
  firstIndex: number
  /** First outgoing timestamp, any 32 bits. */
  firstTimestamp: number
  /** Where its packets go. */
  stream: OutgoingStream
}

/** One per Slot, for the slot's life. */
export class Forwarder {
  readonly stream: OutgoingStream
  /** Whose packets go out now. */
  current: SourceLayer | undefined
  /**
   * Whose shall go out: differs from `current` while a keyframe is awaited. undefined = paused or
   * empty.
   */
  target: SourceLayer | undefined
  /** Places in the subscribers of current and target; see subscription.ts. */
  currentPlace = -1
  targetPlace = -1
  /** When the target was set, while it is awaited. */
  awaitingSinceMs = 0
  /** Highest outgoing index under a time that is not its source's: a cache answers none up to here. */
  replayedIndex = -1

  // Out: set by `accept` when it returns 0.
  outIndex = 0
  outTimestamp = 0
  outPictureId = 0
  outTl0PicIdx = 0
  outMarker = false

  readonly segments: Segments
  readonly #kind: MediaKind
  readonly #clockRate: number
  #started = false
  #epoch = 0
  /** Newest source sequence of the present switch. */
  #highest = 0
  #sequenceDelta = 0
  #timestampDelta = 0
  #pictureDelta = 0
  #tl0Delta = 0
  /**
   * How far the present mapping is ahead of the publication's clock, to keep timestamps rising;
   * ticks.
   */
  #excessTicks = 0

  #lastIndex: number
  #lastTimestamp: number
  #lastPictureId = 0
  #lastTl0PicIdx = 0
  #lastSentMs = 0
  #lastLayer: SourceLayer | undefined
  #lastSourceTimestamp = 0

  #temporalTarget = TEMPORAL_ALL
  #temporalLimit = TEMPORAL_ALL
  #isTemporalBound = false
  /** A dearer layer is held while the link is full: only its temporal base goes out. */
  #isThinned = false
  #frameTimestamp = 0
  #isFrameDropped = false

  constructor(options: ForwarderOptions) {
    this.#kind = options.kind
    this.#clockRate = options.clockRate
    this.stream = options.stream
    this.#lastIndex = (options.firstIndex & 0x7fff) - 1
    this.#lastTimestamp = options.firstTimestamp | 0
    this.segments = new Segments(options.kind === 'audio' ? SEGMENTS_AUDIO : SEGMENTS_VIDEO)
  }

  /** True once a packet went out. */
  get isStarted(): boolean {
    return this.#started
  }

  get lastIndex(): number {
    return this.#lastIndex
  }

  get lastSentMs(): number {
    return this.#lastSentMs
  }

  get lastTimestamp(): number {
    return this.#lastTimestamp
  }

  get temporalLimit(): number {
    return this.#temporalLimit
  }

  /** True while the target has not yet given its keyframe. */
  get isAwaitingKeyframe(): boolean {
    return this.target !== undefined && this.target !== this.current
  }

  /**
   * Add to a timestamp of `current` for the outgoing stream's clock, undisturbed by switches;
   * ticks, 32 bits.
   */
  get clockDelta(): number {
    return (this.#timestampDelta - this.#excessTicks) | 0
  }

  /**
   * Sets what shall be shown. Video keeps the old picture until the new one's keyframe (`hold`), or
   * until `dropHeld`; undefined stops at once. A higher layer of the same picture is held in its
   * temporal base only: who moves down has no room for that layer and a keyframe.
   */
  retarget(layer: SourceLayer | undefined, nowMs: number, hold = this.#kind === 'video'): void {
    if (layer !== this.target) {
      if (this.target !== undefined && this.target !== this.current) {
        unsubscribe(this.target, this)
      }
      this.target = layer
      if (layer !== undefined && layer !== this.current) subscribe(layer, this)
      this.awaitingSinceMs = nowMs
      this.#isThinned = isBelow(layer, this.current)
      this.#bindTemporal()
    }
    if (layer === undefined || !hold) this.dropHeld()
  }

  /** Stops the old picture though the new one is not there. No effect when nothing is awaited. */
  dropHeld(): void {
    const held = this.current
    if (held === undefined || held === this.target) return
    unsubscribe(held, this)
    this.current = undefined
  }

  /** Highest temporal layer to forward, 0..3; takes effect where the stream allows. */
  setTemporal(temporalLayer: number): void {
    this.#temporalTarget = temporalLayer
    this.#bindTemporal()
  }

  #bindTemporal(): void {
    const isLimited = this.#temporalTarget < TEMPORAL_ALL || this.#temporalLimit < TEMPORAL_ALL
    this.#isTemporalBound = this.#isThinned || isLimited
  }

  /** Ends all subscriptions and lets go of every layer. */
  close(): void {
    this.retarget(undefined, 0)
    this.segments.clear()
    this.#lastLayer = undefined
  }

  /** @hot 0 = send it under the out fields; otherwise the code of the reason why not. */
  accept(packet: MediaPacket, layer: SourceLayer): number {
    if (layer !== this.current || packet.epoch !== this.#epoch) return this.#consider(packet, layer)
    const ahead = packet.sequence - this.#highest
    if (ahead <= 0) return this.#acceptLate(packet)
    if (ahead > SOURCE_GAP_PACKETS_MAX) return this.#restart(packet, layer)
    const timestamp = packet.timestamp | 0
    if (this.#isTemporalBound && this.#filters(packet, timestamp, ahead)) return TEMPORAL_FILTERED
    this.#highest = packet.sequence
    this.#frameTimestamp = timestamp
    this.#lastSourceTimestamp = timestamp
    this.#lastSentMs = packet.arrivalMs
    this.#isFrameDropped = false
    this.outIndex = packet.sequence + this.#sequenceDelta
    this.#lastIndex = this.outIndex
    this.outTimestamp = (timestamp + this.#timestampDelta) | 0
    this.#lastTimestamp = this.outTimestamp
    this.outMarker = packet.marker
    if (packet.pictureIdOffset >= 0) {
      this.outPictureId = (packet.pictureId + this.#pictureDelta) & 0x7fff
      this.#lastPictureId = this.outPictureId
    }
    if (packet.tl0PicIdxOffset >= 0) {
      this.outTl0PicIdx = (packet.tl0PicIdx + this.#tl0Delta) & 0xff
      this.#lastTl0PicIdx = this.outTl0PicIdx
    }
    return FORWARD
  }

  /** @hot The source used this number for padding: what follows moves up. Returns the drop code. */
  closePadding(packet: MediaPacket, layer: SourceLayer): number {
    if (layer !== this.current || packet.epoch !== this.#epoch) return PADDING
    const ahead = packet.sequence - this.#highest
    // A late one leaves its gap: what came after it has its number already.
    if (ahead <= 0 || ahead > SOURCE_GAP_PACKETS_MAX) return PADDING
    this.segments.dropPadding(packet.sequence)
    this.#highest = packet.sequence
    this.#sequenceDelta -= 1
    return PADDING
  }

  /** True when the packet lies above the temporal limit; its number is then closed. */
  #filters(packet: MediaPacket, timestamp: number, ahead: number): boolean {
    const isNewFrame = timestamp !== this.#frameTimestamp
    const target = this.#isThinned ? 0 : this.#temporalTarget
    if (isNewFrame && this.#temporalLimit !== target) this.#moveTemporal(packet, target)
    if (packet.temporalLayer <= this.#temporalLimit) return false
    // A gap inside a frame that we drop belongs to that frame: close it as well.
    const isSameDropped = !isNewFrame && this.#isFrameDropped
    const count = isSameDropped ? ahead : 1
    const pictures = isSameDropped ? 0 : 1
    this.segments.dropFrame(packet.sequence, count, timestamp, pictures)
    this.#highest = packet.sequence
    this.#sequenceDelta -= count
    this.#pictureDelta -= pictures
    this.#frameTimestamp = timestamp
    this.#isFrameDropped = true
    return true
  }

  /** Down at any frame; up where the codec says that the frame needs nothing that we dropped. */
  #moveTemporal(packet: MediaPacket, target: number): void {
    if (target < this.#temporalLimit || packet.keyframe) {
      this.#temporalLimit = target
    } else if (packet.temporalSwitch && packet.temporalLayer <= target) {
      this.#temporalLimit = Math.max(this.#temporalLimit, packet.temporalLayer)
    }
    this.#bindTemporal()
  }

  /** Not the present run of the present layer: is it where we begin? */
  #consider(packet: MediaPacket, layer: SourceLayer): number {
    if (layer === this.current) return this.#restart(packet, layer)
    if (layer !== this.target) return AWAITING_KEYFRAME
    if (!packet.keyframe || packet.late) return AWAITING_KEYFRAME
    this.#begin(packet, layer)
    return FORWARD
  }

  /** The source began anew, or went on after an outage longer than any window. */
  #restart(packet: MediaPacket, layer: SourceLayer): number {
    if (layer === this.target && packet.keyframe && !packet.late) {
      this.#begin(packet, layer)
      return FORWARD
    }
    if (layer === this.target) {
      this.targetPlace = this.currentPlace
      this.currentPlace = -1
      this.current = undefined
      this.awaitingSinceMs = packet.arrivalMs
    } else {
      this.dropHeld()
    }
    return AWAITING_KEYFRAME
  }

  #acceptLate(packet: MediaPacket): number {
    const found = this.segments.findSource(packet.sequence)
    if (found === 'dropped') return TEMPORAL_FILTERED
    if (found === 'before') return BEFORE_SWITCH
    const behind = (this.#lastIndex - this.segments.outIndex) | 0
    if (behind > LATE_PACKETS_MAX) return TOO_LATE
    // The picture number of a frame that was filtered in part is closed already.
    if (packet.temporalLayer > 0 && this.segments.hasDroppedFrame(packet.timestamp | 0)) {
      return TEMPORAL_FILTERED
    }
    this.outIndex = this.#lastIndex - behind
    this.outTimestamp = (packet.timestamp + this.segments.timestampDelta) | 0
    this.outPictureId = (packet.pictureId + this.segments.pictureDelta) & 0x7fff
    this.outTl0PicIdx = (packet.tl0PicIdx + this.segments.tl0Delta) & 0xff
    this.outMarker = packet.marker || (this.segments.isSwitch && this.#kind === 'audio')
    // What came after it was only dropped: the late one is the newest to go out.
    if (behind < 0) this.#noteNewest(packet)
    return FORWARD
  }

  /** The out fields are the newest that the receiver has. */
  #noteNewest(packet: MediaPacket): void {
    this.#lastIndex = this.outIndex
    this.#lastTimestamp = this.outTimestamp
    this.#lastSourceTimestamp = packet.timestamp | 0
    this.#lastSentMs = packet.arrivalMs
    if (packet.pictureIdOffset >= 0) this.#lastPictureId = this.outPictureId
    if (packet.tl0PicIdxOffset >= 0) this.#lastTl0PicIdx = this.outTl0PicIdx
  }

  #begin(packet: MediaPacket, layer: SourceLayer): void {
    const timestamp = packet.timestamp | 0
    this.outTimestamp = this.#started ? this.#continueTimestamp(packet, layer) : this.#lastTimestamp
    this.outIndex = this.#lastIndex + 1
    // The first frame goes out under the source's own picture numbers.
    this.outPictureId = this.#started ? (this.#lastPictureId + 1) & 0x7fff : packet.pictureId
    this.outTl0PicIdx = this.#started ? (this.#lastTl0PicIdx + 1) & 0xff : packet.tl0PicIdx
    this.outMarker = packet.marker || this.#kind === 'audio'
    this.#sequenceDelta = this.outIndex - packet.sequence
    this.#timestampDelta = (this.outTimestamp - timestamp) | 0
    this.#pictureDelta = this.outPictureId - packet.pictureId
    this.#tl0Delta = this.outTl0PicIdx - packet.tl0PicIdx
    this.#highest = packet.sequence
    this.#epoch = packet.epoch
    this.#moveTo(layer)
    this.segments.begin({
      layer,
      epoch: packet.epoch,
      sourceFrom: packet.sequence,
      outFrom: this.outIndex,
      timestampDelta: this.#timestampDelta,
      pictureDelta: this.#pictureDelta,
      tl0Delta: this.#tl0Delta,
    })
    this.#started = true
    this.#noteNewest(packet)
    this.#lastLayer = layer
    this.#temporalLimit = this.#temporalTarget
    this.#isThinned = false
    this.#bindTemporal()
    this.#frameTimestamp = timestamp
    this.#isFrameDropped = false
  }

  #moveTo(layer: SourceLayer): void {
    this.stream.payloadType = this.stream.nextPayloadType
    if (this.current === layer) return
    if (this.current !== undefined) unsubscribe(this.current, this)
    this.current = layer
    this.currentPlace = this.targetPlace
    this.targetPlace = -1
  }

  /**
   * Where the new run's first timestamp falls on the outgoing clock; always later than the last.
   */
  #continueTimestamp(packet: MediaPacket, layer: SourceLayer): number {
    const elapsedTicks = this.#ticks(packet.arrivalMs - this.#lastSentMs)
    const last = this.#lastLayer
    const isSame = last !== undefined && last.publicationId === layer.publicationId
    let stepTicks = elapsedTicks
    if (isSame) {
      const aligned = this.#alignedTicks(packet, layer, last) - this.#excessTicks
      const isBelievable = Math.abs(aligned - elapsedTicks) <= this.#ticks(ALIGNMENT_MS_MAX)
      if (isBelievable) stepTicks = aligned
      else stepTicks = elapsedTicks - this.#excessTicks
    }
    const leastTicks = this.#ticks(1)
    this.#excessTicks = Math.max(0, leastTicks - stepTicks)
    return (this.#lastTimestamp + Math.max(leastTicks, stepTicks)) | 0
  }

  /**
   * Time between the last frame sent and this one, by the sender's clock; NaN when it cannot be
   * told.
   */
  #alignedTicks(packet: MediaPacket, layer: SourceLayer, last: SourceLayer): number {
    if (layer === last && packet.epoch === this.#epoch) {
      return (packet.timestamp - this.#lastSourceTimestamp) | 0
    }
    if (!layer.clock.isKnown || !last.clock.isKnown) return Number.NaN
    const fromMs = last.clock.ntpMsAt(this.#lastSourceTimestamp >>> 0)
    return this.#ticks(layer.clock.ntpMsAt(packet.timestamp) - fromMs)
  }

  #ticks(ms: number): number {
    return Math.round((ms * this.#clockRate) / 1_000)
  }
}

function isBelow(layer: SourceLayer | undefined, held: SourceLayer | undefined): boolean {
  if (layer === undefined || held === undefined) return false
  return layer.publicationId === held.publicationId && layer.spatialLayer < held.spatialLayer
}
