/**
 * The exchange of logs with all neighbours of a node, upstream and children alike: "the last I have of each
 * origin", and then the difference. A first join, a reconnect after a second and a heal after a week are the
 * same. What comes from one neighbour goes on to the others, never back. Pure: messages and time in, messages
 * out.
 */
import {
  TRUNK_EVENTS_BATCHES_MAX,
  TRUNK_SYNC_LOST_MAX,
  TRUNK_SYNC_ORIGINS_MAX,
} from '../../config/limits.ts'
import type {
  EventReader,
  IngestResult,
  RoomEvent,
  VersionVector,
} from '../../core/conference/index.ts'
import type { EventsRefused, SyncMessage } from '../control/index.ts'
import { Outbox } from './outbox.ts'

export type LogExchangeOptions = {
  /** Of what is on disk. */
  log: Pick<EventReader, 'nodeId' | 'versionVector' | 'readOrigin' | 'lostEvents'>
  /** Conference.ingest, with whatever wakes the one who writes. */
  ingest: (events: readonly RoomEvent[], reply: (result: IngestResult) => void) => void
  /**
   * A neighbour has events of this very node that its own log lacks: the disk was put back to an earlier
   * state, or copied. They are not taken, since their numbers may be in use again.
   */
  onBehind: (theirs: number, ours: number) => void
}

/** The exchange with one neighbour, as long as its session stands. */
export interface LogNeighbour {
  /** What the session has received; messages of other parts are ignored. `malformed`: end the session. */
  onMessage(message: { type: string }, nowMs: number): 'malformed' | undefined
  /** Events that the neighbour lacks and that are not on their way. */
  readonly lag: number
  close(): void
}

/** One per node. Call `logGrew` after each append, and `tick` about twice a second. */
export class LogExchange {
  readonly #options: LogExchangeOptions
  readonly #neighbours = new Set<Neighbour>()
  #ours: VersionVector
  #nowMs = 0

  constructor(options: LogExchangeOptions) {
    this.#options = options
    this.#ours = options.log.versionVector()
  }

  /** A session stands: tells it what we have. `rttMs` is the session's. */
  addNeighbour(
    send: (message: SyncMessage) => void,
    { rttMs, nowMs }: { rttMs: () => number; nowMs: number },
  ): LogNeighbour {
    this.#nowMs = nowMs
    this.#ours = this.#options.log.versionVector()
    const neighbour = new Neighbour({
      ...this.#options,
      send,
      rttMs,
      ours: () => this.#ours,
      onIngested: () => this.logGrew(this.#nowMs),
      onClosed: () => this.#neighbours.delete(neighbour),
    })
    this.#neighbours.add(neighbour)
    neighbour.tellVector()
    return neighbour
  }

  /** There is more on disk than before. */
  logGrew(nowMs: number): void {
    if (this.#neighbours.size === 0) return
    this.#ours = this.#options.log.versionVector()
    this.tick(nowMs)
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs
    for (const neighbour of this.#neighbours) neighbour.pump(nowMs)
  }
}

type NeighbourOptions = LogExchangeOptions & {
  send: (message: SyncMessage) => void
  rttMs: () => number
  ours: () => VersionVector
  onIngested: () => void
  onClosed: () => void
}

class Neighbour implements LogNeighbour {
  readonly #options: NeighbourOptions
  readonly #outbox: Outbox
  /** Batches that wait for our disk. */
  #takingCount = 0
  #isClosed = false

  constructor(options: NeighbourOptions) {
    this.#options = options
    this.#outbox = new Outbox(options)
  }

  get lag(): number {
    return this.#outbox.lagOf(this.#options.ours())
  }

  tellVector(): void {
    const { ours, log, send } = this.#options
    const entries = Object.entries(ours())
    const lost = log.lostEvents().slice(0, TRUNK_SYNC_LOST_MAX)
    let from = 0
    do {
      const part = entries.slice(from, from + TRUNK_SYNC_ORIGINS_MAX)
      from += TRUNK_SYNC_ORIGINS_MAX
      const more = from < entries.length
      send({ type: 'sync', vector: Object.fromEntries(part), lost: more ? [] : lost, more })
    } while (from < entries.length)
  }

  pump(nowMs: number): void {
    if (!this.#isClosed) this.#outbox.pump(this.#options.ours(), nowMs)
  }

  close(): void {
    this.#isClosed = true
    this.#options.onClosed()
  }

  onMessage(message: { type: string }, nowMs: number): 'malformed' | undefined {
    if (this.#isClosed) return undefined
    const isGood = this.#take(message as SyncMessage, nowMs)
    if (!isGood) return 'malformed'
    this.pump(nowMs)
    return undefined
  }

  #take(message: SyncMessage, nowMs: number): boolean {
    switch (message.type) {
      case 'sync':
        this.#noteOwn(message.vector)
        return this.#outbox.onVector(message.vector, message.lost, !message.more)
      case 'events':
        return this.#onEvents(message)
      case 'events-taken':
        return this.#outbox.onTaken(message, nowMs)
      case 'events-wanted':
        this.#outbox.onWanted(message.creditBytes)
        return true
      default:
        return true
    }
  }

  #noteOwn(vector: VersionVector): void {
    const { log, ours, onBehind } = this.#options
    const theirs = vector[log.nodeId] ?? 0
    const own = ours()[log.nodeId] ?? 0
    if (theirs > own) onBehind(theirs, own)
  }

  #onEvents({ batch, events, unreadable = [] }: Extract<SyncMessage, { type: 'events' }>): boolean {
    if (this.#takingCount >= TRUNK_EVENTS_BATCHES_MAX) return false
    const { log, ours, ingest, onIngested } = this.#options
    const ownLast = ours()[log.nodeId] ?? 0
    // Only we write what we say; what of it was damaged may come back.
    const taken = events.filter(
      ({ origin, sequence }) => origin !== log.nodeId || sequence <= ownLast,
    )
    const origins = new Set([...events, ...unreadable].map(({ origin }) => origin))
    if (![...events, ...unreadable].every((place) => this.#outbox.noteShown(place))) return false
    this.#takingCount += 1
    ingest(taken, (result) => {
      this.#takingCount -= 1
      const refused = unreadable.length > 0 ? 'unknown' : result.refused
      this.#answer(batch, origins, refused)
      if (result.acceptedCount > 0) onIngested()
    })
    return true
  }

  #answer(batch: number, origins: ReadonlySet<string>, refused: EventsRefused | null): void {
    if (this.#isClosed) return
    const all = this.#options.log.versionVector()
    const vector = Object.fromEntries([...origins].map((origin) => [origin, all[origin] ?? 0]))
    this.#options.send({ type: 'events-taken', batch, vector, refused })
  }
}
