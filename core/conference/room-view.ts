/**
 * A room as clients see it (docs/PROTOCOL.md §1.2): the summary for who joins, coalesced deltas for
 * who is in. A delta carries what changed and never a list that grows with the audience.
 * Deliberately without recipients.
 */
import {
  CHAT_PAGE_ENTRIES_MAX,
  HANDS_SHOWN_MAX,
  ROOM_COUNTS_MS_PER_PARTICIPANT,
  ROOM_DELTA_INTERVAL_MS,
} from '../../config/limits.ts'
import { presentOf } from './acting-chair.ts'
import type {
  ActingMember,
  ChatPage,
  Counts,
  RoomDelta,
  RoomSummary,
  SelfState,
  StageMember,
  SuccessorWish,
} from './commands.ts'
import { type PollSummary, pollSummaryOf, voterOf } from './polls.ts'
import {
  isMuted,
  type Participant,
  type RoomChanges,
  type RoomState,
  SOURCE_USES,
} from './room-state.ts'

/**
 * Gathers changes of one room and hands them out at most every ROOM_DELTA_INTERVAL_MS; counts alone
 * the more seldom the more people get them, so that a hall that fills does not spend itself on
 * telling all how full it is.
 */
export class RoomView {
  #revision = 0
  #presentCount = 0
  #lastMs = Number.NEGATIVE_INFINITY
  #stage = new Set<string>()
  #counts = false
  #hands = false
  #locked = false
  #emergency = false
  #pin = false
  #acting = false
  #succession = false
  #polls = new Set<string>()
  #tallies = new Set<string>()
  #summary: RoomSummary | undefined

  /** `presentCount`: participants after these changes. */
  note(changes: RoomChanges, presentCount: number): void {
    this.#summary = undefined
    this.#presentCount = presentCount
    for (const id of changes.stage) this.#stage.add(id)
    this.#counts ||= changes.counts || changes.stage.size > 0
    this.#hands ||= changes.hands
    this.#locked ||= changes.locked
    this.#emergency ||= changes.emergency
    this.#pin ||= changes.pin
    this.#acting ||= changes.acting
    this.#succession ||= changes.succession
    for (const id of changes.polls) this.#polls.add(id)
    for (const id of changes.tallies) this.#tallies.add(id)
  }

  /** When a delta may leave (monotonic ms); Infinity when nothing waits. */
  get deadlineMs(): number {
    const isUrgent = this.#hands || this.#locked || this.#emergency || this.#pin || this.#acting
    if (isUrgent || this.#succession || this.#stage.size > 0 || this.#polls.size > 0) {
      return this.#lastMs + ROOM_DELTA_INTERVAL_MS
    }
    if (!this.#counts && this.#tallies.size === 0) return Number.POSITIVE_INFINITY
    const countsMs = this.#presentCount * ROOM_COUNTS_MS_PER_PARTICIPANT
    return this.#lastMs + Math.max(ROOM_DELTA_INTERVAL_MS, countsMs)
  }

  /** The room now; shared by all who ask until something changes, so not to be altered. */
  summary(state: RoomState): RoomSummary {
    this.#summary ??= {
      room: state.room,
      revision: this.#revision,
      locked: state.locked,
      emergency: state.emergency,
      pin: state.pin,
      counts: countsOf(state),
      stage: [...state.stage].map((id) => stageMemberOf(state.participants.get(id)!)),
      hands: handsOf(state),
      polls: [...state.polls].map(([id, poll]) => pollSummaryOf(id, poll)),
      acting: actingOf(state),
      succession: successionOf(state),
    }
    return this.#summary
  }

