/**
 * Datagrams on their way out: what waits is bundled, paced by the estimate with audio and control
 * first, and numbered. Also padding: probes of the estimator and of the path's largest datagram.
 */
import {
  TRUNK_DATAGRAM_BYTES_MAX,
  TRUNK_IP_UDP_BYTES,
  TRUNK_RTP_BYTES,
  TRUNK_TAG_BYTES,
} from '../../config/limits.ts'
import type { TrunkEstimator } from '../estimate/index.ts'
import { FRAME_PADDING, frameBytes, frameKind } from '../wire/index.ts'
import { Bundle } from './bundle.ts'
import { TRUNK_CLASSES, type TrunkOutlet } from './contract.ts'
import type { ControlFrames } from './control-frames.ts'
import type { FrameQueue } from './frame-queue.ts'
import { MtuSearch } from './mtu-search.ts'
import type { OutgoingStreams } from './outgoing-streams.ts'
import { Pacer } from './pacer.ts'
import { PathJitter } from './path-jitter.ts'
import { ProvenRate } from './proven-rate.ts'
import { RANK_AUDIO, RANK_BASE, RANK_OTHER, type RepairOut } from './repair-out.ts'
import { SentLog } from './sent-log.ts'

const KIND_PADDING = frameKind(FRAME_PADDING, 0)
const CONTROL_CLASS = TRUNK_CLASSES.indexOf('control')
const ENHANCEMENT_CLASS = TRUNK_CLASSES.indexOf('enhancement')
/** Datagrams of one turn; what is left goes in the next. */
const TURN_MAX = 64
const TURN_PAUSE_MS = 1
/** Probing is asked about so often while something goes. */
const PROBE_MS = 10
const PROBE_BYTES_MIN = 60
const ACTIVE_MS = 500
/** A probe of the largest datagram must not delay audio by more than this. */
const MTU_PROBE_MS = 100
/**
 * Video leaves a little below the estimate, and ever slower while a queue stands: audio has to
 * pass through the same queue, and the estimate falls only after a round trip.
 */
const PACE_SHARE = 0.95
const EASY_QUEUE_MS = 50
const EASING_MS = 150
const EASING_MIN = 0.15
/** How much faster than anything came out of the link lately. */
const BEYOND_PROVEN = 1.25
/** Padding stops where it would make audio wait longer than this. */
const PROBE_DEBT_MS = 100
const PACKET_MS = 20
/** Video that may stand in the link's queue before a datagram of audio. */
const INTERFERING_DATAGRAMS = 1.5
/**
 * A datagram of video on a thin link is kept so short that audio behind it waits no longer; but not
 * shorter than this.
 */
const DATAGRAM_MS_MAX = 60
const DATAGRAM_BYTES_MIN = 400

export type DepartureParts = {
  outlet: TrunkOutlet
  ssrc: number
  estimator: TrunkEstimator
  streams: OutgoingStreams
  control: ControlFrames
  repair: RepairOut
  nowMs: number
}

/** One per end. */
export class Departures {
  readonly sent = new SentLog()
  readonly mtu: MtuSearch
  readonly proven = new ProvenRate()
  readonly jitter = new PathJitter()
  /** What media leaves is filled with padding. */
  saturateUntilMs = Number.NEGATIVE_INFINITY
  /** Bytes on the wire since the last report, and by class. */
  sentBytes = 0
  /** Of audio, without copies. */
  audioBytes = 0
  readonly classBytes = new Float64Array(TRUNK_CLASSES.length)
  readonly #parts: DepartureParts
  readonly #bundle: Bundle
  readonly #pacer: Pacer
  readonly #padding = new Uint8Array(TRUNK_DATAGRAM_BYTES_MAX)
  #rateBps = 0
  #hasMedia = false
  /** Frames that no datagram takes any more. */
  droppedCount = 0
  #mediaMs = Number.NEGATIVE_INFINITY
  #probeMs = Number.NEGATIVE_INFINITY
  #audioSentMs = Number.NEGATIVE_INFINITY

  constructor(parts: DepartureParts) {
    this.#parts = parts
    this.#bundle = new Bundle(parts.ssrc)
    this.#pacer = new Pacer(parts.nowMs)
    this.mtu = new MtuSearch(parts.nowMs)
  }

