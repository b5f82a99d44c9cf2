/**
 * The conference of one node: requests in; batches of facts for the disk, replies, notices and one
 * next deadline out. Pure: it knows neither clock nor socket, and only reads the store (event-store.ts).
 *
 * One flush makes one batch: each queued request is decided against the state with all before it folded in. While the
 * batch is on its way to the disk, requests gather for the next, and everybody still sees the state that is on disk
 * (room.ts has both). Once it is there, its facts are folded into that state and everybody is answered; when the disk
 * refuses, they are forgotten and all are answered `store-unavailable`.
 */
import { REQUESTS_QUEUED_MAX, ROOMS_MAX, STORE_RETRY_MS } from '../../config/limits.ts'
import { actingChairFact, concernsActing, type Island, type Standing } from './acting-chair.ts'
import type { RoomCheckpoint } from './checkpoint.ts'
import type {
  ChatPage,
  Identity,
  Instant,
  Joined,
  JoinRequest,
  Notice,
  OperatorCommand,
  ParticipantCommand,
  RoomSummary,
  RosterPage,
  RosterQuery,
} from './commands.ts'
import type {
  Conference,
  ConferenceOptions,
  ParticipantInfo,
  Reply,
  StoreState,
} from './conference.ts'
import { refuse } from './decide.ts'
import type { AppendResult, EventReader } from './event-store.ts'
import type { LeaveCause, RoomEvent, VersionVector } from './events.ts'
import type { IngestResult } from './ingest.ts'
import { OpenRooms } from './open-rooms.ts'
import { Proposals } from './proposals.ts'
import type { Request, Settle } from './request.ts'
import { NOT_TAKEN, RequestRunner } from './request-runner.ts'
import type { Room } from './room.ts'
import { isBarred } from './room-state.ts'
import { chatPageOf, selfStateOf } from './room-view.ts'
import { Sessions } from './sessions.ts'
import { stateText } from './state-text.ts'
import { tellChanges } from './tell-changes.ts'

const OVERLOADED = refuse('overloaded', 'too many requests or rooms')

/** A batch on its way to the disk, and who waits for it. */
type Flight = { settles: Settle[]; closing: string[] }

/** Reads the open rooms from the store; participants that a former run left behind leave with the first flush. */
export function createConference(options: ConferenceOptions): Conference {
  return new NodeConference(options)
}

class NodeConference implements Conference {
  readonly nodeId: string
  storeState: StoreState = 'ok'
  readonly #store: EventReader
  readonly #sessions: Sessions
  readonly #closesEmptyRooms: boolean
  readonly #rooms: OpenRooms
  readonly #proposals: Proposals
  readonly #runner: RequestRunner
  /** Who must leave as soon as the disk takes it, with room and cause. */
  readonly #departing = new Map<string, { room: string; cause: LeaveCause }>()
  /** Undefined until it is known how this node stands; then whether it is the topmost of an island. */
  #standing: { island: Island | undefined } | undefined
  /** Rooms whose acting chair is to be looked at. */
  readonly #unmoderated = new Set<Room>()
  #queue: Request[] = []
  #flight: Flight | undefined
  #retryMs = 0
  #checkpoints: RoomCheckpoint[] = []

  constructor({
    store,
    randomBytes,
    now,
    joinCreatesRooms = true,
    closesEmptyRooms = true,
    onFault = () => {},
  }: ConferenceOptions) {
    this.nodeId = store.nodeId
    this.#store = store
    this.#sessions = new Sessions(randomBytes)
    this.#rooms = new OpenRooms({ store, sessions: this.#sessions, onFault })
    this.#proposals = new Proposals(store, this.#rooms)
    this.#closesEmptyRooms = closesEmptyRooms
    this.#runner = new RequestRunner({
      ...{ rooms: this.#rooms, sessions: this.#sessions, proposals: this.#proposals },
      ...{ departing: this.#departing, joinCreatesRooms, onFault },
    })
    for (const name of store.openRooms(ROOMS_MAX)) this.#recover(name)
    this.#settleRooms(now, [])
  }

  join(request: JoinRequest, reply: Reply<Joined>): void {
    this.#enqueue({ kind: 'join', request, reply }, reply)
  }

