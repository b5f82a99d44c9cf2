/**
 * The media side of one room: which publications the stage has, what the director makes of them,
 * and who is told. Decides nothing about who is heard or seen: that is the director's.
 */

import type { Director, Pin, StageMember, StageSources } from '../../core/conference/index.ts'
import type {
  MediaPlane,
  OutgoingSection,
  RoomAssignment,
  SlotView,
  SourceUse,
} from '../../core/media/control.ts'
import type { ServerMessage, SlotState } from '../protocol/index.ts'
import { Outgoing } from './outgoing.ts'
import type { Leg, Publication, Seat } from './seat.ts'

/** How large a picture is taken to be until the client says. */
const DEFAULT_VIEW = {
  main: { widthPx: 1280, heightPx: 720 },
  tile: { widthPx: 320, heightPx: 180 },
} as const

const NOBODY: RoomAssignment = { audio: [], main: 0, mainFallback: 0 }

export type RoomStageOptions = {
  name: string
  roomId: number
  director: Director
  media: MediaPlane
  /** A publication by its id, undefined when it is gone. */
  publication: (id: number) => Publication | undefined
}

/** One room while somebody of this node is in it. */
export class RoomStage {
  readonly roomId: number
  readonly name: string
  readonly seats = new Map<string, Seat>()
  readonly #director: Director
  readonly #media: MediaPlane
  readonly #publication: (id: number) => Publication | undefined
  #members: readonly StageMember[] = []
  #assignment = NOBODY
  #speakers: ServerMessage = { type: 'speakers', active: null, heard: [] }
  #active: string | null = null
  /** Everybody's views and slots have to be looked at: at the next tick. */
  #dirty = false
  /** Only these participants': at once. */
  readonly #dirtySeats = new Set<Seat>()
  #sourcesKey = ''

  constructor({ name, roomId, director, media, publication }: RoomStageOptions) {
    this.name = name
    this.roomId = roomId
    this.#director = director
    this.#media = media
    this.#publication = publication
  }

  broadcast(message: ServerMessage): void {
    const outgoing = new Outgoing(message)
    for (const seat of this.seats.values()) seat.send(outgoing)
  }

  /** The last `speakers` message, for who comes later. */
  get speakers(): ServerMessage {
    return this.#speakers
  }

  setMembers(members: readonly StageMember[], nowMs: number): void {
    this.#members = members
    this.sourcesChanged(nowMs)
  }

  setPin(pin: Pin | null): void {
    this.#director.setPin(pin)
    this.#dirty = true
  }

  onLevels(levels: readonly (readonly [number, number])[], nowMs: number): void {
    this.#director.onLevels(levels, nowMs)
  }

