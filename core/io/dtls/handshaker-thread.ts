/**
 * Starts the handshaker's thread and hands out channels to it. Runs on the main thread; media workers get a
 * MessagePort each (transfer it in `workerData`), so handshakes never cross the main thread.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { STATS_ANSWER_MS } from '../../../config/limits.ts'
import type { Fingerprint } from '../../media/control.ts'
import type { HandshakerStats } from './handshake.ts'
import type { ControlCommand, ControlReport } from './handshaker-worker.ts'

/** The running thread. */
export interface HandshakerThread {
  /** SHA-256 of the node's certificate: goes into every SDP that we write. */
  readonly fingerprint: Fingerprint
  /** A new channel for one media worker; wrap it there with `new HandshakerPort(port, onEvent)`. */
  connect(): MessagePort
  /** Totals since start; answers within STATS_ANSWER_MS or rejects. */
  stats(): Promise<HandshakerStats>
  /** Called once if the thread dies: established media goes on, but nobody can join any more. */
  onFailed: (error: Error) => void
  /** Ends the thread. Associations get no close_notify: close the transports first. */
  close(): Promise<void>
}

type StatsRequest = { resolve: (stats: HandshakerStats) => void; timer: NodeJS.Timeout }

class RunningThread implements HandshakerThread {
  readonly fingerprint: Fingerprint
  onFailed: (error: Error) => void = () => {}
  readonly #worker: Worker
  readonly #requests = new Map<number, StatsRequest>()
  #requestId = 0
  #isClosing = false

  constructor(worker: Worker, fingerprint: Fingerprint) {
    this.#worker = worker
    this.fingerprint = fingerprint
    worker.on('message', (report: ControlReport) => this.#onReport(report))
    worker.once('error', (error) => this.#fail(error as Error))
    worker.once('exit', () => this.#fail(new Error('the handshaker thread ended')))
  }

  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.#worker.postMessage({ type: 'connect', port: port1 } satisfies ControlCommand, [port1])
    return port2
  }

  stats(): Promise<HandshakerStats> {
    this.#requestId += 1
    const requestId = this.#requestId
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#requests.delete(requestId)
        reject(new Error('the handshaker thread did not answer'))
      }, STATS_ANSWER_MS)
      this.#requests.set(requestId, { resolve, timer })
      this.#worker.postMessage({ type: 'request-stats', requestId } satisfies ControlCommand)
    })
  }

  async close(): Promise<void> {
    this.#isClosing = true
    await this.#worker.terminate()
  }

  #onReport(report: ControlReport): void {
    if (report.type !== 'stats') return
    const request = this.#requests.get(report.requestId)
    this.#requests.delete(report.requestId)
    if (request === undefined) return
    clearTimeout(request.timer)
    request.resolve(report.stats)
  }

  #fail(error: Error): void {
    if (this.#isClosing) return
    this.#isClosing = true
    this.onFailed(error)
  }
}

/** A handshake is all garbage: left to itself, the nursery and the native keys in it grow to 150 MB in a storm. */
const YOUNG_GENERATION_MB = 12

/** Starts the thread; resolves once it has its certificate, rejects when it cannot start. */
export const startHandshaker = async (): Promise<HandshakerThread> => {
  const worker = new Worker(new URL('./handshaker-worker.ts', import.meta.url), {
    name: 'handshaker',
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  })
  const ready = Promise.withResolvers<Fingerprint>()
  const onExit = () => ready.reject(new Error('the handshaker thread did not start'))
  const onReport = (report: ControlReport) => {
    if (report.type === 'ready') ready.resolve(report.fingerprint)
  }
  worker.once('error', ready.reject)
  worker.once('exit', onExit)
  worker.on('message', onReport)
  const thread = new RunningThread(worker, await ready.promise)
  worker.off('error', ready.reject)
  worker.off('exit', onExit)
  worker.off('message', onReport)
  return thread
}