  command(participant: string, command: ParticipantCommand, reply: Reply<undefined>): void {
    this.#enqueue({ kind: 'command', participant, command, reply }, reply)
  }

  operate(room: string, command: OperatorCommand, reply: Reply<undefined>): void {
    this.#enqueue({ kind: 'operate', room, command, reply }, reply)
  }

  disconnected(participant: string, connection: number, nowMs: number): void {
    this.#sessions.lose(participant, connection, nowMs)
  }

  flush(now: Instant, notices: Notice[]): readonly RoomEvent[] | undefined {
    const batch = this.#flight === undefined ? this.#decide(now, notices) : undefined
    this.#tell(now, notices)
    return batch
  }

  settle(result: AppendResult, now: Instant, notices: Notice[]): void {
    const flight = this.#flight
    if (flight === undefined) return
    this.#flight = undefined
    this.storeState = result.ok ? 'ok' : result.cause
    if (result.ok) {
      this.#rooms.noteClosed(flight.closing)
      this.#proposals.commit()
    } else {
      this.#retryMs = now.nowMs + STORE_RETRY_MS
      this.#proposals.forget()
    }
    this.#settleRooms(now, notices)
    for (const settle of flight.settles) settle(result.ok)
    this.#tell(now, notices)
  }

  takeCheckpoints(): RoomCheckpoint[] {
    return this.#checkpoints.splice(0)
  }

