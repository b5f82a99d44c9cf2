/**
 * What this end may send: frames of our engine come in, what crosses waits in three queues, and the
 * budget is asked again and again. Not datagrams (departures.ts).
 */
import {
  FORWARDED_BYTES_MAX,
  TRUNK_AUDIO_QUEUE_BYTES,
  TRUNK_DATAGRAM_BYTES_MIN,
  TRUNK_IP_UDP_BYTES,
  TRUNK_RTP_BYTES,
  TRUNK_STREAMS_MAX,
  TRUNK_TAG_BYTES,
  TRUNK_VIDEO_QUEUE_BYTES,
} from '../../config/limits.ts'
import {
  applyHandoffStatus,
  HANDOFF_PACKET,
  HandoffFrame,
  readHandoffPacket,
} from '../../core/media/engine/index.ts'
import { MediaPacket, RedStripper } from '../../core/media/rtp/index.ts'
import { allocateTrunk, createTrunkBudget, type TrunkStream } from '../budget/index.ts'
import {
  FRAGMENT_HEAD_BYTES_MAX,
  FRAGMENT_PARTS_MAX,
  FRAME_FRAGMENT,
  FRAME_MEDIA,
  frameKind,
  MEDIA_HEAD_BYTES_MAX,
  writeFragmentHead,
  writeMediaHead,
} from '../wire/index.ts'
import type { StreamPlace, TrunkOutlet, TrunkStreamReport, TrunkStreamSpec } from './contract.ts'
import type { WantsIn } from './demand.ts'
import { FrameQueue } from './frame-queue.ts'
import type { OutgoingLayer } from './outgoing-layer.ts'
import { OutgoingStream } from './outgoing-stream.ts'

const KIND_FRAGMENT = frameKind(FRAME_FRAGMENT, 0)
/** Classes up to this one go before the others' video: TRUNK_CLASSES 'main-base'. */
const MAIN_CLASS = 4
/**
 * Video that would wait longer than this is not taken in; a picture now and then may take its time.
 */
const WAIT_MS_MAX = 1_500
const WAIT_KEYFRAMES_MS_MAX = 6_000
/** With less than this waiting a keyframe may be asked for. */
const WAIT_KEYFRAME_MS = 250
/** Voices of several streams within this time are worth waiting for each other. */
const COMPANY_MS = 200
const COMPANY_WAIT_MS = 5
const PACKET_MS = 20

/** One per end. */
export class OutgoingStreams {
  readonly audio = new FrameQueue(TRUNK_AUDIO_QUEUE_BYTES)
  readonly main = new FrameQueue(TRUNK_VIDEO_QUEUE_BYTES)
  readonly other = new FrameQueue(TRUNK_VIDEO_QUEUE_BYTES)
  readonly budget = createTrunkBudget()
  readonly all: OutgoingStream[] = []
  readonly #streams = new Map<number, OutgoingStream>()
  readonly #budgeted: TrunkStream[] = []
  readonly #wants: WantsIn
  readonly #outlet: TrunkOutlet
  readonly #randomUint32: () => number
  readonly #frame = new HandoffFrame()
  readonly #received = new MediaPacket()
  #packet = this.#received
  readonly #stripper = new RedStripper(FORWARDED_BYTES_MAX)
  readonly #scratch = new Uint8Array(FORWARDED_BYTES_MAX + MEDIA_HEAD_BYTES_MAX + 1)
  #fragmentId = 0
  #packetStreamId = 0
  #run = 0
  #rateBps = 1
  #lastVoice = 0
  #companyMs = Number.NEGATIVE_INFINITY
  malformedCount = 0
  /** Of audio: how much of one stream shall go in one datagram. */
  bundleMs = PACKET_MS
  /** A longer frame, head byte included, goes in parts. */
  frameBytesMax = TRUNK_DATAGRAM_BYTES_MIN - TRUNK_RTP_BYTES - TRUNK_TAG_BYTES

  constructor(options: { wants: WantsIn; outlet: TrunkOutlet; randomUint32: () => number }) {
    this.#wants = options.wants
    this.#outlet = options.outlet
    this.#randomUint32 = options.randomUint32
  }

  get(streamId: number): OutgoingStream | undefined {
    return this.#streams.get(streamId)
  }

