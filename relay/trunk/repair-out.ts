/**
 * What a sending end does about losses: copies of audio in later datagrams, parity over datagrams,
 * and frames sent again when asked for. What of it is worth it is planned by relay/repair from what
 * the path loses.
 */
import {
  AUDIO_COPY_FRAMES,
  TRUNK_DATAGRAM_BYTES_MAX,
  TRUNK_NACK_RANGES_MAX,
  TRUNK_RESEND_QUEUE_BYTES,
  TRUNK_RTP_BYTES,
} from '../../config/limits.ts'
import { writeUint16 } from '../../core/media/rtp/index.ts'
import {
  AudioCopies,
  LossMeter,
  PARITY_OVERHEAD_BYTES_MAX,
  ParityEncoder,
  type RepairFacts,
  type RepairPlan,
  RepairPlanner,
  SentFrames,
} from '../repair/index.ts'
import {
  FRAME_HOLD,
  FRAME_PADDING,
  FRAME_PARITY,
  FRAME_RESENT,
  frameBytes,
  frameKind,
  RangeReader,
  type WireReader,
  writeFrameHead,
  writeVarint,
} from '../wire/index.ts'
import type { Bundle } from './bundle.ts'
import { FrameQueue } from './frame-queue.ts'

/** Ranks of frames: what is sent again first, and in which plan. */
export const RANK_AUDIO = 0
export const RANK_BASE = 1
export const RANK_OTHER = 2
const RANK_NOTHING = 3

const KIND_PARITY = frameKind(FRAME_PARITY, 0)
const KIND_HOLD = frameKind(FRAME_HOLD, 0)
const KIND_RESENT_PART = frameKind(FRAME_RESENT, 0)
const KIND_RESENT_WHOLE = frameKind(FRAME_RESENT, 1)
const HOLD_REPEAT_MS = 2_000
const HOLD_SOON_MS = 200
const FRAME_MS = 20
/** Answers wait behind audio; older than this they are of no use. */
const CONTROL_CLASS = 2
const NOTHING = Uint8Array.of(frameKind(FRAME_PADDING, 0))
const HEAD_BYTES_MAX = 12

/** One per end. */
export class RepairOut {
  readonly meter = new LossMeter()
  readonly #planner = new RepairPlanner()
  readonly #copies = new AudioCopies()
  /** Apart, for a parity frame is as long as the longest that it covers. */
  #baseParity: ParityEncoder | undefined
  #audioParity: ParityEncoder | undefined
  #sent: SentFrames | undefined
  readonly #ranges = new RangeReader()
  readonly #scratch = new Uint8Array(TRUNK_DATAGRAM_BYTES_MAX + 64)
  readonly resends = new FrameQueue(TRUNK_RESEND_QUEUE_BYTES)
  #hasCopy = false
  #hasBase = false
  #hasAudio = false
  #copyCount = 0
  #bundleMs = FRAME_MS
  #holdDueMs = Number.POSITIVE_INFINITY
  #holdRepeats = 0
  #toldAudioMs = 0
  #toldVideoMs = 0
  #toldPaced = false
  /** Bytes of copies and parity since the last report. */
  copyBytes = 0
  parityBytes = 0
  resentCount = 0

  get plan(): RepairPlan {
    return this.#planner.plan
  }

  /** Copies of each audio frame, as planned: what the budget is asked for. */
  get redundancyWanted(): number {
    return this.plan.audioDistances.length
  }

  get parityRatio(): number {
    return this.plan.parityEvery === 0 ? 0 : 1 / this.plan.parityEvery
  }

