/**
 * The rings between the trunk thread and the media workers (core/io/media-worker-link.ts), as the router's
 * WorkerDoor.
 */
import { type LinkEnd, WorkerLink } from '../../core/io/carriers.ts'
import type { Router, WorkerDoor } from '../router/index.ts'

export type WorkerWaysOptions = {
  router: () => Router
  nowMs: () => number
  /** The router has had an input: drain its outputs. */
  onInput: () => void
}

/** All of one thread. */
export class WorkerWays implements WorkerDoor {
  readonly #options: WorkerWaysOptions
  readonly #links = new Map<number, WorkerLink>()

  constructor(options: WorkerWaysOptions) {
    this.#options = options
  }

  link(end: LinkEnd): void {
    const { router, nowMs, onInput } = this.#options
    const { peer } = end
    this.#links.get(peer)?.close()
    const link = new WorkerLink(end, {
      onFrame: (bytes, length) => {
        router().onWorkerFrame(peer, bytes, length, nowMs())
        onInput()
      },
      onKeyframeWanted: (_peer, publicationId, layer) => {
        router().onWorkerKeyframe(peer, publicationId, layer, nowMs())
        onInput()
      },
      onLayersWanted: (_peer, publicationId, layerMask) => {
        router().onWorkerWant(peer, publicationId, layerMask)
        onInput()
      },
    })
    this.#links.set(peer, link)
    router().linked(peer)
  }

  unlink(peer: number): void {
    this.#links.get(peer)?.close()
    this.#links.delete(peer)
    this.#options.router().unlinked(peer)
  }

  /** @hot */
  push(peer: number, bytes: Uint8Array, start: number, end: number): boolean {
    const link = this.#links.get(peer)
    return link === undefined || link.push(bytes, start, end)
  }

  want(peer: number, publicationId: number, layerMask: number): void {
    this.#links.get(peer)?.wantLayers(publicationId, layerMask)
  }

  keyframe(peer: number, publicationId: number, layer: number): void {
    this.#links.get(peer)?.requestKeyframe(publicationId, layer)
  }

  close(): void {
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
  }
}
