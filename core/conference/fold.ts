/**
 * What each event means: the fold of design §3. Deterministic and total: an event that does not
 * apply (of someone who is not there, of a barred one) changes nothing. Permissions are not asked
 * here; the node that wrote the event did.
 */
import { CHAT_ENTRIES_PER_ROOM_MAX, KICKS_PER_ROOM_MAX } from '../../config/limits.ts'
import type { GoneCause } from './commands.ts'
import type { EventPayloads, LeaveCause, RoomEvent } from './events.ts'
import { clearFloor, endActing, foldActingChair, foldSuccession, setFloor, unpin } from './floor.ts'
import { wallMsOfTime } from './hybrid-clock.ts'
import { addPoll, castVote, pollIdOf, voterOf } from './polls.ts'
import {
  type Bar,
  isBarredAt,
  noMutes,
  type Participant,
  type RoomChanges,
  type RoomState,
  stands,
} from './room-state.ts'

const GONE_BY_LEAVE: Record<LeaveCause, GoneCause> = {
  left: 'left',
  'connection-lost': 'session-gone',
  'node-restarted': 'session-gone',
  'room-closed': 'room-closed',
}

/**
 * Applies one event to `state` (mutated, owned by the caller) and notes what changed; cost does not
 * grow with the room.
 */
export function foldEvent(state: RoomState, event: RoomEvent, changes: RoomChanges): void {
  switch (event.type) {
    case 'room-created':
      open(state, event.time)
      break
    case 'room-closed':
      close(state, event.payload, changes)
      break
    case 'joined':
      join(state, event, changes)
      break
    case 'left':
      remove(state, event.payload.participant, changes, {
        cause: GONE_BY_LEAVE[event.payload.cause],
        reason: '',
      })
      break
    case 'published':
      publish(state, event.payload, changes)
      break
    case 'muted':
      mute(state, event.payload, changes)
      break
    case 'hand-raised':
      raiseHand(state, event.payload.participant, changes)
      break
    case 'hand-lowered':
      lowerHand(state, event.payload.participant, changes)
      break
    case 'staged':
      stage(state, event.payload, changes)
      break
    case 'pinned':
      pin(state, event.payload, changes)
      break
    case 'kicked':
      kick(state, event.payload, changes)
      break
    case 'locked':
      setFloor(state, { locked: event.payload.locked, island: event.payload.island }, changes)
      break
    case 'emergency':
      setEmergency(state, event.payload, changes)
      break
    case 'succession':
      foldSuccession(state, event.payload, changes)
      break
    case 'acting-chair':
      foldActingChair(state, event, changes)
      break
    case 'poll-opened':
      openPoll(state, event, changes)
      break
    case 'poll-closed':
      closePoll(state, event.payload.poll, changes)
      break
    case 'vote':
      vote(state, event.payload, changes)
      break
    case 'chat':
      chat(state, event, changes)
      break
    case 'lost':
      break
  }
}

function open(state: RoomState, time: number): void {
  if (state.open) return
  state.open = true
  state.closedBy = null
  state.used = false
  state.generation += 1
  forgetExpired(state, state.barredSubjects, time)
  forgetExpired(state, state.barredTokens, time)
}

function forgetExpired(state: RoomState, bars: Map<string, Bar>, time: number): void {
  for (const [key, bar] of bars) {
    if (!stands(state, bar, wallMsOfTime(time))) bars.delete(key)
  }
}

function close(
  state: RoomState,
  payload: EventPayloads['room-closed'],
  changes: RoomChanges,
): void {
  // A core that saw an empty room may not send home those who were in it on an island.
  if (!state.open || (payload.cause === 'empty' && state.participants.size > 0)) return
  for (const id of [...state.participants.keys()]) {
    remove(state, id, changes, { cause: 'room-closed', reason: '' })
  }
  state.open = false
  state.closedBy = payload.cause
  clearFloor(state, changes)
  for (const id of state.polls.keys()) changes.polls.add(id)
  state.polls.clear()
  changes.closed = payload.cause
}

function setEmergency(
  state: RoomState,
  { on, island }: EventPayloads['emergency'],
  changes: RoomChanges,
): void {
  // A closed room is none: it may be opened again for something else.
  setFloor(state, { emergency: on && state.open, island }, changes)
}

function join(state: RoomState, event: RoomEvent & { type: 'joined' }, changes: RoomChanges): void {
  const { participant: id, onStage, ...identity } = event.payload
  if (state.participants.has(id) || isBarredAt(state, identity, event.time)) return
  // An island may let someone in after the core has closed the empty room.
  open(state, event.time)
  state.used = true
  const participant: Participant = {
    id,
    origin: event.origin,
    ...identity,
    onStage,
    live: [],
    muted: noMutes(),
  }
  state.participants.set(id, participant)
  state.sites.set(identity.site, (state.sites.get(identity.site) ?? 0) + 1)
  changes.added.push(id)
  changes.gone.delete(id)
  changes.counts = true
  changes.closed = null
  if (!onStage) return
  state.stage.add(id)
  changes.stage.add(id)
}

