/** Small facts about tracks that the desk asks again and again. Pure. */
import type { TrackDescription } from '../stage-port.ts'
import type { TrunkStreamSpec } from '../trunk/contract.ts'

/** What has changed when a track is told again. */
export const flagsOf = ({ started, flowing }: TrackDescription): string => `${started} ${flowing}`

/** Whether both are the track of one name. */
export const sameTrack = (a: TrackDescription, b: TrackDescription): boolean =>
  a.room === b.room && a.participant === b.participant && a.use === b.use

/** What the trunk thread must know of a track; RED counts as Opus. */
export function specOf(streamId: number, track: TrackDescription): TrunkStreamSpec {
  const plain = track.codecs.find(({ codec }) => codec !== 'red') ?? track.codecs[0]!
  const { codec, payloadType, clockRate } = plain
  const { kind, use, layerCount } = track
  return { streamId, kind, use, codec, payloadType, clockRate, layerCount }
}
