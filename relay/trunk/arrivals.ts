/**
 * Datagrams of the far end: taken apart into frames, each given to the part that it is for. Nothing
 * in them can throw, and nothing grows by them beyond the limits.
 */
import { TRUNK_RTP_BYTES } from '../../config/limits.ts'
import { sequenceDelta16 } from '../../core/media/rtp/index.ts'
import {
  Defragmenter,
  FRAME_DEMAND,
  FRAME_FEEDBACK,
  FRAME_FRAGMENT,
  FRAME_HOLD,
  FRAME_KEYFRAME,
  FRAME_KNOWN,
  FRAME_LEVELS,
  FRAME_MEDIA,
  FRAME_NACK,
  FRAME_PARITY,
  FRAME_RESENT,
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
import type { RepairIn } from './repair-in.ts'
import type { NackContext, RepairOut } from './repair-out.ts'

export type ArrivalParts = {
  outlet: TrunkOutlet
  arrivalLog: ArrivalLog
  intake: FeedbackIntake
  incoming: IncomingStreams
  outgoing: OutgoingStreams
  wantsIn: WantsIn
  wantsOut: WantsOut
  asks: KeyframeAsks
  repairIn: RepairIn
  repairOut: RepairOut
  /** Of a NACK's answer. */
  nackContext: () => Omit<NackContext, 'nowMs'>
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
  readonly #nested = new FrameReader()
  readonly #nestedContext = new MediaContext()
  readonly #arrival = { index: 0, nowMs: 0 }
  #parityStart = 0
  #parityEnd = 0
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
    const { arrivalLog, repairIn, incoming } = this.#parts
    this.#arrival.index = index
    this.#arrival.nowMs = nowMs
    const isAsking = this.#takeAll(bytes, start + TRUNK_RTP_BYTES, end)
    arrivalLog.add(index, nowMs, isAsking)
    // Whoever solves parity may not be called from within it, nor the frames at hand be disturbed.
    if (this.#parityEnd > 0) repairIn.onParity(index, bytes, this.#parityStart, this.#parityEnd)
    repairIn.onDatagram(index, bytes, start + TRUNK_RTP_BYTES, end, nowMs)
    incoming.release(nowMs)
  }

  /** @hot The payload of a datagram that parity brought back. */
  onRecovered(index: number, bytes: Uint8Array, start: number, end: number): void {
    const { nowMs } = this.#arrival
    this.#arrival.index = index
    this.#takeMediaOnly(bytes, start, end)
    this.#parts.repairIn.nack.onDatagram(index, nowMs)
  }

  /** @hot All frames of a datagram; true when one of them asks for feedback. */
  #takeAll(bytes: Uint8Array, start: number, end: number): boolean {
    const frames = this.#frames
    let isAsking = false
    this.#parityEnd = 0
    this.#context.reset()
    frames.begin(bytes, start, end)
    while (frames.next()) {
      const { type } = frames
      if (type !== FRAME_FEEDBACK && type !== FRAME_KNOWN) isAsking = true
      this.#reader.begin(bytes, frames.start, frames.end)
      if (!this.#take(type, frames.form)) this.malformedCount += 1
    }
    if (frames.isMalformed) this.malformedCount += 1
    return isAsking
  }

  /**
   * @hot One frame's body stands in the reader; false when it is malformed. Unknown types are
   * passed over.
   */
  #take(type: number, form: number): boolean {
    const reader = this.#reader
    const { nowMs } = this.#arrival
    const { intake, wantsIn, wantsOut } = this.#parts
    switch (type) {
      case FRAME_MEDIA:
        return this.#takeMedia(this.#context, form)
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
      default:
        return this.#takeRepair(type, form)
    }
  }

  /** @hot */
  #takeRepair(type: number, form: number): boolean {
    const reader = this.#reader
    switch (type) {
      case FRAME_FRAGMENT:
        return this.#takeFragment()
      case FRAME_PARITY:
        this.#parityStart = reader.at
        this.#parityEnd = reader.end
        return true
      case FRAME_RESENT:
        return this.#takeResent(form)
      case FRAME_NACK:
        return this.#takeNack()
      case FRAME_HOLD:
        return this.#takeHold()
      default:
        return true
    }
  }

  /** @hot */
  #takeMedia(context: MediaContext, form: number): boolean {
    const { incoming, asks } = this.#parts
    const frame = this.#media
    const reader = this.#reader
    if (!context.read(frame, form, reader)) return false
    const layer = incoming.layerOf(frame)
    // The placed numbers are whole: what follows in the datagram goes on from the short ones.
    if (layer === undefined || !layer.place(frame) || !layer.isNew(frame)) return true
    const scratch = this.#scratch
    const end = layer.write(scratch, frame, reader.bytes)
    if (end === 0) return false
    if (frame.keyframe) asks.onKeyframe(frame.streamId, frame.layer)
    layer.push(frame, scratch, end, this.#arrival)
    return true
  }

  #takeFragment(): boolean {
    const defragmenter = this.#defragmenter
    if (!defragmenter.add(this.#reader)) return !this.#reader.failed
    const head = defragmenter.bytes[0]!
    if (head >> 3 !== FRAME_MEDIA) return true
    this.#whole.reset()
    this.#reader.begin(defragmenter.bytes, 1, defragmenter.end)
    return this.#takeMedia(this.#whole, head & 3)
  }

  /** @hot Media alone, whole or in parts: what else was in such a datagram is told again anyway. */
  #takeMediaOnly(bytes: Uint8Array, start: number, end: number): void {
    const frames = this.#nested
    this.#nestedContext.reset()
    frames.begin(bytes, start, end)
    while (frames.next()) {
      this.#reader.begin(bytes, frames.start, frames.end)
      if (frames.type === FRAME_MEDIA) this.#takeMedia(this.#nestedContext, frames.form)
      else if (frames.type === FRAME_FRAGMENT) this.#takeFragment()
    }
  }

  #takeResent(form: number): boolean {
    const { arrivalLog, repairIn } = this.#parts
    const reader = this.#reader
    const low = reader.uint16()
    if (reader.failed) return false
    const { index: carrier, nowMs } = this.#arrival
    const near = Math.max(arrivalLog.highest, carrier)
    const index = near + sequenceDelta16(near & 0xffff, low)
    if (index < 0 || index >= carrier) return false
    this.#arrival.index = index
    this.#takeMediaOnly(reader.bytes, reader.at, reader.end)
    this.#arrival.index = carrier
    if (form === 1) repairIn.nack.onDatagram(index, nowMs)
    return true
  }

  #takeNack(): boolean {
    const { repairOut, nackContext } = this.#parts
    return repairOut.onNack(this.#reader, { ...nackContext(), nowMs: this.#arrival.nowMs })
  }

  #takeHold(): boolean {
    if (this.#parts.repairIn.onHold(this.#reader)) this.#parts.incoming.configure()
    return !this.#reader.failed
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
