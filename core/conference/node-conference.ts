/**
 * The conference of one node: requests in; facts to the store; replies, notices and one next
 * deadline out. Pure: it knows neither clock nor socket, and the store is a seam (event-store.ts).
 *
 * One flush is one transaction: each queued request is decided against the state with all before it folded in, then the
 * facts of all are written together, then everybody is answered. When the disk refuses, the folds are undone and all
 * are answered `store-unavailable`; nothing between shows to anybody, since a flush is synchronous.
 */
import { REQUESTS_QUEUED_MAX, ROOMS_MAX, STORE_RETRY_MS } from '../../config/limits.ts'
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
import { type Actor, type Decision, decideCommand, decideJoin, refuse } from './decide.ts'
import type { EventStore } from './event-store.ts'
import type { Fact, LeaveCause, RoomEvent, VersionVector } from './events.ts'
import { HybridClock } from './hybrid-clock.ts'
import { type IngestResult, sortOutIngest } from './ingest.ts'
import { joinedOf } from './joined.ts'
import { OpenRooms } from './open-rooms.ts'
import type { Request, Settle } from './request.ts'
import type { Room } from './room.ts'
import { isBarred } from './room-state.ts'
import { chatPageOf, selfStateOf } from './room-view.ts'
import { Sessions } from './sessions.ts'
import { tellChanges } from './tell-changes.ts'

const STORE_DOWN = refuse('store-unavailable', 'control events cannot be written now')
const FAULTY = refuse('internal', 'this should not have happened')
const OVERLOADED = refuse('overloaded', 'too many requests or rooms')

/** Reads the open rooms from the store; participants that a former run left behind leave with the first flush. */
export function createConference(options: ConferenceOptions): Conference {
  return new NodeConference(options)
}

class NodeConference implements Conference {
  readonly nodeId: string
  storeState: StoreState = 'ok'
  readonly #store: EventStore
  readonly #sessions: Sessions
  readonly #clock: HybridClock
  readonly #joinCreatesRooms: boolean
  readonly #rooms: OpenRooms
  readonly #onFault: (error: unknown) => void
  readonly #vector: VersionVector
  /** Who must leave as soon as the disk takes it, with room and cause. */
  readonly #departing = new Map<string, { room: string; cause: LeaveCause }>()
  #queue: Request[] = []
  #batch: RoomEvent[] = []
  #retryMs = 0

