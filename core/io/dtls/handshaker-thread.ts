/**
 * Starts the handshaker's thread and hands out channels to it. Runs on the main thread; media workers get a
 * MessagePort each (transfer it in `workerData`), so handshakes never cross the main thread.
 */
import type { MessagePort } from 'node:worker_threads'
import type { Fingerprint } from '../../media/control.ts'
import type { HandshakerStats } from './handshake.ts'

/** The running thread. */
export interface HandshakerThread {
  /** SHA-256 of the node's certificate: goes into every SDP that we write. */
  readonly fingerprint: Fingerprint
  /** A new channel for one media worker; wrap it there with `new HandshakerPort(port, onEvent)`. */
  connect(): MessagePort
  /** Totals since start; answers within 2 s or rejects. */
  stats(): Promise<HandshakerStats>
  /** Called once if the thread dies: established media goes on, but nobody can join any more. */
  onFailed: (error: Error) => void
  /** Ends the thread. Associations get no close_notify: close the transports first. */
  close(): Promise<void>
}
