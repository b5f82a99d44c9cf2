/**
 * One layer of a stream of the far end: short numbers become whole ones again, frames become
 * handoff frames with an RTP header for the engine of this node.
 */
import { FORWARDED_BYTES_MAX, TRUNK_RTP_BYTES } from '../../config/limits.ts'
import { writeHandoffPacket, writeHandoffStatus } from '../../core/media/engine/index.ts'
import { type SourceClock, SourceLayer } from '../../core/media/forward/index.ts'
import {
  describePayload,
  MediaPacket,
  sequenceDelta16,
  writeUint16,
  writeUint32,
} from '../../core/media/rtp/index.ts'
import {
  DuplicateFilter,
  ReleaseBuffer,
  type ReleaseFrame,
  type ReleaseOutlet,
} from '../repair/index.ts'
import {
  MEDIA_FULL,
  type MediaFrame,
  nearest24,
  type StatusFrame,
  WIRE_CODECS,
} from '../wire/index.ts'
import type { TrunkStreamSpec } from './contract.ts'

const LEVEL_SILENT_DBOV = 127

/** The sender's clock as its last status told it. */
class FarClock implements SourceClock {
  isKnown = false
  #ntpMs = 0
  #timestamp = 0
  readonly #ticksPerMs: number

  constructor(clockRate: number) {
    this.#ticksPerMs = clockRate / 1_000
  }

  set(ntpMs: number, timestamp: number): void {
    this.isKnown = true
    this.#ntpMs = ntpMs
    this.#timestamp = timestamp
  }

  ntpMsAt(timestamp: number): number {
    return this.#ntpMs + ((timestamp - this.#timestamp) | 0) / this.#ticksPerMs
  }

  timestampAt(ntpMs: number): number {
    return (this.#timestamp + Math.round((ntpMs - this.#ntpMs) * this.#ticksPerMs)) >>> 0
  }
}

/** Which datagram brought a frame first, and when. */
export type FrameArrival = { index: number; nowMs: number }

/** What all layers write into; one per end. */
export class HandoffScratch {
  /** The handoff frame made last: `bytes[0, end)`. */
  readonly bytes = new Uint8Array(FORWARDED_BYTES_MAX + 64)
  readonly rtp = new Uint8Array(FORWARDED_BYTES_MAX + 64)
  readonly packet = new MediaPacket()
  readonly place = { publicationId: 0, spatialLayer: 0, isPadding: false }
}

export type LayerSurroundings = {
  epochBase: number
  /** Takes handoff frames in order. */
  outlet: ReleaseOutlet
}

/** Owned by its stream. */
export class IncomingLayer {
  readonly facts: SourceLayer
  readonly #spec: TrunkStreamSpec
  readonly #layer: number
  readonly #clock: FarClock
  readonly #epochBase: number
  #isAnchored = false
  #run = 0
  /** Newest numbers, whole. */
  sequence = 0
  timestamp = 0
  readonly #outlet: ReleaseOutlet
  readonly #entry: ReleaseFrame = { sequence: 0, tsTicks: 0, index: 0 }
  /** Memory for order and repair; only while the layer is wanted. */
  #release: ReleaseBuffer | undefined
  #seen: DuplicateFilter | undefined
  #countedSkips = 0

  constructor(spec: TrunkStreamSpec, layer: number, { epochBase, outlet }: LayerSurroundings) {
    this.#spec = spec
    this.#layer = layer
    this.#epochBase = epochBase
    this.#outlet = outlet
    this.#clock = new FarClock(spec.clockRate)
    const { streamId, kind, clockRate } = spec
    this.facts = new SourceLayer({ publicationId: streamId, kind, spatialLayer: layer, clockRate })
  }

  /**
   * @hot Makes the frame's numbers whole in place. False when they cannot be placed: nothing was
   * anchored yet, or it is of a run that has ended.
   */
  place(frame: MediaFrame): boolean {
    if (frame.form === MEDIA_FULL) {
      if (frame.sequence < 0) return false
      this.#anchor(frame.run, frame.sequence, frame.timestamp)
      return frame.run === this.#run
    }
    if (!this.#isAnchored) {
      this.#isAnchored = true
      this.sequence = frame.sequence & 0xffff
      this.timestamp = frame.timestamp
    }
    const sequence = (this.sequence + sequenceDelta16(this.sequence & 0xffff, frame.sequence)) | 0
    const timestamp = nearest24(this.timestamp, frame.timestamp & 0xff_ffff) >>> 0
    if (sequence < 0) return false
    frame.sequence = sequence
    frame.timestamp = timestamp
    this.#advance(sequence, timestamp)
    return true
  }

  get isOpen(): boolean {
    return this.#release !== undefined
  }

  /** Ready for packets, which are held as long as repair takes. */
  open(): void {
    const { kind, clockRate } = this.#spec
    this.#release ??= new ReleaseBuffer({ outlet: this.#outlet, kind, clockRate })
    this.#seen ??= new DuplicateFilter()
  }

  /** Hands out what is held, and lets go of the memory for it. */
  close(): void {
    this.#release?.drain()
    this.#release = undefined
    this.#seen = undefined
    this.#countedSkips = 0
  }

