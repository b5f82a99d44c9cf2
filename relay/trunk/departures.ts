/**
 * Datagrams on their way out: what waits is bundled, paced by the estimate with audio and control first, and numbered. Also
 * padding: probes of the estimator and of the path's largest datagram.
 */
import {
  TRUNK_DATAGRAM_BYTES_MAX,
  TRUNK_IP_UDP_BYTES,
  TRUNK_RTP_BYTES,
  TRUNK_TAG_BYTES,
} from '../../config/limits.ts'
import type { TrunkEstimator } from '../estimate/index.ts'
import {
  FRAGMENT_HEAD_BYTES_MAX,
  FRAGMENT_PARTS_MAX,
  FRAME_FRAGMENT,
  FRAME_PADDING,
  frameBytes,
  frameKind,
  writeFragmentHead,
} from '../wire/index.ts'
import { Bundle } from './bundle.ts'
import { TRUNK_CLASSES, type TrunkOutlet } from './contract.ts'
import type { ControlFrames } from './control-frames.ts'
import type { FrameQueue } from './frame-queue.ts'
import { MtuSearch } from './mtu-search.ts'
import type { OutgoingStreams } from './outgoing-streams.ts'
import { Pacer } from './pacer.ts'
import { SentLog } from './sent-log.ts'

const KIND_FRAGMENT = frameKind(FRAME_FRAGMENT, 0)
const KIND_PADDING = frameKind(FRAME_PADDING, 0)
const CONTROL_CLASS = TRUNK_CLASSES.indexOf('control')
/** Datagrams of one turn; what is left goes in the next. */
const TURN_MAX = 64
const TURN_PAUSE_MS = 1
/** Probing is asked about so often while something goes. */
const PROBE_MS = 10
const PROBE_BYTES_MIN = 60
const ACTIVE_MS = 500
/** A probe of the largest datagram must not delay audio by more than this. */
const MTU_PROBE_MS = 100
/** A datagram of video on a thin link is kept so short that audio behind it waits no longer; but not shorter than this. */
const DATAGRAM_MS_MAX = 60
const DATAGRAM_BYTES_MIN = 400

export type DepartureParts = {
  outlet: TrunkOutlet
  ssrc: number
  estimator: TrunkEstimator
  streams: OutgoingStreams
  control: ControlFrames
  nowMs: number
}

/** One per end. */
export class Departures {
  readonly sent = new SentLog()
  readonly mtu: MtuSearch
  /** Bytes on the wire since the last report, and by class. */
  sentBytes = 0
  readonly classBytes = new Float64Array(TRUNK_CLASSES.length)
  readonly #parts: DepartureParts
  readonly #bundle: Bundle
  readonly #pacer: Pacer
  readonly #padding = new Uint8Array(TRUNK_DATAGRAM_BYTES_MAX)
  readonly #fragment = new Uint8Array(TRUNK_DATAGRAM_BYTES_MAX)
  #fragmentId = 0
  #rateBps = 0
  #mediaMs = Number.NEGATIVE_INFINITY
  #probeMs = Number.NEGATIVE_INFINITY

  constructor(parts: DepartureParts) {
    this.#parts = parts
    this.#bundle = new Bundle(parts.ssrc)
    this.#pacer = new Pacer(parts.nowMs)
    this.mtu = new MtuSearch(parts.nowMs)
  }

