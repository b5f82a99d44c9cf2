/** For tests: nodes with real conferences over logs in memory, and links between them with delay that can be cut. */
import {
  type Conference,
  createConference,
  type EventReader,
  type RoomEvent,
  type VersionVector,
} from '../../core/conference/index.ts'
import type { SyncMessage } from '../control/index.ts'
import { LogExchange, type LogNeighbour } from './index.ts'

/** Seeded uniform numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

class MemoryLog implements EventReader {
  readonly nodeId: string
  readonly formerNodeIds: string[] = []
  readonly timeLast = 0
  readonly byOrigin = new Map<string, RoomEvent[]>()
  lost: { origin: string; sequence: number }[] = []

  constructor(nodeId: string) {
    this.nodeId = nodeId
  }

  append(events: readonly RoomEvent[]): void {
    for (const event of events) {
      const list = this.byOrigin.get(event.origin) ?? []
      this.byOrigin.set(event.origin, list)
      if (event.sequence > list.length + 1) throw new Error('a gap came to disk')
      list[event.sequence - 1] = event
      this.lost = this.lost.filter(
        ({ origin, sequence }) => origin !== event.origin || sequence !== event.sequence,
      )
    }
  }

  versionVector(): VersionVector {
    return Object.fromEntries([...this.byOrigin].map(([origin, list]) => [origin, list.length]))
  }

  readRoom(room: string): RoomEvent[] {
    const all = [...this.byOrigin.values()].flat().filter((event) => event.room === room)
    return all.sort(
      (a, b) =>
        a.time - b.time ||
        (a.origin < b.origin ? -1 : a.origin > b.origin ? 1 : 0) ||
        a.sequence - b.sequence,
    )
  }

  readOrigin(origin: string, after: number, limit: number): RoomEvent[] {
    return (this.byOrigin.get(origin) ?? []).slice(after, after + limit)
  }

  readCheckpoint(): undefined {}

  openRooms(): string[] {
    return []
  }

  lostEvents(): { origin: string; sequence: number }[] {
    return this.lost
  }
}

/** A node whose disk answers at once. */
export class SimNode {
  readonly log: MemoryLog
  readonly conference: Conference
  readonly exchange: LogExchange
  /** Events that were handed to ingest, and those that it took. */
  ingestedCount = 0
  acceptedCount = 0
  readonly behind: [number, number][] = []
  nowMs = 0
  wallMs = Date.UTC(2026, 5, 1)
  #participant = ''

  constructor(name: string, random: () => number) {
    this.log = new MemoryLog(name)
    const randomBytes = (count: number): Uint8Array =>
      Uint8Array.from({ length: count }, () => Math.floor(random() * 256))
    const now = { nowMs: 0, wallMs: this.wallMs }
    this.conference = createConference({ store: this.log, randomBytes, now })
    this.exchange = new LogExchange({
      log: this.log,
      ingest: (events, reply) => {
        this.ingestedCount += events.length
        this.conference.ingest(events, (result) => {
          this.acceptedCount += result.acceptedCount
          reply(result)
        })
        this.flush()
      },
      onBehind: (theirs, ours) => this.behind.push([theirs, ours]),
    })
  }

  flush(): void {
    for (;;) {
      const now = { nowMs: this.nowMs, wallMs: this.wallMs }
      const batch = this.conference.flush(now, [])
      if (batch === undefined) break
      this.log.append(batch)
      this.conference.settle({ ok: true }, now, [])
    }
  }

  /** Somebody of this node says something in the hall. */
  say(text: string): void {
    if (this.#participant === '') this.#join()
    this.conference.command(this.#participant, { type: 'chat', text }, () => {})
    this.flush()
    this.exchange.logGrew(this.nowMs)
  }

  #join(): void {
    const identity = {
      role: 'speaker' as const,
      name: this.log.nodeId,
      site: '',
      subject: '',
      tokenId: '',
      tokenExpiresMs: this.wallMs + 1e12,
    }
    this.conference.join({ room: 'hall', identity, connection: 1 }, (result) => {
      if (result.ok) this.#participant = result.value.participant
    })
    this.flush()
  }
}

type InFlight = { dueMs: number; message: SyncMessage }

/** A session between two nodes: in order, with delay, until it is cut. */
export class SimLink {
  readonly #ends: [SimNode, SimNode]
  readonly #delayMs: number
  readonly #queues: [InFlight[], InFlight[]] = [[], []]
  #neighbours: [LogNeighbour, LogNeighbour] | undefined
  messageCount = 0
  eventCount = 0
  malformedCount = 0

  constructor(ends: [SimNode, SimNode], delayMs: number) {
    this.#ends = ends
    this.#delayMs = delayMs
  }

  get isUp(): boolean {
    return this.#neighbours !== undefined
  }

  connect(nowMs: number): void {
    if (this.#neighbours !== undefined) return
    const end = (index: 0 | 1): LogNeighbour =>
      this.#ends[index].exchange.addNeighbour(
        (message) => {
          this.messageCount += 1
          if (message.type === 'events') this.eventCount += message.events.length
          this.#queues[index].push({ dueMs: this.#ends[index].nowMs + this.#delayMs, message })
        },
        { rttMs: () => 2 * this.#delayMs, nowMs },
      )
    this.#neighbours = [end(0), end(1)]
  }

  /** What is on its way is gone. */
  cut(): void {
    for (const neighbour of this.#neighbours ?? []) neighbour.close()
    this.#neighbours = undefined
    this.#queues[0].length = 0
    this.#queues[1].length = 0
  }

  deliver(nowMs: number): void {
    for (const from of [0, 1] as const) {
      const queue = this.#queues[from]
      while (queue[0] !== undefined && queue[0].dueMs <= nowMs) {
        const { message } = queue.shift()!
        const verdict = this.#neighbours?.[1 - from]?.onMessage(structuredClone(message), nowMs)
        if (verdict !== undefined) this.malformedCount += 1
      }
    }
  }
}

/** Lets time go by in steps of 10 ms. */
export function pass(nodes: readonly SimNode[], links: readonly SimLink[], ms: number): void {
  for (let gone = 0; gone < ms; gone += 10) {
    for (const node of nodes) {
      node.nowMs += 10
      node.wallMs += 10
    }
    const nowMs = nodes[0]?.nowMs ?? 0
    for (const link of links) link.deliver(nowMs)
    if (nowMs % 500 === 0) for (const node of nodes) node.exchange.tick(nowMs)
  }
}