  /** What waits, when its time has come; else undefined. */
  takeDelta(state: RoomState, nowMs: number): RoomDelta | undefined {
    if (nowMs < this.deadlineMs) return undefined
    this.#revision += 1
    const delta: RoomDelta = { revision: this.#revision }
    if (this.#counts) delta.counts = countsOf(state)
    if (this.#stage.size > 0) delta.stage = this.#stageDelta(state)
    if (this.#hands) delta.hands = handsOf(state)
    if (this.#locked) delta.locked = state.locked
    if (this.#emergency) delta.emergency = state.emergency
    if (this.#pin) delta.pin = state.pin
    if (this.#acting) delta.acting = actingOf(state)
    if (this.#succession) delta.succession = successionOf(state)
    if (this.#polls.size > 0) delta.polls = this.#pollsDelta(state)
    if (this.#tallies.size > 0) delta.tallies = this.#talliesDelta(state)
    this.#lastMs = nowMs
    this.#clear()
    return delta
  }

  #stageDelta(state: RoomState): { set: StageMember[]; remove: string[] } {
    const set: StageMember[] = []
    const remove: string[] = []
    for (const id of this.#stage) {
      if (state.stage.has(id)) set.push(stageMemberOf(state.participants.get(id)!))
      else remove.push(id)
    }
    return { set, remove }
  }

  #pollsDelta(state: RoomState): NonNullable<RoomDelta['polls']> {
    const set: PollSummary[] = []
    const remove: string[] = []
    for (const id of this.#polls) {
      const poll = state.polls.get(id)
      if (poll === undefined) remove.push(id)
      else set.push(pollSummaryOf(id, poll))
    }
    return { set, remove }
  }

  #talliesDelta(state: RoomState): NonNullable<RoomDelta['tallies']> {
    const tallies: NonNullable<RoomDelta['tallies']> = []
    for (const id of this.#tallies) {
      const poll = state.polls.get(id)
      if (poll !== undefined) tallies.push({ poll: id, counts: [...poll.counts] })
    }
    return tallies
  }

  #clear(): void {
    this.#stage.clear()
    this.#counts = false
    this.#hands = false
    this.#locked = false
    this.#emergency = false
    this.#pin = false
    this.#acting = false
    this.#succession = false
    this.#polls.clear()
    this.#tallies.clear()
    this.#summary = undefined
  }
}

/** What a participant may and does send, and has voted. */
export function selfStateOf(state: RoomState, participant: Participant): SelfState {
  return {
    onStage: participant.onStage,
    permitted: participant.onStage ? [...SOURCE_USES] : [],
    muted: participant.muted,
    live: [...participant.live],
    votes: votesOf(state, participant),
  }
}

function votesOf(state: RoomState, participant: Participant): SelfState['votes'] {
  const votes: SelfState['votes'] = []
  for (const [poll, { votes: cast }] of state.polls) {
    const option = cast.get(voterOf(participant))
    if (option !== undefined) votes.push({ poll, option })
  }
  return votes
}

/**
 * The newest `limit` entries before `before` (an entry's number), oldest first; entries of one
 * number stay together.
 */
export function chatPageOf(state: RoomState, before: number | undefined, limit: number): ChatPage {
  const bounded = Math.min(Math.max(1, limit), CHAT_PAGE_ENTRIES_MAX)
  const { chat } = state
  let end = chat.length
  while (before !== undefined && end > 0 && chat[end - 1]!.number >= before) end -= 1
  let start = Math.max(0, end - bounded)
  while (start > 0 && chat[start - 1]!.number === chat[start]!.number) start -= 1
  return { entries: chat.slice(start, end), more: start > 0 }
}

function actingOf(state: RoomState): ActingMember[] {
  const members: ActingMember[] = []
  for (const { participant } of state.acting.values()) {
    const found = state.participants.get(participant)
    if (found) members.push({ participant, name: found.name, site: found.site })
  }
  return members
}

/** Whoever has come again since is named as he is now; nobody's `sub` is told. */
function successionOf(state: RoomState): SuccessorWish[] {
  return state.succession.map((successor) => {
    if ('site' in successor) return successor
    return { participant: presentOf(state, successor)?.id ?? successor.participant }
  })
}

function countsOf(state: RoomState): Counts {
  return {
    sites: state.sites.size,
    stage: state.stage.size,
    audience: state.participants.size - state.stage.size,
    hands: state.hands.size,
  }
}

function handsOf(state: RoomState): string[] {
  const hands: string[] = []
  for (const id of state.hands) {
    if (hands.push(id) === HANDS_SHOWN_MAX) break
  }
  return hands
}

function stageMemberOf(participant: Participant): StageMember {
  const sources: StageMember['sources'] = {}
  for (const use of participant.live) sources[use] = { muted: isMuted(participant.muted, use) }
  const { id, name, site, role } = participant
  return { participant: id, name, site, role, sources }
}
