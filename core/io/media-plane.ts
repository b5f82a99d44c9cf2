/**
 * The main thread's view of all media workers together: implements `MediaPlane` (core/media/control.ts). Places
 * transports, carries commands and reports, keeps workers and handshaker alive. No media passes here.
 */
import type { Transferable } from 'node:worker_threads'
import { STATS_ANSWER_MS, UDP_BUFFER_BYTES } from '../../config/index.ts'
import type {
  Fingerprint,
  HostCandidate,
  MediaCommand,
  MediaPlane,
  MediaReport,
  TransportStats,
} from '../media/control.ts'
import { systemClock } from './clock.ts'
import { type HandshakerThread, startHandshaker } from './dtls/index.ts'
import type { Log } from './log.ts'
import { chooseAddresses } from './media-plane-addresses.ts'
import { LevelsMerge } from './media-plane-levels.ts'
import { PeerLinks, type PlanePeer } from './media-plane-links.ts'
import { MediaRoutes } from './media-plane-routes.ts'
import { WorkerHandle, type WorkerReady } from './media-plane-worker.ts'
import type { FromWorker, ToPlanePeer, ToWorker } from './media-worker-protocol.ts'
import type { Metrics } from './metrics.ts'

export type MediaPlaneOptions = {
  /** Media worker threads, 1..WORKERS_MAX; one UDP port each. */
  workers: number
  /** UDP port of the first worker; worker i has `mediaPort + i`. 0 = any free port for each (tests). */
  mediaPort: number
  /** Sends many datagrams per system call where this machine can. */
  batching: boolean
  /** Numeric addresses for host candidates; empty = all addresses of this machine, loopback last. */
  announcedIps: readonly string[]
  log: Log
  metrics: Metrics
  /** The way to other nodes; without it there are none. */
  trunk?: PlanePeer
  /** Where the stage is recorded; without it nothing is. */
  keeper?: PlanePeer
  /** The program of a worker's thread; only tests have another. */
  workerEntry?: URL
}

/** Where packets may cross to, behind the workers and in this order. */
const PEERS = ['trunk', 'keeper'] as const
type PeerName = (typeof PEERS)[number]

/** A MediaPlane whose publications may leave the workers. */
export type NodeMediaPlane = MediaPlane & {
  /**
   * From now on the packets of a publication reach the trunk thread (of this node's own only), or the keeper thread,
   * as far as they are wanted there, or no longer. It may be said before the publication exists here, and of one that
   * has ended.
   */
  letCross(publicationId: number, on: boolean, to?: PeerName): void
}

/** A room's transports stay together on a worker until it carries this many more than the least loaded one. */
const ROOM_AFFINITY_TRANSPORTS = 16

/** Resolves when every worker's port is bound; rejects when one cannot be. */
export async function createMediaPlane(options: MediaPlaneOptions): Promise<NodeMediaPlane> {
  const plane = new WorkersPlane(options, await startHandshaker())
  try {
    await plane.start()
  } catch (error) {
    await plane.close()
    throw error
  }
  return plane
}

type StatsRequest = { resolve: (stats: TransportStats | undefined) => void; timer: NodeJS.Timeout }

class WorkersPlane implements NodeMediaPlane {
  onReport: (report: MediaReport) => void = () => undefined
  readonly #options: MediaPlaneOptions
  readonly #workers: WorkerHandle[] = []
  readonly #routes: MediaRoutes
  readonly #loads: number[] = []
  readonly #links: PeerLinks
  readonly #levels = new LevelsMerge()
  readonly #requests = new Map<number, StatsRequest>()
  #addresses: string[] = []
  #handshaker: HandshakerThread
  #transportId = 0
  #requestId = 0
  #closing = false

