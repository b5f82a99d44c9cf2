/**
 * Bodies of REST requests and responses. The shapes of rooms and participants are those of the
 * WebSocket protocol.
 */

import * as v from 'valibot'
import { LINK_TEST_SECONDS_MAX, LINK_TEST_SECONDS_MIN } from '../../config/index.ts'
import { CLIENT_MESSAGES, ERROR_CODES, SERVER_MESSAGES } from '../protocol/index.ts'

const text = (max: number) => v.pipe(v.string(), v.maxLength(max))
const use = v.picklist(['microphone', 'camera', 'screen'])

export const CREATE_ROOM = v.object({ room: v.pipe(v.string(), v.minLength(1), v.maxLength(64)) })
export const KICK = v.object({ reason: v.exactOptional(text(200)) })
export const MUTE = v.object({ use, muted: v.boolean() })
export const STAGE = v.object({ onStage: v.boolean() })
export const LOCK = v.object({ locked: v.boolean() })
export const EMERGENCY = v.object({ on: v.boolean() })
const { question, options } = CLIENT_MESSAGES['poll-open'].entries
export const OPEN_POLL = v.object({ question, options })
const { order } = CLIENT_MESSAGES.succession.entries
export const SUCCESSION = v.object({ order })
export const PIN = v.object({ participant: v.nullable(text(64)), use: v.exactOptional(use) })
export const DEMO_TOKEN = v.object({
  name: v.exactOptional(text(100)),
  site: v.exactOptional(text(100)),
  role: v.exactOptional(v.picklist(['chair', 'speaker', 'viewer', 'observer'])),
})

export const ERROR = v.object({ code: v.picklist(ERROR_CODES), message: v.string() })
export const ROOM = SERVER_MESSAGES.joined.entries.room
export const ROOMS = v.object({ rooms: v.array(ROOM) })
const { members, cursor, total } = SERVER_MESSAGES['roster-page'].entries
export const PARTICIPANTS = v.object({ members, cursor, total })
export const TOKEN = v.object({ token: v.string(), room: v.string(), role: v.string() })
export const STATE_HASH = v.object({ hash: v.string() })
/** As relay/status says; grows with it. */
export const TRUNK_STATUS = v.object({})
export const LINK_TEST = v.object({
  seconds: v.exactOptional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(LINK_TEST_SECONDS_MIN),
      v.maxValue(LINK_TEST_SECONDS_MAX),
    ),
  ),
})
/** As relay/link-test says. */
export const LINK_TEST_STATUS = v.object({})
export const NODE_STATISTICS = v.object({
  rooms: v.number(),
  participants: v.number(),
  sockets: v.number(),
  transports: v.number(),
})

const stream = v.object({
  mid: v.string(),
  direction: v.picklist(['in', 'out']),
  bitrateBps: v.number(),
  lossRatio: v.number(),
  rttMs: v.number(),
  jitterMs: v.number(),
  spatialLayer: v.number(),
  spatialLayerWanted: v.number(),
  reason: v.string(),
})
export const TRANSPORT_STATISTICS = v.object({
  rttMs: v.number(),
  bytesIn: v.number(),
  bytesOut: v.number(),
  packetsIn: v.number(),
  packetsOut: v.number(),
  availableBps: v.number(),
  streams: v.array(stream),
})
