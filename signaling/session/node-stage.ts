/**
 * The side of the hub that trunks use (relay/stage-port.ts): tracks of other nodes come into rooms,
 * choices of the node above are followed, and what happens here is told. No words to clients here.
 */
import type { MediaPlane } from '../../core/media/control.ts'
import type { ConferenceHost } from '../../core/store/index.ts'
import type {
  SpeechLimit,
  StageChoice,
  StageListener,
  StageObserver,
  StagePort,
  TrackDescription,
  UpstreamState,
} from '../../relay/stage-port.ts'
import type { MediaDesk } from './media-desk.ts'
import { createPublication } from './publication.ts'
import type { RoomStages } from './room-stages.ts'
import type { UpstreamNotice } from './upstream-notice.ts'

export type NodeStageOptions = {
  rooms: RoomStages
  desk: MediaDesk
  media: MediaPlane
  host: Pick<ConferenceHost, 'conference' | 'wake'>
  nowMs: () => number
  upstream: UpstreamNotice
}

/** One per hub. */
export class NodeStage implements StagePort {
  readonly #options: NodeStageOptions
  /** Undefined until the state of the way up is known for the first time. */
  #isIsland: boolean | undefined
  #below: readonly string[] = []

  constructor(options: NodeStageOptions) {
    this.#options = options
  }

  watch(listener: StageListener): void {
    this.#options.rooms.watch(listener)
  }

  observe(observer: StageObserver): void {
    this.#options.rooms.observe(observer)
  }

  importTrack(track: TrackDescription): number {
    const { rooms, desk, media, nowMs } = this.#options
    const { room, participant, use, kind, codecs, layerCount, started, flowing } = track
    const stage = rooms.named(room)
    const id = desk.newPublicationId()
    const publication = createPublication({
      ...{ id, room, participant, use },
      media: { kind, codecs, layerCount },
    })
    publication.started = started
    publication.flowsThere = flowing
    desk.addImported(publication)
    const imported = { publicationId: id, kind, use, codecs, layerCount }
    media.send({ type: 'import', roomId: stage.roomId, publication: imported })
    stage.addImported(publication, nowMs())
    return id
  }

  updateTrack(publicationId: number, flags: { started: boolean; flowing: boolean }): void {
    const { rooms, desk, nowMs } = this.#options
    const publication = desk.imported(publicationId)
    if (publication === undefined) return
    publication.started ||= flags.started
    publication.flowsThere = flags.flowing
    rooms.get(publication.room)?.flowChanged(nowMs())
  }

  forgetTrack(publicationId: number): void {
    const { rooms, desk, media, nowMs } = this.#options
    const publication = desk.removeImported(publicationId)
    if (publication === undefined) return
    const stage = rooms.get(publication.room)
    stage?.removeImported(publication, nowMs())
    media.send({ type: 'forget', publicationId })
    if (stage !== undefined) rooms.dropUnused(stage)
  }

  follow(room: string, choice: StageChoice | undefined): void {
    this.#options.rooms.follow(room, choice)
  }

  limitSpeech(publicationId: number, limit: SpeechLimit): void {
    this.#options.desk.limitSpeech(publicationId, limit)
  }

  setUpstream(state: UpstreamState): void {
    this.#options.upstream.set(state)
    // Lost a moment ago is not yet cut off: the lease decides.
    if (state.state === 'connecting') return
    const isIsland = state.state === 'island'
    if (isIsland === this.#isIsland) return
    this.#isIsland = isIsland
    this.#tellConference()
  }

  setNodesBelow(nodeIds: readonly string[]): void {
    const sorted = [...nodeIds].sort()
    if (sorted.join(' ') === this.#below.join(' ')) return
    this.#below = sorted
    if (this.#isIsland) this.#tellConference()
  }

  #tellConference(): void {
    const { host } = this.#options
    host.conference.setIsland(this.#isIsland ? { below: this.#below } : undefined)
    host.wake()
  }
}
