/**
 * What the doors count, as Prometheus series. Labels come from the closed set of error codes only.
 */

import { Counter, Gauge, type Registry } from 'prom-client'
import { ERROR_CODES } from './protocol/index.ts'
import type { Signaling, SignalingFigures } from './signaling.ts'

const GAUGES: Readonly<Record<keyof SignalingFigures, [name: string, help: string]>> = {
  sockets: ['nhipcau_door_sockets', 'Open WebSockets.'],
  participants: ['nhipcau_door_participants', 'Participants whose session this node holds.'],
  rooms: ['nhipcau_door_rooms', 'Rooms with a participant of this node.'],
  transports: ['nhipcau_door_transports', 'Negotiated media transports.'],
  whipSessions: ['nhipcau_door_whip_sessions', 'Open WHIP and WHEP sessions.'],
}

const COUNTERS = {
  messagesIn: ['nhipcau_door_messages_in_total', 'WebSocket messages received.'],
  messagesOut: ['nhipcau_door_messages_out_total', 'WebSocket messages sent.'],
  joins: ['nhipcau_door_joins_total', 'Joins and resumes that succeeded, by WebSocket or WHIP.'],
  resumes: ['nhipcau_door_resumes_total', 'Joins that resumed a session.'],
  slowReaders: ['nhipcau_door_slow_readers_total', 'Connections ended because they did not read.'],
  statisticsDropped: [
    'nhipcau_door_statistics_dropped_total',
    'Statistics that slow readers did not get.',
  ],
} as const satisfies Partial<Record<keyof Signaling['counters'], readonly [string, string]>>

/** Adds the doors' series to a registry; they read what `doors` gives at each scrape, 0 before it gives anything. */
export function registerDoorMetrics(
  registry: Registry,
  doors: () => Pick<Signaling, 'counters' | 'figures'> | undefined,
): void {
  const registers = [registry]
  for (const [key, [name, help]] of Object.entries(GAUGES)) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(doors()?.figures()[key as keyof SignalingFigures] ?? 0)
      },
    })
  }
  for (const [key, [name, help]] of Object.entries(COUNTERS)) {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(doors()?.counters[key as keyof typeof COUNTERS] ?? 0)
      },
    })
  }
  new Counter({
    name: 'nhipcau_door_refusals_total',
    help: 'Refusals by error code.',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset()
      for (const code of ERROR_CODES) this.inc({ code }, doors()?.counters.refusals[code] ?? 0)
    },
  })
}