  /** @hot Sends what is due. */
  serve(nowMs: number): void {
    const { estimator } = this.#parts
    this.#rateBps = estimator.availableBps(nowMs)
    this.#pacer.update(this.#paceBps(), nowMs)
    for (let i = 0; i < TURN_MAX; i++) {
      if (this.#sendParity(nowMs)) continue
      const isDue = this.#soonMs(nowMs) <= nowMs
      if (!isDue && !(this.#pacer.isOpen && this.#hasVideo)) break
      if (!this.#next(nowMs)) break
    }
    this.#probe(nowMs)
    if (nowMs < this.saturateUntilMs) this.#saturate(nowMs)
  }

  /** @hot At which video is sent: less while a queue of our own stands. */
  #paceBps(): number {
    const { queueDelayMs, competing } = this.#parts.estimator.state()
    const shareBps = this.#rateBps * PACE_SHARE
    if (competing) return shareBps
    const provenBps = Math.max(this.proven.bitrateBps * BEYOND_PROVEN, shareBps / 2)
    // What one datagram takes on a thin link is no queue.
    const aloneMs = (this.datagramBytes * 8_000) / this.#rateBps
    const excessMs = Math.max(0, queueDelayMs - EASY_QUEUE_MS - aloneMs)
    return Math.min(shareBps, provenBps) * Math.max(EASING_MIN, 1 - excessMs / EASING_MS)
  }

  /** @hot When `serve` has something to do. */
  deadlineMs(nowMs: number): number {
    const soon = this.#soonMs(nowMs)
    const isFull = this.#hasVideo || nowMs < this.saturateUntilMs
    const videoMs = isFull ? this.#pacer.openMs : Number.POSITIVE_INFINITY
    const isProbing = this.#isActive(nowMs) && this.#parts.estimator.isProbing(nowMs)
    const probeMs = isProbing ? this.#probeMs + PROBE_MS : Number.POSITIVE_INFINITY
    const dueMs = Math.min(soon, videoMs, probeMs, this.mtu.deadlineMs())
    return dueMs <= nowMs ? nowMs + TURN_PAUSE_MS : dueMs
  }

  /** @hot When audio, control or repair is due. */
  #soonMs(nowMs: number): number {
    const { control, repair } = this.#parts
    const listMs = Math.max(control.deadlineMs(), this.#rideMs(nowMs))
    return Math.min(listMs, this.#audioMs(nowMs), repair.deadlineMs(nowMs))
  }

  /** @hot Where audio is bundled, control waits for the bundle that comes anyway: until then. */
  #rideMs(nowMs: number): number {
    const { bundleMs } = this.#parts.streams
    const isRegular = bundleMs > PACKET_MS && nowMs - this.#audioSentMs < 2 * bundleMs
    return isRegular ? this.#audioSentMs + bundleMs + PACKET_MS : Number.NEGATIVE_INFINITY
  }

  /** @hot */
  get #hasVideo(): boolean {
    const { streams, repair } = this.#parts
    return streams.main.count + streams.other.count + repair.resends.count > 0
  }

  /** A datagram of its own, which parity does not cover. */
  #sendParity(nowMs: number): boolean {
    const { repair } = this.#parts
    const bundle = this.#bundle
    bundle.begin(this.mtu.datagramBytes)
    if (!repair.addParity(bundle, nowMs)) return false
    repair.begin(this.sent.nextIndex, nowMs)
    repair.keepNothing()
    this.#send(nowMs)
    return true
  }

  /** The estimate, or what the link was seen to carry where that is less. */
  get #surerBps(): number {
    const provenBps = this.proven.bitrateBps
    return provenBps === 0 ? this.#rateBps : Math.min(this.#rateBps, provenBps * BEYOND_PROVEN)
  }

  /** How long audio may have to wait behind video that is on its way, ms. */
  get interferenceMs(): number {
    return (
      (INTERFERING_DATAGRAMS * (this.datagramBytes + TRUNK_IP_UDP_BYTES) * 8_000) / this.#surerBps
    )
  }

