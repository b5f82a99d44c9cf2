/**
 * The publications of a node that cross a trunk: each has one source (a media worker, or a stream of a trunk) and its
 * sinks (workers that import it, trunks that it is offered on). Frames are fanned out to the sinks that want their
 * layer; what sinks want goes back as one mask, and keyframe requests as one.
 */
import {
  FLOWING_SILENCE_MS,
  LAYERS_PER_PUBLICATION_MAX,
  ROUTE_CACHES_MAX,
  ROUTE_EARLY_WANTS_MAX,
  ROUTE_LEVELS_MS,
  ROUTE_REPLAY_TRUNK_BYTES_MAX,
  ROUTE_REPLAY_WORKER_BYTES_MAX,
  TRACKS_PER_NODE_MAX,
  TRUNKS_MAX,
} from '../../config/limits.ts'
import {
  CacheAllowance,
  HANDOFF_PACKET,
  HandoffFrame,
  setHandoffPublication,
} from '../../core/media/engine/index.ts'
import { DROP_CODE } from '../../core/media/rtp/index.ts'
import type { StreamPlace, TrunkEnd, TrunkStreamSpec } from '../trunk/contract.ts'
import type { RouterOptions } from './contract.ts'
import { isBack, Route, Sink, TrunkSide } from './route.ts'

const DROP_MALFORMED = DROP_CODE['handoff-malformed']
const DROP_UNKNOWN = DROP_CODE['route-unknown']
const DROP_RING_FULL = DROP_CODE['ring-full']
/** How often silence is looked for. */
const SILENCES_MS = 500

export type Offer = { spec: TrunkStreamSpec; place: StreamPlace }

/**
 * One per trunk thread; synchronous, never throws on what came from outside. Unknown trunks, publications and peers are
 * ignored: messages of the main thread, the workers and the trunks cross on the way. Bounded by TRUNKS_MAX and
 * TRACKS_PER_NODE_MAX; what is beyond is refused with false.
 */
export class Router {
  readonly #options: RouterOptions
  readonly #routes = new Map<number, Route>()
  readonly #trunks = new Map<number, TrunkSide>()
  /** Wants that overtook their export, by `publicationId:peer`. */
  readonly #early = new Map<string, number>()
  /** Routes whose source is a trunk, and those of them that carry audio. */
  readonly #remote = new Set<Route>()
  readonly #audio = new Set<Route>()
  /** Routes with a keyframe to be asked for later. */
  readonly #pending = new Set<Route>()
  /** Sinks that a cache shall serve, done outside of their own calls. */
  readonly #replays: { route: Route; sink: Sink; layer: number }[] = []
  readonly #allowance = new CacheAllowance(ROUTE_CACHES_MAX)
  readonly #frame = new HandoffFrame()
  #pendingMs = Number.POSITIVE_INFINITY
  #levelsMs = Number.POSITIVE_INFINITY
  #silencesMs = Number.POSITIVE_INFINITY

  constructor(options: RouterOptions) {
    this.#options = options
  }

  get routeCount(): number {
    return this.#routes.size
  }

