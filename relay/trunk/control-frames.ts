/**
 * What the ends tell each other beside media: feedback, wants and their acknowledgements, keyframe
 * requests, facts of layers, levels. Rides with media where it can; each part says when it has to
 * go alone.
 */
import {
  FRAME_DEMAND,
  FRAME_FEEDBACK,
  FRAME_KEYFRAME,
  FRAME_KNOWN,
  FRAME_LEVELS,
  FRAME_NACK,
  FRAME_PADDING,
  FRAME_STATUS,
  frameKind,
  PAIR_BYTES_MAX,
  STATUS_BYTES_MAX,
  writePair,
  writeVarint,
} from '../wire/index.ts'
import type { ArrivalLog } from './arrival-log.ts'
import type { Bundle } from './bundle.ts'
import type { WantsIn, WantsOut } from './demand.ts'
import type { KeyframeAsks } from './keyframe-asks.ts'
import type { OutgoingStreams } from './outgoing-streams.ts'
import type { RepairIn } from './repair-in.ts'

const KIND_FEEDBACK = frameKind(FRAME_FEEDBACK, 0)
const KIND_DEMAND = frameKind(FRAME_DEMAND, 0)
const KIND_KNOWN = frameKind(FRAME_KNOWN, 0)
const KIND_KEYFRAME = frameKind(FRAME_KEYFRAME, 0)
const KIND_NACK = frameKind(FRAME_NACK, 0)
const KIND_STATUS = frameKind(FRAME_STATUS, 0)
const KIND_LEVELS = frameKind(FRAME_LEVELS, 0)
const KIND_PADDING = frameKind(FRAME_PADDING, 0)

/** Largest body of a control frame. */
const BODY_BYTES_MAX = 1_024
/** Head with a length of two bytes. */
const HEAD_BYTES = 3
const FEEDBACK_BYTES_MIN = 40
const FEEDBACK_BYTES_MAX = 400
const LEVELS_MS = 250
/** Levels of one frame: the loudest speakers are few. */
const LEVELS_MAX = 32
/** Nothing sent for so long: say that we are there. */
const PING_MS = 1_000

export type ControlParts = {
  arrivals: ArrivalLog
  wantsOut: WantsOut
  wantsIn: WantsIn
  asks: KeyframeAsks
  streams: OutgoingStreams
  repairIn: RepairIn
}

/** One per end. */
export class ControlFrames {
  readonly #parts: ControlParts
  readonly #body = new Uint8Array(BODY_BYTES_MAX + 64)
  #hasStatuses = false
  #levelsMs = Number.NEGATIVE_INFINITY
  #sentMs: number
  rttMs = 100

  constructor(parts: ControlParts, nowMs: number) {
    this.#parts = parts
    this.#sentMs = nowMs - PING_MS
  }

  /** Now and then: looks for facts that should be told. */
  look(nowMs: number): void {
    const { streams } = this.#parts
    this.#hasStatuses = false
    for (const stream of streams.all) {
      for (const layer of stream.layers) {
        if (layer.isStatusDue(nowMs)) this.#hasStatuses = true
      }
    }
  }

  /** When something has to go, alone if need be. */
  deadlineMs(): number {
    const { arrivals, wantsOut, wantsIn, asks, repairIn } = this.#parts
    if (wantsIn.isAckDue || this.#hasStatuses) return Number.NEGATIVE_INFINITY
    const nackMs = repairIn.nack.nextDeadlineMs()
    const listMs = Math.min(wantsOut.deadlineMs(), asks.deadlineMs(), nackMs)
    return Math.min(arrivals.deadlineMs(), listMs, this.#sentMs + PING_MS)
  }

  /** Puts in what is due, or worth taking along. */
  write(bundle: Bundle, nowMs: number): void {
    const { arrivals, wantsOut, wantsIn, asks, repairIn } = this.#parts
    const isFeedbackDue = arrivals.deadlineMs() <= nowMs || arrivals.isWorthTelling(nowMs)
    if (isFeedbackDue && bundle.room >= FEEDBACK_BYTES_MIN + HEAD_BYTES)
      this.#feedback(bundle, nowMs)
    const { rttMs } = this
    if (wantsIn.isAckDue) this.#known(bundle)
    if (wantsOut.deadlineMs() <= nowMs) {
      const limits = { bytesMax: this.#room(bundle), rttMs, nowMs }
      this.#add(bundle, KIND_DEMAND, wantsOut.write(this.#body, 0, limits))
    }
    if (asks.deadlineMs() <= nowMs) {
      const limits = { bytesMax: this.#room(bundle), rttMs, nowMs }
      this.#add(bundle, KIND_KEYFRAME, asks.write(this.#body, 0, limits))
    }
    if (repairIn.nack.nextDeadlineMs() <= nowMs) {
      const nackEnd = repairIn.writeNack(this.#body, 0, this.#room(bundle), nowMs)
      this.#add(bundle, KIND_NACK, nackEnd)
    }
    if (this.#hasStatuses) this.#statuses(bundle, nowMs)
    if (nowMs - this.#levelsMs >= LEVELS_MS) this.#levels(bundle, nowMs)
    if (bundle.isEmpty && nowMs - this.#sentMs >= PING_MS) this.#add(bundle, KIND_PADDING, 1)
  }

  /** Any datagram left. */
  onSent(nowMs: number): void {
    this.#sentMs = nowMs
  }

  #room(bundle: Bundle): number {
    return Math.min(BODY_BYTES_MAX, bundle.room - HEAD_BYTES)
  }

  #add(bundle: Bundle, kind: number, end: number): void {
    if (end > 0) bundle.add(kind, this.#body, 0, end)
  }

  #feedback(bundle: Bundle, nowMs: number): void {
    const bytesMax = Math.min(FEEDBACK_BYTES_MAX, bundle.room - HEAD_BYTES)
    const end = this.#parts.arrivals.write(this.#body, 0, bytesMax, nowMs)
    this.#add(bundle, KIND_FEEDBACK, end)
  }

  #known(bundle: Bundle): void {
    const { wantsIn } = this.#parts
    const end = writeVarint(this.#body, 0, wantsIn.version)
    if (bundle.add(KIND_KNOWN, this.#body, 0, end)) wantsIn.isAckDue = false
  }

  #statuses(bundle: Bundle, nowMs: number): void {
    for (const stream of this.#parts.streams.all) {
      for (const layer of stream.layers) {
        if (!layer.isStatusDue(nowMs)) continue
        if (bundle.room < STATUS_BYTES_MAX + HEAD_BYTES) return
        this.#add(bundle, KIND_STATUS, layer.writeStatus(this.#body, 0, nowMs))
      }
    }
    this.#hasStatuses = false
  }

  #levels(bundle: Bundle, nowMs: number): void {
    this.#levelsMs = nowMs
    if (bundle.room < LEVELS_MAX * PAIR_BYTES_MAX + HEAD_BYTES) return
    let end = 0
    let count = 0
    for (const stream of this.#parts.streams.all) {
      if (stream.spec.kind !== 'audio' || !stream.hasLevelMoved || count === LEVELS_MAX) continue
      end = writePair(this.#body, end, stream.spec.streamId, stream.levelDbov)
      stream.levelTold = stream.levelDbov
      count += 1
    }
    this.#add(bundle, KIND_LEVELS, end)
  }
}
