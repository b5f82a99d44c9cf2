/**
 * One publication in the trunk thread: where its packets come from, and who takes them. Keeps the union of what is
 * wanted and told; the router (router.ts) finds routes and moves frames.
 */
import { LAYERS_PER_PUBLICATION_MAX, ROUTE_KEYFRAME_MS } from '../../config/limits.ts'
import type { MediaKind } from '../../core/media/control.ts'
import { type CacheAllowance, HandoffCache } from '../../core/media/engine/index.ts'
import type { TrunkEnd } from '../trunk/contract.ts'
import type { WorkerDoor } from './contract.ts'

const LAYERS_MASK = (1 << LAYERS_PER_PUBLICATION_MAX) - 1
/** What a publication says of its loudness before its first status, and a silent one. */
const SILENT_DBOV = 127

/** One trunk as the router knows it. */
export class TrunkSide {
  readonly trunkId: number
  readonly end: TrunkEnd
  /** Routes that this trunk is a sink of, and the source of, by the sending end's streamId. */
  readonly outgoing = new Map<number, Route>()
  readonly incoming = new Map<number, Route>()

  constructor(trunkId: number, end: TrunkEnd) {
    this.trunkId = trunkId
    this.end = end
  }
}

/** One that may take the packets: a trunk, or (side undefined) the media worker `peer`. */
export class Sink {
  readonly side: TrunkSide | undefined
  /** streamId on the trunk, or the publicationId. */
  readonly id: number
  readonly peer: number
  layerMask = 0
  /** Layers that it has begun to want without having had a keyframe since, and those that a cache is about to serve. */
  freshMask = 0
  replayMask = 0

  constructor(to: { side: TrunkSide; streamId: number } | { peer: number; publicationId: number }) {
    this.side = 'side' in to ? to.side : undefined
    this.id = 'side' in to ? to.streamId : to.publicationId
    this.peer = 'side' in to ? -1 : to.peer
  }
}

/** Where packets come from: a stream of a trunk, or a media worker. */
export type Source = { side: TrunkSide; streamId: number; kind: MediaKind } | { peer: number }

/** Lives as long as it has a source or a sink. */
export class Route {
  readonly publicationId: number
  source: Source | undefined
  readonly sinks: Sink[] = []
  /** Of what comes over a trunk. */
  isFlowing = false
  flowedMs = Number.NEGATIVE_INFINITY
  levelDbov = SILENT_DBOV
  /** Layers whose next keyframe somebody awaits, but that were asked for one just now. */
  pendingMask = 0
  readonly caches: HandoffCache
  readonly #workers: WorkerDoor
  readonly #askedMs = new Array<number>(LAYERS_PER_PUBLICATION_MAX).fill(Number.NEGATIVE_INFINITY)
  #toldMask = 0

  constructor(publicationId: number, workers: WorkerDoor, allowance: CacheAllowance) {
    this.publicationId = publicationId
    this.#workers = workers
    this.caches = new HandoffCache(allowance)
  }

  get isEmpty(): boolean {
    return this.source === undefined && this.sinks.length === 0
  }

  sinkOf(trunk: TrunkSide): Sink | undefined {
    return this.sinks.find(({ side }) => side === trunk)
  }

  sinkTo(worker: number): Sink | undefined {
    return this.sinks.find(({ side, peer }) => side === undefined && peer === worker)
  }

  removeSink(sink: Sink): void {
    const place = this.sinks.indexOf(sink)
    if (place < 0) return
    this.sinks.splice(place, 1)
    this.tellWants()
  }

  setSource(source: Source | undefined): void {
    this.source = source
    this.#askedMs.fill(Number.NEGATIVE_INFINITY)
    this.pendingMask = 0
    this.caches.clear(LAYERS_MASK)
    // A new one knows of nothing.
    this.#toldMask = 0
    this.tellWants()
  }

  /** The way to the source was made anew. */
  tellAgain(): void {
    this.#toldMask = 0
    this.tellWants()
  }

  setWant(sink: Sink, layerMask: number): void {
    const mask = layerMask & LAYERS_MASK
    sink.freshMask = (sink.freshMask | ~sink.layerMask) & mask
    sink.layerMask = mask
    this.tellWants()
  }

  /** Tells the source what all sinks together want, when that has changed. */
  tellWants(): void {
    const { source } = this
    if (source === undefined) return
    let mask = 0
    // Never back to where it comes from.
    for (const sink of this.sinks) if (!isBack(source, sink)) mask |= sink.layerMask
    if (mask === this.#toldMask) return
    this.caches.clear(~mask)
    this.#toldMask = mask
    if ('side' in source) source.side.end.want(source.streamId, mask)
    else this.#workers.want(source.peer, this.publicationId, mask)
  }

  /** When a keyframe of this layer may be asked for again. */
  keyframeDueMs(layer: number): number {
    return (this.#askedMs[layer] ?? Number.POSITIVE_INFINITY) + ROUTE_KEYFRAME_MS
  }

  askKeyframe(layer: number, nowMs: number): void {
    const { source } = this
    if (source === undefined || layer >= LAYERS_PER_PUBLICATION_MAX) return
    this.#askedMs[layer] = nowMs
    this.pendingMask &= ~(1 << layer)
    if ('side' in source) source.side.end.requestKeyframe(source.streamId, layer)
    else this.#workers.keyframe(source.peer, this.publicationId, layer)
  }
}

/** @hot Split horizon: what comes from there does not go there. */
export function isBack(source: Source, sink: Sink): boolean {
  return 'side' in source
    ? source.side === sink.side
    : sink.side === undefined && source.peer === sink.peer
}
