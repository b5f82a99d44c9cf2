/**
 * What the main thread and the trunk thread say to each other beside relay/media-port.ts and the links to media
 * workers: plain, structured-cloneable values.
 */
import type { ToPlanePeer } from '../../core/io/carriers.ts'
import type { MediaReport } from '../../core/media/control.ts'
import type { FromTrunkThread, ToTrunkThread } from '../media-port.ts'

/** `workerData` of the trunk thread. `port` 0 = any free one. */
export type TrunkThreadSetup = { port: number; batching: boolean }

export type ToThread = ToTrunkThread | ToPlanePeer | { type: 'close' }

export type FromThread =
  | FromTrunkThread
  /** `unbatched` says why every datagram costs a system call of its own; empty when it does not. */
  | { type: 'ready'; port: number; bufferBytes: number; unbatched: string }
  /** The port could not be bound; the thread ends. */
  | { type: 'unavailable'; message: string }
  /** `flowing` and `levels` of publications of other nodes. */
  | { type: 'reports'; reports: MediaReport[] }
  /** Once a second, since the thread began. */
  | { type: 'figures'; figures: TrunkThreadFigures }
  | { type: 'note'; level: 'info' | 'warn' | 'error'; message: string; fields: NoteFields }
  | { type: 'closed' }

/** Numbers and our own words, never bytes of others. */
export type NoteFields = Record<string, number | string>

/** Counters but for the last five, which are of now. */
export type TrunkThreadFigures = {
  receivedPackets: number
  receivedBytes: number
  sentPackets: number
  sentBytes: number
  /** Of these, through the WebSocket. */
  tunnelledPackets: number
  /** Far ends that came from another address. */
  roams: number
  faults: number
  /** By DropReason code. */
  drops: Uint32Array
  trunks: number
  /** Publications that have a way through this thread. */
  routes: number
  sendQueue: number
  /** Longest delay of a due timer, and share of the time in which the thread was not idle, since the figures before. */
  stallMs: number
  cpuRatio: number
}
