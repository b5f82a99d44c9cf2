/**
 * The streams that the far end may send to us, as announced on the control flow. What is of no announced stream is dropped and
 * counted, so an upstream that lies cannot make us grow.
 */
import { TRUNK_STREAMS_MAX } from '../../config/limits.ts'
import type { MediaFrame } from '../wire/index.ts'
import type { TrunkStreamSpec } from './contract.ts'
import { IncomingLayer } from './incoming-layer.ts'

const LEVEL_SILENT_DBOV = 127

/** One announced stream. */
export class IncomingStream {
  readonly spec: TrunkStreamSpec
  readonly layers: IncomingLayer[] = []
  levelDbov = LEVEL_SILENT_DBOV

  constructor(spec: TrunkStreamSpec, epochBase: number) {
    this.spec = spec
    for (let i = 0; i < spec.layerCount; i++)
      this.layers.push(new IncomingLayer(spec, i, epochBase))
  }
}

/** One per end. */
export class IncomingStreams {
  readonly #streams = new Map<number, IncomingStream>()
  readonly #epochBase: number
  /** Frames of streams or layers that nobody announced. */
  unknownCount = 0

  /** `epochBase`: differs from end to end, so that a new trunk is a new source to the engine. */
  constructor(epochBase: number) {
    this.#epochBase = epochBase
  }

  /** False when it is one too many. Idempotent. */
  expect(spec: TrunkStreamSpec): boolean {
    if (this.#streams.has(spec.streamId)) return true
    if (this.#streams.size >= TRUNK_STREAMS_MAX) return false
    this.#streams.set(spec.streamId, new IncomingStream(spec, this.#epochBase))
    return true
  }

  unexpect(streamId: number): void {
    this.#streams.delete(streamId)
  }

  get(streamId: number): IncomingStream | undefined {
    return this.#streams.get(streamId)
  }

  /** @hot The layer of a frame; undefined (counted) when it is unknown. */
  layerOf(frame: MediaFrame): IncomingLayer | undefined {
    const layer = this.#streams.get(frame.streamId)?.layers[frame.layer]
    if (layer === undefined) this.unknownCount += 1
    return layer
  }
}
