/**
 * The media side of one room: which publications the stage has, who decides what is heard and seen
 * (the director, or the choice of the node above), and who is told. Decides nothing of that itself.
 */

import type { Director, Pin, StageMember, StageSources } from '../../core/conference/index.ts'
import type { MediaPlane, RoomAssignment, SourceUse } from '../../core/media/control.ts'
import type { StageChoice } from '../../relay/stage-port.ts'
import type { ServerMessage, ServerMessageOf, SlotState } from '../protocol/index.ts'
import { Outgoing } from './outgoing.ts'
import { isFlowing, type Publication } from './publication.ts'
import type { Leg, Seat } from './seat.ts'
import { type SlotContext, slotStatesOf, tileCountOf, viewsOf } from './seat-slots.ts'
import { assignmentOf, choiceOf, keepSlots } from './stage-choice.ts'

const NOBODY: RoomAssignment = { audio: [], main: 0, mainFallback: 0 }

/** What others hear of a room: see StageListener and StageObserver in relay/stage-port.ts. */
export type RoomStageListener = {
  onPublished: (publication: Publication) => void
  onUnpublished: (publicationId: number) => void
  onChoice: (choice: StageChoice) => void
  onTrack: (publication: Publication) => void
  onTrackGone: (publicationId: number) => void
  onShown: (choice: StageChoice) => void
  onEmergency: (emergency: boolean) => void
}

export type RoomStageOptions = {
  name: string
  roomId: number
  director: Director
  media: MediaPlane
  /** A publication by its id, undefined when it is gone. */
  publication: (id: number) => Publication | undefined
  listener: RoomStageListener
}

/** One room while somebody of this node is in it, or tracks of other nodes are. */
export class RoomStage {
  readonly roomId: number
  readonly name: string
  readonly seats = new Map<string, Seat>()
  emergency = false
  readonly #director: Director
  readonly #media: MediaPlane
  readonly #publication: (id: number) => Publication | undefined
  readonly #listener: RoomStageListener
  /** Publications of other nodes by `participant use`. */
  readonly #imported = new Map<string, Publication>()
  /** Flags of those of this node as they were told. */
  readonly #told = new Map<number, string>()
  #members: readonly StageMember[] = []
  #sources = new Map<string, StageSources>()
  #sourcesKey = ''
  #followed: StageChoice | undefined
  /** What the own director wants, followed or not. */
  #own = NOBODY
  #ownSpeakers: Pick<ServerMessageOf<'speakers'>, 'active' | 'heard'> = { active: null, heard: [] }
  #choiceKey = ''
  #shownKey = ''
  /** What is assigned and told now. */
  #assignment = NOBODY
  #speakers: ServerMessageOf<'speakers'> = { type: 'speakers', active: null, heard: [] }
  /** The assignment has to be looked at. */
  #undecided = true
  /** Everybody's views and slots have to be looked at: at the next tick. */
  #dirty = false
  /** Only these participants': at once. */
  readonly #dirtySeats = new Set<Seat>()

  constructor({ name, roomId, director, media, publication, listener }: RoomStageOptions) {
    this.name = name
    this.roomId = roomId
    this.#director = director
    this.#media = media
    this.#publication = publication
    this.#listener = listener
  }

  broadcast(message: ServerMessage): void {
    const outgoing = new Outgoing(message)
    for (const seat of this.seats.values()) seat.send(outgoing)
  }

  /** The last `speakers` message, for who comes later. */
  get speakers(): ServerMessage {
    return this.#speakers
  }

  /** The own choice; undefined while that of another node is followed. */
  get choice(): StageChoice | undefined {
    return this.#followed === undefined ? this.shown : undefined
  }

