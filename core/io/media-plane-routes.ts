/**
 * Who is where: transports, rooms and publications over the workers of one node, and which publications must cross
 * to another worker because someone there hears or sees them. Pure bookkeeping: messages for workers go out through
 * `RouteOutlet`. Not the demand for layers: workers settle that among themselves.
 */
import type {
  ImportedPublication,
  MediaCommand,
  RoomAssignment,
  SlotView,
  TransportSpec,
} from '../media/control.ts'
import type { ToWorker } from './media-worker-protocol.ts'

/** Where the routes' decisions go. */
export interface RouteOutlet {
  post(worker: number, message: ToWorker): void
  /** Makes a way between two workers if there is none. Called before anything crosses. */
  ensureLink(from: number, to: number): void
}

type Publication = {
  home: number
  roomId: number
  description: ImportedPublication
  importers: Set<number>
}

type Room = {
  /** Transports of the room by worker. Only workers with at least one. */
  counts: Map<number, number>
  assignment: RoomAssignment | undefined
  publications: Set<number>
}

type Transport = { worker: number; roomId: number; publications: number[]; opened: boolean }

/** The book of one plane. Unknown ids are ignored: reports and commands cross on the way. */
export class MediaRoutes {
  readonly #outlet: RouteOutlet
  readonly #transports = new Map<number, Transport>()
  readonly #rooms = new Map<number, Room>()
  readonly #publications = new Map<number, Publication>()

  constructor(outlet: RouteOutlet) {
    this.#outlet = outlet
  }

  /** The worker of a reserved or open transport. */
  workerOf(transportId: number): number | undefined {
    return this.#transports.get(transportId)?.worker
  }

  /** The worker on which a publication is received. */
  homeOf(publicationId: number): number | undefined {
    return this.#publications.get(publicationId)?.home
  }

  isOpen(transportId: number): boolean {
    return this.#transports.get(transportId)?.opened === true
  }

  /** Open transports of a room on a worker. */
  roomCount(roomId: number, worker: number): number {
    return this.#rooms.get(roomId)?.counts.get(worker) ?? 0
  }

  transportsOf(worker: number): number[] {
    const ids: number[] = []
    for (const [transportId, transport] of this.#transports) {
      if (transport.worker === worker) ids.push(transportId)
    }
    return ids
  }

  reserve(transportId: number, roomId: number, worker: number): void {
    this.#transports.set(transportId, { worker, roomId, publications: [], opened: false })
  }

  /** Passes the command on, tells a worker that is new to the room what the room shows, and lets media cross. */
  open(spec: TransportSpec): void {
    const transport = this.#transports.get(spec.transportId)
    if (transport === undefined || transport.opened) return
    const { worker, roomId } = transport
    transport.opened = true
    const room = this.#room(roomId)
    const newcomer = !room.counts.has(worker)
    room.counts.set(worker, (room.counts.get(worker) ?? 0) + 1)
    this.#command(worker, { type: 'open', spec })
    for (const section of spec.sections) {
      if (section.direction !== 'in') continue
      const { publicationId, kind, use, codecs, rids } = section
      const description = { publicationId, kind, use, codecs, layerCount: Math.max(1, rids.length) }
      transport.publications.push(publicationId)
      room.publications.add(publicationId)
      this.#publications.set(publicationId, {
        home: worker,
        roomId,
        description,
        importers: new Set(),
      })
    }
    if (room.assignment === undefined) return
    // Its publications may have been named before it came.
    const targets = newcomer ? [worker] : []
    this.#letCross(room.assignment, [...room.counts.keys()])
    for (const target of targets) this.#assign(target, roomId, room.assignment)
  }

  assign(roomId: number, assignment: RoomAssignment): void {
    const room = this.#rooms.get(roomId)
    if (room === undefined) return
    room.assignment = assignment
    const workers = [...room.counts.keys()]
    this.#letCross(assignment, workers)
    for (const worker of workers) this.#assign(worker, roomId, assignment)
  }

  view(transportId: number, views: SlotView[]): void {
    const transport = this.#transports.get(transportId)
    if (transport === undefined) return
    for (const { publicationId } of views) this.#cross(publicationId, transport.worker)
    this.#command(transport.worker, { type: 'view', transportId, views })
  }

  /** A transport is gone: its publications end everywhere, and its worker may have left the room. */
  end(transportId: number): void {
    const transport = this.#transports.get(transportId)
    if (transport === undefined) return
    this.#transports.delete(transportId)
    for (const publicationId of transport.publications) this.#endPublication(publicationId)
    const room = this.#rooms.get(transport.roomId)
    if (room === undefined || !transport.opened) return
    const left = (room.counts.get(transport.worker) ?? 0) - 1
    if (left > 0) {
      room.counts.set(transport.worker, left)
      return
    }
    room.counts.delete(transport.worker)
    for (const publicationId of room.publications) this.#uncross(publicationId, transport.worker)
    if (room.counts.size === 0) this.#rooms.delete(transport.roomId)
  }

  #room(roomId: number): Room {
    let room = this.#rooms.get(roomId)
    if (room === undefined) {
      room = { counts: new Map(), assignment: undefined, publications: new Set() }
      this.#rooms.set(roomId, room)
    }
    return room
  }

  #assign(worker: number, roomId: number, assignment: RoomAssignment): void {
    this.#command(worker, { type: 'assign', roomId, assignment })
  }

  #letCross(assignment: RoomAssignment, workers: number[]): void {
    const wanted = [...assignment.audio, assignment.main, assignment.mainFallback]
    for (const publicationId of wanted) {
      for (const worker of workers) this.#cross(publicationId, worker)
    }
  }

  /** Once it crosses it stays until it ends: while nobody there wants a layer, no packet is written. */
  #cross(publicationId: number, worker: number): void {
    const publication = this.#publications.get(publicationId)
    if (publication === undefined || publication.home === worker) return
    const { home, roomId, description, importers } = publication
    if (importers.has(worker)) return
    importers.add(worker)
    this.#outlet.ensureLink(home, worker)
    this.#outlet.post(home, { type: 'export', publicationId, peer: worker })
    this.#outlet.post(worker, { type: 'import', roomId, publication: description, peer: home })
  }

  #uncross(publicationId: number, worker: number): void {
    const publication = this.#publications.get(publicationId)
    if (publication === undefined || !publication.importers.delete(worker)) return
    this.#outlet.post(publication.home, { type: 'unexport', publicationId, peer: worker })
    this.#command(worker, { type: 'forget', publicationId })
  }

  #endPublication(publicationId: number): void {
    const publication = this.#publications.get(publicationId)
    if (publication === undefined) return
    for (const worker of publication.importers) this.#uncross(publicationId, worker)
    this.#publications.delete(publicationId)
    this.#rooms.get(publication.roomId)?.publications.delete(publicationId)
  }

  #command(worker: number, command: MediaCommand): void {
    this.#outlet.post(worker, { type: 'command', command })
  }
}
