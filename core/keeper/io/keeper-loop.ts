/**
 * What runs in the keeper's thread: rings of media workers in, recorders between, disk out; the main thread asks and
 * is told. It is one more peer of the media plane, without transports and rooms. Nothing of it holds up a media
 * worker: a full ring loses what is recorded only. Nothing is decided here.
 */
import { performance } from 'node:perf_hooks'
import type { MessagePort, Transferable } from 'node:worker_threads'
import { KEEPER_BATCH_MS, KEEPER_REQUESTS_MAX } from '../../../config/limits.ts'
import { type LinkEnd, systemClock, WorkerLink } from '../../io/carriers.ts'
import { KEPT_LAYER_MASK, KeeperTracks, type KeepOrder } from '../keeper-tracks.ts'
import type { FromKeeper, KeeperFigures, KeeperSetup, ToKeeper } from './keeper-protocol.ts'
import { SegmentDisk } from './segment-disk.ts'

const TICK_MS = 100
const FIGURES_MS = 1_000

/** In a worker thread; elsewhere it does nothing. */
export function startKeeperLoop(main: MessagePort | null, setup: KeeperSetup): void {
  if (main === null) return
  run(main, setup).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error)
    main.postMessage({ type: 'unavailable', message } satisfies FromKeeper)
    main.close()
  })
}

async function run(main: MessagePort, setup: KeeperSetup): Promise<void> {
  const post = (message: FromKeeper, transfer: Transferable[] = []): void =>
    main.postMessage(message, transfer)
  // Orders and links come at once, while files and index are still brought together.
  const early: ToKeeper[] = []
  let onMessage = (message: ToKeeper): void => void early.push(message)
  main.on('message', (message: ToKeeper) => onMessage(message))
  const disk = await SegmentDisk.open({
    ...setup,
    now: () => ({ nowMs: systemClock.nowMs(), wallMs: systemClock.wallMs() }),
    onStored: (entries) => post({ type: 'stored', entries }),
    onDropped: (entries) => post({ type: 'dropped', entries }),
    onDamaged: (entry) => post({ type: 'damaged', entry }),
    onHealth: (health) => post({ type: 'health', health }),
    onNote: (level, message, fields) => post({ type: 'note', level, message, fields }),
  })
  const loop = new KeeperLoop(disk, post)
  onMessage = (message) => {
    if (message.type !== 'close') loop.onMessage(message)
    else void loop.close().then(() => main.close())
  }
  for (const message of early) onMessage(message)
  post({ type: 'ready', health: disk.health })
}

type Post = (message: FromKeeper, transfer?: Transferable[]) => void

class KeeperLoop {
  readonly #disk: SegmentDisk
  readonly #post: Post
  readonly #tracks: KeeperTracks
  readonly #links = new Map<number, WorkerLink>()
  /** Where a publication comes from. */
  readonly #imports = new Map<number, number>()
  readonly #timers: NodeJS.Timeout[]
  #requests = 0
  #unkept = 0
  #utilization = performance.eventLoopUtilization()

