/**
 * Which publications are recorded: those that a room hears and sees by default, whoever chose them, and the screen
 * that goes with the main picture. Pure, on the main thread; main.ts connects it to the stage of each room and to the
 * keeper.
 */
import { KEPT_LINGER_MS } from '../../config/limits.ts'
import type { SourceUse } from '../media/control.ts'
import type { KeptTrack } from './contract.ts'
import type { KeepOrder } from './keeper-tracks.ts'

/** What a room shows by default, in names. */
export type ShownStage = {
  room: string
  /** Participants by audio slot; '' = silent. */
  heard: readonly string[]
  main: { participant: string; use: SourceUse } | null
}

export type KeeperDeskOptions = {
  /** As people know the participant; '' when nobody knows. */
  nameOf: (room: string, participant: string) => string
  /** Told again when `shown` has changed. */
  keep: (order: KeepOrder) => void
  drop: (publicationId: number) => void
  /** Lets its packets reach the keeper thread, or no longer. */
  letCross: (publicationId: number, on: boolean) => void
}

type Kept = {
  /** Monotonic ms from which it is no longer recorded; Infinity while it is shown. */
  untilMs: number
  shown: boolean
}

/** Feed it what happens in rooms; call `tick` about once a second. */
export class KeeperDesk {
  readonly #options: KeeperDeskOptions
  readonly #tracks = new Map<number, KeptTrack>()
  readonly #byName = new Map<string, number>()
  readonly #shown = new Map<string, ShownStage>()
  readonly #kept = new Map<number, Kept>()

  constructor(options: KeeperDeskOptions) {
    this.#options = options
  }

  get keptCount(): number {
    return this.#kept.size
  }

  /** A publication is here, of this node or of another. */
  onTrack(publicationId: number, { room, participant, use }: KeptTrack, nowMs: number): void {
    this.#tracks.set(publicationId, { room, participant, use })
    this.#byName.set(nameKey({ room, participant, use }), publicationId)
    this.#review(room, nowMs)
  }

  onTrackGone(publicationId: number): void {
    const track = this.#tracks.get(publicationId)
    if (track === undefined) return
    this.#tracks.delete(publicationId)
    const key = nameKey(track)
    if (this.#byName.get(key) === publicationId) this.#byName.delete(key)
    if (this.#kept.has(publicationId)) this.#stop(publicationId)
  }

  onShown(shown: ShownStage, nowMs: number): void {
    if (shown.heard.every((one) => one === '') && shown.main === null) {
      this.#shown.delete(shown.room)
    } else this.#shown.set(shown.room, shown)
    this.#review(shown.room, nowMs)
  }

  /** Ends what left the stage long enough ago. */
  tick(nowMs: number): void {
    for (const [publicationId, { untilMs }] of this.#kept) {
      if (untilMs <= nowMs) this.#stop(publicationId)
    }
  }

  #review(room: string, nowMs: number): void {
    const due = this.#dueOf(room)
    for (const [publicationId, shown] of due) this.#start(publicationId, shown)
    for (const [publicationId, kept] of this.#kept) {
      if (this.#tracks.get(publicationId)?.room !== room || due.has(publicationId)) continue
      this.#order(publicationId, kept, false)
      kept.untilMs = Math.min(kept.untilMs, nowMs + KEPT_LINGER_MS)
    }
  }

  /** Those to be recorded, and whether each is shown. */
  #dueOf(room: string): Map<number, boolean> {
    const shown = this.#shown.get(room)
    const due = new Map<number, boolean>()
    if (shown === undefined) return due
    const add = (participant: string, use: SourceUse, isShown: boolean): void => {
      const publicationId = this.#byName.get(nameKey({ room, participant, use }))
      if (publicationId !== undefined) due.set(publicationId, isShown)
    }
    for (const participant of shown.heard) {
      if (participant !== '') add(participant, 'microphone', true)
    }
    if (shown.main !== null) {
      add(shown.main.participant, 'screen', false)
      add(shown.main.participant, shown.main.use, true)
    }
    return due
  }

  #start(publicationId: number, shown: boolean): void {
    const kept = this.#kept.get(publicationId)
    if (kept !== undefined) {
      kept.untilMs = Number.POSITIVE_INFINITY
      this.#order(publicationId, kept, shown)
      return
    }
    const track = this.#tracks.get(publicationId)
    if (track === undefined) return
    this.#kept.set(publicationId, { untilMs: Number.POSITIVE_INFINITY, shown })
    this.#tell(publicationId, track, shown)
    this.#options.letCross(publicationId, true)
  }

  #order(publicationId: number, kept: Kept, shown: boolean): void {
    const track = this.#tracks.get(publicationId)
    if (kept.shown === shown || track === undefined) return
    kept.shown = shown
    this.#tell(publicationId, track, shown)
  }

  #tell(publicationId: number, track: KeptTrack, shown: boolean): void {
    const name = this.#options.nameOf(track.room, track.participant)
    this.#options.keep({ publicationId, track: { ...track, name }, shown })
  }

  #stop(publicationId: number): void {
    this.#kept.delete(publicationId)
    this.#options.letCross(publicationId, false)
    this.#options.drop(publicationId)
  }
}

const nameKey = ({ room, participant, use }: KeptTrack): string => `${room}\0${participant}\0${use}`
