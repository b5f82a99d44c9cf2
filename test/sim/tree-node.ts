/**
 * For the simulation of islands: one node with a real conference and log exchange, a clock that
 * steps, and a disk with a crash's manners.
 */
import {
  type Conference,
  createConference,
  type EventReader,
  type Joined,
  type Notice,
  type OperatorCommand,
  type ParticipantCommand,
  type Role,
  type RoomEvent,
  type VersionVector,
} from '../../core/conference/index.ts'
import { LogExchange } from '../../relay/sync/index.ts'

const START_MS = Date.UTC(2026, 5, 1)
export const ROOM = 'hall'

/** What is on it survives; what is on its way there may or may not. */
class Disk implements EventReader {
  readonly nodeId: string
  readonly formerNodeIds: string[] = []
  readonly byOrigin = new Map<string, RoomEvent[]>()

  constructor(nodeId: string) {
    this.nodeId = nodeId
  }

  append(events: readonly RoomEvent[]): void {
    for (const event of events) {
      const list = this.byOrigin.get(event.origin) ?? []
      this.byOrigin.set(event.origin, list)
      if (event.sequence <= list.length) throw new Error(`${this.nodeId}: an event came twice`)
      if (event.sequence > list.length + 1) throw new Error(`${this.nodeId}: a gap`)
      const before = list.at(-1)?.time ?? -1
      if (event.time <= before) throw new Error(`${this.nodeId}: ${event.origin} out of order`)
      list.push(event)
    }
  }

  get timeLast(): number {
    return Math.max(0, ...[...this.byOrigin.values()].map((list) => list.at(-1)!.time))
  }

  versionVector(): VersionVector {
    return Object.fromEntries([...this.byOrigin].map(([origin, list]) => [origin, list.length]))
  }

  readRoom(): RoomEvent[] {
    const all = [...this.byOrigin.values()].flat()
    return all.sort(
      (a, b) =>
        a.time - b.time ||
        (a.origin === b.origin ? a.sequence - b.sequence : a.origin < b.origin ? -1 : 1),
    )
  }

  readOrigin(origin: string, after: number, limit: number): RoomEvent[] {
    return (this.byOrigin.get(origin) ?? []).slice(after, after + limit)
  }

  readCheckpoint(): undefined {}

  openRooms(): string[] {
    return this.readRoom().at(-1)?.type === 'room-closed' || this.byOrigin.size === 0 ? [] : [ROOM]
  }

  lostEvents(): never[] {
    return []
  }
}

export type TreeNodeOptions = {
  id: string
  random: () => number
  isCore: boolean
  /** A batch of this node's own is about to be written. */
  onBatch: (node: TreeNode, batch: readonly RoomEvent[]) => void
}

export class TreeNode {
  readonly id: string
  readonly disk: Disk
  readonly people: Joined[] = []
  readonly faults: unknown[] = []
  /** How far this node's wall clock is from the true one. */
  skewMs = 0
  nowMs = 0
  conference!: Conference
  exchange!: LogExchange
  /** A neighbour has shown events of this node that it does not have. */
  behindCount = 0
  readonly #options: TreeNodeOptions
  #flight: { batch: readonly RoomEvent[]; dueMs: number } | undefined
  #connections = 0

  constructor(options: TreeNodeOptions) {
    this.#options = options
    this.id = options.id
    this.disk = new Disk(options.id)
    this.#start()
  }

  get now(): { nowMs: number; wallMs: number } {
    return { nowMs: this.nowMs, wallMs: START_MS + this.nowMs + this.skewMs }
  }

  /** kill -9 and a start: a batch on its way is on disk or not, whoever waits for it does not hear. */
  crash(): void {
    if (this.#flight !== undefined && this.#options.random() < 0.5) {
      this.disk.append(this.#flight.batch)
    }
    this.#start()
  }

  #start(): void {
    const { random, isCore } = this.#options
    this.#flight = undefined
    this.people.length = 0
    this.conference = createConference({
      store: this.disk,
      randomBytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(random() * 256)),
      now: this.now,
      closesEmptyRooms: isCore,
      onFault: (error) => this.faults.push(error),
    })
    const { conference } = this
    this.exchange = new LogExchange({
      log: this.disk,
      ingest: (events, reply) => {
        if (conference === this.conference) conference.ingest(events, reply)
      },
      onBehind: () => {
        this.behindCount += 1
      },
    })
  }

  join(role: Role, site: string): void {
    this.#connections += 1
    const subject = `${site} ${this.#connections % 7}`
    const identity = { role, name: site, site, subject, tokenId: '', tokenExpiresMs: 4e12 }
    const { people, conference } = this
    conference.join({ room: ROOM, identity, connection: this.#connections }, (result) => {
      if (result.ok && conference === this.conference) people.push(result.value)
    })
  }

  ask(participant: string, command: ParticipantCommand, then: (ok: boolean) => void): void {
    this.conference.command(participant, command, (result) => then(result.ok))
  }

  operate(command: OperatorCommand): void {
    this.conference.operate(ROOM, command, () => undefined)
  }

  /** Lets this node do what is due. */
  step(nowMs: number): void {
    this.nowMs = nowMs
    if (this.#flight !== undefined && this.#flight.dueMs <= nowMs) {
      const { batch } = this.#flight
      this.#flight = undefined
      this.disk.append(batch)
      const notices: Notice[] = []
      this.conference.settle({ ok: true }, this.now, notices)
      this.#take(notices)
      this.exchange.logGrew(nowMs)
    }
    if (this.#flight !== undefined || this.conference.deadlineMs > nowMs) return
    const notices: Notice[] = []
    const batch = this.conference.flush(this.now, notices)
    this.#take(notices)
    if (batch === undefined) return
    this.#options.onBatch(this, batch)
    this.#flight = { batch, dueMs: nowMs + Math.floor(this.#options.random() * 30) }
  }

  #take(notices: readonly Notice[]): void {
    for (const notice of notices) {
      if (notice.type !== 'gone') continue
      const at = this.people.findIndex(({ participant }) => participant === notice.participant)
      if (at >= 0) this.people.splice(at, 1)
    }
  }
}
