/**
 * What the main thread and a media worker say to each other beside the media seam itself
 * (core/media/control.ts), and what two workers say to each other. Plain values and
 * transferables; nothing here is per packet.
 */
import type { MessagePort } from 'node:worker_threads'
import type { ImportedPublication, MediaCommand, MediaReport } from '../media/control.ts'

/** `workerData` of a media worker. `handshaker` is transferred. */
export type WorkerSetup = {
  port: number
  handshaker: MessagePort
  /** Whether sendmmsg may be used where it can be. */
  batching: boolean
}

/** One end of a way between two workers: a ring each way, and a port to wake and to ask. */
export type LinkEnd = {
  peer: number
  port: MessagePort
  outgoing: SharedArrayBuffer
  incoming: SharedArrayBuffer
}

export type ToWorker =
  | { type: 'command'; command: MediaCommand }
  | { type: 'link'; link: LinkEnd }
  /** The peer's thread has died; its imports are forgotten by commands of their own. */
  | { type: 'unlink'; peer: number }
  | { type: 'export'; publicationId: number; peer: number }
  | { type: 'unexport'; publicationId: number; peer: number }
  | { type: 'import'; roomId: number; publication: ImportedPublication; peer: number }
  /** The handshaker was started again: the old channel is dead. `port` is transferred. */
  | { type: 'handshaker'; port: MessagePort }
  | { type: 'close' }

/** What of this reaches a peer, which is a worker without transports and rooms (media-plane-links.ts). */
export type ToPlanePeer =
  | Extract<ToWorker, { type: 'link' | 'unlink' | 'export' | 'unexport' | 'import' }>
  | { type: 'command'; command: Extract<MediaCommand, { type: 'forget' }> }

export type FromWorker =
  /** `unbatched` says why every datagram costs a system call of its own; empty when it does not. */
  | { type: 'ready'; port: number; ipv6: boolean; bufferBytes: number; unbatched: string }
  /** The port could not be bound; the thread ends. */
  | { type: 'unavailable'; message: string }
  /** All reports of one loop turn, in order. */
  | { type: 'reports'; reports: MediaReport[] }
  /** Once a second: figures in the order of `WORKER_FIGURES`, then latency bucket counts and their sum. */
  | { type: 'snapshot'; figures: Float64Array; latency: Float64Array }
  /** A line for the log, which the main thread writes. `fields` hold numbers and our own words, never peers' bytes. */
  | { type: 'note'; level: 'info' | 'warn' | 'error'; message: string; fields: NoteFields }
  | { type: 'closed' }

type NoteFields = Record<string, number | string>

/** Between workers, from the importing side to the exporting one. `wake` goes the other way. */
export type LinkMessage =
  | { type: 'wake' }
  | { type: 'keyframe'; publicationId: number; layer: number }
  | { type: 'want'; publicationId: number; layerMask: number }
