/**
 * Where sockets, the conference and media meet: joins and resumes, notices out, reports in, the
 * clock. One hub per node, on the main thread. It decides nothing about the conference
 * (core/conference) and nothing about packets.
 */

import { JOINS_PER_TOKEN_BURST_MAX, JOINS_PER_TOKEN_PER_S_MAX } from '../../config/index.ts'
import type { GoneCause, Joined, Notice } from '../../core/conference/index.ts'
import type { MediaReport } from '../../core/media/control.ts'
import type { ConferenceHost } from '../../core/store/index.ts'
import { type Claims, isNodeRole } from '../auth/index.ts'
import type { DoorSocket } from '../door.ts'
import {
  CLOSE_LEFT,
  type ClientMessageOf,
  codecFor,
  type Refusal,
  type ServerMessage,
} from '../protocol/index.ts'
import { type Admission, type Entered, type Entry, GONE, JOIN_AGAIN } from './admission.ts'
import { Connection } from './connection.ts'
import { DoorCounters } from './counters.ts'
import type { HubOptions } from './hub-options.ts'
import { MediaDesk } from './media-desk.ts'
import { NodeStage } from './node-stage.ts'
import { Outgoing } from './outgoing.ts'
import { KeyedBuckets } from './rate-limit.ts'
import { answerRequest } from './requests.ts'
import type { RoomStage } from './room-stage.ts'
import { RoomStages } from './room-stages.ts'
import { Seat, type SeatListener } from './seat.ts'
import { SocketTable } from './socket-table.ts'
import { UpstreamNotice } from './upstream-notice.ts'