  /** False when it is one too many. Told again: its place changes. */
  offer(spec: TrunkStreamSpec, place: StreamPlace): boolean {
    const known = this.#streams.get(spec.streamId)
    if (known !== undefined) {
      known.setPlace(place)
      return true
    }
    if (this.#streams.size >= TRUNK_STREAMS_MAX) return false
    const stream = new OutgoingStream(spec, {
      run: this.#run,
      outlet: this.#outlet,
      randomUint32: this.#randomUint32,
    })
    stream.setPlace(place)
    this.#streams.set(spec.streamId, stream)
    this.all.push(stream)
    this.#budgeted.push(stream.budgeted)
    return true
  }

  withdraw(streamId: number): void {
    const stream = this.#streams.get(streamId)
    if (stream === undefined) return
    stream.close()
    this.#streams.delete(streamId)
    const place = this.all.indexOf(stream)
    this.all.splice(place, 1)
    this.#budgeted.splice(place, 1)
    // Whoever is offered under this number again counts anew.
    this.#run = (this.#run + 1) & 0xff
  }

  /** Asks the budget, and carries out what it answers. */
  review(
    { availableBps, datagramBytes }: { availableBps: number; datagramBytes: number },
    nowMs: number,
  ): void {
    const { budget } = this
    this.#rateBps = availableBps
    budget.availableBps = availableBps
    budget.datagramOverheadBytes = TRUNK_IP_UDP_BYTES + TRUNK_RTP_BYTES + TRUNK_TAG_BYTES
    budget.mtuBytes = datagramBytes - TRUNK_RTP_BYTES - TRUNK_TAG_BYTES
    for (const stream of this.all) {
      stream.budgeted.wantedMask = this.#wants.mask(stream.spec.streamId)
      stream.refreshFacts()
    }
    allocateTrunk(this.#budgeted, budget, nowMs)
    for (const stream of this.all) {
      const waitMs = this.#waitMs(this.#queueOf(stream))
      stream.apply(nowMs, waitMs <= WAIT_KEYFRAME_MS)
    }
  }

  /** @hot A handoff frame of our engine. */
  onFrame(streamId: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    const stream = this.#streams.get(streamId)
    const frame = this.#frame
    if (stream === undefined) return
    const isFrame = frame.read(bytes, start, end)
    const layer = isFrame ? stream.layers[frame.spatialLayer] : undefined
    if (layer === undefined) {
      this.malformedCount += 1
      return
    }
    if (frame.kind !== HANDOFF_PACKET) {
      stream.levelDbov = applyHandoffStatus(layer.source, bytes, start)
      layer.source.rate.bitrateBps *= stream.plainRatio
      return
    }
    const packet = this.#received
    readHandoffPacket(packet, bytes, start, end)
    packet.arrivalMs = nowMs
    this.#packet = packet
    if (packet.codec === 'red' && !this.#strip(stream)) return
    this.#admit(stream, frame, nowMs)
  }

  /** @hot The publisher's redundancy (RFC 2198) stays here: that of the trunk is planned for the trunk's losses. */
  #strip(stream: OutgoingStream): boolean {
    const red = this.#received
    const plain = this.#stripper.strip(red)
    if (plain === undefined) {
      this.malformedCount += 1
      return false
    }
    stream.onStripped(plain.end - plain.start, red.end - red.start)
    this.#packet = plain
    return true
  }

  /** @hot */
  #admit(stream: OutgoingStream, { spatialLayer, isPadding }: HandoffFrame, nowMs: number): void {
    const layer = stream.layers[spatialLayer]!
    const packet = this.#packet
    const queue = this.#queueOf(stream)
    const isVideo = stream.spec.kind === 'video'
    if (isVideo && layer.isOpen && this.#isTooLong(stream, queue)) {
      layer.interrupt(nowMs)
      return
    }
    if (!layer.admit(packet, isPadding)) return
    const lengthBytes = this.#write(layer)
    const trunkClass = stream.classOf(packet, spatialLayer)
    this.#packetStreamId = stream.spec.streamId
    stream.sentBytes += lengthBytes
    const isQueued =
      lengthBytes <= this.frameBytesMax
        ? this.#enqueue(queue, lengthBytes, trunkClass, nowMs)
        : this.#enqueueParts(queue, lengthBytes, trunkClass, nowMs)
    if (!isQueued) layer.interrupt(nowMs)
    if (!isVideo) this.#noteVoice(stream.spec.streamId, nowMs)
  }

  /** @hot The admitted packet as a frame that stands for itself; returns its end. */
  #write(layer: OutgoingLayer): number {
    const packet = this.#packet
    const scratch = this.#scratch
    const payloadBytes = packet.end - packet.start - TRUNK_RTP_BYTES
    scratch[0] = frameKind(FRAME_MEDIA, layer.frame.form)
    const payloadAt = writeMediaHead(scratch, 1, layer.frame)
    const from = packet.start + TRUNK_RTP_BYTES
    for (let i = 0; i < payloadBytes; i++) scratch[payloadAt + i] = packet.bytes[from + i]!
    layer.patch(scratch, payloadAt, packet)
    return payloadAt + payloadBytes
  }