  get deadlineMs(): number {
    const isOnItsWay = this.#flight !== undefined
    if (!isOnItsWay && (this.#queue.length > 0 || this.#rooms.touched.size > 0)) return 0
    const mustWrite =
      this.#departing.size + this.#unmoderated.size > 0 ||
      this.#rooms.mustClose ||
      this.storeState !== 'ok'
    let writeMs = mustWrite ? 0 : this.#sessions.deadlineMs
    let deltaMs = Number.POSITIVE_INFINITY
    for (const room of this.#rooms.values()) {
      if (this.#closesEmptyRooms) writeMs = Math.min(writeMs, room.emptyDeadlineMs)
      deltaMs = Math.min(deltaMs, room.view.deadlineMs)
    }
    return isOnItsWay ? deltaMs : Math.min(Math.max(writeMs, this.#retryMs), deltaMs)
  }

  summary(name: string): RoomSummary | undefined {
    const room = this.#rooms.get(name)
    return room?.view.summary(room.state)
  }

  stateText(name: string): string | undefined {
    const room = this.#rooms.get(name)
    return room === undefined ? undefined : stateText(room.state)
  }

  rooms(): RoomSummary[] {
    return this.#rooms.names().map((name) => this.summary(name)!)
  }

  participant(id: string): ParticipantInfo | undefined {
    const session = this.#sessions.get(id)
    const state = session && this.#rooms.get(session.room)?.state
    const found = state?.participants.get(id)
    if (session === undefined || state === undefined || found === undefined) return undefined
    return {
      participant: id,
      room: session.room,
      role: found.role,
      name: found.name,
      site: found.site,
      self: selfStateOf(state, found),
      connected: this.#sessions.isConnected(id),
    }
  }

  isBarred(name: string, claims: Pick<Identity, 'subject' | 'tokenId'>, wallMs: number): boolean {
    const room = this.#rooms.get(name)
    return room !== undefined && isBarred(room.state, claims, wallMs)
  }

  roster(name: string, query: RosterQuery): RosterPage {
    const room = this.#rooms.get(name)
    return room?.roster.page(room.state, query) ?? { members: [], cursor: null, total: 0 }
  }

  chatPage(name: string, before: number | undefined, limit: number): ChatPage {
    const room = this.#rooms.get(name)
    return room ? chatPageOf(room.state, before, limit) : { entries: [], more: false }
  }

  ingest(events: readonly RoomEvent[], reply: (result: IngestResult) => void): void {
    if (this.#queue.length < REQUESTS_QUEUED_MAX)
      this.#queue.push({ kind: 'ingest', events, reply })
    else reply(NOT_TAKEN)
  }

  versionVector(): VersionVector {
    return this.#store.versionVector()
  }

  setIsland(island: Island | undefined): void {
    this.#standing = { island }
    for (const room of this.#rooms.values()) this.#lookAtChair(room)
  }

  leaveAll(): void {
    for (const room of this.#rooms.values()) this.#expireOwn(room, 'node-restarted')
  }

  #lookAtChair(room: Room): void {
    const { island } = this.#standing ?? {}
    if (this.#standing === undefined || !concernsActing(room.state, this.#standingOf(island)))
      return
    this.#unmoderated.add(room)
  }

  #standingOf(island: Island | undefined): Standing {
    return {
      nodeId: this.nodeId,
      island,
      isConnected: (participant) => this.#sessions.isConnected(participant),
    }
  }

  /** Appoints where somebody must moderate, and ends what is over. */
  #moderate(now: Instant): void {
    const standing = this.#standingOf(this.#standing?.island)
    for (const room of this.#unmoderated) {
      if (this.#rooms.get(room.name) !== room || !room.next.open) continue
      const fact = actingChairFact(room.next, standing)
      if (fact !== undefined) this.#proposals.propose(room, [fact], now)
    }
    this.#unmoderated.clear()
  }

  #enqueue<T>(request: Request, reply: Reply<T>): void {
    if (this.#queue.length >= REQUESTS_QUEUED_MAX) reply(OVERLOADED)
    else this.#queue.push(request)
  }

  #recover(name: string): void {
    const room = this.#rooms.named(name)
    if (room !== undefined) this.#expireOwn(room, 'node-restarted')
  }

  #expireOwn(room: Room, cause: LeaveCause): void {
    for (const { id, origin } of room.state.participants.values()) {
      if (this.#isOwn(origin)) this.#departing.set(id, { room: room.name, cause })
    }
  }

  #isOwn(origin: string): boolean {
    return origin === this.nodeId || this.#store.formerNodeIds.includes(origin)
  }

  #queueDue(queue: Request[], now: Instant): void {
    for (const participant of this.#sessions.due(now.nowMs)) {
      const { room } = this.#sessions.get(participant)!
      this.#departing.set(participant, { room, cause: 'connection-lost' })
    }
    for (const [participant, { room, cause }] of this.#departing) {
      queue.push({ kind: 'expire', room, participant, cause })
    }
    if (!this.#closesEmptyRooms) return
    for (const room of this.#rooms.values()) {
      if (room.emptyDeadlineMs <= now.nowMs) queue.push({ kind: 'close-empty', room })
    }
  }

  /** Decides all that waits; without anything to write, answers at once. */
  #decide(now: Instant, notices: Notice[]): readonly RoomEvent[] | undefined {
    const queue = this.#queue
    this.#queue = []
    const isDown = now.nowMs < this.#retryMs
    this.#proposals.begin()
    const closing = isDown ? [] : this.#rooms.namesToClose()
    for (const name of closing) this.#proposals.closeBroken(name, now)
    if (!isDown) this.#queueDue(queue, now)
    const settles = queue.map((request) => this.#runner.run(request, now, isDown))
    if (!isDown) this.#moderate(now)
    const batch = this.#proposals.events
    // While the disk refuses, an empty batch asks whether it still does.
    if (!isDown && (batch.length > 0 || this.storeState !== 'ok')) {
      this.#flight = { settles, closing }
      return batch
    }
    this.#settleRooms(now, notices)
    for (const settle of settles) settle(true)
    return undefined
  }

  #tell(now: Instant, notices: Notice[]): void {
    for (const room of this.#rooms.values()) {
      this.#rooms.guard(room, () => {
        const delta = room.view.takeDelta(room.state, now.nowMs)
        if (delta !== undefined) notices.push({ type: 'room', room: room.name, delta })
      })
    }
    notices.push(...this.#rooms.takeNotices())
  }

  #settleRooms(now: Instant, notices: Notice[]): void {
    for (const room of this.#rooms.touched) {
      this.#rooms.guard(room, () => {
        const out = { sessions: this.#sessions, notices }
        for (const changes of room.settle(now.nowMs)) tellChanges(room, changes, out)
        this.#lookAtChair(room)
        if (room.state.open) return
        this.#rooms.delete(room.name)
        const checkpoint = room.log.checkpoint()
        if (checkpoint !== undefined) this.#checkpoints.push(checkpoint)
      })
    }
    this.#rooms.touched.clear()
  }
}
