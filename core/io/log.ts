/**
 * Structured logs (pino): JSON lines on stdout. Nothing secret goes in: known secret keys are removed even
 * when a caller slips. Not for per-packet events: those are counters (metrics.ts).
 */
import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

const SECRET_KEYS = ['password', 'token', 'secret', 'key', 'iceLocal', 'iceRemote', 'authorization']

/**
 * A logger of the given level, with `fields` in each line. pino escapes control characters in values, so names from
 * outside cannot forge lines. `destination` is for tests; stdout otherwise.
 */
export function createLog(
  level: LogLevel,
  fields: Readonly<Record<string, string>> = {},
  destination?: DestinationStream,
): Log {
  const paths = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`])
  const options = { level, base: fields, redact: { paths, censor: '[secret]' } }
  return destination === undefined ? pino(options) : pino(options, destination)
}