function remove(
  state: RoomState,
  id: string,
  changes: RoomChanges,
  gone: { cause: GoneCause; reason: string },
): void {
  const participant = state.participants.get(id)
  if (participant === undefined) return
  state.participants.delete(id)
  const siteCount = state.sites.get(participant.site)! - 1
  if (siteCount === 0) state.sites.delete(participant.site)
  else state.sites.set(participant.site, siteCount)
  if (state.stage.delete(id)) changes.stage.add(id)
  if (state.hands.delete(id)) changes.hands = true
  unpin(state, id, changes)
  endActing(state, id, changes)
  changes.gone.set(id, gone)
  changes.counts = true
}

function replace(state: RoomState, participant: Participant, changes: RoomChanges): void {
  state.participants.set(participant.id, participant)
  changes.selves.add(participant.id)
  if (participant.onStage || state.stage.has(participant.id)) changes.stage.add(participant.id)
}

function publish(
  state: RoomState,
  { participant: id, use, live }: EventPayloads['published'],
  changes: RoomChanges,
): void {
  const participant = state.participants.get(id)
  if (participant === undefined || participant.live.includes(use) === live) return
  if (live && !participant.onStage) return
  const uses = live ? [...participant.live, use] : participant.live.filter((other) => other !== use)
  replace(state, { ...participant, live: uses }, changes)
}

function mute(
  state: RoomState,
  { participant: id, use, muted, by }: EventPayloads['muted'],
  changes: RoomChanges,
): void {
  const participant = state.participants.get(id)
  if (participant === undefined || participant.muted[use][by] === muted) return
  const flags = { ...participant.muted[use], [by]: muted }
  replace(state, { ...participant, muted: { ...participant.muted, [use]: flags } }, changes)
}

function raiseHand(state: RoomState, id: string, changes: RoomChanges): void {
  if (!state.participants.has(id) || state.hands.has(id)) return
  state.hands.add(id)
  changes.hands = true
  changes.counts = true
}

function lowerHand(state: RoomState, id: string, changes: RoomChanges): void {
  if (!state.hands.delete(id)) return
  changes.hands = true
  changes.counts = true
}

function stage(
  state: RoomState,
  { participant: id, onStage }: EventPayloads['staged'],
  changes: RoomChanges,
): void {
  const participant = state.participants.get(id)
  if (participant === undefined || participant.onStage === onStage) return
  changes.counts = true
  changes.stage.add(id)
  if (onStage) {
    state.stage.add(id)
    // Called up is what the hand was raised for.
    lowerHand(state, id, changes)
    replace(state, { ...participant, onStage }, changes)
    return
  }
  state.stage.delete(id)
  unpin(state, id, changes)
  replace(state, { ...participant, onStage, live: [] }, changes)
}

function pin(state: RoomState, payload: EventPayloads['pinned'], changes: RoomChanges): void {
  const { island } = payload
  if (payload.participant === null) {
    setFloor(state, { pin: null, island }, changes)
    return
  }
  if (!state.stage.has(payload.participant)) return
  const { participant, use } = payload
  setFloor(state, { pin: { participant, use }, island }, changes)
}

function kick(state: RoomState, payload: EventPayloads['kicked'], changes: RoomChanges): void {
  const bar: Bar = { expiresMs: payload.tokenExpiresMs, generation: state.generation }
  remember(state.barredSubjects, payload.subject, bar)
  remember(state.barredTokens, payload.tokenId, bar)
  const gone = { cause: 'kicked', reason: payload.reason } as const
  remove(state, payload.participant, changes, gone)
  if (payload.subject === '' && payload.tokenId === '') return
  for (const other of [...state.participants.values()]) {
    if (sameHolder(other, payload)) remove(state, other.id, changes, gone)
  }
}

function sameHolder(a: Participant, b: { subject: string; tokenId: string }): boolean {
  return (
    (a.subject !== '' && a.subject === b.subject) || (a.tokenId !== '' && a.tokenId === b.tokenId)
  )
}

function remember(bars: Map<string, Bar>, key: string, bar: Bar): void {
  if (key === '') return
  bars.delete(key)
  bars.set(key, bar)
  // Only merged islands get here: one node stops to kick before (decide.ts).
  if (bars.size > KICKS_PER_ROOM_MAX) bars.delete(bars.keys().next().value!)
}

function chat(state: RoomState, event: RoomEvent & { type: 'chat' }, changes: RoomChanges): void {
  const entry = {
    number: event.time,
    ...event.payload,
    time: wallMsOfTime(event.time),
  }
  state.chat.push(entry)
  if (state.chat.length > CHAT_ENTRIES_PER_ROOM_MAX) state.chat.shift()
  changes.chat.push(entry)
}

function openPoll(
  state: RoomState,
  event: RoomEvent & { type: 'poll-opened' },
  changes: RoomChanges,
): void {
  if (!state.open) return
  const id = pollIdOf(event)
  for (const gone of [id, ...addPoll(state.polls, id, event.payload)]) changes.polls.add(gone)
}

function closePoll(state: RoomState, id: string, changes: RoomChanges): void {
  const poll = state.polls.get(id)
  if (poll === undefined || poll.closed) return
  poll.closed = true
  changes.polls.add(id)
}

function vote(state: RoomState, payload: EventPayloads['vote'], changes: RoomChanges): void {
  const participant = state.participants.get(payload.participant)
  if (participant === undefined) return
  if (!castVote(state.polls.get(payload.poll), voterOf(participant), payload.option)) return
  changes.tallies.add(payload.poll)
  changes.selves.add(participant.id)
}
