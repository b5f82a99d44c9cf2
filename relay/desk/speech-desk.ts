/** What the links of a node ask of the voices that cross it, brought to their publishers or a node nearer to them. */
import type { TrunkMessage } from '../control/index.ts'
import type { SpeechLimit, StagePort } from '../stage-port.ts'
import type { TrunkReport } from '../trunk/contract.ts'
import type { Link } from './link.ts'
import { NO_LIMIT, SpeechLimits } from './speech-limits.ts'
import type { TrackBook } from './track-book.ts'

/** One per desk. A link asks for itself; its session stands for those beyond it. */
export class SpeechDesk {
  readonly #tracks: TrackBook
  readonly #stage: StagePort
  readonly #limits = new SpeechLimits((publicationId, limit) => this.#tell(publicationId, limit))

  constructor(tracks: TrackBook, stage: StagePort) {
    this.#tracks = tracks
    this.#stage = stage
  }

  /** What a trunk reports of the streams that it sends. */
  noteReport(link: Link, { streams, speech }: Pick<TrunkReport, 'streams' | 'speech'>): void {
    const wanted = new Set<number>()
    for (const { streamId, layerWanted } of streams) if (layerWanted >= 0) wanted.add(streamId)
    for (const [publicationId, { streamId }] of link.offers) {
      if (this.#tracks.get(publicationId)?.description.kind !== 'audio') continue
      this.#limits.ask(publicationId, link, wanted.has(streamId) ? speech : NO_LIMIT)
    }
  }

  /** The far end asks for those beyond it. */
  onMessage(link: Link, { limits }: Extract<TrunkMessage, { type: 'speech' }>): void {
    const publications = new Map<number, number>()
    for (const [publicationId, { streamId }] of link.offers)
      publications.set(streamId, publicationId)
    for (const { streamId, limit } of limits) {
      const publicationId = publications.get(streamId)
      if (publicationId !== undefined) this.#limits.ask(publicationId, link.session, limit)
    }
  }

  forgetLink(link: Link): void {
    this.#limits.forgetAsker(link)
    this.#limits.forgetAsker(link.session)
  }

  forgetOffer(link: Link, publicationId: number): void {
    this.#limits.ask(publicationId, link, NO_LIMIT)
    this.#limits.ask(publicationId, link.session, NO_LIMIT)
  }

  forgetTrack(publicationId: number): void {
    this.#limits.forgetTrack(publicationId)
  }

  /** The way towards the publisher is another one. */
  tellAgain(publicationId: number): void {
    this.#limits.tellAgain(publicationId)
  }

  #tell(publicationId: number, limit: SpeechLimit): void {
    const track = this.#tracks.get(publicationId)
    if (track === undefined) return
    if (track.link === undefined) {
      this.#stage.limitSpeech(publicationId, limit)
      return
    }
    for (const [streamId, other] of track.link.announced) {
      if (other !== track) continue
      track.link.session.send({ type: 'speech', limits: [{ streamId, limit }] })
      return
    }
  }
}
