/**
 * What the doors count, as Prometheus series (prom-client) on the node's registry. Label values
 * come from the closed set of error codes, never from outside.
 */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Signaling, SignalingFigures } from '../signaling.ts'

/** What is read at each scrape. */
export type DoorMetricsSource = Pick<Signaling, 'counters' | 'figures'>

const COUNTERS = [
  ['messagesIn', 'nhipcau_door_messages_in_total', 'Messages received over WebSockets.'],
  ['messagesOut', 'nhipcau_door_messages_out_total', 'Messages sent over WebSockets.'],
  [
    'statisticsDropped',
    'nhipcau_door_statistics_dropped_total',
    'Statistics messages not sent to slow readers.',
  ],
  ['slowReaders', 'nhipcau_door_slow_readers_total', 'WebSockets ended because they did not read.'],
  ['joins', 'nhipcau_door_joins_total', 'Participants that joined.'],
  ['resumes', 'nhipcau_door_resumes_total', 'Sessions taken up again after a lost connection.'],
] as const

const GAUGES: readonly (readonly [keyof SignalingFigures, string, string])[] = [
  ['sockets', 'nhipcau_door_sockets', 'Open WebSockets.'],
  ['participants', 'nhipcau_participants', 'Participants present at this node.'],
  ['rooms', 'nhipcau_rooms', 'Rooms with participants at this node.'],
  ['transports', 'nhipcau_transports', 'Media transports, connected or on the way.'],
  ['whipSessions', 'nhipcau_whip_sessions', 'WHIP and WHEP sessions.'],
]

/**
 * Adds the series of the doors; once per registry. `source` may be opened later than the registry.
 */
export function registerDoorMetrics(
  registry: Registry,
  source: () => DoorMetricsSource | undefined,
): void {
  const registers = [registry]
  for (const [field, name, help] of COUNTERS) {
    const collect = function (this: Counter): void {
      this.reset()
      this.inc(source()?.counters[field] ?? 0)
    }
    new Counter({ name, help, registers, collect })
  }
  for (const [field, name, help] of GAUGES) {
    const collect = function (this: Gauge): void {
      this.set(source()?.figures()[field] ?? 0)
    }
    new Gauge({ name, help, registers, collect })
  }
  new Counter({
    name: 'nhipcau_door_refusals_total',
    help: 'Requests refused at the WebSocket door, by error code (docs/PROTOCOL.md §1.3).',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset()
      const refusals: Record<string, number> = source()?.counters.refusals ?? {}
      for (const [code, count] of Object.entries(refusals)) this.inc({ code }, count)
    },
  })
}
