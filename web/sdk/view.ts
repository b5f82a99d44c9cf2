/** What the page shows, as the `view` message of the protocol. Pure. */
import type { MediaSlot } from './media.ts'
import type { ClientMessage, Pin, ViewSlot } from './messages.ts'

/** In device pixels: CSS pixels times device pixel ratio. */
export type Size = { widthPx: number; heightPx: number }

export type View = {
  /** The main picture that this participant chose for itself; `null` follows the room. */
  main: Pin | null
  /** How large the main picture is drawn; `undefined`: not visible, so nothing is sent. */
  mainSize: Size | undefined
  /** One entry per tile; `undefined`: the tile is empty or not visible. */
  tiles: readonly ((Pin & Size) | undefined)[]
}

const HIDDEN: Size = { widthPx: 0, heightPx: 0 }

const whole = ({ widthPx, heightPx }: Size): Size => ({
  widthPx: Math.max(0, Math.round(widthPx)),
  heightPx: Math.max(0, Math.round(heightPx)),
})

const viewSlot = (view: View, slot: MediaSlot): ViewSlot[] => {
  if (slot.use === 'main') return [{ mid: slot.mid, ...whole(view.mainSize ?? HIDDEN) }]
  if (slot.use !== 'tile') return []
  const tile = view.tiles[slot.index]
  if (tile === undefined) return [{ mid: slot.mid, ...HIDDEN }]
  return [{ mid: slot.mid, participant: tile.participant, use: tile.use, ...whole(tile) }]
}

export const viewMessage = (
  view: View,
  slots: readonly MediaSlot[],
): Extract<ClientMessage, { type: 'view' }> => ({
  type: 'view',
  main: view.main,
  slots: slots.flatMap((slot) => viewSlot(view, slot)),
})

/** The picture slots that this view does not show: nothing is sent in them, and that is no fault of the link. */
export const hiddenMids = (view: View, slots: readonly MediaSlot[]): ReadonlySet<string> =>
  new Set(
    slots
      .flatMap((slot) => viewSlot(view, slot))
      .filter(({ widthPx }) => widthPx === 0)
      .map(({ mid }) => mid),
  )