  /** A publication has come, gone, started or stopped. */
  sourcesChanged(nowMs: number): void {
    const sources = this.#members.map((member) => this.#sourcesOf(member))
    const key = JSON.stringify(sources)
    // A thousand viewers that open their transports change nothing on the stage.
    if (key === this.#sourcesKey) return
    this.#sourcesKey = key
    this.#director.setStage(sources, nowMs)
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

  #sourcesOf(member: StageMember): StageSources {
    const publications = this.seats.get(member.participant)?.leg?.publications
    const idOf = (use: SourceUse): number => {
      const source = member.sources[use]
      const publication = publications?.get(use)
      if (source === undefined || source.muted || publication === undefined) return 0
      // A microphone counts at once, so that no first syllable is lost; a picture once there is
      // one.
      return use === 'microphone' || publication.started ? publication.id : 0
    }
    return {
      participant: member.participant,
      microphone: idOf('microphone'),
      camera: idOf('camera'),
      screen: idOf('screen'),
    }
  }

  /** Passes on what the director has decided, and what concerns single participants. */
  settle(): void {
    const assignment = this.#director.takeAssignment()
    if (assignment !== undefined) {
      this.#assignment = assignment
      this.#media.send({ type: 'assign', roomId: this.roomId, assignment })
      this.#dirty = true
    }
    const speakers = this.#director.takeSpeakers()
    if (speakers !== undefined) {
      this.#speakers = { type: 'speakers', active: speakers.active, heard: speakers.heard }
      this.broadcast(this.#speakers)
      this.#dirty ||= this.#active !== speakers.active
      this.#active = speakers.active
    }
    this.#refresh(this.#dirtySeats)
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

  #chosen(participant: string | undefined, use: SourceUse = 'camera'): number {
    if (participant === undefined) return 0
    return this.seats.get(participant)?.leg?.publications.get(use)?.id ?? 0
  }

  #sendViews(seat: Seat, leg: Leg): void {
    const slots = outgoingOf(leg)
    const tileCount = slots.filter((slot) => slot.use === 'tile').length
    seat.tiles = this.#director.tiles(seat.participant, tileCount, seat.tiles)
    const views: SlotView[] = this.#audioViews(slots)
    for (const slot of slots) {
      if (slot.use === 'audio') continue
      const asked = seat.view?.slots.find((entry) => entry.mid === slot.mid)
      const unseen = seat.view === undefined ? DEFAULT_VIEW[slot.use] : { widthPx: 0, heightPx: 0 }
      const { widthPx, heightPx } = asked ?? unseen
      const publicationId = this.#shownIn(seat, slot)
      views.push({ mid: slot.mid, publicationId, widthPx, heightPx })
    }
    const key = JSON.stringify(views)
    if (views.length === 0 || key === leg.sentViews) return
    leg.sentViews = key
    this.#media.send({ type: 'view', transportId: leg.transportId, views })
  }

  /** Fewer slots than voices: the active speaker gets the first, the others what is left. */
  #audioViews(slots: readonly OutgoingSection[]): SlotView[] {
    const audio = slots.filter((slot) => slot.use === 'audio')
    const voices = this.#assignment.audio
    if (audio.length === 0 || audio.length >= voices.length) return []
    const active = this.#active === null ? 0 : this.#chosen(this.#active, 'microphone')
    const ordered = voices.filter((id) => id !== 0 && id !== active)
    if (voices.includes(active) && active !== 0) ordered.unshift(active)
    return audio.map(({ mid, index }) => {
      return { mid, publicationId: ordered[index] ?? 0, widthPx: 0, heightPx: 0 }
    })
  }

  /**
   * What a picture slot is asked to show; 0 for a main slot that follows the room, and for an empty
   * tile.
   */
  #shownIn(seat: Seat, slot: OutgoingSection): number {
    if (slot.use === 'main') {
      const main = seat.view?.main
      return main ? this.#chosen(main.participant, main.use) : 0
    }
    const asked = seat.view?.slots.find((entry) => entry.mid === slot.mid)
    if (asked?.participant !== undefined) return this.#chosen(asked.participant, asked.use)
    return seat.tiles[slot.index] ?? 0
  }

  /** What a slot shows in the end. */
  #resultIn(seat: Seat, slot: OutgoingSection, audioViews: readonly SlotView[]): number {
    if (slot.use === 'audio') {
      const own = audioViews.find((view) => view.mid === slot.mid)?.publicationId ?? 0
      return own === 0 ? (this.#assignment.audio[slot.index] ?? 0) : own
    }
    const asked = this.#shownIn(seat, slot)
    if (slot.use === 'tile' || asked !== 0 || seat.view?.main) return asked
    const { main, mainFallback } = this.#assignment
    return this.#publication(main)?.seat === seat ? mainFallback : main
  }

  slotsOf(seat: Seat, leg: Leg): SlotState[] {
    const slots = outgoingOf(leg)
    const audioViews = this.#audioViews(slots)
    return slots.map((slot): SlotState => {
      const publication = this.#publication(this.#resultIn(seat, slot, audioViews))
      if (publication === undefined || publication.seat === seat) {
        return { mid: slot.mid, participant: null, use: null, state: 'empty' }
      }
      const asked = seat.view?.slots.find((entry) => entry.mid === slot.mid)
      const hidden =
        slot.use !== 'audio' && seat.view !== undefined && !(asked && asked.widthPx > 0)
      const paused = hidden || leg.paused.has(slot.mid)
      const state = paused ? 'paused' : publication.flowing ? 'live' : 'waiting'
      const { participant } = publication.seat
      return { mid: slot.mid, participant, use: publication.use, state }
    })
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

function outgoingOf(leg: Leg): OutgoingSection[] {
  return leg.sections
    .map(({ section }) => section)
    .filter((section) => section?.direction === 'out')
}