  constructor(disk: SegmentDisk, post: Post) {
    this.#disk = disk
    this.#post = post
    this.#tracks = new KeeperTracks({
      nowMs: () => systemClock.nowMs(),
      wallOffsetMs: () => systemClock.wallMs() - systemClock.nowMs(),
      onSegment: (track, draft) => disk.record({ track, draft }),
      onKeyframeWanted: (publicationId) =>
        this.#links.get(this.#imports.get(publicationId) ?? -1)?.requestKeyframe(publicationId, 0),
      onUnkept: (codec) => {
        this.#unkept += 1
        post({
          type: 'note',
          level: 'warn',
          message: 'a codec that is not kept',
          fields: { codec },
        })
      },
    })
    this.#timers = [
      setInterval(() => this.#tracks.tick(), TICK_MS),
      setInterval(() => void disk.flush(), KEEPER_BATCH_MS),
      setInterval(() => this.#tellFigures(), FIGURES_MS),
    ]
  }

  onMessage(message: Exclude<ToKeeper, { type: 'close' }>): void {
    switch (message.type) {
      case 'link':
        this.#link(message.link)
        return
      case 'unlink':
        this.#links.get(message.peer)?.close()
        this.#links.delete(message.peer)
        return
      case 'import':
        this.#imports.set(message.publication.publicationId, message.peer)
        if (this.#tracks.has(message.publication.publicationId)) {
          this.#want(message.publication.publicationId)
        }
        return
      case 'command':
        this.#imports.delete(message.command.publicationId)
        return
      case 'keep':
        this.#keep(message)
        return
      case 'drop':
        this.#drop(message.publicationId)
        return
      case 'read':
        void this.#read(message)
        return
      case 'put':
        void this.#put(message)
        return
      case 'export':
      case 'unexport':
        // Nothing comes from here.
        return
    }
  }

  /** What is recorded gets onto the disk. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
    this.#tracks.end()
    await this.#disk.close()
    this.#tellFigures()
    this.#post({ type: 'closed' })
  }

  #link(end: LinkEnd): void {
    this.#links.get(end.peer)?.close()
    const link = new WorkerLink(end, {
      onFrame: (bytes, length) => this.#tracks.onFrame(bytes, length),
      // Nobody imports from here.
      onKeyframeWanted: () => undefined,
      onLayersWanted: () => undefined,
    })
    this.#links.set(end.peer, link)
    for (const [publicationId, peer] of this.#imports) {
      if (peer === end.peer && this.#tracks.has(publicationId)) this.#want(publicationId)
    }
  }

  #keep(order: KeepOrder): void {
    if (this.#tracks.keep(order)) this.#want(order.publicationId)
    else {
      const fields = { tracks: this.#tracks.count }
      this.#post({ type: 'note', level: 'error', message: 'too many tracks to keep', fields })
    }
  }

  #drop(publicationId: number): void {
    this.#tracks.drop(publicationId)
    this.#want(publicationId)
  }

  #want(publicationId: number): void {
    const mask = this.#tracks.has(publicationId) ? KEPT_LAYER_MASK : 0
    this.#links.get(this.#imports.get(publicationId) ?? -1)?.wantLayers(publicationId, mask)
  }

  async #read({ id, hash }: Extract<ToKeeper, { type: 'read' }>): Promise<void> {
    if (this.#requests >= KEEPER_REQUESTS_MAX) {
      this.#post({ type: 'read-done', id, outcome: { ok: false, reason: 'busy' } })
      return
    }
    this.#requests += 1
    const outcome = await this.#disk
      .read(hash)
      .catch(() => ({ ok: false, reason: 'failed' }) as const)
    this.#requests -= 1
    const transfer = outcome.ok ? [outcome.bytes.buffer as ArrayBuffer] : []
    this.#post({ type: 'read-done', id, outcome }, transfer)
  }

  async #put({ id, bytes, hash }: Extract<ToKeeper, { type: 'put' }>): Promise<void> {
    if (this.#requests >= KEEPER_REQUESTS_MAX) {
      this.#post({ type: 'put-done', id, outcome: { ok: false, reason: 'busy' } })
      return
    }
    this.#requests += 1
    const outcome = await this.#disk.put(bytes, hash)
    this.#requests -= 1
    this.#post({ type: 'put-done', id, outcome })
  }

  #tellFigures(): void {
    const { counters, queue, health } = this.#disk
    const before = this.#utilization
    this.#utilization = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(this.#utilization, before)
    const figures: KeeperFigures = {
      ...counters,
      lost: queue.lost,
      latePackets: this.#tracks.latePackets,
      unkept: this.#unkept,
      tracks: this.#tracks.count,
      queueBytes: queue.sizeBytes,
      cpuRatio: utilization,
    }
    this.#post({ type: 'figures', figures, health })
  }
}