  /** @hot Sends what is due. */
  serve(nowMs: number): void {
    const { streams, control, estimator } = this.#parts
    this.#rateBps = estimator.availableBps(nowMs)
    this.#pacer.update(this.#rateBps, nowMs)
    for (let i = 0; i < TURN_MAX; i++) {
      const isDue = control.deadlineMs() <= nowMs || this.#audioMs(nowMs) <= nowMs
      const isVideoDue = this.#pacer.isOpen && streams.main.count + streams.other.count > 0
      if (!isDue && !isVideoDue) break
      if (!this.#next(nowMs)) break
    }
    this.#probe(nowMs)
  }

  /** @hot When `serve` has something to do. */
  deadlineMs(nowMs: number): number {
    const { streams, control } = this.#parts
    const soon = Math.min(control.deadlineMs(), this.#audioMs(nowMs))
    const hasVideo = streams.main.count + streams.other.count > 0
    const videoMs = hasVideo ? this.#pacer.openMs : Number.POSITIVE_INFINITY
    const probeMs = this.#isActive(nowMs) ? this.#probeMs + PROBE_MS : Number.POSITIVE_INFINITY
    const dueMs = Math.min(soon, videoMs, probeMs, this.mtu.deadlineMs())
    return dueMs <= nowMs ? nowMs + TURN_PAUSE_MS : dueMs
  }

  /** UDP payload of a datagram now: the path's, or less where a large one would hold up audio. */
  get datagramBytes(): number {
    const thin = Math.floor((this.#rateBps * DATAGRAM_MS_MAX) / 8_000) - TRUNK_IP_UDP_BYTES
    return Math.min(this.mtu.datagramBytes, Math.max(DATAGRAM_BYTES_MIN, thin))
  }

  /** @hot One datagram; false when there was nothing to put in. */
  #next(nowMs: number): boolean {
    const { streams, control } = this.#parts
    const bundle = this.#bundle
    bundle.begin(this.datagramBytes)
    control.write(bundle, nowMs)
    this.classBytes[CONTROL_CLASS]! += bundle.end - TRUNK_RTP_BYTES
    this.#fill(streams.audio)
    if (this.#pacer.isOpen) {
      this.#fill(streams.main)
      if (streams.main.count === 0) this.#fill(streams.other)
    }
    if (!bundle.isEmpty) {
      this.#send(nowMs)
      return true
    }
    const queue = streams.audio.count > 0 ? streams.audio : streams.main
    return this.#split(queue.count > 0 ? queue : streams.other, nowMs)
  }

  /** @hot As many frames as fit. */
  #fill(queue: FrameQueue): void {
    const bundle = this.#bundle
    while (queue.count > 0) {
      const { start } = queue
      if (!bundle.addMedia(queue.kind, queue.slab, start, start + queue.lengthBytes)) return
      this.classBytes[queue.trunkClass]! += queue.lengthBytes
      queue.pop()
    }
  }

  /** A frame that fits into no datagram goes in parts. */
  #split(queue: FrameQueue, nowMs: number): boolean {
    if (queue.count === 0) return false
    const bundle = this.#bundle
    const wholeBytes = 1 + queue.lengthBytes
    const { start, slab, kind } = queue
    bundle.begin(this.datagramBytes)
    const room = bundle.room - frameBytes(FRAGMENT_HEAD_BYTES_MAX) - 1
    const count = Math.ceil(wholeBytes / room)
    if (count <= FRAGMENT_PARTS_MAX) {
      const partBytes = Math.ceil(wholeBytes / count)
      this.#fragmentId = (this.#fragmentId + 1) & 0xff
      for (let part = 0; part < count; part++) {
        const offset = part * partBytes
        const place = { id: this.#fragmentId, part, count, offset }
        const end = Math.min(wholeBytes, offset + partBytes)
        let at = writeFragmentHead(this.#fragment, 0, place)
        for (let i = offset; i < end; i++) {
          this.#fragment[at++] = i === 0 ? kind : slab[start + i - 1]!
        }
        if (part > 0) bundle.begin(this.datagramBytes)
        bundle.add(KIND_FRAGMENT, this.#fragment, 0, at)
        this.#send(nowMs)
      }
    }
    this.classBytes[queue.trunkClass]! += queue.lengthBytes
    queue.pop()
    return true
  }

  /** @hot */
  #send(nowMs: number): number {
    const { outlet, estimator, control } = this.#parts
    const bundle = this.#bundle
    const datagramBytes = bundle.end + TRUNK_TAG_BYTES
    const wireBytes = datagramBytes + TRUNK_IP_UDP_BYTES
    const index = this.sent.add(datagramBytes, nowMs)
    bundle.stamp(index, nowMs)
    estimator.onSent(index, wireBytes, nowMs)
    this.#pacer.spend(wireBytes)
    this.sentBytes += wireBytes
    this.#mediaMs = nowMs
    control.onSent(nowMs)
    outlet.datagram(bundle.bytes, 0, bundle.end, index)
    return index
  }

  /** @hot */
  #audioMs(nowMs: number): number {
    const { audio } = this.#parts.streams
    if (audio.count === 0) return Number.POSITIVE_INFINITY
    return audio.sinceMs + this.#parts.streams.audioWaitMs(nowMs)
  }

  #isActive(nowMs: number): boolean {
    return nowMs - this.#mediaMs < ACTIVE_MS
  }

  #probe(nowMs: number): void {
    const mtuBytes = this.mtu.probeBytes(nowMs)
    if (mtuBytes > 0) {
      const isAffordable = (mtuBytes * 8_000) / this.#rateBps <= MTU_PROBE_MS
      if (isAffordable) this.mtu.onProbeSent(this.#pad(mtuBytes, nowMs))
      else this.mtu.postpone(nowMs)
    }
    if (nowMs - this.#probeMs < PROBE_MS || !this.#isActive(nowMs)) return
    this.#probeMs = nowMs
    let bytes = this.#parts.estimator.probeBytes(nowMs)
    for (let i = 0; bytes > 0 && i < TURN_MAX; i++) {
      const most = this.mtu.datagramBytes + TRUNK_IP_UDP_BYTES
      const wireBytes = Math.min(most, Math.max(PROBE_BYTES_MIN, bytes))
      this.#pad(Math.floor(wireBytes) - TRUNK_IP_UDP_BYTES, nowMs)
      bytes -= wireBytes
    }
  }

  /** Sends a datagram of padding with `datagramBytes` of UDP payload; returns its index. */
  #pad(datagramBytes: number, nowMs: number): number {
    const bundle = this.#bundle
    bundle.begin(datagramBytes)
    // Head and length take two bytes, or three.
    const most = bundle.room
    const bodyBytes = most - 2 < 0x80 ? most - 2 : most - 3
    bundle.add(KIND_PADDING, this.#padding, 0, Math.max(1, bodyBytes))
    return this.#send(nowMs)
  }
}
