/**
 * What the desk knows of one trunk while its control session stands: which tracks it has offered to the far end,
 * which the far end has announced, and which rooms are of interest beyond it. Decides nothing.
 */
import { STREAM_ID_MAX } from '../../config/limits.ts'
import type { TrunkSession } from '../control/index.ts'
import type { StreamPlace } from '../trunk/contract.ts'
import type { Track } from './track-book.ts'

export type Offer = { readonly streamId: number; place: StreamPlace; flagsKey: string }

/** One trunk, up or down. */
export class Link {
  readonly session: TrunkSession
  /** By publicationId: what the far end may want of us. */
  readonly offers = new Map<number, Offer>()
  /** By the far end's streamId. */
  readonly announced = new Map<number, Track>()
  /** Of a child: rooms that somebody below is in. An upstream takes all. */
  readonly rooms = new Set<string>()
  #streamIdLast = 0
  readonly #streamIds = new Set<number>()

  constructor(session: TrunkSession) {
    this.session = session
  }

  get isUp(): boolean {
    return this.session.direction === 'up'
  }

  get trunkId(): number {
    return this.session.flow.trunkId
  }

  wants(room: string): boolean {
    return this.isUp || this.rooms.has(room)
  }

  /** A streamId that is not in use, the longest unused first; undefined when all are. */
  takeStreamId(): number | undefined {
    if (this.#streamIds.size >= STREAM_ID_MAX) return undefined
    do this.#streamIdLast = (this.#streamIdLast % STREAM_ID_MAX) + 1
    while (this.#streamIds.has(this.#streamIdLast))
    this.#streamIds.add(this.#streamIdLast)
    return this.#streamIdLast
  }

  releaseStreamId(streamId: number): void {
    this.#streamIds.delete(streamId)
  }
}
