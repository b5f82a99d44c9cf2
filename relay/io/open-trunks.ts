/**
 * All trunks of one node put together: the thread that carries their media, the door for children, the way up, the log
 * exchange and the desk. For main.ts, which opens it in two steps: the thread and the door for children must be there
 * before the media plane and the doors of the node, and dialling begins when those are open.
 */
import type { Registry } from 'prom-client'
import { TRUNK_TICK_MS } from '../../config/index.ts'
import type { EventReader } from '../../core/conference/index.ts'
import { type Log, type NodeMediaPlane, type PlanePeer, systemClock } from '../../core/io/index.ts'
import type { ConferenceHost } from '../../core/store/index.ts'
import type { LinkTestRefusal, TokenKeyJwk, TrunkSession } from '../control/index.ts'
import { type Link, TrunkDesk } from '../desk/index.ts'
import { readUpstream, UpstreamError } from '../identity/index.ts'
import { type LinkTestStatus, LinkTests } from '../link-test/index.ts'
import type { FromTrunkThread } from '../media-port.ts'
import type { StagePort, TrackName } from '../stage-port.ts'
import { StatusBook, type TrunkStatus } from '../status/index.ts'
import { LogExchange, type LogNeighbour } from '../sync/index.ts'
import type { ChildSocketRoute } from './child-socket.ts'
import { openTrunkControl, type TrunkControl } from './trunk-control.ts'
import { registerTrunkMetrics } from './trunk-metrics.ts'
import { startTrunkThread, type TrunkThread } from './trunk-thread-host.ts'

export type TrunksOptions = {
  dataDir: string
  /** Of the event log. */
  nodeId: string
  /** As people know this node. */
  name: string
  /** Version of the program. */
  program: string
  /** Whether it hangs on the upstream that the data folder names; a core hangs on none. */
  isRelay: boolean
  /** UDP port for media of trunks; 0 = any free one. */
  port: number
  /** UDP port of the upstream's media where it is not the one that it names; 0 = it is. */
  upstreamPort: number
  batching: boolean
  /** PEM file of the certificate that the doors show; '' = none. */
  certificateFile: string
  /** From the last sign of an upstream to the island, ms. */
  leaseMs: number
  /** Keys of those whose tokens are good here, for the relays below. */
  tokenKeys: () => readonly TokenKeyJwk[]
  /** The upstream has told whose tokens are good. */
  onTokenKeys: (keys: readonly TokenKeyJwk[]) => void
  log: Log
  /** Of the node: gets what the trunks count. */
  registry: Registry
}

/** What dialling and listening need, once it is open. */
export type TrunkSurroundings = {
  host: ConferenceHost
  events: EventReader
  media: NodeMediaPlane
  stage: StagePort
  /** Sites that are joined to this node itself. */
  siteCount: () => number
}

/** One per node. */
export interface Trunks {
  /** For `createMediaPlane`. */
  readonly peer: PlanePeer
  /** For the doors: where relays below come in. */
  readonly route: ChildSocketRoute
  start(surroundings: TrunkSurroundings): void
  /** There is more in the event log than before. */
  logGrew(): void
  /** For `GET /api/v1/trunk`; `historyOf`: the node whose link's last ten minutes are asked for. */
  status(historyOf?: string): TrunkStatus
  /** Measures the link above; why not, if not. */
  startLinkTest(seconds: number): LinkTestRefusal | undefined
  linkTest(): LinkTestStatus
  /** Dials the upstream at once when it waits to. */
  retryUpstream(): void
  /** Ends sessions in order, then the thread. Idempotent. */
  close(): Promise<void>
}

/** Rejects when the port is taken, keys cannot be read, or a relay does not know its upstream (UpstreamError). */
export async function openTrunks(options: TrunksOptions): Promise<Trunks> {
  const { dataDir, isRelay, port, batching, log } = options
  if (isRelay && readUpstream(dataDir) === undefined) {
    throw new UpstreamError('which upstream? --upstream wss://HOST[:PORT] --enrol CODE, once')
  }
  const thread = await startTrunkThread({ port, batching, log })
  registerTrunkMetrics(options.registry, () => thread)
  try {
    return new NodeTrunks(options, thread)
  } catch (error) {
    await thread.close()
    throw error
  }
}

