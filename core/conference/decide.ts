/**
 * What a request becomes: facts, or an error code of PROTOCOL §1.3. Reads the state, changes
 * nothing; roles.ts says who may. An empty list of facts means that the wish is already true.
 */
import {
  CHAT_TEXT_CHARACTERS_MAX,
  IDENTITY_CHARACTERS_MAX,
  KICK_REASON_CHARACTERS_MAX,
  KICKS_PER_ROOM_MAX,
  PARTICIPANTS_PER_ROOM_MAX,
  POLL_OPTION_CHARACTERS_MAX,
  POLL_OPTIONS_MAX,
  POLL_OPTIONS_MIN,
  POLL_QUESTION_CHARACTERS_MAX,
  POLLS_PER_ROOM_MAX,
  ROOM_NAME_CHARACTERS_MAX,
  STAGE_MEMBERS_MAX,
  SUCCESSION_ENTRIES_MAX,
} from '../../config/limits.ts'
import type {
  ConferenceError,
  ConferenceErrorCode,
  Identity,
  JoinRequest,
  OperatorCommand,
  ParticipantCommand,
} from './commands.ts'
import type { Fact, Successor } from './events.ts'
import { islandOf } from './floor.ts'
import { voterOf } from './polls.ts'
import { type Act, may, type Role } from './roles.ts'
import { isBarred, type Participant, type RoomState } from './room-state.ts'

/** Who asks: a present participant, or the operator (id null, powers of a chair). */
export type Actor = {
  id: string | null
  role: Role
  /** The node whose island this one moderates, and the nodes of it. */
  island?: { node: string; nodes: readonly string[] }
}

export type Decision = Fact[] | ConferenceError

type CommandOf<T extends ParticipantCommand['type']> = Extract<ParticipantCommand, { type: T }>

/** An error to answer with; `message` is English, for logs. */
export function refuse(code: ConferenceErrorCode, message: string): ConferenceError {
  return { ok: false, code, message }
}

/** Whether this identity may enter now, and the facts of its entering. */
export function decideJoin(
  state: RoomState,
  request: JoinRequest,
  given: { participant: string; wallMs: number },
): Decision {
  const { identity } = request
  if (!isBounded(request)) return refuse('too-large', 'a name of the token is too long')
  if (isBarred(state, identity, given.wallMs)) return refuse('kicked', 'kicked from this room')
  if (state.locked && !may(identity.role, 'join-locked')) {
    return refuse('room-locked', 'the room is locked')
  }
  if (state.participants.size >= PARTICIPANTS_PER_ROOM_MAX) {
    return refuse('room-full', 'the room is full')
  }
  const onStage = may(identity.role, 'start-on-stage') && state.stage.size < STAGE_MEMBERS_MAX
  const joined: Fact = {
    type: 'joined',
    payload: { participant: given.participant, ...claimsOf(identity), onStage },
  }
  return state.open ? [joined] : [{ type: 'room-created', payload: { by: 'join' } }, joined]
}

/** A present participant as one who asks. */
export function actorOf(state: RoomState, { id, role }: Participant): Actor {
  const node = role === 'chair' ? undefined : islandOf(state, id)
  if (node === undefined) return { id, role }
  return { id, role, island: { node, nodes: state.acting.get(node)?.nodes ?? [] } }
}

/**
 * Whether the actor may do this, to this one where it is done to somebody: an acting chair to those of the island
 * only.
 */
function can({ role, island }: Actor, act: Act, target?: Participant): boolean {
  if (may(role, act)) return true
  if (island === undefined || !may(role, act, true)) return false
  return target === undefined || (target.role !== 'chair' && island.nodes.includes(target.origin))
}

/** What is said of the floor is the island's where the acting chair says it. */
function floorOf({ role, island }: Actor, act: Act): { island?: string } {
  return island === undefined || may(role, act) ? {} : { island: island.node }
}

/** What the command of this actor becomes. The actor's presence was checked. */
export function decideCommand(
  state: RoomState,
  actor: Actor,
  command: ParticipantCommand | OperatorCommand,
): Decision {
  switch (command.type) {
    case 'publish':
      return decidePublish(state, actor, command)
    case 'mute':
      return decideMute(state, actor, command)
    case 'hand':
      return decideHand(state, actor, command)
    case 'chat':
      return decideChat(state, actor, command)
    case 'stage':
      return decideStage(state, actor, command)
    case 'pin':
      return decidePin(state, actor, command)
    case 'kick':
      return decideKick(state, actor, command)
    case 'lock':
      return decideLock(state, actor, command)
    case 'emergency':
      return decideEmergency(state, actor, command)
    case 'succession':
      return decideSuccession(state, actor, command)
    case 'poll-open':
      return decidePollOpen(state, actor, command)
    case 'poll-close':
      return decidePollClose(state, actor, command)
    case 'vote':
      return decideVote(state, actor, command)
    case 'close-room':
      if (!may(actor.role, 'close-room')) return forbidden('close-room')
      return [{ type: 'room-closed', payload: { cause: actor.id === null ? 'operator' : 'chair' } }]
    case 'create-room':
      return state.open ? [] : [{ type: 'room-created', payload: { by: 'operator' } }]
    case 'leave':
      return [{ type: 'left', payload: { participant: actor.id ?? '', cause: 'left' } }]
  }
}

