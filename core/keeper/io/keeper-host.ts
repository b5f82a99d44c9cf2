/**
 * The keeper thread seen from the main thread: starts it, starts it again when it dies, ends it; the stage on disk as
 * others see it (SegmentStore), with an index of its own to read beside the thread. To the media plane it is one more
 * peer.
 */
import { join } from 'node:path'
import { type Transferable, Worker } from 'node:worker_threads'
import { KEEPER_REQUESTS_MAX, WORKER_RESTART_MS } from '../../../config/limits.ts'
import type { Log, PlanePeer, PlanePeerEvents } from '../../io/index.ts'
import type {
  KeeperHealth,
  KeptTrack,
  PutOutcome,
  ReadOutcome,
  SegmentEntry,
  SegmentHash,
  SegmentListener,
  SegmentQuery,
  SegmentStore,
  TimeRange,
} from '../contract.ts'
import { missingIn } from '../coverage.ts'
import type { KeepOrder } from '../keeper-tracks.ts'
import type { FromKeeper, KeeperFigures, KeeperSetup, ToKeeper } from './keeper-protocol.ts'
import { INDEX_FILE } from './segment-disk.ts'
import type { RingBounds } from './segment-ring.ts'
import { readSegmentTable, type SegmentTable } from './segment-table.ts'

export type KeeperOptions = {
  dataDir: string
  /** Of this node; stands in each segment that it records. */
  nodeId: string
  bounds: RingBounds
  log: Log
  /** The thread's program; only tests have another. */
  entry?: URL
}

/** One per node that keeps the stage. */
export type Keeper = SegmentStore & {
  /** For `createMediaPlane`. */
  readonly peer: PlanePeer
  /** Of the last second, counters summed over restarts; undefined in the first. */
  readonly figures: KeeperFigures | undefined
  /** Records a publication that crosses to `peer`, until `drop`. Told again when the name has changed. */
  keep(order: KeepOrder): void
  drop(publicationId: number): void
}

/** A thread that does not end within this time is ended. */
const CLOSE_MS = 10_000

/** Resolves when the folder and the index are there; rejects when they cannot be. */
export async function startKeeper(options: KeeperOptions): Promise<Keeper> {
  const host = new Host(options)
  await host.start()
  return host
}