/** The participants of this node and what connects them. `onNotice` and `onReport` are its own. */
export class Hub {
  readonly desk: MediaDesk
  /** For the trunks. */
  readonly stage: NodeStage
  readonly upstream: UpstreamNotice
  readonly counters = new DoorCounters()
  readonly #host: ConferenceHost
  readonly #options: HubOptions
  readonly #rooms: RoomStages
  readonly #seats = new Map<string, Seat>()
  readonly #seatOf = new Map<Connection, Seat>()
  readonly #sockets = new SocketTable()
  readonly #tokenRates = new KeyedBuckets({
    perS: JOINS_PER_TOKEN_PER_S_MAX,
    burst: JOINS_PER_TOKEN_BURST_MAX,
  })
  #connectionIdLast = 0
  #closing = false

  constructor(options: HubOptions) {
    this.#options = options
    this.#host = options.host
    const { media, host, createDirector } = options
    const nowMs = (): number => host.now().nowMs
    this.desk = new MediaDesk({
      media,
      randomBytes: options.randomBytes,
      nowMs,
      room: (name) => this.#rooms.get(name),
    })
    const { desk } = this
    const publication = (id: number) => desk.publication(id)
    this.#rooms = new RoomStages({ host, media, createDirector, publication })
    this.upstream = new UpstreamNotice({
      node: options.nodeName,
      now: () => host.now(),
      broadcast: (message) => this.#broadcast(message),
    })
    const { upstream } = this
    this.stage = new NodeStage({ host, rooms: this.#rooms, desk, media, nowMs, upstream })
    options.host.onNotice = (notice) => this.#guard(() => this.#onNotice(notice))
    options.media.onReport = (report) => this.#guard(() => this.#onReport(report))
  }

  get socketCount(): number {
    return this.#sockets.size
  }

  get seatCount(): number {
    return this.#seats.size
  }

  get roomCount(): number {
    return this.#rooms.size
  }

  seat(participant: string): Seat | undefined {
    return this.#seats.get(participant)
  }

  /** Whether one more socket of this address is taken. */
  hasPlaceFor(remoteAddress: string, isLoopback: boolean): boolean {
    return !this.#closing && this.#sockets.hasPlaceFor(remoteAddress, isLoopback)
  }

  // ---- sockets ----

  onOpen(socket: DoorSocket): void {
    const codec = codecFor(socket.protocol)
    if (codec === undefined) {
      socket.terminate()
      return
    }
    const { nowMs } = this.#host.now()
    const id = ++this.#connectionIdLast
    const connection = new Connection({ id, socket, codec, counters: this.counters, nowMs })
    this.#sockets.add(socket, connection)
  }

  onMessage(socket: DoorSocket, data: Uint8Array, binary: boolean): void {
    const connection = this.#sockets.get(socket)
    if (connection === undefined) return
    const message = connection.receive(data, binary, this.#host.now().nowMs)
    if (message === undefined) return
    if (message.type === 'join') {
      void this.#join(connection, message).catch((error) => this.#fault(connection, error))
      return
    }
    const seat = this.#seatOf.get(connection)
    const room = seat === undefined ? undefined : this.#rooms.get(seat.room)
    if (seat === undefined || room === undefined) {
      connection.send({
        type: 'pong',
        ...(message.ref === undefined ? {} : { ref: message.ref }),
      })
      return
    }
    try {
      const { retryUpstream } = this.#options
      const around = { host: this.#host, desk: this.desk, room, seat, connection, retryUpstream }
      answerRequest(around, message)
      room.settle()
    } catch (error) {
      this.#fault(connection, error)
    }
  }

  onClose(socket: DoorSocket): void {
    const connection = this.#sockets.remove(socket)
    if (connection === undefined) return
    connection.state = 'closed'
    const seat = this.#seatOf.get(connection)
    this.#seatOf.delete(connection)
    if (seat?.connection !== connection) return
    seat.connection = undefined
    if (seat.step('socket-lost')) this.#host.disconnected(seat.participant, connection.id)
  }

  #fault(connection: Connection, error: unknown): void {
    this.#options.onFault(error)
    connection.end('internal', 'this should not have happened')
  }

  #guard(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#options.onFault(error)
    }
  }

  // ---- joining ----

  async #join(connection: Connection, message: ClientMessageOf<'join'>): Promise<void> {
    connection.state = 'joining'
    const verification = await this.#options.verify(message.token, this.#host.now().wallMs)
    const { resume, ref } = message
    const entered: Entered = verification.ok
      ? await this.#enter({
          claims: verification.claims,
          connection: connection.id,
          ...(resume === undefined ? {} : { resume }),
        })
      : verification
    if (!entered.ok) {
      this.#refuseJoin(connection, entered, ref)
      return
    }
    const { seat, joined } = entered
    // Whatever was awaited, the socket may have gone meanwhile. The state is read anew.
    if ((connection.state as string) === 'closed') {
      if (seat.connection === undefined) this.#leaveAlone(seat, connection)
      return
    }
    this.#seatConnection(seat, connection)
    this.counters.joins++
    if (joined.resumed) this.counters.resumes++
    this.#welcome(seat, joined, ref)
  }

  /** The socket of a join went before the answer: as if it had been lost right after. */
  #leaveAlone(seat: Seat, connection: Connection): void {
    if (seat.state === 'lost' || seat.step('socket-lost')) {
      this.#host.disconnected(seat.participant, connection.id)
    }
  }

  #refuseJoin(connection: Connection, refusal: Refusal, ref: number | undefined): void {
    const again = JOIN_AGAIN.has(refusal.code)
    connection.refuse(ref, refusal, !again)
    if (again && connection.state === 'joining') connection.state = 'waiting-join'
    else connection.end(refusal.code, refusal.message)
  }

  async #enter({ claims, connection, resume }: Entry): Promise<Entered> {
    if (isNodeRole(claims.role)) {
      const message = `an ${claims.role} token opens no room`
      return { ok: false, code: 'forbidden', message }
    }
    const { nowMs } = this.#host.now()
    const key = claims.tokenId || `${claims.subject} ${claims.room} ${claims.site} ${claims.name}`
    if (!this.#tokenRates.take(key, nowMs)) {
      return { ok: false, code: 'rate-limited', message: 'too many joins with this token' }
    }
    const result = await this.#host.join({
      room: claims.room,
      identity: {
        role: claims.role,
        name: claims.name || claims.site,
        site: claims.site,
        subject: claims.subject,
        tokenId: claims.tokenId,
        tokenExpiresMs: claims.expiresMs,
      },
      connection,
      ...(resume === undefined ? {} : { resume }),
    })
    if (!result.ok) return result
    const joined = result.value
    return { ok: true, joined, seat: this.#seatFor(joined) }
  }

  #seatFor(joined: Joined): Seat {
    const { participant, role, self } = joined
    const room = joined.room.room
    let seat = this.#seats.get(participant)
    if (seat === undefined) {
      seat = new Seat({ participant, room, role }, self)
      this.#seats.set(participant, seat)
    } else {
      seat.self = self
      this.desk.applySelf(seat)
    }
    this.#rooms.enter(this.#rooms.named(room), seat)
    return seat
  }

  #seatConnection(seat: Seat, connection: Connection): void {
    const before = seat.connection
    if (before !== undefined) {
      this.#seatOf.delete(before)
      before.end('replaced', 'the session goes on over another connection')
    }
    seat.connection = connection
    if (seat.state === 'lost') seat.step('resume')
    connection.state = 'joined'
    this.#sockets.joined(connection)
    this.#seatOf.set(connection, seat)
  }

  #welcome(seat: Seat, joined: Joined, ref: number | undefined): void {
    const stage = this.#rooms.get(seat.room)
    const { self, ...rest } = joined
    const slots = seat.leg && stage ? stage.slotsOf(seat, seat.leg) : undefined
    if (seat.leg && slots) seat.leg.sentSlots = JSON.stringify(slots)
    seat.send({
      type: 'joined',
      ...(ref === undefined ? {} : { ref }),
      protocol: 1,
      ...rest,
      ...(slots === undefined ? {} : { slots }),
    })
    seat.sendSelf()
    if (stage !== undefined) seat.send(stage.speakers)
    this.desk.sendLimits(seat)
    const { message } = this.upstream
    if (message !== undefined) seat.send(message)
  }

  // ---- WHIP and WHEP ----

  /**
   * A participant without a WebSocket. `listener` hears once that it is gone or that its media is.
   */
  async admit(claims: Claims, listener: SeatListener): Promise<Admission> {
    if (this.#closing) return { ok: false, code: 'shutting-down', message: 'shutting down' }
    const entered = await this.#enter({ claims, connection: ++this.#connectionIdLast })
    if (!entered.ok) {
      this.counters.refused(entered.code)
      return entered
    }
    this.counters.joins++
    entered.seat.listener = listener
    return { ok: true, seat: entered.seat }
  }

  /** Media follows at once, the room hears a moment later. */
  leave(seat: Seat): void {
    this.desk.close(seat)
    void this.#host.command(seat.participant, { type: 'leave' })
  }

  // ---- the conference tells ----

  #onNotice(notice: Notice): void {
    const stage = this.#rooms.get(notice.room)
    switch (notice.type) {
      case 'room':
        if (stage !== undefined) this.#onRoom(stage, notice.delta)
        break
      case 'chat':
        stage?.broadcast({ type: 'chat', entries: notice.entries })
        break
      case 'self': {
        const seat = this.#seats.get(notice.participant)
        if (seat === undefined) break
        const { permitted, muted } = seat.self
        const before = JSON.stringify([permitted, muted])
        seat.self = notice.self
        // A vote changes nothing for media.
        const after = JSON.stringify([notice.self.permitted, notice.self.muted])
        if (before !== after) this.desk.applySelf(seat)
        seat.sendSelf()
        break
      }
      case 'gone':
        this.#onGone(notice.participant, notice.cause, notice.reason)
        break
      case 'room-closed':
        if (stage === undefined) break
        this.#rooms.refresh(stage)
        this.#rooms.dropUnused(stage)
        break
    }
  }

  #onRoom(stage: RoomStage, delta: Extract<Notice, { type: 'room' }>['delta']): void {
    const { nowMs } = this.#host.now()
    const summary = delta.stage && this.#host.conference.summary(stage.name)
    if (summary !== undefined) stage.setMembers(summary.stage, nowMs)
    if (delta.pin !== undefined) stage.setPin(delta.pin)
    if (delta.emergency !== undefined) stage.setEmergency(delta.emergency)
    stage.broadcast({ type: 'room', ...delta })
    stage.settle()
  }

  #onGone(participant: string, cause: GoneCause, reason: string): void {
    const seat = this.#seats.get(participant)
    if (seat === undefined) return
    this.desk.close(seat)
    seat.step('end')
    this.#seats.delete(participant)
    const stage = this.#rooms.get(seat.room)
    if (stage !== undefined) this.#rooms.leave(stage, participant)
    const { connection, listener } = seat
    seat.connection = undefined
    seat.listener = undefined
    if (connection !== undefined) {
      this.#seatOf.delete(connection)
      if (cause === 'left') connection.close(CLOSE_LEFT, 'left')
      else connection.end(GONE[cause].code, reason || GONE[cause].message)
    }
    listener?.onGone(cause)
  }

  // ---- the media plane tells ----

  #onReport(report: MediaReport): void {
    if (report.type === 'levels') {
      this.#onLevels(report.levels)
    } else if (report.type !== 'stats') {
      this.desk.onReport(report)
    }
  }

  #onLevels(levels: readonly [number, number][]): void {
    const { nowMs } = this.#host.now()
    for (const [name, pairs] of this.desk.levelsByRoom(levels)) {
      const stage = this.#rooms.get(name)
      stage?.onLevels(pairs, nowMs)
      stage?.settle()
    }
  }

  // ---- the clock ----

  /** Every SESSION_TICK_MS. */
  tick(): void {
    const { nowMs } = this.#host.now()
    for (const connection of this.#sockets.takeOverdue(nowMs)) {
      connection.end('bad-state', 'no join in time')
    }
    for (const stage of this.#rooms.values()) this.#guard(() => stage.tick())
    this.upstream.tick()
  }

  /** To everybody at this node. */
  #broadcast(message: ServerMessage): void {
    const outgoing = new Outgoing(message)
    for (const seat of this.#seats.values()) seat.send(outgoing)
  }

  /**
   * Tells every connection that the node goes down; new ones are not taken. The conference is its
   * owner's to close.
   */
  close(): void {
    this.#closing = true
    for (const connection of this.#sockets.connections()) {
      connection.end('shutting-down', 'the server is shutting down')
    }
  }
}
