/** How a conference is entered and what it tells: the types of `connect`, and what follows from them alone. */
import type { Format } from './codec.ts'
import type { Environment } from './environment.ts'
import { ConferenceError } from './errors.ts'
import type { MediaSlot } from './media.ts'
import type { ChatEntry } from './messages.ts'
import type { ConferenceState } from './state.ts'
import type { StreamStatistics } from './statistics.ts'

export type ConnectOptions = {
  token: string
  /** `ws:` or `wss:` address of the door; default `/ws` on the page's own host. */
  url?: string
  /** Frames as msgpack (default) or as JSON, for debugging. */
  format?: Format
  /** Small pictures to negotiate, 0..`TILES_MAX`; default 6. */
  tiles?: number
  /** Name and version of the program, for the server's records, at most 64 characters. */
  client?: string
  /** For tests. */
  environment?: Environment
}

export type ConferenceEvents = {
  /** After every change; the state is immutable. */
  change: ConferenceState
  /** New entries of the room's chat, not those of history. */
  chat: readonly ChatEntry[]
  /** The media slots are new objects. */
  slots: readonly MediaSlot[]
  /** Every 2 s. */
  statistics: readonly StreamStatistics[]
  /** Something was refused that no call waits for. */
  error: ConferenceError
}

/** The server has answered what was not asked. */
export const unexpected = (answer: unknown): ConferenceError =>
  new ConferenceError('bad-message', `unexpected answer: ${String((answer as Error)?.message)}`)

/** `/ws` on the page's own host. */
export const defaultUrl = (): string => {
  const url = new URL('/ws', location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  url.hash = ''
  return url.href
}