  /** UDP payload of a datagram now: the path's, or less where a large one would hold up audio. */
  get datagramBytes(): number {
    const thin = Math.floor((this.#surerBps * DATAGRAM_MS_MAX) / 8_000) - TRUNK_IP_UDP_BYTES
    return Math.min(this.mtu.datagramBytes, Math.max(DATAGRAM_BYTES_MIN, thin))
  }

  /** Bytes of frames that a datagram takes, parity included. */
  get roomBytes(): number {
    const { reservedBytes } = this.#parts.repair
    return this.mtu.datagramBytes - reservedBytes - TRUNK_RTP_BYTES - TRUNK_TAG_BYTES
  }

  /** @hot One datagram; false when there was nothing to put in. `isProbe`: video may go whatever the pace. */
  #next(nowMs: number, isProbe = false): boolean {
    const { streams, control, repair } = this.#parts
    const bundle = this.#bundle
    bundle.begin(this.mtu.datagramBytes - repair.reservedBytes)
    this.#hasMedia = false
    repair.begin(this.sent.nextIndex, nowMs)
    control.write(bundle, nowMs)
    repair.addHolds(bundle, nowMs)
    this.classBytes[CONTROL_CLASS]! += bundle.end - TRUNK_RTP_BYTES
    const mayVideo = this.#pacer.isOpen || isProbe
    // Audio that is not due goes with video only where it all fits: it would lose its own bundle.
    const isAudioDue = this.#audioMs(nowMs) <= nowMs || !(mayVideo && this.#hasVideo)
    if (isAudioDue) this.#fillAudio(nowMs)
    if (mayVideo && !(this.#hasMedia && repair.isAudioApart)) this.#fillPaced()
    const spareBytes = this.datagramBytes - bundle.end - TRUNK_TAG_BYTES
    const isRiding = this.#hasMedia && !isAudioDue && !repair.isAudioApart
    if (isRiding && streams.audio.queuedBytes <= spareBytes) this.#fillAudio(nowMs)
    if (!bundle.isEmpty) {
      if (!this.#hasMedia) repair.keepNothing()
      this.#send(nowMs)
      return true
    }
    // The path's largest datagram became smaller than a frame that waits: it cannot go any more.
    return this.#dropHead()
  }

  #dropHead(): boolean {
    const { streams } = this.#parts
    const { resends } = this.#parts.repair
    for (const queue of [streams.audio, resends, streams.main, streams.other]) {
      if (queue.count === 0 || frameBytes(queue.lengthBytes - 1) <= this.#bundle.room) continue
      queue.pop()
      this.droppedCount += 1
      return true
    }
    return false
  }

  /** @hot */
  #fillPaced(): void {
    const { main, other } = this.#parts.streams
    this.#fillResends()
    this.#fillVideo(main)
    if (main.count === 0) this.#fillVideo(other)
  }

  /** @hot Audio and its copies. */
  #fillAudio(nowMs: number): void {
    const { streams, repair } = this.#parts
    this.#fill(streams.audio, nowMs)
    repair.addCopies(this.#bundle, nowMs)
  }

  /** @hot As many frames of audio as fit. */
  #fill(queue: FrameQueue, nowMs: number): void {
    const { repair } = this.#parts
    while (queue.count > 0) {
      const { start, slab } = queue
      const end = start + queue.lengthBytes
      if (!this.#bundle.addFrame(slab, start, end)) return
      this.#hasMedia = true
      repair.keep(RANK_AUDIO, slab, start, end)
      this.#audioSentMs = nowMs
      repair.onAudio(queue.streamId, slab, start, end, nowMs)
      this.classBytes[queue.trunkClass]! += queue.lengthBytes
      this.audioBytes += queue.lengthBytes
      queue.pop()
    }
  }

  /**
   * @hot As many frames of video as fit, or as a thin link carries in the time that audio may wait.
   */
  #fillVideo(queue: FrameQueue): void {
    const { repair } = this.#parts
    const bundle = this.#bundle
    const limit = this.datagramBytes
    while (queue.count > 0) {
      const { start, slab } = queue
      const end = start + queue.lengthBytes
      const isLonger = bundle.end + queue.lengthBytes > limit
      if ((isLonger && this.#hasMedia) || !bundle.addFrame(slab, start, end)) return
      this.#hasMedia = true
      repair.keep(queue.trunkClass < ENHANCEMENT_CLASS ? RANK_BASE : RANK_OTHER, slab, start, end)
      this.classBytes[queue.trunkClass]! += queue.lengthBytes
      queue.pop()
    }
  }

  /** @hot Answers to the far end's requests, before what is new. */
  #fillResends(): void {
    const { resends } = this.#parts.repair
    while (resends.count > 0) {
      const { start } = resends
      if (!this.#bundle.addFrame(resends.slab, start, start + resends.lengthBytes)) return
      this.classBytes[CONTROL_CLASS]! += resends.lengthBytes
      resends.pop()
    }
  }

  /** @hot */
  #send(nowMs: number): number {
    const { outlet, estimator, control, repair } = this.#parts
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
    repair.onSent(index, bundle.bytes, bundle.end, nowMs)
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
      if (this.#pacer.debtMs > PROBE_DEBT_MS) return
      const before = this.sentBytes
      // What waits is as good as padding.
      if (!this.#hasVideo || !this.#next(nowMs, true)) this.#padProbe(bytes, nowMs)
      bytes -= this.sentBytes - before
    }
  }

  /** Below everything that waits. */
  #saturate(nowMs: number): void {
    for (let i = 0; i < TURN_MAX && this.#pacer.isOpen && !this.#hasVideo; i++) {
      this.#pad(this.datagramBytes, nowMs)
    }
  }

  #padProbe(bytes: number, nowMs: number): void {
    const most = this.mtu.datagramBytes + TRUNK_IP_UDP_BYTES
    const wireBytes = Math.min(most, Math.max(PROBE_BYTES_MIN, bytes))
    this.#pad(Math.floor(wireBytes) - TRUNK_IP_UDP_BYTES, nowMs)
  }

  /** Sends a datagram of padding with `datagramBytes` of UDP payload; returns its index. */
  #pad(datagramBytes: number, nowMs: number): number {
    const bundle = this.#bundle
    const { repair } = this.#parts
    bundle.begin(datagramBytes)
    repair.begin(this.sent.nextIndex, nowMs)
    repair.keepNothing()
    // Head and length take two bytes, or three.
    const most = bundle.room
    const bodyBytes = most - 2 < 0x80 ? most - 2 : most - 3
    bundle.add(KIND_PADDING, this.#padding, 0, Math.max(1, bodyBytes))
    return this.#send(nowMs)
  }
}