  /** What is heard and seen here, whoever chose it. */
  get shown(): StageChoice {
    if (this.#followed !== undefined) return this.#followed
    const { active } = this.#ownSpeakers
    return choiceOf(this.name, this.#assignment, { active, publication: this.#publication })
  }

  /** Live publications of this node. */
  get tracks(): Publication[] {
    const found: Publication[] = []
    for (const { participant, sources } of this.#members) {
      const own = this.seats.get(participant)?.leg?.publications
      for (const publication of own?.values() ?? []) {
        if (sources[publication.use] !== undefined) found.push(publication)
      }
    }
    return found
  }

  /** Those of other nodes. */
  get imported(): Iterable<Publication> {
    return this.#imported.values()
  }

  get hasImported(): boolean {
    return this.#imported.size > 0
  }

  setMembers(members: readonly StageMember[], nowMs: number): void {
    this.#members = members
    this.sourcesChanged(nowMs)
  }

  setPin(pin: Pin | null): void {
    this.#director.setPin(pin)
    this.#undecided = true
    this.#dirty = true
  }

  setEmergency(emergency: boolean): void {
    if (this.emergency === emergency) return
    this.emergency = emergency
    this.#listener.onEmergency(emergency)
  }

  onLevels(levels: readonly (readonly [number, number])[], nowMs: number): void {
    this.#director.onLevels(levels, nowMs)
  }

  /** A track of another node; a newer one of the same name takes its place. */
  addImported(publication: Publication, nowMs: number): void {
    this.#imported.set(nameOf(publication), publication)
    this.#listener.onTrack(publication)
    this.sourcesChanged(nowMs)
  }

  removeImported(publication: Publication, nowMs: number): void {
    const name = nameOf(publication)
    if (this.#imported.get(name) === publication) this.#imported.delete(name)
    this.#listener.onTrackGone(publication.id)
    this.sourcesChanged(nowMs)
    // What it showed is gone at once.
    this.settle()
  }

  /** From now on this choice decides; undefined: the own director again, from where things stand. */
  follow(choice: StageChoice | undefined): void {
    this.#followed = choice
    this.#undecided = true
    this.settle()
  }

  /** A publication has come, gone, started or stopped. */
  sourcesChanged(nowMs: number): void {
    this.#tellTracks()
    const sources = this.#members.map((member) => this.#sourcesOf(member))
    const key = JSON.stringify(sources)
    // A thousand viewers that open their transports change nothing on the stage.
    if (key === this.#sourcesKey) return
    this.#sourcesKey = key
    this.#sources = new Map(sources.map((one) => [one.participant, one]))
    this.#director.setStage(sources, nowMs)
    this.#undecided = true
    this.#dirty = true
  }

  /** A publication shows packets, or none any more. */
  flowChanged(nowMs: number): void {
    this.sourcesChanged(nowMs)
    this.#dirty = true
  }

  /** One participant's views or slots have to be looked at again. */
  touch(seat: Seat): void {
    this.#dirtySeats.add(seat)
  }

  #published(participant: string, use: SourceUse): Publication | undefined {
    const own = this.seats.get(participant)?.leg?.publications.get(use)
    return own ?? this.#imported.get(nameOf({ participant, use }))
  }

  #sourcesOf({ participant, sources }: StageMember): StageSources {
    const idOf = (use: SourceUse): number => {
      const publication = this.#published(participant, use)
      if (sources[use] === undefined || sources[use].muted || publication === undefined) return 0
      // A microphone counts at once, so that no first syllable is lost; a picture once there is one.
      return use === 'microphone' || publication.started ? publication.id : 0
    }
    return {
      participant,
      microphone: idOf('microphone'),
      camera: idOf('camera'),
      screen: idOf('screen'),
    }
  }

  #tellTracks(): void {
    const gone = new Set(this.#told.keys())
    for (const publication of this.tracks) {
      gone.delete(publication.id)
      const flags = `${publication.started} ${isFlowing(publication)}`
      if (this.#told.get(publication.id) === flags) continue
      this.#told.set(publication.id, flags)
      this.#listener.onPublished(publication)
      this.#listener.onTrack(publication)
    }
    for (const id of gone) {
      this.#told.delete(id)
      this.#listener.onUnpublished(id)
      this.#listener.onTrackGone(id)
    }
  }

  /** Passes on what has been decided, and what concerns single participants. */
  settle(): void {
    const own = this.#director.takeAssignment()
    const speakers = this.#director.takeSpeakers()
    if (own !== undefined) this.#own = own
    if (speakers !== undefined) this.#ownSpeakers = speakers
    if (this.#undecided || own !== undefined || speakers !== undefined) {
      this.#undecided = false
      this.#assign()
      this.#sayWhoSpeaks()
      this.#tellChoice()
    }
    this.#refresh(this.#dirtySeats)
  }

  #assign(): void {
    const now = this.#assignment
    const next =
      this.#followed === undefined
        ? { ...this.#own, audio: keepSlots(this.#own.audio, now.audio) }
        : assignmentOf(this.#followed, this.#sources, now)
    if (JSON.stringify(next) === JSON.stringify(now)) return
    this.#assignment = next
    this.#media.send({ type: 'assign', roomId: this.roomId, assignment: next })
    this.#dirty = true
  }

  #sayWhoSpeaks(): void {
    const { active, heard } = this.#followed ?? this.#ownSpeakers
    const next = { type: 'speakers', active, heard: heard.filter((one) => one !== '') } as const
    if (JSON.stringify(next) === JSON.stringify(this.#speakers)) return
    this.#dirty ||= this.#speakers.active !== active
    this.#speakers = next
    this.broadcast(next)
  }

  #tellChoice(): void {
    const { choice, shown } = this
    const key = choice === undefined ? '' : JSON.stringify(choice)
    if (key !== this.#choiceKey) {
      this.#choiceKey = key
      if (choice !== undefined) this.#listener.onChoice(choice)
    }
    const shownKey = JSON.stringify(shown)
    if (shownKey === this.#shownKey) return
    this.#shownKey = shownKey
    this.#listener.onShown(shown)
  }

  /** What `settle` does, and everybody's views and slots where something concerns all. */
  tick(): void {
    this.settle()
    if (!this.#dirty) return
    this.#dirty = false
    this.#refresh(this.seats.values())
  }

  #refresh(seats: Iterable<Seat>): void {
    const encoded = new Map<string, Outgoing>()
    for (const seat of seats) {
      if (seat.leg === undefined) continue
      this.#sendViews(seat, seat.leg)
      this.#sendSlots(seat, seat.leg, encoded)
    }
    this.#dirtySeats.clear()
  }

  get #context(): SlotContext {
    return {
      assignment: this.#assignment,
      active: this.#speakers.active,
      publication: this.#publication,
      published: (participant, use) => this.#published(participant, use)?.id ?? 0,
    }
  }

  #sendViews(seat: Seat, leg: Leg): void {
    seat.tiles = this.#director.tiles(seat.participant, tileCountOf(leg), seat.tiles)
    const views = viewsOf(seat, leg, this.#context)
    const key = JSON.stringify(views)
    if (views.length === 0 || key === leg.sentViews) return
    leg.sentViews = key
    this.#media.send({ type: 'view', transportId: leg.transportId, views })
  }

  slotsOf(seat: Seat, leg: Leg): SlotState[] {
    return slotStatesOf(seat, leg, this.#context)
  }

  #sendSlots(seat: Seat, leg: Leg, encoded: Map<string, Outgoing>): void {
    if (seat.connection === undefined) return
    const slots = this.slotsOf(seat, leg)
    const key = JSON.stringify(slots)
    if (key === leg.sentSlots) return
    leg.sentSlots = key
    let outgoing = encoded.get(key)
    if (outgoing === undefined) {
      outgoing = new Outgoing({ type: 'slots', slots })
      encoded.set(key, outgoing)
    }
    seat.send(outgoing)
  }
}

function nameOf({ participant, use }: Pick<Publication, 'participant' | 'use'>): string {
  return `${participant} ${use}`
}