  /** About once a second. */
  update(facts: RepairFacts, granted: RepairGrant, nowMs: number): void {
    const plan = this.#planner.update(facts, nowMs)
    this.#bundleMs = Math.max(granted.bundleMs, plan.audioMerge * FRAME_MS)
    const perFrame = Math.ceil(this.#bundleMs / FRAME_MS)
    const count = Math.min(plan.audioDistances.length, Math.round(granted.copies))
    this.#copyCount = count
    const distances = count === 0 ? [] : plan.audioDistances.slice(-count)
    const farthest = AUDIO_COPY_FRAMES - 1
    this.#copies.configure(distances.map((far) => Math.min(farthest, far * perFrame)))
    if (plan.parityEvery > 0) this.#baseParity ??= new ParityEncoder()
    this.#baseParity?.configure(granted.isMoving ? plan.parityEvery : 0, plan.parityWindow)
    if (plan.isParityForAudio) this.#audioParity ??= new ParityEncoder()
    this.#audioParity?.configure(plan.isParityForAudio ? plan.parityEvery : 0, plan.parityWindow)
    const isPaced = granted.isMoving && plan.isVideoPaced
    this.#tellHolds({ isPaced, queueMs: granted.queueMs }, nowMs)
  }

  /** How long audio may wait for company, beside what the next packet takes. */
  get bundleMs(): number {
    return this.#bundleMs
  }

  /** Room to be left in a datagram that parity shall cover. */
  get reservedBytes(): number {
    return this.plan.parityEvery === 0 ? 0 : PARITY_OVERHEAD_BYTES_MAX + 3
  }

  deadlineMs(nowMs: number): number {
    if (this.#hasCopy || this.#dueParity(nowMs) !== undefined) return nowMs
    const baseMs = this.#baseParity?.nextDeadlineMs() ?? Number.POSITIVE_INFINITY
    const audioMs = this.#audioParity?.nextDeadlineMs() ?? Number.POSITIVE_INFINITY
    return Math.min(baseMs, audioMs, this.#copies.nextDeadlineMs(), this.#holdDueMs)
  }

  /** @hot A frame of audio leaves: its copies follow. */
  onAudio(streamId: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    if (this.#copyCount === 0) return
    // The stream is silent only when the next bundle does not come.
    const bundledMs = nowMs + this.#bundleMs - FRAME_MS
    this.#copies.store(streamId, bytes, start, end, FRAME_MS, bundledMs)
  }

  forget(streamId: number): void {
    this.#copies.forget(streamId)
  }

  /** @hot Copies that are due, as many as fit. */
  addCopies(bundle: Bundle, nowMs: number): void {
    const copies = this.#copies
    while (this.#hasCopy || copies.take(nowMs)) {
      this.#hasCopy = !bundle.addFrame(copies.bytes, copies.start, copies.end)
      if (this.#hasCopy) return
      this.copyBytes += copies.end - copies.start
    }
  }

  /** @hot A datagram begins: what goes into it is kept under its index. */
  begin(index: number, nowMs: number): void {
    this.#sent ??= new SentFrames()
    this.#sent.begin(index, nowMs)
    this.#hasBase = false
    this.#hasAudio = false
  }

  /** @hot A frame of media in it. */
  keep(rank: number, bytes: Uint8Array, start: number, end: number): void {
    this.#sent?.add(rank, bytes, start, end)
    if (rank === RANK_BASE) this.#hasBase = true
    else if (rank === RANK_AUDIO) this.#hasAudio = true
  }

  /** It carries nothing that would be sent again: say so when it is asked for. */
  keepNothing(): void {
    this.#sent?.add(RANK_NOTHING, NOTHING, 0, 1)
  }

  /** @hot The datagram as it left; RTP header first. */
  onSent(index: number, bytes: Uint8Array, end: number, nowMs: number): void {
    if (this.#hasBase) this.#baseParity?.protect(index, bytes, TRUNK_RTP_BYTES, end, nowMs)
    else if (this.#hasAudio) this.#audioParity?.protect(index, bytes, TRUNK_RTP_BYTES, end, nowMs)
  }

  /** Puts a parity frame that is due into an empty bundle; false when none is. */
  addParity(bundle: Bundle, nowMs: number): boolean {
    const parity = this.#dueParity(nowMs)
    if (parity === undefined) return false
    const isTooLong = parity.bodyBytesMax() > this.#scratch.length
    const end = isTooLong ? 0 : parity.write(this.#scratch, 0)
    if (isTooLong) parity.configure(0, 0)
    this.parityBytes += end
    return end > 0 && bundle.add(KIND_PARITY, this.#scratch, 0, end)
  }

  /** @hot */
  #dueParity(nowMs: number): ParityEncoder | undefined {
    if (this.#audioParity?.isDue(nowMs)) return this.#audioParity
    return this.#baseParity?.isDue(nowMs) ? this.#baseParity : undefined
  }

  /** Audio goes in datagrams without video, which a parity of their own covers. */
  get isAudioApart(): boolean {
    return this.plan.isParityForAudio
  }

  /** Tells the far end how long to hold frames, when that is due. */
  addHolds(bundle: Bundle, nowMs: number): void {
    if (nowMs < this.#holdDueMs) return
    let end = writeVarint(this.#scratch, 0, this.#toldAudioMs)
    end = writeVarint(this.#scratch, end, this.#toldVideoMs)
    this.#scratch[end++] = this.#toldPaced ? 1 : 0
    if (!bundle.add(KIND_HOLD, this.#scratch, 0, end)) return
    this.#holdRepeats += 1
    this.#holdDueMs = nowMs + (this.#holdRepeats < 3 ? HOLD_SOON_MS : HOLD_REPEAT_MS)
  }

  /** Body of a NACK; what can be sent again goes to the queue. False when it is malformed. */
  onNack(reader: WireReader, { newestIndex, rttMs, roomBytes, nowMs }: NackContext): boolean {
    const ranges = this.#ranges
    ranges.begin()
    let count = 0
    while (ranges.next(reader, newestIndex)) {
      const last = Math.min(ranges.last, ranges.first + TRUNK_NACK_RANGES_MAX)
      for (let index = ranges.first; index <= last; index++) {
        if (count++ >= TRUNK_NACK_RANGES_MAX) return true
        this.#answer(index, { rttMs, roomBytes, nowMs })
      }
    }
    return !reader.failed
  }

  /** Frames of one datagram, as many to an answer as fit. */
  #answer(index: number, { rttMs, roomBytes, nowMs }: Omit<NackContext, 'newestIndex'>): void {
    const sent = this.#sent
    const found = sent?.find(index, nowMs, rttMs) ?? 0
    if (sent === undefined || found === 0) return
    const isAll = this.plan.nack === 'all'
    const most = Math.min(roomBytes - HEAD_BYTES_MAX, this.#scratch.length - HEAD_BYTES_MAX)
    let isWhole = true
    let end = 0
    for (let place = 0; place < found; place++) {
      sent.frame(place)
      if (sent.rank === RANK_NOTHING) continue
      if (!isAll && sent.rank !== RANK_BASE) {
        isWhole = false
        continue
      }
      const bodyBytes = sent.end - sent.start - 1
      if (end + frameBytes(bodyBytes) > most) {
        this.#queueAnswer({ index, isWhole: false, end, nowMs })
        end = 0
        if (frameBytes(bodyBytes) > most) {
          isWhole = false
          continue
        }
      }
      const at = writeFrameHead(this.#scratch, end, sent.bytes[sent.start]!, bodyBytes)
      for (let i = 0; i < bodyBytes; i++) this.#scratch[at + i] = sent.bytes[sent.start + 1 + i]!
      end = at + bodyBytes
    }
    if (end > 0 || isWhole) this.#queueAnswer({ index, isWhole, end, nowMs })
  }

  #queueAnswer(answer: { index: number; isWhole: boolean; end: number; nowMs: number }): void {
    const { index, isWhole, end, nowMs } = answer
    const at = this.resends.reserve(HEAD_BYTES_MAX + end)
    if (at < 0) return
    const { slab } = this.resends
    slab[at] = isWhole ? KIND_RESENT_WHOLE : KIND_RESENT_PART
    let to = writeUint16(slab, at + 1, index % 0x1_0000)
    for (let i = 0; i < end; i++) slab[to++] = this.#scratch[i]!
    this.resends.commit(to - at, CONTROL_CLASS, nowMs)
    this.resentCount += 1
  }

  #tellHolds({ isPaced, queueMs }: { isPaced: boolean; queueMs: number }, nowMs: number): void {
    const { plan } = this
    const longerMs = Math.max(0, this.#bundleMs - plan.audioMerge * FRAME_MS)
    const mergedMs = longerMs * (1 + (plan.audioDistances.at(-1) ?? 0))
    const repairMs = plan.audioHoldMs + mergedMs
    const audioMs = repairMs === 0 ? 0 : Math.round(repairMs + queueMs)
    const videoMs = Math.round(plan.videoHoldMs)
    const isSame =
      audioMs === this.#toldAudioMs && videoMs === this.#toldVideoMs && isPaced === this.#toldPaced
    if (isSame) return
    this.#toldAudioMs = audioMs
    this.#toldVideoMs = videoMs
    this.#toldPaced = isPaced
    this.#holdRepeats = 0
    this.#holdDueMs = nowMs
  }
}

/** What the budget grants. */
export type RepairGrant = {
  /** Of each audio frame. */
  copies: number
  bundleMs: number
  /** Video moves: pictures now and then have the time to be asked for again. */
  isMoving: boolean
  /** How long audio may wait in the link's queue: a hold for repair must bear that too. */
  queueMs: number
}

export type NackContext = {
  /** Index sent last. */
  newestIndex: number
  rttMs: number
  /** Bytes of frames that a datagram takes. */
  roomBytes: number
  nowMs: number
}