function decideLock(state: RoomState, actor: Actor, { locked }: CommandOf<'lock'>): Decision {
  if (!can(actor, 'lock')) return forbidden('lock')
  if (state.locked === locked) return []
  return [{ type: 'locked', payload: { locked, ...floorOf(actor, 'lock') } }]
}

function decideEmergency(state: RoomState, actor: Actor, { on }: CommandOf<'emergency'>): Decision {
  if (!can(actor, 'emergency')) return forbidden('emergency')
  if (state.emergency === on) return []
  return [{ type: 'emergency', payload: { on, ...floorOf(actor, 'emergency') } }]
}

/** Who left meanwhile is left out; the list is always the whole one. */
function decideSuccession(
  state: RoomState,
  actor: Actor,
  { order }: CommandOf<'succession'>,
): Decision {
  if (!can(actor, 'succession')) return forbidden('succession')
  if (order.length > SUCCESSION_ENTRIES_MAX) {
    return refuse('too-large', `at most ${SUCCESSION_ENTRIES_MAX} may be named`)
  }
  const found: Successor[] = []
  for (const wish of order) {
    if ('site' in wish) {
      if (wish.site.length > IDENTITY_CHARACTERS_MAX) return refuse('too-large', 'site too long')
      found.push({ site: wish.site })
      continue
    }
    const person = state.participants.get(wish.participant)
    const known = state.succession.find(
      (one) => 'participant' in one && one.participant === wish.participant,
    )
    if (person) found.push({ participant: person.id, subject: person.subject })
    else if (known) found.push(known)
    else return absent()
  }
  return [{ type: 'succession', payload: { order: found } }]
}

function claimsOf(identity: Identity): Identity {
  const { role, name, site, subject, tokenId, tokenExpiresMs } = identity
  return { role, name, site, subject, tokenId, tokenExpiresMs }
}

function isBounded({ room, identity }: JoinRequest): boolean {
  const { name, site, subject, tokenId } = identity
  return (
    isRoomName(room) &&
    [name, site, subject, tokenId].every((text) => text.length <= IDENTITY_CHARACTERS_MAX)
  )
}

/** 1..ROOM_NAME_CHARACTERS_MAX characters; what else a name may hold is the doors' business. */
function isRoomName(room: string): boolean {
  return room.length > 0 && room.length <= ROOM_NAME_CHARACTERS_MAX
}

function forbidden(act: Act): ConferenceError {
  return refuse('forbidden', `the role does not allow: ${act}`)
}

function absent(): ConferenceError {
  return refuse('not-found', 'no such participant in the room')
}

function decidePublish(state: RoomState, actor: Actor, command: CommandOf<'publish'>): Decision {
  const self = actor.id === null ? undefined : state.participants.get(actor.id)
  if (self === undefined) return absent()
  if (!may(actor.role, 'publish')) return forbidden('publish')
  if (command.live && !self.onStage) return refuse('forbidden', 'only the stage may publish')
  if (self.live.includes(command.use) === command.live) return []
  const { use, live } = command
  return [{ type: 'published', payload: { participant: self.id, use, live } }]
}

function decideMute(state: RoomState, actor: Actor, command: CommandOf<'mute'>): Decision {
  const target = state.participants.get(command.participant ?? actor.id ?? '')
  if (target === undefined) return absent()
  if (target.id === actor.id) return decideMuteSelf(actor, target, command)
  if (!can(actor, 'mute-others', target)) return forbidden('mute-others')
  return muteFacts(target, command, ['chair'])
}

function decideMuteSelf(actor: Actor, self: Participant, command: CommandOf<'mute'>): Decision {
  if (!may(actor.role, 'mute-self')) return forbidden('mute-self')
  if (command.muted || !self.muted[command.use].chair) return muteFacts(self, command, ['self'])
  if (!can(actor, 'mute-others', self)) return refuse('forbidden', 'muted by the chair')
  return muteFacts(self, command, ['self', 'chair'])
}

function muteFacts(
  target: Participant,
  { use, muted }: CommandOf<'mute'>,
  flags: ('self' | 'chair')[],
): Fact[] {
  return flags
    .filter((by) => target.muted[use][by] !== muted)
    .map((by) => ({ type: 'muted', payload: { participant: target.id, use, muted, by } }))
}

function decideHand(state: RoomState, actor: Actor, command: CommandOf<'hand'>): Decision {
  const target = state.participants.get(command.participant ?? actor.id ?? '')
  if (target === undefined) return absent()
  const act = target.id === actor.id ? 'hand' : 'hand-others'
  if (!can(actor, act, target)) return forbidden(act)
  if (act === 'hand-others' && command.raised) {
    return refuse('forbidden', 'nobody raises the hand of another')
  }
  if (state.hands.has(target.id) === command.raised) return []
  const type = command.raised ? 'hand-raised' : 'hand-lowered'
  return [{ type, payload: { participant: target.id } }]
}

