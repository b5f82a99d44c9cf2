/**
 * One request after the other: against the state with all before it folded in, to facts for the batch and an answer
 * for when that is on disk or refused. Keeps no queue and no time.
 */
import type { Instant, Joined, JoinRequest, OperatorCommand } from './commands.ts'
import type { Reply } from './conference.ts'
import { type Actor, actorOf, type Decision, decideCommand, decideJoin, refuse } from './decide.ts'
import type { Fact, LeaveCause } from './events.ts'
import type { IngestResult } from './ingest.ts'
import { joinedOf } from './joined.ts'
import type { OpenRooms } from './open-rooms.ts'
import type { Proposals } from './proposals.ts'
import type { Request, Settle } from './request.ts'
import type { Room } from './room.ts'
import type { Sessions } from './sessions.ts'

const STORE_DOWN = refuse('store-unavailable', 'control events cannot be written now')
const OVERLOADED = refuse('overloaded', 'too many requests or rooms')
const FAULTY = refuse('internal', 'this should not have happened')
const GONE_AT_ONCE = refuse('kicked', 'removed from the room while joining')
export const NOT_TAKEN: IngestResult = { acceptedCount: 0, refused: 'store-unavailable' }

type RequestRunnerOptions = {
  rooms: OpenRooms
  sessions: Sessions
  proposals: Proposals
  /** Who must leave as soon as the disk takes it, with room and cause. */
  departing: Map<string, { room: string; cause: LeaveCause }>
  joinCreatesRooms: boolean
  onFault: (error: unknown) => void
}

export class RequestRunner {
  readonly #rooms: OpenRooms
  readonly #sessions: Sessions
  readonly #proposals: Proposals
  readonly #departing: RequestRunnerOptions['departing']
  readonly #joinCreatesRooms: boolean
  readonly #onFault: (error: unknown) => void

  constructor(options: RequestRunnerOptions) {
    this.#rooms = options.rooms
    this.#sessions = options.sessions
    this.#proposals = options.proposals
    this.#departing = options.departing
    this.#joinCreatesRooms = options.joinCreatesRooms
    this.#onFault = options.onFault
  }

  /** A bug in a decision costs that request alone: deciding changes nothing. */
  run(request: Request, now: Instant, isDown: boolean): Settle {
    try {
      return this.#runOne(request, now, isDown)
    } catch (error) {
      this.#onFault(error)
      return () => {
        if (request.kind === 'ingest') request.reply(NOT_TAKEN)
        else if ('reply' in request) request.reply(FAULTY)
      }
    }
  }

  #runOne(request: Request, now: Instant, isDown: boolean): Settle {
    switch (request.kind) {
      case 'join':
        return this.#runJoin(request, now, isDown)
      case 'command':
      case 'operate':
        return this.#runCommand(request, now, isDown)
      case 'expire': {
        const { participant, cause } = request
        const room = this.#rooms.get(request.room)
        if (room?.next.participants.has(participant)) {
          this.#proposals.propose(room, [{ type: 'left', payload: { participant, cause } }], now)
        }
        return (durable) => {
          if (durable) this.#departing.delete(participant)
        }
      }
      case 'close-empty':
        if (request.room.next.participants.size === 0 && request.room.next.open) {
          const closed: Fact = { type: 'room-closed', payload: { cause: 'empty' } }
          this.#proposals.propose(request.room, [closed], now)
        }
        return () => {}
      case 'ingest':
        return this.#runIngest(request, now, isDown)
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
    // Refused because of what the batch holds, perhaps: it must be on disk for that, too.
    if (!Array.isArray(decision)) return (durable) => reply(durable ? decision : STORE_DOWN)
    this.#proposals.propose(this.#rooms.get(request.room)!, decision, now)
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
    if (!room.next.open && !this.#joinCreatesRooms) return refuse('not-found', 'no such room')
    return decideJoin(room.next, request, { participant, wallMs: now.wallMs })
  }

  #runIngest(
    { events, reply }: Extract<Request, { kind: 'ingest' }>,
    now: Instant,
    isDown: boolean,
  ): Settle {
    if (isDown) return () => reply(NOT_TAKEN)
    const result = this.#proposals.ingest(events, now)
    return (durable) => reply(durable ? result : NOT_TAKEN)
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
    const found = id === undefined ? undefined : this.#rooms.get(room)?.next.participants.get(id)
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
    const decision = decideCommand(found.room.next, found.actor, request.command)
    if (!Array.isArray(decision)) return (durable) => reply(durable ? decision : STORE_DOWN)
    this.#proposals.propose(found.room, decision, now)
    return (durable) => {
      if (this.#rooms.isBroken(found.room.name)) reply(FAULTY)
      else reply(durable ? { ok: true, value: undefined } : STORE_DOWN)
    }
  }

  #asParticipant(request: { participant: string }): { room: Room; actor: Actor } | undefined {
    const id = request.participant
    const room = this.#rooms.get(this.#sessions.get(id)?.room ?? '')
    const self = room?.next.participants.get(id)
    return room && self && { room, actor: actorOf(room.next, self) }
  }

  #asOperator(request: { room: string; command: OperatorCommand }) {
    const creates = request.command.type === 'create-room'
    const room = creates ? this.#rooms.named(request.room) : this.#rooms.get(request.room)
    if (room === undefined || (!creates && !room.next.open)) return undefined
    const actor: Actor = { id: null, role: 'chair' }
    return { room, actor }
  }
}
