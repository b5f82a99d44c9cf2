/**
 * Who is where: transports, rooms and publications over the workers of one node, and which publications must cross
 * to another worker because someone there hears or sees them. The trunk thread is one more worker: publications of
 * other nodes are at home there, and ours cross to it when other nodes may want them; and so is the keeper thread,
 * which records. Pure bookkeeping: messages for workers go out through
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
  /** Of a transport of this node. */
  isOwn: boolean
  muted: boolean
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
  /** Peers that wait for publications that have not come yet. */
  readonly #awaited = new Map<number, Set<number>>()

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
      this.#add(roomId, description, { home: worker, isOwn: true })
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
    this.#dropIfEmpty(transport.roomId)
  }

  /** A publication of another node comes by way of `home`. It crosses to wherever it is shown, now or later. */
  import(roomId: number, description: ImportedPublication, home: number): void {
    if (this.#publications.has(description.publicationId)) return
    this.#add(roomId, description, { home, isOwn: false })
    const { assignment, counts } = this.#room(roomId)
    if (assignment !== undefined) this.#letCross(assignment, [...counts.keys()])
  }

  /** The end of an imported one. Those of our own end with their transports. */
  forget(publicationId: number): void {
    const publication = this.#publications.get(publicationId)
    if (publication === undefined || publication.isOwn) return
    this.#endPublication(publicationId)
    this.#dropIfEmpty(publication.roomId)
  }

  /** Lets a publication cross to `peer`, though nobody there is in its room; as soon as it comes, if it has not yet. */
  export(publicationId: number, peer: number): void {
    if (this.#publications.has(publicationId)) this.#cross(publicationId, peer)
    else this.#awaited.set(publicationId, (this.#awaited.get(publicationId) ?? new Set()).add(peer))
  }

  unexport(publicationId: number, peer: number): void {
    const awaiting = this.#awaited.get(publicationId)
    awaiting?.delete(peer)
    if (awaiting?.size === 0) this.#awaited.delete(publicationId)
    this.#uncross(publicationId, peer)
  }

  /** Where its packets come in they are dropped; those of other nodes come in wherever they are shown. */
  mute(publicationId: number, muted: boolean): void {
    const publication = this.#publications.get(publicationId)
    if (publication === undefined) return
    publication.muted = muted
    const targets = publication.isOwn ? [publication.home] : publication.importers
    for (const target of targets) this.#command(target, { type: 'mute', publicationId, muted })
  }

  /** `peer` has begun anew: it hears again of all that crosses to it and from it. */
  repeat(peer: number): void {
    for (const [publicationId, { home, roomId, description, importers }] of this.#publications) {
      for (const importer of importers) {
        if (home !== peer && importer !== peer) continue
        this.#outlet.ensureLink(home, importer)
        if (home === peer)
          this.#outlet.post(home, { type: 'export', publicationId, peer: importer })
        else
          this.#outlet.post(peer, { type: 'import', roomId, publication: description, peer: home })
      }
    }
  }

  #add(
    roomId: number,
    description: ImportedPublication,
    from: Pick<Publication, 'home' | 'isOwn'>,
  ): void {
    const { publicationId } = description
    this.#room(roomId).publications.add(publicationId)
    const importers = new Set<number>()
    const publication = { ...from, roomId, description, importers, muted: false }
    this.#publications.set(publicationId, publication)
    const peers = this.#awaited.get(publicationId) ?? []
    this.#awaited.delete(publicationId)
    for (const peer of peers) this.#cross(publicationId, peer)
  }

  #dropIfEmpty(roomId: number): void {
    const room = this.#rooms.get(roomId)
    if (room?.counts.size === 0 && room.publications.size === 0) this.#rooms.delete(roomId)
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
    if (!publication.isOwn && publication.muted) {
      this.#command(worker, { type: 'mute', publicationId, muted: true })
    }
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
