/**
 * One media worker's thread seen from the main thread: starts it, starts it again when it dies, and ends it. What its
 * death means for transports is the plane's business.
 */
import { type MessagePort, type Transferable, Worker } from 'node:worker_threads'
import { WORKER_RESTART_MS, WORKER_YOUNG_GENERATION_MB } from '../../config/index.ts'
import type { Log } from './log.ts'
import type { FromWorker, ToWorker, WorkerSetup } from './media-worker-protocol.ts'

export type WorkerHandleOptions = {
  index: number
  /** 0 = any; a restart takes the same port again. */
  port: number
  batching: boolean
  /** A fresh channel to the handshaker for each start. */
  connectHandshaker: () => MessagePort
  log: Log
  /** Messages other than ready, unavailable, note and closed. */
  onMessage: (index: number, message: FromWorker) => void
  /** The thread died unasked; another one is on its way. */
  onEnded: (index: number) => void
  /** The thread's program; tests put one that dies in its place. */
  entry: URL
}

export type WorkerReady = FromWorker & { type: 'ready' }

/** Owns one thread and its successors until `close`. */
export class WorkerHandle {
  readonly index: number
  readonly #options: WorkerHandleOptions
  readonly #log: Log
  #worker: Worker | undefined
  #port: number
  #closing = false
  #restart: NodeJS.Timeout | undefined

  constructor(options: WorkerHandleOptions) {
    this.index = options.index
    this.#options = options
    this.#port = options.port
    this.#log = options.log.child({ worker: options.index })
  }

  /** The UDP port, once started. */
  get port(): number {
    return this.#port
  }

  get running(): boolean {
    return this.#worker !== undefined
  }

  /** Starts the thread and waits until its port is bound; rejects when that fails. */
  async start(): Promise<WorkerReady> {
    const handshaker = this.#options.connectHandshaker()
    const { batching } = this.#options
    const worker = new Worker(this.#options.entry, {
      name: `media-${this.index}`,
      workerData: { port: this.#port, handshaker, batching } satisfies WorkerSetup,
      transferList: [handshaker],
      resourceLimits: { maxYoungGenerationSizeMb: WORKER_YOUNG_GENERATION_MB },
    })
    worker.on('message', (message: FromWorker) => this.#onMessage(message))
    worker.on('error', (error) => this.#log.error({ err: error }, 'media worker failed'))
    const ready = await firstMessage(worker)
    this.#port = ready.port
    this.#worker = worker
    worker.once('exit', () => this.#onExit(worker))
    return ready
  }

  /** Drops the message when the thread is down: its transports are reported as failed then. */
  post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker?.postMessage(message, transfer)
  }

  /** Lets transports say goodbye, then ends the thread. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true
    clearTimeout(this.#restart)
    const worker = this.#worker
    if (worker === undefined) return
    this.#worker = undefined
    const exited = new Promise<void>((resolve) => {
      worker.once('exit', () => resolve())
    })
    worker.postMessage({ type: 'close' } satisfies ToWorker)
    const impatience = setTimeout(() => void worker.terminate(), CLOSE_MS)
    await exited
    clearTimeout(impatience)
  }

  #onMessage(message: FromWorker): void {
    if (message.type === 'note') this.#log[message.level](message.fields, message.message)
    else this.#options.onMessage(this.index, message)
  }

  #onExit(worker: Worker): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    if (this.#closing) return
    this.#log.error('media worker ended; starting another')
    this.#options.onEnded(this.index)
    this.#startAgain()
  }

  #startAgain(): void {
    this.#restart = setTimeout(() => {
      this.start().catch((error: unknown) => {
        this.#log.error({ err: error }, 'media worker did not start')
        if (!this.#closing) this.#startAgain()
      })
    }, WORKER_RESTART_MS)
  }
}

/** A thread that does not end within this time is ended. */
const CLOSE_MS = 2_000

/** Only its own listeners are taken off again: removing all of them would stop the thread's messages for good. */
async function firstMessage(worker: Worker): Promise<WorkerReady> {
  const { promise, resolve, reject } = Promise.withResolvers<WorkerReady>()
  const onMessage = (message: FromWorker): void => {
    if (message.type === 'ready') resolve(message)
    else if (message.type === 'unavailable') reject(new Error(message.message))
  }
  const onExit = (): void => reject(new Error('the thread ended before it was ready'))
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
