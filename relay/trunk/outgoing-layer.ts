/**
 * One layer of a stream that we may send: which of its packets cross and under which numbers (a
 * Forwarder, so the far end sees one continuous layer through pauses, thinning and restarts of the
 * source), and what the far end is told of it.
 */
import { FORWARDED_BYTES_MAX, TRUNK_RTP_BYTES } from '../../config/limits.ts'
import {
  Forwarder,
  OutgoingLink,
  OutgoingStream,
  SourceLayer,
} from '../../core/media/forward/index.ts'
import type { MediaPacket } from '../../core/media/rtp/index.ts'
import {
  MEDIA_FULL,
  MediaFrame,
  mediaForm,
  StatusFrame,
  WIRE_CODECS,
  writeStatus,
} from '../wire/index.ts'
import type { TrunkStreamSpec } from './contract.ts'

/**
 * Where a packet's numbers stand in whole, among short ones: at the start, at each keyframe, and
 * now and then.
 */
const FULL_AT_START = 3
const FULL_EVERY = 128
const TEMPORAL_ALL = 3
/** A status is told again when the rate moved so much, and at these times in any case. */
const RATE_STEP = 0.15
const REPEATS_MS = [0, 250, 500]
const REPEAT_MS = 4_000
/** A clock that moved by more is told again. */
const CLOCK_STEP_MS = 5

/** A widened packet, until it is copied; one at a time. */
const WIDE = new Uint8Array(FORWARDED_BYTES_MAX + 1)
const NOWHERE = new OutgoingStream(0, new OutgoingLink({ onPacketSent: () => undefined }), {
  extension: undefined,
  transportSequenceAt: 0,
  absSendTimeAt: 0,
})

export type LayerStart = {
  layer: number
  /** 0..255: differs from that of an earlier stream of this id. */
  run: number
  randomUint32: () => number
}

/** Owned by its stream. */
export class OutgoingLayer {
  readonly source: SourceLayer
  readonly frame = new MediaFrame()
  readonly #forwarder: Forwarder
  readonly #status = new StatusFrame()
  #isOpen = false
  #keyframesOnly = false
  /** Timestamp of the keyframe that crosses now, while only keyframes do. */
  #keyframeTimestamp = -1
  #acceptedCount = 0
  #advertisedBps = -1
  #toldBps = -1
  #toldClockMs = Number.NaN
  #toldCount = 0
  #toldMs = Number.NEGATIVE_INFINITY
  #lastKeyframeMs = Number.NEGATIVE_INFINITY
  /**
   * Bytes of payload accepted since the last look, and of the keyframe at hand and the last whole
   * one.
   */
  acceptedBytes = 0
  keyframeBytes = 0
  #keyframeBytesNow = 0
  #keyframeOf = -1