  constructor(options: MediaPlaneOptions, handshaker: HandshakerThread) {
    this.#options = options
    this.#handshaker = handshaker
    this.#watchHandshaker()
    this.#links = new PeerLinks((peer, message, transfer) => this.#post(peer, message, transfer))
    this.#routes = new MediaRoutes({
      post: (peer, message) => this.#post(peer, message),
      ensureLink: (from, to) => this.#links.ensure(from, to),
    })
    for (const name of PEERS) this.#watchPeer(name)
    const entry = options.workerEntry ?? new URL('./media-worker-thread.ts', import.meta.url)
    for (let index = 0; index < options.workers; index++) {
      this.#loads.push(0)
      const port = options.mediaPort === 0 ? 0 : options.mediaPort + index
      this.#workers.push(
        new WorkerHandle({
          index,
          port,
          batching: options.batching,
          entry,
          log: options.log,
          connectHandshaker: () => this.#handshaker.connect(),
          onMessage: (worker, message) => this.#onMessage(worker, message),
          onEnded: (worker) => this.#onWorkerEnded(worker),
        }),
      )
    }
  }

  get fingerprint(): Fingerprint {
    return this.#handshaker.fingerprint
  }

  async start(): Promise<void> {
    const ready = await Promise.all(this.#workers.map((worker) => worker.start()))
    const ipv6 = ready.every((worker) => worker.ipv6)
    const { announcedIps, log } = this.#options
    this.#addresses = chooseAddresses({ configured: announcedIps, ipv6 })
    this.#warnAboutBuffers(ready)
    this.#tellHowToSend(ready)
    const ports = ready.map(({ port }) => port)
    log.info({ ports, addresses: this.#addresses, ipv6 }, 'media workers are ready')
  }

  reserve(roomId: number): { transportId: number; candidates: HostCandidate[] } {
    const worker = this.#place(roomId)
    const transportId = ++this.#transportId
    this.#routes.reserve(transportId, roomId, worker)
    this.#loads[worker]!++
    const port = this.#workers[worker]?.port ?? 0
    return { transportId, candidates: this.#addresses.map((address) => ({ address, port })) }
  }

  send(command: MediaCommand): void {
    switch (command.type) {
      case 'open':
        if (this.#isUp(command.spec.transportId)) this.#routes.open(command.spec)
        else this.#fail(command.spec.transportId)
        return
      case 'close':
        // Its worker answers 'disconnected', which ends the bookkeeping; a mere reservation ends here.
        if (this.#routes.isOpen(command.transportId)) this.#postTo(command.transportId, command)
        else this.#forget(command.transportId)
        return
      case 'restart':
      case 'permit':
      case 'request-stats':
        this.#postTo(command.transportId, command)
        return
      case 'view':
        this.#routes.view(command.transportId, command.views)
        return
      case 'assign':
        this.#routes.assign(command.roomId, command.assignment)
        return
      case 'mute':
        this.#routes.mute(command.publicationId, command.muted)
        return
      case 'import':
        this.#routes.import(command.roomId, command.publication, this.#peerOf('trunk'))
        return
      case 'forget':
        this.#routes.forget(command.publicationId)
    }
  }

  letCross(publicationId: number, on: boolean, to: PeerName = 'trunk'): void {
    const peer = this.#peerOf(to)
    if (on) this.#routes.export(publicationId, peer)
    else this.#routes.unexport(publicationId, peer)
  }

  stats(transportId: number): Promise<TransportStats | undefined> {
    if (!this.#isUp(transportId)) return Promise.resolve(undefined)
    const requestId = ++this.#requestId
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer(requestId, undefined), STATS_ANSWER_MS)
      this.#requests.set(requestId, { resolve, timer })
      this.send({ type: 'request-stats', requestId, transportId })
    })
  }

  async close(): Promise<void> {
    this.#closing = true
    await Promise.all(this.#workers.map((worker) => worker.close()))
    await this.#handshaker.close()
    for (const requestId of [...this.#requests.keys()]) this.#answer(requestId, undefined)
  }

  /** The least loaded worker, or the room's own while it is not much busier. */
  #place(roomId: number): number {
    let least = -1
    for (const { index, running } of this.#workers) {
      if (!running) continue
      if (least < 0 || this.#loads[index]! < this.#loads[least]!) least = index
    }
    if (least < 0) return 0
    let best = least
    for (const { index, running } of this.#workers) {
      const near = running && this.#loads[index]! <= this.#loads[least]! + ROOM_AFFINITY_TRANSPORTS
      const more = this.#routes.roomCount(roomId, index) > this.#routes.roomCount(roomId, best)
      if (near && more) best = index
    }
    return best
  }

  #isUp(transportId: number): boolean {
    const worker = this.#routes.workerOf(transportId)
    return worker !== undefined && this.#workers[worker]?.running === true
  }

  #postTo(transportId: number, command: MediaCommand): void {
    const worker = this.#routes.workerOf(transportId)
    if (worker !== undefined) this.#workers[worker]?.post({ type: 'command', command })
  }

  #onMessage(worker: number, message: FromWorker): void {
    if (message.type === 'snapshot') this.#options.metrics.onSnapshot(worker, message)
    if (message.type !== 'reports') return
    for (const report of message.reports) this.#onReport(worker, report)
  }

  #onReport(worker: number, report: MediaReport): void {
    switch (report.type) {
      case 'stats':
        this.#answer(report.requestId, report.stats)
        return
      case 'disconnected':
        this.#forget(report.transportId)
        break
      case 'flowing':
        // An imported publication is told about by the worker that receives it.
        if (this.#routes.homeOf(report.publicationId) !== worker) return
        break
      case 'levels': {
        const own = report.levels.filter(([id]) => this.#routes.homeOf(id) === worker)
        const levels = this.#levels.take(worker, own, systemClock.nowMs())
        if (levels.length > 0) this.onReport({ type: 'levels', levels })
        return
      }
      case 'connected':
      case 'quality':
    }
    this.onReport(report)
  }

  #answer(requestId: number, stats: TransportStats | undefined): void {
    const request = this.#requests.get(requestId)
    if (request === undefined) return
    this.#requests.delete(requestId)
    clearTimeout(request.timer)
    request.resolve(stats)
  }

  #forget(transportId: number): void {
    const worker = this.#routes.workerOf(transportId)
    if (worker === undefined) return
    this.#loads[worker]!--
    this.#routes.end(transportId)
  }

  #fail(transportId: number): void {
    this.#forget(transportId)
    this.onReport({ type: 'disconnected', transportId, cause: 'worker-failed' })
  }

  #onWorkerEnded(worker: number): void {
    this.#options.metrics.onWorkerEnded(worker)
    this.#links.end(worker, this.#peerCount)
    for (const transportId of this.#routes.transportsOf(worker)) this.#fail(transportId)
  }

  #post(peer: number, message: ToWorker, transfer: Transferable[] = []): void {
    const name = PEERS[peer - this.#options.workers]
    if (name === undefined) this.#workers[peer]?.post(message, transfer)
    else if (isForPeer(message)) this.#options[name]?.post(message, transfer)
  }

  /** A peer's place among the workers: behind the last. */
  #peerOf(name: PeerName): number {
    return this.#options.workers + PEERS.indexOf(name)
  }

  get #peerCount(): number {
    return this.#options.workers + PEERS.length
  }

  #watchPeer(name: PeerName): void {
    const peer = this.#peerOf(name)
    this.#options[name]?.watch({
      onReports: (reports) => {
        for (const report of reports) this.#onReport(peer, report)
      },
      onEnded: () => this.#links.end(peer, this.#peerCount),
      onRestarted: () => this.#routes.repeat(peer),
    })
  }

  /** Established media goes on without the handshaker; newcomers need another one, with another certificate. */
  #watchHandshaker(): void {
    const handshaker = this.#handshaker
    this.#options.metrics.watchHandshaker(() => handshaker.stats())
    handshaker.onFailed = (error) => {
      if (this.#closing) return
      this.#options.log.error({ err: error }, 'handshaker failed; starting another')
      void this.#replaceHandshaker()
    }
  }

  async #replaceHandshaker(): Promise<void> {
    try {
      this.#handshaker = await startHandshaker()
    } catch (error) {
      this.#options.log.fatal({ err: error }, 'handshaker did not start: nobody can join')
      return
    }
    if (this.#closing) {
      await this.#handshaker.close()
      return
    }
    this.#watchHandshaker()
    for (const worker of this.#workers) {
      const port = this.#handshaker.connect()
      worker.post({ type: 'handshaker', port }, [port])
    }
  }

  #tellHowToSend([ready]: WorkerReady[]): void {
    const unbatched = ready?.unbatched ?? ''
    if (unbatched === '') return
    this.#options.log.info({ why: unbatched }, 'each datagram costs a system call of its own')
  }

  #warnAboutBuffers(ready: WorkerReady[]): void {
    const bufferBytes = Math.min(...ready.map((worker) => worker.bufferBytes))
    if (bufferBytes >= UDP_BUFFER_BYTES) return
    const advice = 'raise net.core.rmem_max and net.core.wmem_max'
    this.#options.log.warn(
      { bufferBytes, wantedBytes: UDP_BUFFER_BYTES },
      `UDP buffers are small: ${advice}`,
    )
  }
}

/** Peers have no transports and no rooms: the routes tell them nothing of these. */
function isForPeer(message: ToWorker): message is ToPlanePeer {
  if (message.type === 'command') return message.command.type === 'forget'
  return message.type !== 'handshaker' && message.type !== 'close'
}
