/**
 * Everything that lives in one engine, by id and by place, with its bounds; and what its parts
 * share. No behaviour towards packets.
 */
import {
  ENGINE_ROOMS_MAX,
  ENGINE_TRANSPORTS_MAX,
  PUBLICATIONS_PER_ROOM_MAX,
  SECTIONS_PER_TRANSPORT_MAX,
} from '../../../config/limits.ts'
import type { RoomAssignment, TransportSpec } from '../control.ts'
import type { EngineOptions } from './contract.ts'
import { EngineCounters } from './counters.ts'
import type { Publication } from './publication.ts'
import { Room } from './room.ts'
import { Transport } from './transport.ts'

/** One per engine, shared by its parts; lookups by id are for commands, by index for packets. */
export class Registry {
  readonly options: EngineOptions
  readonly counters = new EngineCounters()
  /** By the sink's index; holes are reused. */
  readonly transports: (Transport | undefined)[] = []
  /** Connected ones that may publish: the only ones to whom feedback is due. */
  readonly senders: Transport[] = []
  readonly rooms = new Map<number, Room>()
  readonly publications = new Map<number, Publication>()
  connectedCount = 0
  readonly #indexById = new Map<number, number>()
  readonly #freeIndexes: number[] = []

  constructor(options: EngineOptions) {
    this.options = options
  }

  indexOf(transportId: number): number {
    return this.#indexById.get(transportId) ?? -1
  }

  byId(transportId: number): Transport | undefined {
    return this.transports[this.indexOf(transportId)]
  }

  room(roomId: number): Room {
    let room = this.rooms.get(roomId)
    if (room === undefined) {
      if (this.rooms.size >= ENGINE_ROOMS_MAX) this.#evictRoom()
      room = new Room(roomId)
      this.rooms.set(roomId, room)
    }
    return room
  }

  /** Keeps what everyone is to see, also for a room that nobody has joined on this worker yet. */
  assign(roomId: number, assignment: RoomAssignment): void {
    const room = this.room(roomId)
    room.assignment = assignment
    this.#dropIfEmpty(room)
  }

  /** A room that lives only by its assignment; there is one, since transports are bounded too. */
  #evictRoom(): void {
    for (const room of this.rooms.values()) {
      if (room.transports.length > 0 || room.publications.size > 0) continue
      this.rooms.delete(room.roomId)
      return
    }
  }

  #dropIfEmpty(room: Room | undefined): void {
    if (room?.isEmpty) this.rooms.delete(room.roomId)
  }

  /**
   * Adds a transport with its publications; undefined when a bound or an id that is taken forbids
   * it.
   */
  add(spec: TransportSpec, nowMs: number): Transport | undefined {
    if (this.#indexById.size >= ENGINE_TRANSPORTS_MAX) return undefined
    if (spec.sections.length > SECTIONS_PER_TRANSPORT_MAX) return undefined
    if (this.#indexById.has(spec.transportId)) return undefined
    const index = this.#freeIndexes.pop() ?? this.transports.length
    const { randomUint32 } = this.options
    const transport = new Transport({ spec, index, nowMs, randomUint32 })
    this.transports[index] = transport
    this.#indexById.set(spec.transportId, index)
    this.room(spec.roomId).transports.push(transport)
    for (const publication of transport.publications) this.addPublication(publication)
    return transport
  }

  /** False when the id is taken or the room is full. */
  addPublication(publication: Publication): boolean {
    if (this.publications.has(publication.publicationId)) return false
    const { publications } = this.room(publication.roomId)
    if (publications.size >= PUBLICATIONS_PER_ROOM_MAX) return false
    publications.set(publication.publicationId, publication)
    this.publications.set(publication.publicationId, publication)
    return true
  }

  removePublication(publication: Publication): void {
    const { publicationId } = publication
    if (this.publications.get(publicationId) !== publication) return
    this.publications.delete(publicationId)
    const room = this.rooms.get(publication.roomId)
    room?.publications.delete(publicationId)
    this.#dropIfEmpty(room)
  }

  remove(transport: Transport): void {
    this.transports[transport.index] = undefined
    this.#indexById.delete(transport.transportId)
    this.#freeIndexes.push(transport.index)
    const room = this.rooms.get(transport.roomId)
    if (room === undefined) return
    room.transports.splice(room.transports.indexOf(transport), 1)
    this.#dropIfEmpty(room)
  }

  get transportCount(): number {
    return this.#indexById.size
  }
}
