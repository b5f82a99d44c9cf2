/**
 * For tests: a store in memory that can refuse, a seeded source of randomness, and a conference
 * with a clock to turn.
 */
import type { RoomCheckpoint } from './checkpoint.ts'
import type { Joined, Notice, ParticipantCommand, Result } from './commands.ts'
import type { Conference, ConferenceOptions } from './conference.ts'
import type { AppendResult, EventReader } from './event-store.ts'
import { compareEvents, type EventPosition, type RoomEvent, type VersionVector } from './events.ts'
import type { IngestResult } from './ingest.ts'
import { createConference } from './node-conference.ts'
import type { Role } from './roles.ts'

export class MemoryStore implements EventReader {
  readonly nodeId: string
  readonly formerNodeIds: string[] = []
  readonly events: RoomEvent[] = []
  readonly checkpoints = new Map<string, RoomCheckpoint>()
  refuses: 'full' | 'read-only' | 'failed' | null = null
  appendCount = 0

  constructor(nodeId = 'nhome') {
    this.nodeId = nodeId
  }

  get timeLast(): number {
    return this.events.reduce((last, { time }) => Math.max(last, time), 0)
  }

  append(events: readonly RoomEvent[]): AppendResult {
    if (this.refuses !== null) return { ok: false, cause: this.refuses }
    if (events.length > 0) this.appendCount += 1
    this.events.push(...events)
    for (const event of events) {
      const last = this.checkpoints.get(event.room)?.last
      if (last && compareEvents(event, last) <= 0) this.checkpoints.delete(event.room)
    }
    return { ok: true }
  }

  versionVector(): VersionVector {
    const vector: VersionVector = {}
    for (const { origin, sequence } of this.events) {
      vector[origin] = Math.max(sequence, vector[origin] ?? 0)
    }
    return vector
  }

  readRoom(room: string, after?: EventPosition): RoomEvent[] {
    return this.events
      .filter((event) => event.room === room && (!after || compareEvents(after, event) < 0))
      .sort(compareEvents)
  }

  readCheckpoint(room: string): RoomCheckpoint | undefined {
    return this.checkpoints.get(room)
  }

  readOrigin(origin: string, after: number, limit: number): RoomEvent[] {
    return this.events
      .filter((event) => event.origin === origin && event.sequence > after)
      .sort((a, b) => a.sequence - b.sequence)
      .slice(0, limit)
  }

  openRooms(limit: number): string[] {
    const rooms = new Set(this.events.map(({ room }) => room))
    return [...rooms]
      .filter((room) => this.readRoom(room).at(-1)!.type !== 'room-closed')
      .slice(0, limit)
  }

  lostEvents(): never[] {
    return []
  }
}

/** Deterministic bytes; not for anything but tests. */
export function seededBytes(seed: number): (count: number) => Uint8Array {
  let state = seed >>> 0
  return (count) =>
    Uint8Array.from({ length: count }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state >>> 24
    })
}

let seeds = 1

/** A conference whose time stands still until told. */
export class TestConference {
  readonly store: MemoryStore
  readonly conference: Conference
  readonly notices: Notice[] = []
  /** Bugs that were contained. */
  readonly faults: unknown[] = []
  nowMs = 0
  wallMs = Date.UTC(2026, 5, 1)
  #connections = 0

  constructor(store = new MemoryStore(), choice: Partial<ConferenceOptions> = {}) {
    this.store = store
    const onFault = (error: unknown): void => void this.faults.push(error)
    const options = { store, randomBytes: seededBytes(seeds++), now: this.now(), onFault }
    this.conference = createConference({ ...options, ...choice })
  }

  now(): { nowMs: number; wallMs: number } {
    return { nowMs: this.nowMs, wallMs: this.wallMs }
  }

  /** Decides what waits and writes it, at once. */
  flush(): void {
    for (;;) {
      const batch = this.conference.flush(this.now(), this.notices)
      if (batch === undefined) return
      this.conference.settle(this.store.append(batch), this.now(), this.notices)
      for (const checkpoint of this.conference.takeCheckpoints()) {
        this.store.checkpoints.set(checkpoint.room, checkpoint)
      }
    }
  }

  /** Takes events of other nodes. */
  ingest(events: readonly RoomEvent[]): IngestResult {
    let answer: IngestResult | undefined
    this.conference.ingest(events, (result) => {
      answer = result
    })
    this.flush()
    return answer!
  }

  /** Lets time go by, and what is due happen when it is due. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms
    for (;;) {
      const dueMs = Math.max(this.conference.deadlineMs, this.nowMs)
      if (dueMs > endMs) break
      this.wallMs += dueMs - this.nowMs
      this.nowMs = dueMs
      const before = this.conference.deadlineMs
      this.flush()
      if (this.conference.deadlineMs <= before) throw new Error('a deadline does not move')
    }
    this.wallMs += endMs - this.nowMs
    this.nowMs = endMs
  }

  tryJoin(
    role: Role,
    options: {
      name?: string
      site?: string
      room?: string
      resume?: { session: string; secret: string }
      connection?: number
      tokenId?: string
      subject?: string
      tokenExpiresMs?: number
    } = {},
  ): Result<Joined> {
    this.#connections += 1
    const { room = 'hall', resume, connection = this.#connections, name = 'An' } = options
    const { site = 'Mường Nhé', tokenId = '', subject = '' } = options
    const { tokenExpiresMs = this.wallMs + 3_600_000 } = options
    const identity = { role, name, site, subject, tokenId, tokenExpiresMs }
    let answer: Result<Joined> | undefined
    const request = { room, identity, connection }
    this.conference.join(resume ? { ...request, resume } : request, (result) => {
      answer = result
    })
    this.flush()
    return answer!
  }

  /** Joins and returns the answer; throws when refused. */
  join(role: Role, options: Parameters<TestConference['tryJoin']>[1] = {}): Joined {
    const result = this.tryJoin(role, options)
    if (!result.ok) throw new Error(result.code)
    return result.value
  }

  /** 'ok' or the error's code. */
  ask(participant: string, command: ParticipantCommand): string {
    let answer = 'no answer'
    this.conference.command(participant, command, (result) => {
      answer = result.ok ? 'ok' : result.code
    })
    this.flush()
    return answer
  }

  takeNotices(): Notice[] {
    return this.notices.splice(0)
  }
}