function decideChat(state: RoomState, actor: Actor, command: CommandOf<'chat'>): Decision {
  const self = actor.id === null ? undefined : state.participants.get(actor.id)
  if (self === undefined) return absent()
  if (!may(actor.role, 'chat')) return forbidden('chat')
  if (command.text.length > CHAT_TEXT_CHARACTERS_MAX) {
    return refuse('too-large', 'the text is too long')
  }
  const { name, site } = self
  return [{ type: 'chat', payload: { participant: self.id, name, site, text: command.text } }]
}

function decideStage(state: RoomState, actor: Actor, command: CommandOf<'stage'>): Decision {
  if (!can(actor, 'stage')) return forbidden('stage')
  const target = state.participants.get(command.participant)
  if (target === undefined) return absent()
  if (!can(actor, 'stage', target)) return forbidden('stage')
  if (target.onStage === command.onStage) return []
  if (command.onStage && !may(target.role, 'be-on-stage')) {
    return refuse('forbidden', 'observers never come on stage')
  }
  if (command.onStage && state.stage.size >= STAGE_MEMBERS_MAX) {
    return refuse('room-full', 'the stage is full')
  }
  return [{ type: 'staged', payload: { participant: target.id, onStage: command.onStage } }]
}

function decidePin(state: RoomState, actor: Actor, command: CommandOf<'pin'>): Decision {
  if (!can(actor, 'pin')) return forbidden('pin')
  const { participant, use = 'camera' } = command
  const floor = floorOf(actor, 'pin')
  if (participant === null) {
    return state.pin === null ? [] : [{ type: 'pinned', payload: { participant, ...floor } }]
  }
  const target = state.participants.get(participant)
  if (target === undefined) return absent()
  if (!target.onStage) return refuse('bad-state', 'only the stage can be pinned')
  if (state.pin?.participant === participant && state.pin.use === use) return []
  return [{ type: 'pinned', payload: { participant, use, ...floor } }]
}

function decideKick(state: RoomState, actor: Actor, command: CommandOf<'kick'>): Decision {
  if (!can(actor, 'kick')) return forbidden('kick')
  const target = state.participants.get(command.participant)
  if (target === undefined) return absent()
  if (!can(actor, 'kick', target)) return forbidden('kick')
  if (target.id === actor.id) return refuse('bad-state', 'nobody kicks himself')
  const { reason = '' } = command
  if (reason.length > KICK_REASON_CHARACTERS_MAX) return refuse('too-large', 'reason too long')
  const barCount = Math.max(state.barredSubjects.size, state.barredTokens.size)
  if (barCount >= KICKS_PER_ROOM_MAX) return refuse('overloaded', 'too many were kicked')
  const { subject, tokenId, tokenExpiresMs } = target
  const payload = { participant: target.id, subject, tokenId, tokenExpiresMs, reason }
  return [{ type: 'kicked', payload }]
}

function decidePollOpen(state: RoomState, actor: Actor, command: CommandOf<'poll-open'>): Decision {
  if (!can(actor, 'poll')) return forbidden('poll')
  const { question, options } = command
  const tooLong = options.some((option) => option.length > POLL_OPTION_CHARACTERS_MAX)
  if (tooLong || question.length > POLL_QUESTION_CHARACTERS_MAX) {
    return refuse('too-large', 'the question or an option is too long')
  }
  if (options.length < POLL_OPTIONS_MIN || options.length > POLL_OPTIONS_MAX) {
    return refuse('too-large', `a poll has ${POLL_OPTIONS_MIN} to ${POLL_OPTIONS_MAX} options`)
  }
  const openCount = [...state.polls.values()].filter(({ closed }) => !closed).length
  if (openCount >= POLLS_PER_ROOM_MAX) return refuse('overloaded', 'too many polls are open')
  return [{ type: 'poll-opened', payload: { question, options, by: actor.id ?? '' } }]
}

function decidePollClose(
  state: RoomState,
  actor: Actor,
  { poll }: CommandOf<'poll-close'>,
): Decision {
  if (!can(actor, 'poll')) return forbidden('poll')
  const found = state.polls.get(poll)
  if (found === undefined) return refuse('not-found', 'no such poll')
  return found.closed ? [] : [{ type: 'poll-closed', payload: { poll } }]
}

function decideVote(state: RoomState, actor: Actor, command: CommandOf<'vote'>): Decision {
  const self = actor.id === null ? undefined : state.participants.get(actor.id)
  if (self === undefined) return absent()
  if (!may(actor.role, 'vote')) return forbidden('vote')
  const { poll, option } = command
  const found = state.polls.get(poll)
  if (found?.options[option] === undefined) return refuse('not-found', 'no such poll or option')
  if (found.closed) return refuse('bad-state', 'the poll is closed')
  if (found.votes.get(voterOf(self)) === option) return []
  return [{ type: 'vote', payload: { participant: self.id, poll, option } }]
}
