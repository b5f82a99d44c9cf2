/**
 * The trunk thread seen from the main thread: starts it, starts it again when it dies, ends it, and carries messages.
 * To the media plane it is one more worker (`peer`). What its death means for trunks is told as the end of each.
 */
import { type Transferable, Worker } from 'node:worker_threads'
import { WORKER_RESTART_MS, WORKER_YOUNG_GENERATION_MB } from '../../config/limits.ts'
import type { Log, PlanePeer, PlanePeerEvents } from '../../core/io/index.ts'
import type { FromTrunkThread, ToTrunkThread } from '../media-port.ts'
import { FigureTotals } from './trunk-figures.ts'
import type {
  FromThread,
  ToThread,
  TrunkThreadFigures,
  TrunkThreadSetup,
} from './trunk-thread-protocol.ts'

export type TrunkThreadOptions = {
  /** UDP port; 0 = any free one. A restart takes the same again. */
  port: number
  /** Sends many datagrams per system call where this machine can. */
  batching: boolean
  log: Log
  /** The thread's program; only tests have another. */
  entry?: URL
}

export type TrunkThread = {
  /** The UDP port. */
  readonly port: number
  /** For `createMediaPlane`. */
  readonly peer: PlanePeer
  /** Once a second, summed over restarts; undefined in the first second. */
  readonly figures: TrunkThreadFigures | undefined
  /** The latest report of each open trunk, by trunkId. */
  readonly reports: ReadonlyMap<number, TrunkReportMessage>
  /** Dropped while the thread is down: `trunk-ended` was told then. */
  post(message: ToTrunkThread): void
  onMessage: (message: FromTrunkThread) => void
  /** Idempotent. */
  close(): Promise<void>
}

export type TrunkReportMessage = Extract<FromTrunkThread, { type: 'trunk-report' }>

/** A thread that does not end within this time is ended. */
const CLOSE_MS = 2_000

/** Resolves when the port is bound; rejects when it cannot be. */
export async function startTrunkThread(options: TrunkThreadOptions): Promise<TrunkThread> {
  const host = new Host(options)
  await host.start()
  return host
}

class Host implements TrunkThread {
  onMessage: (message: FromTrunkThread) => void = () => undefined
  readonly reports = new Map<number, TrunkReportMessage>()
  readonly peer: PlanePeer
  readonly #figures = new FigureTotals()
  readonly #options: TrunkThreadOptions
  readonly #log: Log
  readonly #open = new Set<number>()
  #events: PlanePeerEvents | undefined
  #worker: Worker | undefined
  #port: number
  #closing = false
  #restart: NodeJS.Timeout | undefined

  constructor(options: TrunkThreadOptions) {
    this.#options = options
    this.#port = options.port
    this.#log = options.log.child({ thread: 'trunk' })
    this.peer = {
      post: (message, transfer) => this.#send(message, transfer),
      watch: (events) => {
        this.#events = events
      },
    }
  }

  get port(): number {
    return this.#port
  }

  get figures(): TrunkThreadFigures | undefined {
    return this.#figures.sum()
  }

  async start(): Promise<void> {
    const { batching, entry = new URL('./trunk-thread.ts', import.meta.url) } = this.#options
    const worker = new Worker(entry, {
      name: 'trunk',
      workerData: { port: this.#port, batching } satisfies TrunkThreadSetup,
      resourceLimits: { maxYoungGenerationSizeMb: WORKER_YOUNG_GENERATION_MB },
    })
    worker.on('error', (error) => this.#log.error({ err: error }, 'trunk thread failed'))
    const ready = await readyOf(worker)
    this.#port = ready.port
    this.#worker = worker
    worker.on('message', (message: FromThread) => this.#onMessage(message))
    worker.once('exit', () => this.#onExit(worker))
    this.#log.info({ port: ready.port }, 'trunk thread is ready')
  }

  post(message: ToTrunkThread): void {
    if (message.type === 'open-trunk') {
      const { trunkId } = message.flow
      if (this.#worker === undefined) {
        // Later, as all ends are told: the caller is still opening it.
        setImmediate(() => this.onMessage({ type: 'trunk-ended', trunkId, reason: 'fault' }))
        return
      }
      this.#open.add(trunkId)
    } else if (message.type === 'close-trunk') this.#forget(message.trunkId)
    this.#send(message)
  }

  async close(): Promise<void> {
    this.#closing = true
    clearTimeout(this.#restart)
    const worker = this.#worker
    if (worker === undefined) return
    this.#worker = undefined
    const exited = new Promise<void>((resolve) => {
      worker.once('exit', () => resolve())
    })
    worker.postMessage({ type: 'close' } satisfies ToThread)
    const impatience = setTimeout(() => void worker.terminate(), CLOSE_MS)
    await exited
    clearTimeout(impatience)
  }

  #send(message: ToThread, transfer: readonly Transferable[] = []): void {
    this.#worker?.postMessage(message, transfer)
  }

  #onMessage(message: FromThread): void {
    switch (message.type) {
      case 'reports':
        this.#events?.onReports(message.reports)
        return
      case 'figures':
        this.#figures.take(message.figures)
        return
      case 'note':
        this.#log[message.level](message.fields, message.message)
        return
      case 'ready':
      case 'unavailable':
      case 'closed':
        return
      case 'trunk-ended':
        this.#forget(message.trunkId)
        this.onMessage(message)
        return
      default:
        if (!this.#open.has(message.trunkId)) return
        if (message.type === 'trunk-report') this.reports.set(message.trunkId, message)
        this.onMessage(message)
    }
  }

  #forget(trunkId: number): void {
    this.#open.delete(trunkId)
    this.reports.delete(trunkId)
  }

  #onExit(worker: Worker): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#figures.end()
    this.reports.clear()
    if (this.#closing) return
    this.#log.error('trunk thread ended; starting another')
    this.#events?.onEnded()
    const ended = [...this.#open]
    this.#open.clear()
    for (const trunkId of ended) this.onMessage({ type: 'trunk-ended', trunkId, reason: 'fault' })
    this.#startAgain()
  }

  #startAgain(): void {
    this.#restart = setTimeout(() => {
      this.start().then(
        () => this.#events?.onRestarted(),
        (error: unknown) => {
          this.#log.error({ err: error }, 'trunk thread did not start')
          if (!this.#closing) this.#startAgain()
        },
      )
    }, WORKER_RESTART_MS)
  }
}

type Ready = Extract<FromThread, { type: 'ready' }>

/** Only its own listeners are taken off again: removing all of them would stop the thread's messages for good. */
async function readyOf(worker: Worker): Promise<Ready> {
  const { promise, resolve, reject } = Promise.withResolvers<Ready>()
  const onMessage = (message: FromThread): void => {
    if (message.type === 'ready') resolve(message)
    else if (message.type === 'unavailable') reject(new Error(message.message))
  }
  const onExit = (): void => reject(new Error('the trunk thread ended before it was ready'))
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
