/**
 * What one participant's slots are asked to show and what they show in the end: the room's
 * assignment, the own view, the tiles. Pure; room-stage.ts sends it.
 */
import type {
  OutgoingSection,
  RoomAssignment,
  SlotView,
  SourceUse,
} from '../../core/media/control.ts'
import type { SlotState } from '../protocol/index.ts'
import { isFlowing, type Publication } from './publication.ts'
import type { Leg, Seat } from './seat.ts'

/** How large a picture is taken to be until the client says. */
const DEFAULT_VIEW = {
  main: { widthPx: 1280, heightPx: 720 },
  tile: { widthPx: 320, heightPx: 180 },
} as const

/** The room as its slots see it. */
export type SlotContext = {
  assignment: RoomAssignment
  /** Who spoke last. */
  active: string | null
  /** A publication by its id, undefined when it is gone. */
  publication: (id: number) => Publication | undefined
  /** A participant's publication; 0 when there is none. */
  published: (participant: string, use: SourceUse) => number
}

/** What the media plane is to be asked for this participant. */
export function viewsOf(seat: Seat, leg: Leg, context: SlotContext): SlotView[] {
  const slots = outgoingOf(leg)
  const views = audioViews(slots, context)
  for (const slot of slots) {
    if (slot.use === 'audio') continue
    const asked = askedFor(seat, slot)
    const unseen = seat.view === undefined ? DEFAULT_VIEW[slot.use] : { widthPx: 0, heightPx: 0 }
    const { widthPx, heightPx } = asked ?? unseen
    const publicationId = shownIn(seat, slot, context)
    views.push({ mid: slot.mid, publicationId, widthPx, heightPx })
  }
  return views
}

/** What the participant is told of the slots. */
export function slotStatesOf(seat: Seat, leg: Leg, context: SlotContext): SlotState[] {
  const slots = outgoingOf(leg)
  const voices = audioViews(slots, context)
  return slots.map((slot): SlotState => {
    const publication = context.publication(resultIn(seat, slot, { ...context, voices }))
    if (publication === undefined || publication.participant === seat.participant) {
      return { mid: slot.mid, participant: null, use: null, state: 'empty' }
    }
    const { participant, use } = publication
    const asked = askedFor(seat, slot)
    const hidden = slot.use !== 'audio' && seat.view !== undefined && !(asked && asked.widthPx > 0)
    const paused = hidden || leg.paused.has(slot.mid)
    const state = paused ? 'paused' : isFlowing(publication) ? 'live' : 'waiting'
    return { mid: slot.mid, participant, use, state }
  })
}

/** How many tiles this participant has negotiated. */
export function tileCountOf(leg: Leg): number {
  return outgoingOf(leg).filter((slot) => slot.use === 'tile').length
}

function outgoingOf(leg: Leg): OutgoingSection[] {
  return leg.sections
    .map(({ section }) => section)
    .filter((section) => section?.direction === 'out')
}

function askedFor(seat: Seat, slot: OutgoingSection) {
  return seat.view?.slots.find((entry) => entry.mid === slot.mid)
}

/** Fewer slots than voices: the active speaker gets the first, the others what is left. */
function audioViews(slots: readonly OutgoingSection[], context: SlotContext): SlotView[] {
  const audio = slots.filter((slot) => slot.use === 'audio')
  const voices = context.assignment.audio
  if (audio.length === 0 || audio.length >= voices.length) return []
  const active = context.active === null ? 0 : context.published(context.active, 'microphone')
  const ordered = voices.filter((id) => id !== 0 && id !== active)
  if (voices.includes(active) && active !== 0) ordered.unshift(active)
  return audio.map(({ mid, index }) => {
    return { mid, publicationId: ordered[index] ?? 0, widthPx: 0, heightPx: 0 }
  })
}

/** What a picture slot is asked to show; 0 for a main slot that follows the room, and for an empty tile. */
function shownIn(seat: Seat, slot: OutgoingSection, { published }: SlotContext): number {
  if (slot.use === 'main') {
    const main = seat.view?.main
    return main ? published(main.participant, main.use) : 0
  }
  const asked = askedFor(seat, slot)
  if (asked?.participant !== undefined) return published(asked.participant, asked.use ?? 'camera')
  return seat.tiles[slot.index] ?? 0
}

/** What a slot shows in the end. */
function resultIn(
  seat: Seat,
  slot: OutgoingSection,
  context: SlotContext & { voices: readonly SlotView[] },
): number {
  const { assignment, voices, publication } = context
  if (slot.use === 'audio') {
    const own = voices.find((view) => view.mid === slot.mid)?.publicationId ?? 0
    return own === 0 ? (assignment.audio[slot.index] ?? 0) : own
  }
  const asked = shownIn(seat, slot, context)
  if (slot.use === 'tile' || asked !== 0 || seat.view?.main) return asked
  const { main, mainFallback } = assignment
  return publication(main)?.participant === seat.participant ? mainFallback : main
}