  constructor({
    store,
    randomBytes,
    now,
    joinCreatesRooms = true,
    onFault = () => {},
  }: ConferenceOptions) {
    this.#onFault = onFault
    this.nodeId = store.nodeId
    this.#store = store
    this.#sessions = new Sessions(randomBytes)
    this.#rooms = new OpenRooms({ store, sessions: this.#sessions, onFault })
    this.#clock = new HybridClock(store.timeLast)
    this.#joinCreatesRooms = joinCreatesRooms
    this.#vector = { [store.nodeId]: 0, ...store.versionVector() }
    for (const name of store.openRooms(ROOMS_MAX)) this.#recover(name)
    this.#settle(now, [])
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

  flush(now: Instant, notices: Notice[]): void {
    const queue = this.#queue
    this.#queue = []
    const isDown = now.nowMs < this.#retryMs
    const closing = isDown ? [] : this.#closeBroken(now)
    if (!isDown) this.#queueDue(queue, now)
    const settles = queue.map((request) => this.#runSafely(request, now, isDown))
    const durable = isDown || this.#write(now)
    if (durable) this.#rooms.mended(closing)
    this.#settle(now, notices)
    for (const settle of settles) settle(durable)
    for (const room of this.#rooms.values()) {
      this.#rooms.guard(room, () => {
        const delta = room.view.takeDelta(room.state, now.nowMs)
        if (delta !== undefined) notices.push({ type: 'room', room: room.name, delta })
      })
    }
    notices.push(...this.#rooms.takeNotices())
  }

  get deadlineMs(): number {
    if (this.#queue.length > 0 || this.#rooms.touched.size > 0) return 0
    let writeMs =
      this.#departing.size + this.#rooms.brokenCount > 0 || this.storeState !== 'ok'
        ? 0
        : this.#sessions.deadlineMs
    let deltaMs = Number.POSITIVE_INFINITY
    for (const room of this.#rooms.values()) {
      writeMs = Math.min(writeMs, room.emptyDeadlineMs)
      deltaMs = Math.min(deltaMs, room.view.deadlineMs)
    }
    return Math.min(Math.max(writeMs, this.#retryMs), deltaMs)
  }

  summary(name: string): RoomSummary | undefined {
    const room = this.#rooms.get(name)
    return room?.view.summary(room.state)
  }

  rooms(): RoomSummary[] {
    return this.#rooms.names().map((name) => this.summary(name)!)
  }

  participant(id: string): ParticipantInfo | undefined {
    const session = this.#sessions.get(id)
    const found = session && this.#rooms.get(session.room)?.state.participants.get(id)
    if (session === undefined || found === undefined) return undefined
    return {
      participant: id,
      room: session.room,
      role: found.role,
      name: found.name,
      site: found.site,
      self: selfStateOf(found),
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

  ingest(events: readonly RoomEvent[], now: Instant): IngestResult {
    const { accepted, result } = sortOutIngest(events, {
      vector: this.#vector,
      lost: this.#store.lostEvents(),
      observe: (time) => this.#clock.observe(time, now.wallMs),
    })
    if (accepted.length === 0) return result
    if (!this.#store.append(accepted).ok) return { acceptedCount: 0, refused: 'store-unavailable' }
    for (const { origin, sequence } of accepted) {
      this.#vector[origin] = Math.max(sequence, this.#vector[origin] ?? 0)
    }
    const byRoom = Map.groupBy(accepted, (event) => event.room)
    byRoom.delete('')
    for (const [name, late] of byRoom) {
      const open = this.#rooms.get(name)
      // A room that is read now has the new events from the store.
      if (open === undefined) this.#rooms.named(name)
      else {
        this.#rooms.touched.add(open)
        this.#rooms.guard(open, () => open.merge(late))
      }
    }
    return result
  }

  versionVector(): VersionVector {
    return { ...this.#vector }
  }

  leaveAll(): void {
    for (const room of this.#rooms.values()) this.#expireOwn(room, 'node-restarted')
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

  /** The closing of broken rooms, written without being folded: the names that are on disk if the batch gets there. */
  #closeBroken(now: Instant): string[] {
    const names = this.#rooms.brokenNames()
    for (const name of names) {
      this.#batch.push(this.#stamp(name, { type: 'room-closed', payload: { cause: 'fault' } }, now))
    }
    return names
  }

  #queueDue(queue: Request[], now: Instant): void {
    for (const participant of this.#sessions.due(now.nowMs)) {
      const { room } = this.#sessions.get(participant)!
      this.#departing.set(participant, { room, cause: 'connection-lost' })
    }
    for (const [participant, { room, cause }] of this.#departing) {
      queue.push({ kind: 'expire', room, participant, cause })
    }
    for (const room of this.#rooms.values()) {
      if (room.emptyDeadlineMs <= now.nowMs) queue.push({ kind: 'close-empty', room })
    }
  }

  /** A bug in a decision costs that request alone: deciding changes nothing. */
  #runSafely(request: Request, now: Instant, isDown: boolean): Settle {
    try {
      return this.#run(request, now, isDown)
    } catch (error) {
      this.#onFault(error)
      return () => {
        if ('reply' in request) request.reply(FAULTY)
      }
    }
  }

  #run(request: Request, now: Instant, isDown: boolean): Settle {
    switch (request.kind) {
      case 'join':
        return this.#runJoin(request, now, isDown)
      case 'command':
      case 'operate':
        return this.#runCommand(request, now, isDown)
      case 'expire': {
        const { participant, cause } = request
        const room = this.#rooms.get(request.room)
        if (room?.state.participants.has(participant)) {
          this.#propose(room, [{ type: 'left', payload: { participant, cause } }], now)
        }
        return (durable) => {
          if (durable) this.#departing.delete(participant)
        }
      }
      case 'close-empty':
        if (request.room.state.participants.size === 0 && request.room.state.open) {
          const closed: Fact = { type: 'room-closed', payload: { cause: 'empty' } }
          this.#propose(request.room, [closed], now)
        }
        return () => {}
    }
  }

  #runJoin(
    { request, reply }: Extract<Request, { kind: 'join' }>,
    now: Instant,
    isDown: boolean,
  ): Settle {
    if (request.resume !== undefined) return this.#runResume(request, reply, now)
    if (isDown) return () => reply(STORE_DOWN)
    const participant = this.#sessions.createParticipantId()
    const decision = this.#decideJoin(request, participant, now)
    if (!Array.isArray(decision)) return () => reply(decision)
    this.#propose(this.#rooms.get(request.room)!, decision, now)
    return (durable) => {
      if (!durable) return reply(STORE_DOWN)
      if (this.#rooms.isBroken(request.room)) return reply(FAULTY)
      const room = this.#rooms.get(request.room)
      // The same batch may have kicked the holder of the token, or closed the room.
      if (!room?.state.participants.has(participant)) return reply(GONE_AT_ONCE)
      const session = this.#sessions.open(participant, room.name, request.connection)
      reply({ ok: true, value: joinedOf(room, session, false) })
    }
  }

  #decideJoin(request: JoinRequest, participant: string, now: Instant): Decision {
    const room = this.#rooms.named(request.room)
    if (room === undefined) return this.#rooms.isBroken(request.room) ? FAULTY : OVERLOADED
    if (!room.state.open && !this.#joinCreatesRooms) return refuse('not-found', 'no such room')
    return decideJoin(room.state, request, { participant, wallMs: now.wallMs })
  }

  /** Needs no disk, so it works while the store is down. */
  #runResume(request: JoinRequest, reply: Reply<Joined>, now: Instant): Settle {
    const session = this.#resumable(request, now)
    return () => {
      const room = session && this.#rooms.get(session.room)
      if (session && room?.state.participants.has(session.participant)) {
        reply({ ok: true, value: joinedOf(room, session, true) })
      } else reply(refuse('session-gone', 'the session has ended'))
    }
  }

  #resumable({ resume, room, identity, connection }: JoinRequest, now: Instant) {
    const id = resume && this.#sessions.participantOf(resume)
    const found = id === undefined ? undefined : this.#rooms.get(room)?.state.participants.get(id)
    if (resume === undefined || found === undefined) return undefined
    if (found.subject !== identity.subject || found.role !== identity.role) return undefined
    return this.#sessions.resume(resume, connection, now.nowMs)
  }

  #runCommand(
    request: Extract<Request, { kind: 'command' | 'operate' }>,
    now: Instant,
    isDown: boolean,
  ): Settle {
    const { reply } = request
    if (isDown) return () => reply(STORE_DOWN)
    const found =
      request.kind === 'command' ? this.#asParticipant(request) : this.#asOperator(request)
    if (found === undefined) return () => reply(refuse('not-found', 'not present, or no such room'))
    const decision = decideCommand(found.room.state, found.actor, request.command)
    if (!Array.isArray(decision)) return () => reply(decision)
    this.#propose(found.room, decision, now)
    return (durable) => {
      if (this.#rooms.isBroken(found.room.name)) reply(FAULTY)
      else reply(durable ? { ok: true, value: undefined } : STORE_DOWN)
    }
  }

  #asParticipant(request: { participant: string }): { room: Room; actor: Actor } | undefined {
    const id = request.participant
    const room = this.#rooms.get(this.#sessions.get(id)?.room ?? '')
    const self = room?.state.participants.get(id)
    return room && self && { room, actor: { id, role: self.role } }
  }

  #asOperator(request: { room: string; command: OperatorCommand }) {
    const creates = request.command.type === 'create-room'
    const room = creates ? this.#rooms.named(request.room) : this.#rooms.get(request.room)
    if (room === undefined || (!creates && !room.state.open)) return undefined
    const actor: Actor = { id: null, role: 'chair' }
    return { room, actor }
  }

  #propose(room: Room, facts: readonly Fact[], now: Instant): void {
    for (const fact of facts) {
      const event = this.#stamp(room.name, fact, now)
      this.#rooms.touched.add(room)
      if (!this.#rooms.guard(room, () => room.propose(event))) {
        // What broke the room is not written: its number is the next one's.
        this.#vector[this.nodeId] = event.sequence - 1
        return
      }
      this.#batch.push(event)
    }
  }

  #stamp(room: string, fact: Fact, now: Instant): RoomEvent {
    const sequence = this.#vector[this.nodeId]! + 1
    this.#vector[this.nodeId] = sequence
    const time = this.#clock.tick(now.wallMs)
    return { ...fact, origin: this.nodeId, sequence, time, room }
  }

  /** All proposals to disk, or undone. */
  #write(now: Instant): boolean {
    const batch = this.#batch
    // While the disk refuses, an empty batch asks whether it still does.
    if (batch.length === 0 && this.storeState === 'ok') return true
    this.#batch = []
    const written = this.#store.append(batch)
    this.storeState = written.ok ? 'ok' : written.cause
    if (written.ok) return true
    this.#retryMs = now.nowMs + STORE_RETRY_MS
    this.#vector[this.nodeId] = this.#vector[this.nodeId]! - batch.length
    for (const room of this.#rooms.touched) room.undo()
    return false
  }

  #settle(now: Instant, notices: Notice[]): void {
    for (const room of this.#rooms.touched) {
      this.#rooms.guard(room, () => {
        const out = { sessions: this.#sessions, notices }
        for (const changes of room.settle(now.nowMs)) tellChanges(room, changes, out)
        if (!room.state.open) this.#rooms.delete(room.name)
      })
    }
    this.#rooms.touched.clear()
  }
}

const GONE_AT_ONCE = refuse('kicked', 'removed from the room while joining')
