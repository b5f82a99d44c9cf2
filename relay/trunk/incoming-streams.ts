/**
 * The streams that the far end may send to us, as announced on the control flow. What is of no
 * announced stream, or of a layer that we do not want, is dropped and counted, and memory is taken
 * for wanted layers alone: an upstream that lies cannot make us grow.
 */
import { TRUNK_STREAMS_MAX } from '../../config/limits.ts'
import { setHandoffLate } from '../../core/media/engine/index.ts'
import type { ReleaseOutlet } from '../repair/index.ts'
import type { MediaFrame } from '../wire/index.ts'
import type { TrunkOutlet, TrunkStreamSpec } from './contract.ts'
import { IncomingLayer } from './incoming-layer.ts'
import type { RepairIn } from './repair-in.ts'

const LEVEL_SILENT_DBOV = 127

/** One announced stream. */
export class IncomingStream {
  readonly spec: TrunkStreamSpec
  readonly layers: IncomingLayer[] = []
  levelDbov = LEVEL_SILENT_DBOV

  constructor(spec: TrunkStreamSpec, surroundings: { epochBase: number; outlet: ReleaseOutlet }) {
    this.spec = spec
    for (let layer = 0; layer < spec.layerCount; layer++) {
      this.layers.push(new IncomingLayer(spec, layer, surroundings))
    }
  }
}

/** One per end. */
export class IncomingStreams {
  readonly #streams = new Map<number, IncomingStream>()
  /** Layers that are wanted. */
  readonly #open: IncomingLayer[] = []
  readonly #outlet: TrunkOutlet
  readonly #repair: RepairIn
  readonly #epochBase: number
  /** Frames of streams or layers that nobody announced, or nobody wants. */
  unknownCount = 0
  /** Frames handed on. */
  frameCount = 0

  /** `epochBase`: differs from end to end, so that a new trunk is a new source to the engine. */
  constructor(options: { epochBase: number; outlet: TrunkOutlet; repair: RepairIn }) {
    this.#epochBase = options.epochBase
    this.#outlet = options.outlet
    this.#repair = options.repair
  }

  /** False when it is one too many. Idempotent. */
  expect(spec: TrunkStreamSpec): boolean {
    if (this.#streams.has(spec.streamId)) return true
    if (this.#streams.size >= TRUNK_STREAMS_MAX) return false
    const { streamId } = spec
    const outlet: ReleaseOutlet = {
      released: (bytes, start, end, isLate) => {
        if (isLate) setHandoffLate(bytes, start)
        this.frameCount += 1
        this.#outlet.frame(streamId, bytes, start, end)
      },
    }
    this.#streams.set(streamId, new IncomingStream(spec, { epochBase: this.#epochBase, outlet }))
    return true
  }

  unexpect(streamId: number): void {
    this.want(streamId, 0)
    this.#streams.delete(streamId)
  }

  get(streamId: number): IncomingStream | undefined {
    return this.#streams.get(streamId)
  }

  /** Which layers are taken from now on. */
  want(streamId: number, layerMask: number): void {
    const layers = this.#streams.get(streamId)?.layers ?? []
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[i]!
      const isWanted = (layerMask & (1 << i)) !== 0
      if (isWanted === layer.isOpen) continue
      if (isWanted) {
        layer.open()
        this.#open.push(layer)
        this.#configure(layer)
      } else {
        layer.close()
        this.#open.splice(this.#open.indexOf(layer), 1)
      }
    }
  }

  /** The far end's repair takes longer or shorter. */
  configure(): void {
    for (const layer of this.#open) this.#configure(layer)
  }

  /** @hot The layer of a frame; undefined (counted) when nobody wants it. */
  layerOf(frame: MediaFrame): IncomingLayer | undefined {
    const layer = this.#streams.get(frame.streamId)?.layers[frame.layer]
    if (layer?.isOpen) return layer
    this.unknownCount += 1
    return undefined
  }

  /** @hot Hands out what may go now. */
  release(nowMs: number): void {
    const { settledIndex } = this.#repair.nack
    for (let i = 0; i < this.#open.length; i++) this.#open[i]!.release(nowMs, settledIndex)
  }

  /** @hot */
  deadlineMs(): number {
    let dueMs = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.#open.length; i++) {
      const layerMs = this.#open[i]!.deadlineMs()
      if (layerMs < dueMs) dueMs = layerMs
    }
    return dueMs
  }

  /** Numbers that never came, since this was last asked. */
  takeSkipped(): number {
    let count = 0
    for (const layer of this.#open) count += layer.takeSkipped()
    return count
  }

  #configure(layer: IncomingLayer): void {
    const { audioHoldMs, videoHoldMs, isVideoPaced } = this.#repair
    if (layer.facts.kind === 'audio') layer.configure(audioHoldMs, true)
    else layer.configure(videoHoldMs, isVideoPaced)
  }
}
