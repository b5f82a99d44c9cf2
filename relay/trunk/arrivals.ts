/**
 * Datagrams of the far end: taken apart into frames, each given to the part that it is for. Nothing in them can throw, and
 * nothing grows by them beyond the limits.
 */
import { TRUNK_RTP_BYTES } from '../../config/limits.ts'
import {
  Defragmenter,
  FRAME_DEMAND,
  FRAME_FEEDBACK,
  FRAME_FRAGMENT,
  FRAME_KEYFRAME,
  FRAME_KNOWN,
  FRAME_LEVELS,
  FRAME_MEDIA,
  FRAME_STATUS,
  FrameReader,
  MediaContext,
  MediaFrame,
  PairReader,
  readStatus,
  StatusFrame,
  TRUNK_PAYLOAD_TYPE,
  WireReader,
} from '../wire/index.ts'
import type { ArrivalLog } from './arrival-log.ts'
import type { TrunkOutlet } from './contract.ts'
import type { WantsIn, WantsOut } from './demand.ts'
import type { FeedbackIntake } from './feedback-intake.ts'
import { HandoffScratch } from './incoming-layer.ts'
import type { IncomingStreams } from './incoming-streams.ts'
import type { KeyframeAsks } from './keyframe-asks.ts'
import type { OutgoingStreams } from './outgoing-streams.ts'

export type ArrivalParts = {
  outlet: TrunkOutlet
  log: ArrivalLog
  intake: FeedbackIntake
  incoming: IncomingStreams
  outgoing: OutgoingStreams
  wantsIn: WantsIn
  wantsOut: WantsOut
  asks: KeyframeAsks
  /** The far end's wants have changed. */
  onWants: () => void
}

/** One per end. */
export class Arrivals {
  malformedCount = 0
  receivedBytes = 0
  readonly #parts: ArrivalParts
  readonly #frames = new FrameReader()
  readonly #reader = new WireReader()
  readonly #context = new MediaContext()
  readonly #whole = new MediaContext()
  readonly #media = new MediaFrame()
  readonly #status = new StatusFrame()
  readonly #pairs = new PairReader()
  readonly #defragmenter = new Defragmenter()
  readonly #scratch = new HandoffScratch()
  readonly #onWant: (streamId: number, mask: number) => void

  constructor(parts: ArrivalParts) {
    this.#parts = parts
    this.#onWant = () => parts.onWants()
  }

  /** @hot One authenticated datagram, RTP header first. */
  onDatagram(bytes: Uint8Array, start: number, end: number, index: number, nowMs: number): void {
    this.receivedBytes += end - start
    if (end - start < TRUNK_RTP_BYTES || (bytes[start + 1]! & 0x7f) !== TRUNK_PAYLOAD_TYPE) {
      this.malformedCount += 1
      return
    }
    const frames = this.#frames
    let isAsking = false
    this.#context.reset()
    frames.begin(bytes, start + TRUNK_RTP_BYTES, end)
    while (frames.next()) {
      const { type } = frames
      if (type !== FRAME_FEEDBACK && type !== FRAME_KNOWN) isAsking = true
      this.#reader.begin(bytes, frames.start, frames.end)
      if (!this.#take(type, frames.form, nowMs)) this.malformedCount += 1
    }
    if (frames.isMalformed) this.malformedCount += 1
    this.#parts.log.add(index, nowMs, isAsking)
  }

  /** @hot One frame's body stands in the reader; false when it is malformed. Unknown types are passed over. */
  #take(type: number, form: number, nowMs: number): boolean {
    const reader = this.#reader
    const { intake, wantsIn, wantsOut } = this.#parts
    switch (type) {
      case FRAME_MEDIA:
        return this.#takeMedia(this.#context, form, nowMs)
      case FRAME_FEEDBACK:
        return intake.read(reader, nowMs)
      case FRAME_STATUS:
        return this.#takeStatus()
      case FRAME_LEVELS:
        return this.#takeLevels()
      case FRAME_DEMAND:
        return wantsIn.read(reader, this.#onWant)
      case FRAME_KNOWN:
        wantsOut.onKnown(reader.varint(), nowMs)
        return !reader.failed
      case FRAME_KEYFRAME:
        return this.#takeKeyframeWishes(nowMs)
      case FRAME_FRAGMENT:
        return this.#takeFragment(nowMs)
      default:
        return true
    }
  }

  /** @hot */
  #takeMedia(context: MediaContext, form: number, _nowMs: number): boolean {
    const { outlet, incoming, asks } = this.#parts
    const frame = this.#media
    const reader = this.#reader
    if (!context.read(frame, form, reader)) return false
    const layer = incoming.layerOf(frame)
    if (layer === undefined || !layer.place(frame)) return true
    const scratch = this.#scratch
    const end = layer.write(scratch, frame, reader.bytes)
    if (end === 0) return false
    if (frame.keyframe) asks.onKeyframe(frame.streamId, frame.layer)
    outlet.frame(frame.streamId, scratch.bytes, 0, end)
    return true
  }

  #takeFragment(nowMs: number): boolean {
    const defragmenter = this.#defragmenter
    if (!defragmenter.add(this.#reader)) return !this.#reader.failed
    const head = defragmenter.bytes[0]!
    if (head >> 3 !== FRAME_MEDIA) return true
    this.#whole.reset()
    this.#reader.begin(defragmenter.bytes, 1, defragmenter.end)
    return this.#takeMedia(this.#whole, head & 3, nowMs)
  }

  #takeStatus(): boolean {
    const status = this.#status
    if (!readStatus(status, this.#reader)) return false
    const { incoming, outlet } = this.#parts
    const stream = incoming.get(status.streamId)
    const layer = stream?.layers[status.layer]
    if (stream === undefined || layer === undefined) {
      incoming.unknownCount += 1
      return true
    }
    layer.onStatus(status)
    const end = layer.writeStatus(this.#scratch.bytes, stream.levelDbov)
    outlet.frame(status.streamId, this.#scratch.bytes, 0, end)
    return true
  }

  #takeLevels(): boolean {
    const { incoming, outlet } = this.#parts
    const pairs = this.#pairs
    while (pairs.next(this.#reader)) {
      const stream = incoming.get(pairs.streamId)
      const layer = stream?.layers[0]
      if (stream === undefined || layer === undefined) continue
      stream.levelDbov = Math.min(127, pairs.value)
      const end = layer.writeStatus(this.#scratch.bytes, stream.levelDbov)
      outlet.frame(pairs.streamId, this.#scratch.bytes, 0, end)
    }
    return !this.#reader.failed
  }

  #takeKeyframeWishes(nowMs: number): boolean {
    const pairs = this.#pairs
    while (pairs.next(this.#reader)) {
      this.#parts.outgoing.get(pairs.streamId)?.onKeyframeWanted(pairs.value, nowMs)
    }
    return !this.#reader.failed
  }
}
