/**
 * The rooms of this node as media knows them: made when somebody comes in or a track of another
 * node does, ended when neither is left. Tells the trunks' listener who is where.
 */
import type { Director } from '../../core/conference/index.ts'
import type { MediaPlane } from '../../core/media/control.ts'
import type { ConferenceHost } from '../../core/store/index.ts'
import type { StageChoice, StageListener, StageObserver } from '../../relay/stage-port.ts'
import { describeTrack, type Publication } from './publication.ts'
import { RoomStage } from './room-stage.ts'
import type { Seat } from './seat.ts'

export type RoomStagesOptions = {
  host: ConferenceHost
  media: MediaPlane
  createDirector: () => Director
  publication: (id: number) => Publication | undefined
}

/** One per node, of the hub. */
export class RoomStages {
  readonly #options: RoomStagesOptions
  readonly #stages = new Map<string, RoomStage>()
  /** Choices of the node above, also for rooms that are not here yet. */
  readonly #followed = new Map<string, StageChoice>()
  #listener: StageListener | undefined
  readonly #observers: StageObserver[] = []
  #roomIdLast = 0

  constructor(options: RoomStagesOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#stages.size
  }

  get(name: string): RoomStage | undefined {
    return this.#stages.get(name)
  }

  values(): Iterable<RoomStage> {
    return this.#stages.values()
  }

  /** The room, made when it is not here. */
  named(name: string): RoomStage {
    const known = this.#stages.get(name)
    if (known !== undefined) return known
    const { media, createDirector, publication } = this.#options
    const stage = new RoomStage({
      name,
      roomId: ++this.#roomIdLast,
      director: createDirector(),
      media,
      publication,
      listener: {
        onPublished: (one) => this.#listener?.onPublished(one.id, describeTrack(one)),
        onUnpublished: (id) => this.#listener?.onUnpublished(id),
        onTrack: (one) => this.#observe((by) => by.onTrack(one.id, describeTrack(one))),
        onTrackGone: (id) => this.#observe((by) => by.onTrackGone(id)),
        onShown: (choice) => this.#observe((by) => by.onShown(choice)),
        onChoice: (choice) => this.#listener?.onChoice(choice),
        onEmergency: (emergency) => this.#listener?.onEmergency(name, emergency),
      },
    })
    this.#stages.set(name, stage)
    this.refresh(stage)
    const followed = this.#followed.get(name)
    if (followed !== undefined) stage.follow(followed)
    return stage
  }

  /** Looks at stage, pin and emergency of the conference anew. */
  refresh(stage: RoomStage): void {
    const { host } = this.#options
    const summary = host.conference.summary(stage.name)
    stage.setMembers(summary?.stage ?? [], host.now().nowMs)
    stage.setPin(summary?.pin ?? null)
    stage.setEmergency(summary?.emergency ?? false)
  }

  enter(stage: RoomStage, seat: Seat): void {
    stage.seats.set(seat.participant, seat)
    if (stage.seats.size === 1) this.#listener?.onRoom(stage.name, true)
  }

  leave(stage: RoomStage, participant: string): void {
    if (!stage.seats.delete(participant)) return
    if (stage.seats.size === 0) this.#listener?.onRoom(stage.name, false)
    this.dropUnused(stage)
  }

  /** Ends a room that nobody of this node is in and no track of another. */
  dropUnused(stage: RoomStage): void {
    if (stage.seats.size > 0 || stage.hasImported) return
    stage.setEmergency(false)
    this.#stages.delete(stage.name)
  }

  follow(room: string, choice: StageChoice | undefined): void {
    if (choice === undefined) this.#followed.delete(room)
    else this.#followed.set(room, choice)
    this.#stages.get(room)?.follow(choice)
  }

  /** The one listener from now on; hears all that is there already. */
  watch(listener: StageListener): void {
    this.#listener = listener
    for (const stage of this.#stages.values()) {
      if (stage.emergency) listener.onEmergency(stage.name, true)
      if (stage.seats.size > 0) listener.onRoom(stage.name, true)
      for (const track of stage.tracks) listener.onPublished(track.id, describeTrack(track))
      if (stage.choice !== undefined) listener.onChoice(stage.choice)
    }
  }
  /** Hears all that is here already, too. */
  observe(observer: StageObserver): void {
    this.#observers.push(observer)
    for (const stage of this.#stages.values()) {
      for (const track of [...stage.tracks, ...stage.imported]) {
        observer.onTrack(track.id, describeTrack(track))
      }
      observer.onShown(stage.shown)
    }
  }

  #observe(tell: (observer: StageObserver) => void): void {
    for (const observer of this.#observers) tell(observer)
  }
}