  configure(holdMs: number, isPaced: boolean): void {
    this.#release?.configure(holdMs, isPaced)
  }

  /** @hot A placed frame that was not here before; false when it was. */
  isNew(frame: MediaFrame): boolean {
    return this.#seen?.accept(frame.sequence) ?? false
  }

  /** @hot The handoff frame of a placed one, from the datagram `index`. */
  push(frame: MediaFrame, scratch: HandoffScratch, end: number, at: FrameArrival): void {
    const entry = this.#entry
    entry.sequence = frame.sequence
    entry.tsTicks = frame.timestamp
    entry.index = at.index
    this.#release?.push(entry, scratch.bytes, 0, end, at.nowMs)
  }

  /** @hot */
  release(nowMs: number, settledIndex: number): void {
    this.#release?.release(nowMs, settledIndex)
  }

  /** @hot */
  deadlineMs(): number {
    return this.#release?.nextDeadlineMs() ?? Number.POSITIVE_INFINITY
  }

  /** Numbers that never came, since this was last asked. */
  takeSkipped(): number {
    const count = this.#release?.skippedCount ?? 0
    const fresh = count - this.#countedSkips
    this.#countedSkips = count
    return Math.max(0, fresh)
  }

  /** Facts beside the packets. */
  onStatus(status: StatusFrame): void {
    const { facts } = this
    facts.rate.bitrateBps = status.bitrateBps
    if (status.hasShares) {
      facts.rate.temporalMax = status.temporalMax
      for (let i = 0; i < 4; i++) facts.rate.temporalShare[i] = status.shares[i]! / 255
    }
    if (status.hasSize) {
      facts.widthPx = status.widthPx
      facts.heightPx = status.heightPx
    }
    if (status.hasClock) {
      this.#clock.set(status.ntpMs, status.clockTimestamp)
      facts.clock = this.#clock
    }
    if (status.hasNumbers && status.sequence >= 0) {
      this.#anchor(status.run, status.sequence, status.timestamp)
    }
  }

  /** Writes what is known as a handoff status into `out`; returns its end. */
  writeStatus(out: Uint8Array, levelDbov = LEVEL_SILENT_DBOV): number {
    this.facts.lastTimestamp = this.timestamp
    const { streamId: publicationId } = this.#spec
    return writeHandoffStatus(out, this.facts, { publicationId, levelDbov, clockOffsetMs: 0 })
  }

  /**
   * @hot Writes a placed frame with the payload `bytes[payloadStart, payloadEnd)` as a handoff
   * frame into `scratch.bytes`; returns its end, 0 when the payload is not what it says.
   */
  write(scratch: HandoffScratch, frame: MediaFrame, bytes: Uint8Array): number {
    const { rtp, packet } = scratch
    const payloadBytes = frame.payloadEnd - frame.payloadStart
    if (payloadBytes > FORWARDED_BYTES_MAX - TRUNK_RTP_BYTES) return 0
    rtp[0] = 0x80
    rtp[1] = (frame.marker ? 0x80 : 0) | this.#spec.payloadType
    writeUint16(rtp, 2, frame.sequence & 0xffff)
    writeUint32(rtp, 4, frame.timestamp)
    writeUint32(rtp, 8, this.#spec.streamId)
    for (let i = 0; i < payloadBytes; i++) {
      rtp[TRUNK_RTP_BYTES + i] = bytes[frame.payloadStart + i]!
    }
    packet.bytes = rtp
    packet.start = 0
    packet.end = TRUNK_RTP_BYTES + payloadBytes
    packet.codec = WIRE_CODECS[frame.codec]!
    // Offsets within the descriptor are found again; what the sender knew better goes by its flags.
    if (!frame.isPadding && !describePayload(packet)) return 0
    packet.sequence = frame.sequence
    packet.epoch = (this.#epochBase + this.#run) | 0
    packet.timestamp = frame.timestamp
    packet.marker = frame.marker
    packet.payloadType = this.#spec.payloadType
    packet.keyframe = frame.keyframe
    packet.frameStart = frame.frameStart
    packet.temporalLayer = frame.temporalLayer
    packet.temporalSwitch = frame.temporalSwitch
    packet.late = frame.late
    const { place } = scratch
    place.publicationId = this.#spec.streamId
    place.spatialLayer = this.#layer
    place.isPadding = frame.isPadding
    return writeHandoffPacket(scratch.bytes, packet, place)
  }

  /** @hot */
  #anchor(run: number, sequence: number, timestamp: number): void {
    const isLaterRun = run !== this.#run && ((run - this.#run) & 0xff) < 0x80
    if (!this.#isAnchored || isLaterRun) {
      if (isLaterRun) {
        this.#release?.reset()
        this.#seen?.reset()
      }
      this.#isAnchored = true
      this.#run = run
      this.sequence = sequence
      this.timestamp = timestamp
      return
    }
    if (run === this.#run) this.#advance(sequence, timestamp)
  }

  /** @hot Newest wins. */
  #advance(sequence: number, timestamp: number): void {
    if (((sequence - this.sequence) | 0) <= 0) return
    this.sequence = sequence
    this.timestamp = timestamp
  }
}