/** One session and what hangs on it. */
type Open = { session: TrunkSession; link: Link; neighbour: LogNeighbour }

class NodeTrunks implements Trunks {
  readonly peer: PlanePeer
  readonly route: ChildSocketRoute
  readonly #options: TrunksOptions
  readonly #log: Log
  readonly #thread: TrunkThread
  readonly #control: TrunkControl
  readonly #open = new Map<number, Open>()
  readonly #status: StatusBook
  readonly #linkTests: LinkTests
  #siteCount = (): number => 0
  #stage: StagePort | undefined
  #desk: TrunkDesk | undefined
  #exchange: LogExchange | undefined
  #ticker: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined

  constructor(options: TrunksOptions, thread: TrunkThread) {
    this.#options = options
    this.#log = options.log.child({ part: 'trunks' })
    this.#thread = thread
    this.peer = thread.peer
    const { dataDir, nodeId, name, program, isRelay, certificateFile, tokenKeys } = options
    const { upstreamPort } = options
    const startedMs = systemClock.wallMs()
    this.#status = new StatusBook({ nodeId, name, version: program, startedMs })
    this.#linkTests = new LinkTests({
      post: (message) => this.#thread.post(message),
      isEmergency: () => this.#desk?.hasEmergency === true,
    })
    this.#control = openTrunkControl({
      dataDir,
      asRelay: isRelay,
      self: { nodeId, name, program },
      certificateFile,
      media: () => ({ address: '', port: thread.port }),
      upstreamMediaPort: upstreamPort,
      tokenKeys: tokenKeys(),
      leaseMs: options.leaseMs,
      clock: systemClock,
      log: this.#log,
      onSession: (session) => this.#onSession(session),
    })
    this.route = this.#control.children.route
    thread.onMessage = (message) => this.#onThread(message)
  }

  start({ host, events, media, stage, siteCount }: TrunkSurroundings): void {
    const { isRelay } = this.#options
    this.#siteCount = siteCount
    this.#stage = stage
    this.#desk = new TrunkDesk({
      stage,
      post: (message) => this.#thread.post(message),
      letCross: (publicationId, on) => media.letCross(publicationId, on),
      now: () => host.now(),
      hasUpstream: isRelay,
      leaseMs: this.#options.leaseMs,
    })
    this.#exchange = new LogExchange({
      log: events,
      ingest: (batch, reply) => {
        host.conference.ingest(batch, reply)
        host.wake()
      },
      onBehind: (theirs, ours) =>
        this.#log.error(
          { event: 'log-behind', theirs, ours },
          'a neighbour has events of this node that are not in its log: was the disk put back, or copied?',
        ),
    })
    this.#ticker = setInterval(() => this.#tick(), TRUNK_TICK_MS)
    this.#control.start()
  }

  logGrew(): void {
    this.#exchange?.logGrew(systemClock.nowMs())
  }

  status(historyOf?: string): TrunkStatus {
    return this.#status.status(systemClock.wallMs(), historyOf)
  }

  startLinkTest(seconds: number): LinkTestRefusal | undefined {
    const above = [...this.#open.values()].find(({ link }) => link.isUp)
    return this.#linkTests.start(above?.session, seconds, systemClock.nowMs())
  }

  linkTest(): LinkTestStatus {
    return this.#linkTests.status()
  }

  retryUpstream(): void {
    this.#control.upstream?.tryNow()
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    clearInterval(this.#ticker)
    await this.#control.close()
    await this.#thread.close()
  }

  // ---- sessions ----

  #onSession(session: TrunkSession): void {
    const desk = this.#desk
    const exchange = this.#exchange
    if (desk === undefined || exchange === undefined) {
      session.onClosed = () => undefined
      session.close('closed')
      return
    }
    const { trunkId } = session.flow
    const link = desk.addSession(session)
    const neighbour = exchange.addNeighbour((message) => session.send(message), {
      rttMs: () => session.rttMs,
      nowMs: systemClock.nowMs(),
    })
    this.#open.set(trunkId, { session, link, neighbour })
    this.#noteOpened(session)
    session.onDatagram = (bytes) => this.#thread.post({ type: 'tunnelled', trunkId, bytes })
    session.onMessage = (message) => {
      if (message.type === 'token-keys') this.#takeTokenKeys(message.keys)
      if (message.type === 'status' && !this.#takeStatus(trunkId, message.status)) {
        session.close('malformed')
        return
      }
      this.#linkTests.onMessage(session, message, systemClock.nowMs())
      const outcome =
        neighbour.onMessage(message, systemClock.nowMs()) ?? desk.onMessage(link, message)
      if (outcome === 'malformed') session.close('malformed')
    }
    session.onClosed = (reason) => {
      this.#open.delete(trunkId)
      this.#status.closed(trunkId, systemClock.wallMs())
      this.#linkTests.onClosed(session, systemClock.nowMs())
      neighbour.close()
      desk.removeSession(link, { isLeaseOver: reason === 'lease' })
      const { name, nodeId } = session.peer
      const told = { event: 'trunk-closed', peer: name, nodeId, reason }
      this.#log.info({ ...told, direction: session.direction }, 'a trunk has ended')
    }
    if (link.isUp && session.tokenKeys.length > 0) this.#takeTokenKeys(session.tokenKeys)
  }

  #noteOpened({ direction, flow, peer }: TrunkSession): void {
    const { nodeId, name, program } = peer
    const told = { direction, nodeId, name, version: program }
    this.#status.opened(flow.trunkId, told, systemClock.wallMs())
  }

  #takeStatus(trunkId: number, status: Record<string, unknown>): boolean {
    return this.#status.told(trunkId, status, systemClock.wallMs())
  }

  #takeTokenKeys(keys: readonly TokenKeyJwk[]): void {
    try {
      this.#options.onTokenKeys(keys)
      this.#control.children.setTokenKeys(this.#options.tokenKeys())
    } catch (error) {
      this.#log.error({ err: error }, 'the keys of the issuers could not be kept')
    }
  }

  #tick(): void {
    this.#exchange?.tick(systemClock.nowMs())
    this.#desk?.tick()
    this.#linkTests.tick(systemClock.nowMs())
    this.#status.setSites(this.#siteCount())
    const { leaseMs } = this.#options
    this.#stage?.setNodesBelow(this.#status.nodesBelow(systemClock.wallMs(), leaseMs))
    for (const { trunkId, status } of this.#status.due(systemClock.wallMs())) {
      this.#open.get(trunkId)?.session.send({ type: 'status', status })
    }
  }

  // ---- the trunk thread tells ----

  #onThread(message: FromTrunkThread): void {
    const open = this.#open.get(message.trunkId)
    if (open === undefined) return
    switch (message.type) {
      case 'tunnel-out':
        open.session.sendDatagram(message.bytes)
        break
      case 'trunk-ended':
        open.session.close('closed')
        break
      case 'trunk-report':
        this.#onReport(open, message)
        break
      case 'trunk-heard':
        break
    }
  }

  #onReport(
    { link, session }: Open,
    { report, path }: Extract<FromTrunkThread, { type: 'trunk-report' }>,
  ): void {
    const names = this.#desk?.namesOf(link)
    const nameOf = (streamId: number): TrackName | undefined => names?.get(streamId)
    const wallMs = systemClock.wallMs()
    if (report.receivedBps > 0) session.noteMedia(systemClock.nowMs())
    this.#status.reported(link.trunkId, report, { nameOf, wallMs })
    this.#desk?.noteReport(link, report)
    this.#linkTests.onReport(session, { report, path })
    const figures = link.isUp ? this.#status.upstreamFigures(wallMs) : undefined
    if (figures !== undefined) this.#desk?.noteUpstream(figures)
  }
}
