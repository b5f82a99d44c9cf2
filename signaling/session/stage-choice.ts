/**
 * What a room hears and sees, once by publications of this node and once by names that are the same
 * on every node; and the way from one to the other. Pure. Whoever stays keeps the slot, so that a
 * change of who decides is neither seen nor heard.
 */
import type { StageSources } from '../../core/conference/index.ts'
import type { RoomAssignment } from '../../core/media/control.ts'
import type { StageChoice } from '../../relay/stage-port.ts'
import type { Publication } from './publication.ts'

/** Live and unmuted sources by participant. */
export type SourcesByParticipant = ReadonlyMap<string, StageSources>

/**
 * The assignment that shows another node's choice here, after `now`. A voice that is not here (yet) leaves its slot
 * silent; a picture that is not here leaves the one before, while that lives.
 */
export function assignmentOf(
  choice: StageChoice,
  sources: SourcesByParticipant,
  now: RoomAssignment,
): RoomAssignment {
  const voices = choice.heard.map((participant) => sources.get(participant)?.microphone ?? 0)
  const main = pictureOf(choice.main, sources, now.main)
  const fallback = pictureOf(choice.mainFallback, sources, now.mainFallback)
  return {
    audio: keepSlots(voices, now.audio),
    main,
    mainFallback: fallback === main ? 0 : fallback,
  }
}

/** The same voices in the same number of slots; those that are heard in `now` stay where they are. */
export function keepSlots(voices: readonly number[], now: readonly number[]): number[] {
  const slots = new Array<number>(voices.length).fill(0)
  const waiting = new Set(voices)
  waiting.delete(0)
  const place = (slot: number, voice: number): void => {
    if (slots[slot] === 0 && waiting.delete(voice)) slots[slot] = voice
  }
  for (const slot of slots.keys()) place(slot, now[slot] ?? 0)
  for (const slot of slots.keys()) place(slot, voices[slot] ?? 0)
  for (const slot of slots.keys()) place(slot, waiting.values().next().value ?? 0)
  return slots
}

function pictureOf(
  wanted: StageChoice['main'],
  sources: SourcesByParticipant,
  shown: number,
): number {
  if (wanted === null) return 0
  const found = sources.get(wanted.participant)?.[wanted.use] ?? 0
  if (found !== 0) return found
  const lives = [...sources.values()].some(({ camera, screen }) => [camera, screen].includes(shown))
  return lives ? shown : 0
}

/** An own choice in names. */
export function choiceOf(
  room: string,
  assignment: RoomAssignment,
  given: { active: string | null; publication: (id: number) => Publication | undefined },
): StageChoice {
  const picture = (id: number): StageChoice['main'] => {
    const found = given.publication(id)
    return found === undefined ? null : { participant: found.participant, use: found.use }
  }
  return {
    room,
    heard: assignment.audio.map((id) => given.publication(id)?.participant ?? ''),
    main: picture(assignment.main),
    mainFallback: picture(assignment.mainFallback),
    active: given.active,
  }
}