  /** @hot */
  #enqueue(queue: FrameQueue, lengthBytes: number, trunkClass: number, nowMs: number): boolean {
    const at = queue.reserve(lengthBytes)
    if (at < 0) return false
    const { slab } = queue
    for (let i = 0; i < lengthBytes; i++) slab[at + i] = this.#scratch[i]!
    queue.commit(lengthBytes, trunkClass, nowMs, this.#packetStreamId)
    return true
  }

  /** A frame that fits into no datagram, or would hold up audio for too long, goes in parts. */
  #enqueueParts(
    queue: FrameQueue,
    lengthBytes: number,
    trunkClass: number,
    nowMs: number,
  ): boolean {
    const room = this.frameBytesMax - 1 - FRAGMENT_HEAD_BYTES_MAX
    const count = Math.min(FRAGMENT_PARTS_MAX, Math.ceil(lengthBytes / room))
    const partBytes = Math.ceil(lengthBytes / count)
    this.#fragmentId = (this.#fragmentId + 1) & 0xff
    for (let part = 0; part < count; part++) {
      const offset = part * partBytes
      const end = Math.min(lengthBytes, offset + partBytes)
      const at = queue.reserve(1 + FRAGMENT_HEAD_BYTES_MAX + end - offset)
      if (at < 0) return false
      const { slab } = queue
      slab[at] = KIND_FRAGMENT
      let to = writeFragmentHead(slab, at + 1, { id: this.#fragmentId, part, count, offset })
      for (let i = offset; i < end; i++) slab[to++] = this.#scratch[i]!
      queue.commit(to - at, trunkClass, nowMs)
    }
    return true
  }

  /** How long audio may wait for company in a datagram. */
  audioWaitMs(nowMs: number): number {
    const mergeMs = this.bundleMs - PACKET_MS
    if (mergeMs > 0) return mergeMs + COMPANY_WAIT_MS
    return nowMs - this.#companyMs < COMPANY_MS ? COMPANY_WAIT_MS : 0
  }

  /** Some video is sent as more than pictures now and then. */
  get isMoving(): boolean {
    return this.#budgeted.some(
      ({ kind, mode, sentMask }) => kind === 'video' && mode === 'full' && sentMask !== 0,
    )
  }

  reports(elapsedMs: number): TrunkStreamReport[] {
    return this.all.map((stream) => stream.report(elapsedMs))
  }

  /** @hot */
  #noteVoice(streamId: number, nowMs: number): void {
    if (streamId !== this.#lastVoice && this.#lastVoice !== 0) this.#companyMs = nowMs
    this.#lastVoice = streamId
  }

  /** @hot */
  #queueOf(stream: OutgoingStream): FrameQueue {
    if (stream.spec.kind === 'audio') return this.audio
    return stream.budgeted.baseClass <= MAIN_CLASS ? this.main : this.other
  }

  /** @hot */
  #isTooLong(stream: OutgoingStream, queue: FrameQueue): boolean {
    const most = stream.budgeted.mode === 'keyframes' ? WAIT_KEYFRAMES_MS_MAX : WAIT_MS_MAX
    return this.#waitMs(queue) > most
  }

  /** @hot */
  #waitMs(queue: FrameQueue): number {
    const ahead = queue === this.other ? this.main.queuedBytes : 0
    return ((queue.queuedBytes + ahead) * 8_000) / this.#rateBps
  }
}