  addTrunk(trunkId: number, end: TrunkEnd): boolean {
    if (this.#trunks.size >= TRUNKS_MAX || this.#trunks.has(trunkId)) return false
    this.#trunks.set(trunkId, new TrunkSide(trunkId, end))
    return true
  }

  /** Its streams end; publications that others still send or want stay. */
  removeTrunk(trunkId: number): void {
    const side = this.#trunks.get(trunkId)
    if (side === undefined) return
    this.#trunks.delete(trunkId)
    for (const route of side.incoming.values()) this.#setSource(route, undefined)
    for (const route of side.outgoing.values()) {
      const sink = route.sinkOf(side)
      if (sink !== undefined) route.removeSink(sink)
      this.#dropIfEmpty(route)
    }
  }

  /** The far end may want a publication; said again when its place changes. */
  offer(trunkId: number, publicationId: number, { spec, place }: Offer): boolean {
    const side = this.#trunks.get(trunkId)
    if (side === undefined) return false
    const other = side.outgoing.get(spec.streamId)
    if (other !== undefined && other.publicationId !== publicationId) return false
    const route = this.#route(publicationId)
    if (route === undefined) return false
    const known = route.sinkOf(side)
    if (known !== undefined && known.id !== spec.streamId) return false
    const sink = known ?? new Sink({ side, streamId: spec.streamId })
    if (route.source !== undefined && isBack(route.source, sink)) return false
    if (known === undefined) route.sinks.push(sink)
    side.outgoing.set(spec.streamId, route)
    side.end.offer(spec, place)
    return true
  }

  withdraw(trunkId: number, streamId: number): void {
    const side = this.#trunks.get(trunkId)
    const route = side?.outgoing.get(streamId)
    if (side === undefined || route === undefined) return
    side.outgoing.delete(streamId)
    side.end.withdraw(streamId)
    const sink = route.sinkOf(side)
    if (sink !== undefined) route.removeSink(sink)
    this.#dropIfEmpty(route)
  }

  /** A stream of the far end becomes the source of a publication here, in the place of what was it before. */
  expect(trunkId: number, publicationId: number, spec: TrunkStreamSpec): boolean {
    const side = this.#trunks.get(trunkId)
    const { streamId, kind } = spec
    if (side === undefined) return false
    const other = side.incoming.get(streamId)
    if (other !== undefined && other.publicationId !== publicationId) return false
    const route = this.#route(publicationId)
    if (route === undefined) return false
    side.end.expect(spec)
    if (other === undefined) this.#setSource(route, { side, streamId, kind })
    return true
  }

  unexpect(trunkId: number, streamId: number): void {
    const side = this.#trunks.get(trunkId)
    const route = side?.incoming.get(streamId)
    if (side === undefined || route === undefined) return
    side.end.unexpect(streamId)
    this.#setSource(route, undefined)
  }

  /** A media worker receives this publication. */
  import(publicationId: number, peer: number): boolean {
    const route = this.#route(publicationId)
    if (route !== undefined) this.#setSource(route, { peer })
    return route !== undefined
  }

  /** It does so no more, or it ended. */
  forget(publicationId: number): void {
    const route = this.#routes.get(publicationId)
    if (route?.source !== undefined && 'peer' in route.source) this.#setSource(route, undefined)
  }

  /** A media worker may want this publication. */
  export(publicationId: number, peer: number): boolean {
    const route = this.#route(publicationId)
    if (route === undefined) return false
    if (route.sinkTo(peer) !== undefined) return true
    const sink = new Sink({ peer, publicationId })
    route.sinks.push(sink)
    const key = `${publicationId}:${peer}`
    const early = this.#early.get(key)
    this.#early.delete(key)
    if (early !== undefined) route.setWant(sink, early)
    return true
  }

  unexport(publicationId: number, peer: number): void {
    const route = this.#routes.get(publicationId)
    const sink = route?.sinkTo(peer)
    if (route === undefined || sink === undefined) return
    route.removeSink(sink)
    this.#dropIfEmpty(route)
  }

  /** There is a new way to a worker: it is told what is wanted of its publications. */
  linked(peer: number): void {
    for (const route of this.#routes.values()) {
      if (route.source !== undefined && 'peer' in route.source && route.source.peer === peer) {
        route.tellAgain()
      }
    }
  }

  /** A worker is gone: it wants nothing any more. */
  unlinked(peer: number): void {
    for (const route of this.#routes.values()) {
      const sink = route.sinkTo(peer)
      if (sink !== undefined) route.setWant(sink, 0)
    }
  }

  /** @hot One frame of a publication that worker `peer` receives; its head may be written into. */
  onWorkerFrame(peer: number, bytes: Uint8Array, end: number, nowMs: number): void {
    const frame = this.#frame
    const { drops } = this.#options
    if (!frame.read(bytes, 0, end)) {
      drops[DROP_MALFORMED]!++
      return
    }
    const route = this.#routes.get(frame.publicationId)
    const source = route?.source
    if (route === undefined || source === undefined || 'side' in source || source.peer !== peer) {
      drops[DROP_UNKNOWN]!++
      return
    }
    this.#fanOut(route, bytes, 0, end, nowMs)
  }

  /** @hot One frame of a stream of a trunk's far end; its head may be written into. */
  onTrunkFrame(
    trunkId: number,
    streamId: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
  ): void {
    const route = this.#trunks.get(trunkId)?.incoming.get(streamId)
    const { drops } = this.#options
    if (route === undefined) {
      drops[DROP_UNKNOWN]!++
      return
    }
    const frame = this.#frame
    if (!frame.read(bytes, start, end) || frame.spatialLayer >= LAYERS_PER_PUBLICATION_MAX) {
      drops[DROP_MALFORMED]!++
      return
    }
    this.#observe(route, nowMs)
    this.#fanOut(route, bytes, start, end, nowMs)
  }

  onWorkerWant(peer: number, publicationId: number, layerMask: number): void {
    const route = this.#routes.get(publicationId)
    const sink = route?.sinkTo(peer)
    if (route !== undefined && sink !== undefined) {
      route.setWant(sink, layerMask)
      return
    }
    this.#early.set(`${publicationId}:${peer}`, layerMask)
    if (this.#early.size <= ROUTE_EARLY_WANTS_MAX) return
    for (const oldest of this.#early.keys()) {
      this.#early.delete(oldest)
      return
    }
  }

  onWorkerKeyframe(peer: number, publicationId: number, layer: number, nowMs: number): void {
    const route = this.#routes.get(publicationId)
    const sink = route?.sinkTo(peer)
    if (route !== undefined && sink !== undefined) this.#keyframe({ route, sink, layer }, nowMs)
  }

  onTrunkWant(trunkId: number, streamId: number, layerMask: number): void {
    const side = this.#trunks.get(trunkId)
    const route = side?.outgoing.get(streamId)
    if (side === undefined || route === undefined) return
    const sink = route.sinkOf(side)
    if (sink !== undefined) route.setWant(sink, layerMask)
  }

  onTrunkKeyframe(trunkId: number, streamId: number, layer: number, nowMs: number): void {
    const side = this.#trunks.get(trunkId)
    const route = side?.outgoing.get(streamId)
    const sink = side && route?.sinkOf(side)
    if (route !== undefined && sink !== undefined) this.#keyframe({ route, sink, layer }, nowMs)
  }

  nextDeadlineMs(): number {
    if (this.#replays.length > 0) return 0
    return Math.min(this.#pendingMs, this.#levelsMs, this.#silencesMs)
  }

  /** Does what is due. */
  onDeadline(nowMs: number): void {
    if (this.#replays.length > 0) this.#replayPending(nowMs)
    if (this.#pendingMs <= nowMs) this.#askPending(nowMs)
    if (this.#levelsMs <= nowMs) this.#reportLevels(nowMs)
    if (this.#silencesMs <= nowMs) this.#reportSilences(nowMs)
  }

  /** @hot What `#frame` has read goes to all who want its layer; a status to all. */
  #fanOut(route: Route, bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    const { kind, spatialLayer, isKeyframe } = this.#frame
    const { sinks, source } = route
    const bit = 1 << spatialLayer
    if (kind === HANDOFF_PACKET) {
      if (isKeyframe) route.pendingMask &= ~bit
      route.caches.onFrame(spatialLayer, bytes, start, end, nowMs)
    }
    for (let at = 0; at < sinks.length; at++) {
      const sink = sinks[at]!
      if (kind === HANDOFF_PACKET && (sink.layerMask & bit) === 0) continue
      if (isBack(source!, sink)) continue
      if (kind === HANDOFF_PACKET && isKeyframe) sink.freshMask &= ~bit
      setHandoffPublication(bytes, start, sink.id)
      if (sink.side !== undefined) sink.side.end.onFrame(sink.id, bytes, start, end, nowMs)
      else if (!this.#options.workers.push(sink.peer, bytes, start, end)) {
        this.#options.drops[DROP_RING_FULL]!++
      }
    }
  }

  /** @hot What came over a trunk shows that its publisher sends, and how loud. */
  #observe(route: Route, nowMs: number): void {
    const { kind, levelDbov, isFlowing } = this.#frame
    if (kind !== HANDOFF_PACKET) route.levelDbov = levelDbov
    if (kind !== HANDOFF_PACKET && !isFlowing) return
    route.flowedMs = nowMs
    if (route.isFlowing) return
    this.#setFlowing(route, true)
    if (this.#silencesMs === Number.POSITIVE_INFINITY) this.#silencesMs = nowMs + SILENCES_MS
    if (this.#levelsMs === Number.POSITIVE_INFINITY && this.#audio.has(route)) {
      this.#levelsMs = nowMs + ROUTE_LEVELS_MS
    }
  }

  #setFlowing(route: Route, flowing: boolean): void {
    route.isFlowing = flowing
    const { publicationId } = route
    this.#options.report({ type: 'flowing', publicationId, flowing })
  }

  /** A sink waits for a keyframe: of the cache, if it has only begun to want the layer, else of the source. */
  #keyframe(ask: { route: Route; sink: Sink; layer: number }, nowMs: number): void {
    const { route, sink, layer } = ask
    if (!(layer >= 0 && layer < LAYERS_PER_PUBLICATION_MAX)) return
    const bit = 1 << layer
    if ((sink.replayMask & bit) !== 0) return
    if ((sink.freshMask & bit) === 0 || !route.caches.has(layer)) {
      this.#askSource(route, layer, nowMs)
      return
    }
    sink.replayMask |= bit
    this.#replays.push(ask)
  }

  /** Asked for now, or as soon as the last request is old enough. */
  #askSource(route: Route, layer: number, nowMs: number): void {
    const dueMs = route.keyframeDueMs(layer)
    if (dueMs <= nowMs) {
      route.askKeyframe(layer, nowMs)
      return
    }
    route.pendingMask |= 1 << layer
    this.#pending.add(route)
    this.#pendingMs = Math.min(this.#pendingMs, dueMs)
  }

  #replayPending(nowMs: number): void {
    for (const { route, sink, layer } of this.#replays.splice(0)) {
      const bit = 1 << layer
      sink.replayMask &= ~bit
      if (!route.sinks.includes(sink) || (sink.freshMask & bit) === 0) continue
      // Whatever comes of it, the next time the source is asked.
      sink.freshMask &= ~bit
      const { side, id, peer } = sink
      const bytesMax =
        side === undefined ? ROUTE_REPLAY_WORKER_BYTES_MAX : ROUTE_REPLAY_TRUNK_BYTES_MAX
      const replay = route.caches.replay({ layer, bytesMax, nowMs }, (bytes, start, end) => {
        setHandoffPublication(bytes, start, id)
        if (side !== undefined) side.end.onFrame(id, bytes, start, end, nowMs)
        else if (!this.#options.workers.push(peer, bytes, start, end)) {
          this.#options.drops[DROP_RING_FULL]!++
        }
      })
      if (replay !== 'live') this.#askSource(route, layer, nowMs)
    }
  }

  #askPending(nowMs: number): void {
    this.#pendingMs = Number.POSITIVE_INFINITY
    for (const route of this.#pending) {
      for (let layer = 0; layer < LAYERS_PER_PUBLICATION_MAX; layer++) {
        if ((route.pendingMask & (1 << layer)) === 0) continue
        const dueMs = route.keyframeDueMs(layer)
        if (dueMs <= nowMs) route.askKeyframe(layer, nowMs)
        else this.#pendingMs = Math.min(this.#pendingMs, dueMs)
      }
      if (route.pendingMask === 0) this.#pending.delete(route)
    }
  }

  #reportLevels(nowMs: number): void {
    const levels: [number, number][] = []
    for (const { isFlowing, publicationId, levelDbov } of this.#audio) {
      if (isFlowing) levels.push([publicationId, levelDbov])
    }
    if (levels.length > 0) this.#options.report({ type: 'levels', levels })
    this.#levelsMs = levels.length > 0 ? nowMs + ROUTE_LEVELS_MS : Number.POSITIVE_INFINITY
  }

  #reportSilences(nowMs: number): void {
    let isAnyFlowing = false
    for (const route of this.#remote) {
      if (!route.isFlowing) continue
      if (nowMs - route.flowedMs < FLOWING_SILENCE_MS) {
        isAnyFlowing = true
        continue
      }
      this.#setFlowing(route, false)
      if (route.source === undefined) this.#remote.delete(route)
    }
    this.#silencesMs = isAnyFlowing ? nowMs + SILENCES_MS : Number.POSITIVE_INFINITY
  }

  #setSource(route: Route, source: Route['source']): void {
    const before = route.source
    if (before !== undefined && 'side' in before) before.side.incoming.delete(before.streamId)
    // One whose way is made anew may go on flowing: silence is told when it lasts.
    if (source !== undefined || !route.isFlowing) this.#remote.delete(route)
    this.#audio.delete(route)
    if (source !== undefined && 'side' in source) {
      source.side.incoming.set(source.streamId, route)
      this.#remote.add(route)
      if (source.kind === 'audio') this.#audio.add(route)
    }
    route.setSource(source)
    this.#pending.delete(route)
    this.#dropIfEmpty(route)
  }

  #route(publicationId: number): Route | undefined {
    let route = this.#routes.get(publicationId)
    if (route === undefined && this.#routes.size < TRACKS_PER_NODE_MAX) {
      route = new Route(publicationId, this.#options.workers, this.#allowance)
      this.#routes.set(publicationId, route)
    }
    return route
  }

  #dropIfEmpty(route: Route): void {
    if (!route.isEmpty) return
    route.caches.clear(-1)
    this.#routes.delete(route.publicationId)
    this.#pending.delete(route)
    this.#remote.delete(route)
    if (route.isFlowing) this.#setFlowing(route, false)
  }
}
