/**
 * What a joined participant may ask, one case per message type. The conference decides who may; the
 * answers go back with the request's `ref`.
 */

import { REQUESTS_IN_FLIGHT_MAX } from '../../config/index.ts'
import type { ParticipantCommand } from '../../core/conference/index.ts'
import type { ConferenceHost } from '../../core/store/index.ts'
import { CLOSE_LEFT, type ClientMessage, type ServerMessage } from '../protocol/index.ts'
import type { Connection } from './connection.ts'
import type { MediaDesk } from './media-desk.ts'
import type { RoomStage } from './room-stage.ts'
import type { Seat } from './seat.ts'

export type RequestContext = {
  host: ConferenceHost
  desk: MediaDesk
  room: RoomStage
  seat: Seat
  connection: Connection
  /** Dials the node above at once; undefined on a node without one. */
  retryUpstream: (() => void) | undefined
}

type Ref = { ref?: number }

function refOf(message: ClientMessage): Ref {
  return message.ref === undefined ? {} : { ref: message.ref }
}

/** Asks the conference; answers `ok` or its error, if the connection still stands. */
async function command(
  context: RequestContext,
  message: ClientMessage,
  asked: ParticipantCommand,
): Promise<void> {
  const { host, seat, connection } = context
  if (connection.inFlight >= REQUESTS_IN_FLIGHT_MAX) {
    connection.refuse(message.ref, { code: 'rate-limited', message: 'too many open requests' })
    return
  }
  connection.inFlight++
  const result = await host.command(seat.participant, asked)
  connection.inFlight--
  if (!result.ok) connection.refuse(message.ref, result)
  else connection.send({ type: 'ok', ...refOf(message) })
  if (result.ok && asked.type === 'leave') connection.close(CLOSE_LEFT, 'left')
}

/** Without `type` and `ref`: what the conference takes as it is. */
function asCommand(message: ClientMessage): ParticipantCommand {
  const { ref: _ref, ...rest } = message
  return rest as ParticipantCommand
}

function offer(context: RequestContext, message: ClientMessage & { type: 'offer' }): void {
  const { desk, seat, connection } = context
  const result = desk.answer(seat, message.sdp, message.sections)
  if (!result.ok) connection.refuse(message.ref, result)
  else connection.send({ type: 'answer', ...refOf(message), sdp: result.answer })
}

/** Nobody's right of the room: it costs a dial, so the chairs have it, and whoever acts as one. */
function tryUpstream(context: RequestContext, ref: Ref): void {
  const { host, seat, connection, retryUpstream } = context
  const acting = host.conference.summary(seat.room)?.acting ?? []
  const isActing = acting.some(({ participant }) => participant === seat.participant)
  if (seat.role !== 'chair' && !isActing) {
    connection.refuse(ref.ref, { code: 'forbidden', message: 'only the chair may' })
  } else if (retryUpstream === undefined) {
    connection.refuse(ref.ref, { code: 'bad-state', message: 'this node has no upstream' })
  } else {
    retryUpstream()
    connection.send({ type: 'ok', ...ref })
  }
}

/** Answers one message of a joined participant. `join` never comes here: see hub.ts. */
export function answerRequest(context: RequestContext, message: ClientMessage): void {
  const { host, seat, connection, room } = context
  const reply = (answer: ServerMessage): void => connection.send({ ...answer, ...refOf(message) })
  switch (message.type) {
    case 'publish':
    case 'mute':
    case 'hand':
    case 'chat':
    case 'stage':
    case 'pin':
    case 'kick':
    case 'lock':
    case 'emergency':
    case 'succession':
    case 'poll-open':
    case 'poll-close':
    case 'vote':
    case 'leave':
      void command(context, message, asCommand(message))
      return
    case 'offer':
      offer(context, message)
      return
    case 'view':
      seat.view = {
        ...(message.main === undefined ? {} : { main: message.main }),
        slots: message.slots,
      }
      room.touch(seat)
      reply({ type: 'ok' })
      return
    case 'roster': {
      const { cursor, limit, search } = message
      const query = {
        limit,
        ...(cursor === undefined ? {} : { cursor }),
        ...(search === undefined ? {} : { search }),
      }
      reply({ type: 'roster-page', ...host.conference.roster(seat.room, query) })
      return
    }
    case 'chat-history': {
      const page = host.conference.chatPage(seat.room, message.before, message.limit)
      reply({ type: 'chat-page', ...page })
      return
    }
    case 'try-upstream':
      tryUpstream(context, refOf(message))
      return
    case 'ping':
      reply({ type: 'pong' })
      return
    case 'join':
      connection.refuse(message.ref, { code: 'bad-state', message: 'already joined' })
      return
  }
}
