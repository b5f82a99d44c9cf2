/**
 * One stream that the far end may want: its layers, what the budget knows of it and answers, and
 * what our own engine was told.
 */
import type { MediaPacket } from '../../core/media/rtp/index.ts'
import { createTrunkStream, type TrunkStream, trunkClassOf } from '../budget/index.ts'
import {
  type StreamPlace,
  TRUNK_CLASSES,
  type TrunkOutlet,
  type TrunkStreamReport,
  type TrunkStreamSpec,
} from './contract.ts'
import { OutgoingLayer } from './outgoing-layer.ts'

const LEVEL_SILENT_DBOV = 127
/** A keyframe that does not come is asked for again so often; the engine throttles further. */
const KEYFRAME_REPEAT_MS = 500
/** Weight of one packet in what is known of a publisher's redundancy. */
const STRIPPED_SMOOTHING = 0.05
/** Levels closer than this need no telling, dB. */
const LEVEL_STEP_DB = 3

/** Owned by the sending side of an end. */
export class OutgoingStream {
  readonly spec: TrunkStreamSpec
  readonly budgeted: TrunkStream
  readonly layers: OutgoingLayer[] = []
  levelDbov = LEVEL_SILENT_DBOV
  levelTold = LEVEL_SILENT_DBOV
  /** Since the last report. */
  sentBytes = 0
  /** What is left of the measured rate when a publisher's own redundancy is taken off, 0..1. */
  plainRatio = 1
  readonly #outlet: TrunkOutlet
  #askedMask = 0
  readonly #askedMs: number[] = []

  constructor(
    spec: TrunkStreamSpec,
    options: { run: number; outlet: TrunkOutlet; randomUint32: () => number },
  ) {
    this.spec = spec
    this.#outlet = options.outlet
    const { streamId, kind, use, layerCount } = spec
    this.budgeted = createTrunkStream({ streamId, kind, use, layerCount })
    for (let layer = 0; layer < layerCount; layer++) {
      this.layers.push(new OutgoingLayer(spec, { ...options, layer }))
      this.#askedMs.push(Number.NEGATIVE_INFINITY)
    }
  }

  setPlace({ place, emergency, room }: StreamPlace): void {
    this.budgeted.place = place
    this.budgeted.emergency = emergency
    this.budgeted.room = room
  }

  /** @hot A packet with redundancy became a plain one. */
  onStripped(plainBytes: number, redBytes: number): void {
    this.plainRatio += (plainBytes / redBytes - this.plainRatio) * STRIPPED_SMOOTHING
  }

  /** The facts of the layers, for the budget. */
  refreshFacts(): void {
    const { budgeted } = this
    for (let i = 0; i < this.layers.length; i++) {
      const { source } = this.layers[i]!
      const offer = budgeted.layers[i]!
      offer.bitrateBps = source.rate.bitrateBps
      offer.temporalMax = source.rate.temporalMax
      offer.temporalShare = source.rate.temporalShare
      if (source.heightPx > 0) offer.heightPx = source.heightPx
    }
    budgeted.keyframeBytes = this.layers[0]!.keyframeBytes
  }

  /**
   * Carries out what the budget answered, and tells our engine what is needed; keyframes only when
   * they may be asked for now.
   */
  apply(nowMs: number, mayAsk: boolean): void {
    const { budgeted } = this
    const keyframesOnly = budgeted.mode === 'keyframes'
    const mask = budgeted.mode === 'off' ? 0 : budgeted.sentMask
    if (mask !== this.#askedMask) {
      this.#askedMask = mask
      this.#outlet.wanted(this.spec.streamId, mask)
    }
    for (let i = 0; i < this.layers.length; i++) {
      const layer = this.layers[i]!
      const isOpen = (mask & (1 << i)) !== 0
      const { temporal } = budgeted
      const isWaiting = layer.set({ isOpen, temporal, keyframesOnly }, nowMs)
      const isDue = keyframesOnly && isOpen && this.#isPictureDue(layer, nowMs)
      if (mayAsk && (isWaiting || isDue)) this.askKeyframe(i, nowMs)
      layer.advertise(i <= budgeted.ceiling)
    }
  }

  #isPictureDue(layer: OutgoingLayer, nowMs: number): boolean {
    return nowMs - layer.lastKeyframeMs >= this.budgeted.keyframeIntervalMs
  }

  /** Throttled. */
  askKeyframe(layer: number, nowMs: number): void {
    const askedMs = this.#askedMs[layer]
    if (askedMs === undefined || nowMs - askedMs < KEYFRAME_REPEAT_MS) return
    this.#askedMs[layer] = nowMs
    this.#outlet.keyframeWanted(this.spec.streamId, layer)
  }

  /** The far end asks for a keyframe of a layer: for the one that crosses, if another was meant. */
  onKeyframeWanted(layer: number, nowMs: number): void {
    if (this.layers[layer]?.isOpen && this.budgeted.mode === 'full') this.askKeyframe(layer, nowMs)
  }

  get hasLevelMoved(): boolean {
    return (
      Math.abs(this.levelDbov - this.levelTold) >= LEVEL_STEP_DB ||
      (this.levelDbov === LEVEL_SILENT_DBOV) !== (this.levelTold === LEVEL_SILENT_DBOV)
    )
  }

  /** @hot */
  classOf(packet: MediaPacket, layer: number): number {
    return trunkClassOf(this.budgeted, layer, packet.temporalLayer)
  }

  report(elapsedMs: number): TrunkStreamReport {
    const { budgeted } = this
    const bitrateBps = elapsedMs > 0 ? Math.round((this.sentBytes * 8_000) / elapsedMs) : 0
    this.sentBytes = 0
    return {
      streamId: this.spec.streamId,
      class: TRUNK_CLASSES[budgeted.baseClass]!,
      layerWanted: budgeted.layerWanted,
      layerSent: 31 - Math.clz32(this.#askedMask),
      temporal: Math.min(3, budgeted.temporal),
      mode: budgeted.mode,
      keyframeIntervalMs: budgeted.keyframeIntervalMs,
      bitrateBps,
      reason: budgeted.reason,
      missingBps: Math.round(budgeted.missingBps),
    }
  }

  close(): void {
    for (const layer of this.layers) layer.close()
  }
}
