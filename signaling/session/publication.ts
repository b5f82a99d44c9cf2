/** One track in a room as the doors see it: of a participant of this node, or taken in from another. */
import type { CodecSpec, MediaKind, SourceUse } from '../../core/media/control.ts'
import type { SpeechLimit, TrackDescription } from '../../relay/stage-port.ts'

/** What is sent, whoever sends it. `codecs` as in core/media/control.ts, never empty. */
export type PublicationMedia = {
  readonly kind: MediaKind
  readonly codecs: CodecSpec[]
  readonly layerCount: number
}

/** Known under its id to the media plane of this node; owned by the desk. */
export type Publication = {
  readonly id: number
  readonly room: string
  readonly participant: string
  readonly use: SourceUse
  readonly media: PublicationMedia
  /** Packets have ever arrived, here or at the node where it is published. */
  started: boolean
  /** Packets arrive at this node now. */
  flowsHere: boolean
  /** They arrive where it is published, as that node tells; false for one of this node. */
  flowsThere: boolean
  /** What its publisher is asked for; undefined = as it likes. */
  speechLimit?: SpeechLimit
}

/** A publication without a packet yet. */
export function createPublication(
  name: Pick<Publication, 'id' | 'room' | 'participant' | 'use' | 'media'>,
): Publication {
  return { ...name, started: false, flowsHere: false, flowsThere: false }
}

/** Whether its sender sends now, as far as this node knows. */
export function isFlowing(publication: Publication): boolean {
  return publication.flowsHere || publication.flowsThere
}

/** One of this node as others are told of it. */
export function describeTrack(publication: Publication): TrackDescription {
  const { room, participant, use, media, started } = publication
  return { room, participant, use, ...media, started, flowing: isFlowing(publication) }
}
