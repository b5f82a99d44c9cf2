/**
 * The main thread's side of the thread that appends (append-thread.ts). Knows who waits for which
 * batch; decides nothing about what is in it.
 */
import { Worker } from 'node:worker_threads'
import type { AppendResult, RoomCheckpoint, RoomEvent } from '../conference/index.ts'

/** What the thread is started with. */
export type AppendSetup = { path: string; pageCountMax: number }

export type ToAppendThread =
  | { type: 'append'; events: readonly RoomEvent[] }
  | { type: 'keep'; checkpoint: RoomCheckpoint }
  | { type: 'close' }

type Waiting = { events: readonly RoomEvent[]; resolve: (result: AppendResult) => void }

const ENTRY = new URL('./append-thread.ts', import.meta.url)
const FAILED: AppendResult = { ok: false, cause: 'failed' }
/** It makes little garbage; left to itself its nursery would grow to many times this. */
const YOUNG_GENERATION_MB = 2

type AppenderOptions = AppendSetup & {
  /** Called for each batch that got to the disk, before its promise resolves. */
  onDurable: (events: readonly RoomEvent[]) => void
  /** Asked when the thread died between commit and answer: its numbers must not be used again then. */
  isOnDisk: (event: RoomEvent) => boolean
  /** The program of the thread; only tests have another. */
  entry?: URL
}

export class Appender {
  readonly #options: AppenderOptions
  readonly #waiting: Waiting[] = []
  #worker: Worker | undefined
  #isClosed = false

  constructor(options: AppenderOptions) {
    this.#options = options
    this.#worker = this.#start()
  }

  /** Resolves when the batch is on disk or refused, in order of the calls; never rejects. */
  append(events: readonly RoomEvent[]): Promise<AppendResult> {
    if (this.#isClosed) return Promise.resolve(FAILED)
    this.#post({ type: 'append', events })
    const { promise, resolve } = Promise.withResolvers<AppendResult>()
    this.#waiting.push({ events, resolve })
    return promise
  }

  /** Without an answer. */
  keep(checkpoint: RoomCheckpoint): void {
    if (!this.#isClosed) this.#post({ type: 'keep', checkpoint })
  }

  /** Finishes what is on its way, then ends the thread. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    const worker = this.#worker
    if (worker === undefined) return
    const { promise, resolve } = Promise.withResolvers<void>()
    worker.once('exit', () => resolve())
    worker.postMessage({ type: 'close' } satisfies ToAppendThread)
    await promise
  }

  #post(message: ToAppendThread): void {
    this.#worker ??= this.#start()
    this.#worker.postMessage(message)
  }

  #start(): Worker {
    const { path, pageCountMax, entry = ENTRY } = this.#options
    const worker = new Worker(entry, {
      name: 'log',
      workerData: { path, pageCountMax } satisfies AppendSetup,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    })
    worker.on('message', (result: AppendResult) => this.#answer(result))
    // What ended it is seen as `failed`; the next batch starts another.
    worker.on('error', () => undefined)
    worker.once('exit', () => {
      this.#worker = undefined
      while (this.#waiting.length > 0) this.#answer(this.#outcome(this.#waiting[0]!.events))
    })
    return worker
  }

  /** What became of a batch that nobody answered; it is there as a whole or not at all. */
  #outcome(events: readonly RoomEvent[]): AppendResult {
    const last = events.at(-1)
    return last !== undefined && this.#options.isOnDisk(last) ? { ok: true } : FAILED
  }

  #answer(result: AppendResult): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) return
    if (result.ok) this.#options.onDurable(waiting.events)
    waiting.resolve(result)
  }
}