class Host implements Keeper {
  readonly peer: PlanePeer
  readonly #options: KeeperOptions
  readonly #log: Log
  readonly #folder: string
  readonly #orders = new Map<number, KeepOrder>()
  readonly #listeners = new Set<SegmentListener>()
  readonly #reads = new Map<number, (outcome: ReadOutcome) => void>()
  readonly #puts = new Map<number, (outcome: PutOutcome) => void>()
  #health: KeeperHealth
  #figures: KeeperFigures | undefined
  #ended: KeeperFigures | undefined
  #events: PlanePeerEvents | undefined
  #worker: Worker | undefined
  #table: SegmentTable | undefined
  #restart: NodeJS.Timeout | undefined
  #requestId = 0
  #isClosing = false
  #closed: Promise<void> | undefined

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#log = options.log.child({ thread: 'keeper' })
    this.#folder = join(options.dataDir, 'segments')
    this.#health = { state: 'failed', sinceMs: 0, segmentCount: 0, sizeBytes: 0, oldestMs: 0 }
    this.peer = {
      post: (message, transfer) => this.#send(message, transfer),
      watch: (events) => {
        this.#events = events
      },
    }
  }
  get health(): KeeperHealth {
    return this.#health
  }

  get figures(): KeeperFigures | undefined {
    return this.#figures
  }

  async start(): Promise<void> {
    const { nodeId, bounds, entry = new URL('./keeper-thread.ts', import.meta.url) } = this.#options
    const worker = new Worker(entry, {
      name: 'keeper',
      workerData: { folder: this.#folder, origin: nodeId, bounds } satisfies KeeperSetup,
    })
    worker.on('error', (error) => this.#log.error({ err: error }, 'keeper thread failed'))
    const ready = await readyOf(worker)
    this.#worker = worker
    this.#table = readSegmentTable(join(this.#folder, INDEX_FILE))
    this.#takeHealth(ready.health)
    worker.on('message', (message: FromKeeper) => this.#onMessage(message))
    worker.once('exit', () => this.#onExit(worker))
    for (const order of this.#orders.values()) this.#send({ type: 'keep', ...order })
    this.#log.info({ ...ready.health }, 'keeper thread is ready')
  }

  // ---- orders ----

  keep(order: KeepOrder): void {
    this.#orders.set(order.publicationId, order)
    this.#send({ type: 'keep', ...order })
  }

  drop(publicationId: number): void {
    if (this.#orders.delete(publicationId)) this.#send({ type: 'drop', publicationId })
  }

  watch(listener: SegmentListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  read(hash: SegmentHash): Promise<ReadOutcome> {
    if (this.#worker === undefined) return Promise.resolve({ ok: false, reason: 'failed' })
    if (this.#reads.size >= KEEPER_REQUESTS_MAX) {
      return Promise.resolve({ ok: false, reason: 'busy' })
    }
    const id = ++this.#requestId
    this.#send({ type: 'read', id, hash })
    return new Promise((resolve) => this.#reads.set(id, resolve))
  }

  put(bytes: Uint8Array<ArrayBuffer>, hash?: SegmentHash): Promise<PutOutcome> {
    if (this.#worker === undefined) return Promise.resolve({ ok: false, reason: 'failed' })
    if (this.#puts.size >= KEEPER_REQUESTS_MAX) {
      return Promise.resolve({ ok: false, reason: 'busy' })
    }
    const id = ++this.#requestId
    const isAll = bytes.byteLength === bytes.buffer.byteLength
    const moved = isAll ? bytes : bytes.slice()
    this.#send({ type: 'put', id, bytes: moved, hash }, [moved.buffer])
    return new Promise((resolve) => this.#puts.set(id, resolve))
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  // ---- the index ----

  list(query: SegmentQuery): SegmentEntry[] {
    return this.#look([], (table) => table.list(query))
  }

  get(hash: SegmentHash): SegmentEntry | undefined {
    return this.#look(undefined, (table) => table.get(hash))
  }

  tracks(query: TimeRange & { room: string }): KeptTrack[] {
    return this.#look([], (table) => table.tracks(query))
  }

  rooms(): (TimeRange & { room: string })[] {
    return this.#look([], (table) => table.rooms())
  }

  tail(chain: KeptTrack & { origin: string; chainMs: number }): SegmentEntry | undefined {
    return this.#look(undefined, (table) => table.tail(chain))
  }

  missing(query: KeptTrack & TimeRange & { allowIncomplete?: boolean }): TimeRange[] {
    const { fromMs, toMs, allowIncomplete = false } = query
    const pieces = this.#look([], (table) => [...table.list(query), ...table.around(query)])
    const once = new Map(pieces.map((piece) => [piece.hash, piece]))
    return missingIn({ fromMs, toMs }, [...once.values()], { allowIncomplete })
  }

  /** The thread may be making the index again. */
  #look<T>(otherwise: T, look: (table: SegmentTable) => T): T {
    if (this.#table === undefined) return otherwise
    try {
      return look(this.#table)
    } catch (error) {
      this.#log.error({ err: error }, 'the index of the segments could not be read')
      return otherwise
    }
  }

  // ---- the thread ----

  #send(message: ToKeeper, transfer: readonly Transferable[] = []): void {
    this.#worker?.postMessage(message, transfer)
  }

  #onMessage(message: FromKeeper): void {
    switch (message.type) {
      case 'stored':
        for (const entry of message.entries) this.#tell((one) => one.onStored?.(entry))
        return
      case 'dropped':
        for (const entry of message.entries) this.#tell((one) => one.onDropped?.(entry))
        return
      case 'damaged':
        this.#tell((one) => one.onDamaged?.(message.entry))
        return
      case 'health':
        this.#takeHealth(message.health)
        return
      case 'figures':
        this.#health = message.health
        this.#figures = summed(message.figures, this.#ended)
        return
      case 'read-done':
        this.#reads.get(message.id)?.(message.outcome)
        this.#reads.delete(message.id)
        return
      case 'put-done':
        this.#puts.get(message.id)?.(message.outcome)
        this.#puts.delete(message.id)
        return
      case 'note':
        this.#log[message.level](message.fields, message.message)
        return
      case 'ready':
      case 'unavailable':
      case 'closed':
    }
  }

  #tell(say: (listener: SegmentListener) => void): void {
    for (const listener of this.#listeners) say(listener)
  }

  #takeHealth(health: KeeperHealth): void {
    this.#health = health
    this.#tell((one) => one.onHealth?.(health))
  }

  #onExit(worker: Worker): void {
    for (const resolve of this.#reads.values()) resolve({ ok: false, reason: 'failed' })
    for (const resolve of this.#puts.values()) resolve({ ok: false, reason: 'failed' })
    this.#reads.clear()
    this.#puts.clear()
    this.#table?.close()
    this.#table = undefined
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#ended = this.#figures
    if (this.#isClosing) return
    this.#log.error('keeper thread ended; starting another')
    this.#takeHealth({ ...this.#health, state: 'failed', sinceMs: Date.now() })
    this.#events?.onEnded()
    this.#startAgain()
  }

  #startAgain(): void {
    this.#restart = setTimeout(() => {
      this.start().then(
        () => this.#events?.onRestarted(),
        (error: unknown) => {
          this.#log.error({ err: error }, 'keeper thread did not start: the stage is not stored')
          if (!this.#isClosing) this.#startAgain()
        },
      )
    }, WORKER_RESTART_MS)
  }

  async #close(): Promise<void> {
    this.#isClosing = true
    clearTimeout(this.#restart)
    const worker = this.#worker
    if (worker === undefined) return
    const exited = new Promise<void>((resolve) => {
      worker.once('exit', () => resolve())
    })
    worker.postMessage({ type: 'close' } satisfies ToKeeper)
    const impatience = setTimeout(() => void worker.terminate(), CLOSE_MS)
    await exited
    clearTimeout(impatience)
  }
}

/** Those of now are of the running thread. */
function summed(now: KeeperFigures, ended: KeeperFigures | undefined): KeeperFigures {
  if (ended === undefined) return now
  const { tracks, queueBytes, cpuRatio } = now
  const sum = { ...now }
  for (const key of Object.keys(now) as (keyof KeeperFigures)[]) sum[key] = now[key] + ended[key]
  return { ...sum, tracks, queueBytes, cpuRatio }
}

/** Only its own listeners are taken off again: removing all of them would stop the thread's messages for good. */
async function readyOf(worker: Worker): Promise<Extract<FromKeeper, { type: 'ready' }>> {
  const { promise, resolve, reject } =
    Promise.withResolvers<Extract<FromKeeper, { type: 'ready' }>>()
  const onMessage = (message: FromKeeper): void => {
    if (message.type === 'ready') resolve(message)
    else if (message.type === 'unavailable') reject(new Error(message.message))
  }
  const onExit = (): void => reject(new Error('the keeper thread ended before it was ready'))
  worker.on('message', onMessage)
  worker.once('error', reject)
  worker.once('exit', onExit)
  try {
    return await promise
  } catch (error) {
    void worker.terminate()
    throw error
  } finally {
    worker.off('message', onMessage)
    worker.off('error', reject)
    worker.off('exit', onExit)
  }
}
