/** Where a track stands in its room: what the class of its streams on a trunk follows from (design §4). Pure. */
import type { StageChoice, TrackDescription } from '../stage-port.ts'
import type { StreamPlace } from '../trunk/contract.ts'

/** Without a choice nobody is on the stage yet. */
export function placeOf(
  { room, participant, use }: TrackDescription,
  choice: StageChoice | undefined,
  emergency: boolean,
): StreamPlace {
  const shows = (shown: StageChoice['main'] | undefined): boolean =>
    shown?.participant === participant && shown.use === use
  if (use === 'microphone') {
    return {
      place: choice?.heard.includes(participant) ? 'heard' : 'other',
      emergency,
      room: numberOf(room),
    }
  }
  const isMain = shows(choice?.main) || shows(choice?.mainFallback)
  return { place: isMain ? 'main' : 'other', emergency, room: numberOf(room) }
}

export const samePlace = (a: StreamPlace, b: StreamPlace): boolean =>
  a.place === b.place && a.emergency === b.emergency

/** FNV-1a, 32 bits: two rooms of one number would share as one, and nothing worse. */
function numberOf(room: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < room.length; i++) hash = Math.imul(hash ^ room.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
