/**
 * Publications that cross between workers, seen from one of them: what it exports to whom, what it imports from whom,
 * and who over there wants which layers. The main thread decides what crosses; this only carries it out.
 */
import { EARLY_WANTS_MAX } from '../../config/index.ts'
import type { ImportedPublication } from '../media/control.ts'
import { type ExportOutlet, HANDOFF_STATUS, type UpstreamRequests } from '../media/engine/index.ts'
import { DROP_CODE } from '../media/rtp/index.ts'
import type { MediaEngine } from './media-worker-engine.ts'
import { type LinkEvents, WorkerLink } from './media-worker-link.ts'
import type { LinkEnd } from './media-worker-protocol.ts'

const DROP_RING_FULL = DROP_CODE['ring-full']

/** What an imported publication's home is, and which layers were last wanted of it. */
type Import = { peer: number; layerMask: number }

/**
 * One exported publication: a packet is written once to each worker that wants any layer, a status to all: how loud
 * somebody is decides whether he is wanted.
 */
class ExportFan implements ExportOutlet {
  /** Layer masks by peer, 0 = nothing now. */
  readonly wants = new Map<number, number>()
  readonly peers = new Set<number>()
  /** Links with a mask other than 0. */
  active: WorkerLink[] = []
  /** All links that it is exported over. */
  all: WorkerLink[] = []
  readonly #drops: Uint32Array

  constructor(drops: Uint32Array) {
    this.#drops = drops
  }

  /** @hot */
  handoff(bytes: Uint8Array, start: number, end: number): void {
    const links = bytes[start] === HANDOFF_STATUS ? this.all : this.active
    for (const link of links) {
      if (!link.push(bytes, start, end)) this.#drops[DROP_RING_FULL]!++
    }
  }
}

export type CrossingOptions = {
  engine: () => MediaEngine
  nowMs: () => number
  /** The engine has had an input: drain its outputs and look at its deadline. */
  onInput: () => void
  /** By DropReason code; counted into. */
  drops: Uint32Array
}

/** All ways of one worker to the others. Unknown publications and peers are ignored. */
export class Crossing implements UpstreamRequests {
  readonly #options: CrossingOptions
  readonly #links = new Map<number, WorkerLink>()
  readonly #exports = new Map<number, ExportFan>()
  /** Wants that overtook their export (they come another way), by `publicationId:peer`. */
  readonly #early = new Map<string, number>()
  readonly #imports = new Map<number, Import>()

  constructor(options: CrossingOptions) {
    this.#options = options
  }

  link(end: LinkEnd): void {
    this.unlink(end.peer)
    this.#links.set(end.peer, new WorkerLink(end, this.#events()))
    for (const [publicationId, fan] of this.#exports) this.#applyWants(publicationId, fan)
    for (const [publicationId, { peer, layerMask }] of this.#imports) {
      // A thread that was started again knows nothing of it.
      if (peer === end.peer && layerMask !== 0) this.wantLayers(publicationId, layerMask)
    }
  }

  unlink(peer: number): void {
    this.#links.get(peer)?.close()
    this.#links.delete(peer)
    for (const [publicationId, fan] of this.#exports) {
      fan.wants.delete(peer)
      this.#applyWants(publicationId, fan)
    }
  }

  export(publicationId: number, peer: number): void {
    const fan = this.#exports.get(publicationId) ?? new ExportFan(this.#options.drops)
    this.#exports.set(publicationId, fan)
    fan.peers.add(peer)
    const key = `${publicationId}:${peer}`
    const early = this.#early.get(key)
    if (early !== undefined) fan.wants.set(peer, early)
    this.#early.delete(key)
    this.#options.engine().exportPublication(publicationId, fan)
    this.#applyWants(publicationId, fan)
  }

  unexport(publicationId: number, peer: number): void {
    const fan = this.#exports.get(publicationId)
    if (fan === undefined) return
    fan.peers.delete(peer)
    fan.wants.delete(peer)
    this.#applyWants(publicationId, fan)
    if (fan.peers.size > 0) return
    this.#exports.delete(publicationId)
    this.#options.engine().exportPublication(publicationId, undefined)
  }

  import(roomId: number, publication: ImportedPublication, peer: number): void {
    this.#imports.set(publication.publicationId, { peer, layerMask: 0 })
    this.#options.engine().command({ type: 'import', roomId, publication }, this.#options.nowMs())
  }

  forget(publicationId: number): void {
    this.#imports.delete(publicationId)
  }

  requestKeyframe(publicationId: number, layer: number): void {
    const peer = this.#imports.get(publicationId)?.peer ?? -1
    this.#links.get(peer)?.requestKeyframe(publicationId, layer)
  }

  wantLayers(publicationId: number, layerMask: number): void {
    const imported = this.#imports.get(publicationId)
    if (imported === undefined) return
    imported.layerMask = layerMask
    this.#links.get(imported.peer)?.wantLayers(publicationId, layerMask)
  }

  close(): void {
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
  }

  #onWant(peer: number, publicationId: number, layerMask: number): void {
    const fan = this.#exports.get(publicationId)
    if (fan?.peers.has(peer)) {
      fan.wants.set(peer, layerMask)
      this.#applyWants(publicationId, fan)
      return
    }
    // Not exported yet, or no longer: such leftovers are bounded, the oldest goes.
    this.#early.set(`${publicationId}:${peer}`, layerMask)
    if (this.#early.size <= EARLY_WANTS_MAX) return
    for (const oldest of this.#early.keys()) {
      this.#early.delete(oldest)
      return
    }
  }

  #applyWants(publicationId: number, fan: ExportFan): void {
    let layerMask = 0
    const active: WorkerLink[] = []
    const all: WorkerLink[] = []
    for (const peer of fan.peers) {
      const link = this.#links.get(peer)
      const mask = fan.wants.get(peer) ?? 0
      if (link === undefined) continue
      all.push(link)
      if (mask === 0) continue
      layerMask |= mask
      active.push(link)
    }
    fan.active = active
    fan.all = all
    if (fan.peers.size === 0) return
    this.#options.engine().onUpstreamWant(publicationId, layerMask, this.#options.nowMs())
  }

  #events(): LinkEvents {
    const { engine, nowMs, onInput } = this.#options
    return {
      onFrame: (bytes, end) => {
        engine().onImported(bytes, 0, end, nowMs())
        onInput()
      },
      onKeyframeWanted: (_peer, publicationId, layer) => {
        engine().onUpstreamKeyframe(publicationId, layer, nowMs())
        onInput()
      },
      onLayersWanted: (peer, publicationId, layerMask) => {
        this.#onWant(peer, publicationId, layerMask)
        onInput()
      },
    }
  }
}
