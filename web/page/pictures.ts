/** Which pictures the page shows: a pure answer from the conference's state. */
import type { ConferenceState, Pin, SlotState, StageMember } from '../sdk/index.ts'

/** Cards in the row of small pictures; the rest are counted. */
export const CARDS_MAX = 24

export type Card = {
  key: string
  participant: string
  use: 'camera' | 'screen'
  name: string
  site: string
  self: boolean
  /** The member has a live source of this use. */
  live: boolean
  micMuted: boolean
  speaking: boolean
  handRaised: boolean
}

export const pinKey = (pin: Pin): string => `${pin.participant}/${pin.use}`

/** What stands in the main slot now. */
export const mainOccupant = (
  slots: readonly SlotState[],
  mainMid: string | undefined,
): SlotState | undefined =>
  slots.find((slot) => slot.mid === mainMid && slot.participant !== null && slot.state !== 'empty')

const cardOf = (state: ConferenceState, member: StageMember, use: 'camera' | 'screen'): Card => ({
  key: `${member.participant}/${use}`,
  participant: member.participant,
  use,
  name: member.name,
  site: member.site,
  self: member.participant === state.me?.participant,
  live: member.sources[use] !== undefined && member.sources[use]?.muted !== true,
  micMuted: member.sources.microphone === undefined || member.sources.microphone.muted,
  speaking: state.active === member.participant || state.heard.includes(member.participant),
  handRaised: state.hands.includes(member.participant),
})

/** All on stage, oneself first, then who speaks, screens before faces; a member sharing has two cards. */
export const stageCards = (state: ConferenceState): Card[] => {
  const cards = state.stage.flatMap((member) => {
    const camera = cardOf(state, member, 'camera')
    return member.sources.screen === undefined
      ? [camera]
      : [cardOf(state, member, 'screen'), camera]
  })
  return cards.sort((a, b) => Number(b.self) - Number(a.self))
}

/** The pictures that need a tile, best first: live, not our own, not already in the main picture. */
export const wantedTiles = (
  cards: readonly Card[],
  main: SlotState | undefined,
  recent: readonly string[],
): Pin[] => {
  const rank = (card: Card): number => {
    const position = recent.indexOf(card.participant)
    return position < 0 ? recent.length : position
  }
  return cards
    .filter((card) => card.live && !card.self)
    .filter((card) => card.participant !== main?.participant || card.use !== main.use)
    .sort((a, b) => rank(a) - rank(b))
    .map(({ participant, use }) => ({ participant, use }))
}
