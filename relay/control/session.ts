/** What the desk sees of a trunk's control flow. Implemented in trunk-session.ts over whatever carries frames. */
import type { TrunkFlow } from '../media-port.ts'
import type { TokenKeyJwk, TrunkMessage } from './messages.ts'
import type { RefusalReason } from './refusals.ts'

/** Who is at the other end, as proven by its key. */
export type TrunkPeer = {
  nodeId: string
  /** As the upstream's operator enrolled it; of an upstream: as it calls itself. */
  name: string
  /** Its program's version. */
  program: string
}

/**
 * Why a session is over. `lease`: nothing was heard for the time of the lease; `replaced`: the same relay has
 * dialled again; `malformed`: the far end broke the protocol; `lost`: the connection; `ended`: the far end
 * closed in order; `closed`: we did.
 */
export type SessionEnd =
  | RefusalReason
  | 'lease'
  | 'replaced'
  | 'lost'
  | 'ended'
  | 'closed'
  | 'slow-reader'

/** One authenticated control flow. Main thread only. The callbacks are set at once by whoever gets it. */
export interface TrunkSession {
  readonly peer: TrunkPeer
  /** `up`: the peer is our upstream; `down`: it is a child of ours. */
  readonly direction: 'up' | 'down'
  /** For the trunk thread. Keys never travelled: both ends have derived them. */
  readonly flow: TrunkFlow
  /** Of an upstream: node ids from the peer to the top of the tree, the peer first. Of a child: empty. */
  readonly path: readonly string[]
  /** Of an upstream: the keys that tokens are checked with when it cannot be asked. Of a child: empty. */
  readonly tokenKeys: readonly TokenKeyJwk[]
  /** From the end of contact to the island, as the upstream said. */
  readonly leaseMs: number
  /** Smoothed round trip of the control flow; 0 before the first measurement. */
  readonly rttMs: number
  /** Bytes that the kernel has not taken yet: above TRUNK_BUFFERED_BYTES_HIGH what can wait should. */
  readonly bufferedBytes: number
  /** Lists that do not fit one frame are sent in several. Nothing happens after the end. */
  send(message: TrunkMessage): void
  /** A media datagram, where UDP is blocked. Dropped (false) when the connection is behind. */
  sendDatagram(bytes: Uint8Array): boolean
  /**
   * Authenticated media of the far end came at `nowMs` (monotonic): the link is not cut, though control may be stuck.
   */
  noteMedia(nowMs: number): void
  onMessage: (message: TrunkMessage) => void
  /** `bytes` belong to the callee. */
  onDatagram: (bytes: Uint8Array) => void
  /** Exactly once, never from within a call of ours other than `close`. */
  onClosed: (reason: SessionEnd) => void
  /** `malformed` when the far end said what it must not; it is told why. Idempotent. */
  close(reason: SessionEnd): void
}