  constructor(spec: TrunkStreamSpec, { layer, run, randomUint32 }: LayerStart) {
    const { streamId, kind, clockRate } = spec
    this.source = new SourceLayer({ publicationId: streamId, kind, spatialLayer: layer, clockRate })
    this.#forwarder = new Forwarder({
      kind,
      clockRate,
      firstIndex: randomUint32(),
      firstTimestamp: randomUint32(),
      stream: NOWHERE,
    })
    this.frame.streamId = streamId
    this.frame.layer = layer
    this.#status.streamId = streamId
    this.#status.layer = layer
    this.frame.run = run
    this.#status.run = run
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Open, and its keyframe has not come yet. */
  get isAwaitingKeyframe(): boolean {
    return this.#isOpen && this.#forwarder.isAwaitingKeyframe
  }

  /** Whether and how it shall cross. True when a keyframe is needed for that. */
  set(
    {
      isOpen,
      temporal,
      keyframesOnly,
    }: { isOpen: boolean; temporal: number; keyframesOnly: boolean },
    nowMs: number,
  ): boolean {
    // After keyframes alone the others begin at the next keyframe.
    const isFuller = this.#keyframesOnly && !keyframesOnly && isOpen && this.#isOpen
    if (isFuller) this.#forwarder.retarget(undefined, nowMs)
    if (isOpen !== this.#isOpen || isFuller) {
      this.#forwarder.retarget(isOpen ? this.source : undefined, nowMs)
    }
    this.#isOpen = isOpen
    this.#keyframesOnly = keyframesOnly
    this.#forwarder.setTemporal(keyframesOnly ? TEMPORAL_ALL : temporal)
    return this.isAwaitingKeyframe && this.source.kind === 'video'
  }

  /** Closed until its next keyframe: what comes now could not be sent in time. */
  interrupt(nowMs: number): void {
    this.#forwarder.retarget(undefined, nowMs)
    if (this.#isOpen) this.#forwarder.retarget(this.source, nowMs)
  }

  /**
   * @hot True when the packet crosses: `frame` says how, and `packet` holds the payload to send.
   */
  admit(packet: MediaPacket, isPadding: boolean): boolean {
    const { source } = this
    source.lastTimestamp = packet.timestamp
    if (!this.#isOpen) return false
    const forwarder = this.#forwarder
    if (isPadding) {
      forwarder.closePadding(packet, source)
      return false
    }
    if (packet.pictureIdOffset >= 0) source.widenPictureId(packet, WIDE)
    if (source.kind === 'video') {
      this.#measureKeyframe(packet)
      if (this.#keyframesOnly && !this.#isOfKeyframe(packet)) {
        forwarder.closePadding(packet, source)
        return false
      }
    }
    if (forwarder.accept(packet, source) !== 0) return false
    this.acceptedBytes += packet.end - packet.start - TRUNK_RTP_BYTES
    this.#fill(packet)
    return true
  }

  /** @hot */
  #fill(packet: MediaPacket): void {
    const { frame } = this
    const forwarder = this.#forwarder
    frame.codec = WIRE_CODECS.indexOf(packet.codec)
    frame.marker = forwarder.outMarker
    frame.keyframe = packet.keyframe
    frame.frameStart = packet.frameStart
    frame.temporalLayer = packet.temporalLayer
    frame.temporalSwitch = packet.temporalSwitch
    frame.late = packet.late
    frame.isPadding = false
    frame.sequence = forwarder.outIndex | 0
    frame.timestamp = forwarder.outTimestamp >>> 0
    const isVideo = this.source.kind === 'video'
    const isFull =
      this.#acceptedCount < FULL_AT_START ||
      this.#acceptedCount % FULL_EVERY === 0 ||
      (isVideo && packet.keyframe)
    frame.form = isFull ? MEDIA_FULL : mediaForm(frame)
    this.#acceptedCount += 1
  }

  /** @hot The picture's numbers in a copy of the payload of the packet that was admitted last. */
  patch(out: Uint8Array, payloadAt: number, packet: MediaPacket): void {
    const forwarder = this.#forwarder
    if (packet.pictureIdOffset >= 0) {
      const at = payloadAt + packet.pictureIdOffset - TRUNK_RTP_BYTES
      out[at] = 0x80 | (forwarder.outPictureId >> 8)
      out[at + 1] = forwarder.outPictureId & 0xff
    }
    if (packet.tl0PicIdxOffset >= 0) {
      out[payloadAt + packet.tl0PicIdxOffset - TRUNK_RTP_BYTES] = forwarder.outTl0PicIdx
    }
  }

  /** @hot */
  #isOfKeyframe(packet: MediaPacket): boolean {
    if (packet.keyframe) this.#keyframeTimestamp = packet.timestamp
    return packet.timestamp === this.#keyframeTimestamp
  }

  /** @hot */
  #measureKeyframe(packet: MediaPacket): void {
    if (packet.keyframe && packet.timestamp !== this.#keyframeOf) {
      this.#keyframeOf = packet.timestamp
      this.#keyframeBytesNow = 0
      this.#lastKeyframeMs = packet.arrivalMs
    }
    if (packet.timestamp !== this.#keyframeOf) return
    this.#keyframeBytesNow += packet.end - packet.start
    if (packet.marker) this.keyframeBytes = this.#keyframeBytesNow
  }

  get lastKeyframeMs(): number {
    return this.#lastKeyframeMs
  }

  /** Bit/s to tell: the measured rate, or 0 where the budget does not let it be wanted. */
  advertise(isGranted: boolean): void {
    this.#advertisedBps = isGranted ? this.source.rate.bitrateBps : 0
  }

  /** When a status is to be told next, as far as changes do not ask for it earlier. */
  isStatusDue(nowMs: number): boolean {
    if (this.#advertisedBps < 0) return false
    const told = this.#toldBps
    const isNew =
      told < 0 ||
      (told === 0) !== (this.#advertisedBps === 0) ||
      Math.abs(this.#advertisedBps - told) > told * RATE_STEP ||
      this.#hasClockMoved()
    if (isNew && nowMs - this.#toldMs >= REPEATS_MS[1]!) this.#toldCount = 0
    return nowMs - this.#toldMs >= (REPEATS_MS[this.#toldCount] ?? REPEAT_MS)
  }

  /** Body of a STATUS; returns its end, at most STATUS_BYTES_MAX on. */
  writeStatus(out: Uint8Array, offset: number, nowMs: number): number {
    const { source } = this
    const status = this.#status
    status.bitrateBps = Math.max(0, this.#advertisedBps)
    status.hasSize = source.heightPx > 0
    status.widthPx = source.widthPx
    status.heightPx = source.heightPx
    status.hasShares = source.rate.temporalMax > 0
    status.temporalMax = source.rate.temporalMax
    for (let i = 0; i < 4; i++) {
      status.shares[i] = Math.round(Math.min(1, Math.max(0, source.rate.temporalShare[i]!)) * 255)
    }
    status.hasClock = this.#isMapped
    if (status.hasClock) {
      status.ntpMs = source.clock.ntpMsAt(source.lastTimestamp)
      status.clockTimestamp = (source.lastTimestamp + this.#forwarder.clockDelta) >>> 0
      this.#toldClockMs = this.#clockMs()
    }
    status.hasNumbers = this.#forwarder.isStarted
    status.sequence = this.#forwarder.lastIndex | 0
    status.timestamp = this.#forwarder.lastTimestamp >>> 0
    this.#toldBps = this.#advertisedBps
    this.#toldCount += 1
    this.#toldMs = nowMs
    return writeStatus(out, offset, status)
  }

  /** The source's clock is known in the numbers that the far end sees. */
  get #isMapped(): boolean {
    return this.source.clock.isKnown && this.#forwarder.isStarted
  }

  /** NTP of outgoing timestamp 0: constant while clock and mapping are. */
  #clockMs(): number {
    const { source } = this
    const ticksPerMs = source.clockRate / 1_000
    const outTimestamp = (source.lastTimestamp + this.#forwarder.clockDelta) >>> 0
    return source.clock.ntpMsAt(source.lastTimestamp) - outTimestamp / ticksPerMs
  }

  #hasClockMoved(): boolean {
    if (!this.#isMapped) return false
    return !(Math.abs(this.#clockMs() - this.#toldClockMs) < CLOCK_STEP_MS)
  }

  /** Lets go of everything. */
  close(): void {
    this.#forwarder.close()
    this.source.close()
  }
}
