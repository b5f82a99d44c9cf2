/**
 * What the main thread and the trunk thread say to each other. Plain, structured-cloneable values; nothing per packet.
 * To the media workers the trunk thread is one more worker (core/io/media-worker-protocol.ts): packets of
 * publications that cross go through the same rings.
 */
import type { SrtpMaster } from '../core/io/index.ts'
import type { StreamPlace, TrunkReport, TrunkStreamSpec } from './trunk/contract.ts'

/** A trunk's media flow. `trunkId`: positive, given out by the main thread, never reused within a run. */
export type TrunkFlow = {
  trunkId: number
  /** For what we send and for what the far end sends. */
  send: { ssrc: number; master: SrtpMaster }
  receive: { ssrc: number; master: SrtpMaster }
  /** Where the upstream takes media; absent at the upstream, which learns it from authenticated datagrams. */
  remote?: { address: string; port: number }
}

export type ToTrunkThread =
  | { type: 'open-trunk'; flow: TrunkFlow }
  | { type: 'close-trunk'; trunkId: number }
  /** A publication of this node (its own, or imported) may be sent over a trunk. Told again when its place changes. */
  | {
      type: 'offer'
      trunkId: number
      publicationId: number
      spec: TrunkStreamSpec
      place: StreamPlace
    }
  | { type: 'withdraw'; trunkId: number; streamId: number }
  /** A stream of the far end is this publication here. */
  | { type: 'expect'; trunkId: number; publicationId: number; spec: TrunkStreamSpec }
  | { type: 'unexpect'; trunkId: number; streamId: number }
  /** A datagram that came through the WebSocket because UDP is blocked. */
  | { type: 'tunnelled'; trunkId: number; bytes: Uint8Array }
  /**
   * From now on datagrams leave through the WebSocket (true), or as the thread finds best (false, as from the
   * beginning): the dialling side turns to it when UDP is silent, the other side follows.
   */
  | { type: 'tunnel'; trunkId: number; on: boolean }
  /** For so long from now what media leaves of the link is filled with padding, to measure it; 0 = no longer. */
  | { type: 'saturate'; trunkId: number; forMs: number }

export type FromTrunkThread =
  | {
      type: 'trunk-report'
      trunkId: number
      report: TrunkReport
      droppedForged: number
      /** How datagrams leave now; `none` at an upstream that has not been reached yet. */
      path: 'udp' | 'tunnel' | 'none'
    }
  /** Authenticated datagrams come, or none since TRUNK_SILENT_MS. */
  | { type: 'trunk-heard'; trunkId: number; heard: boolean }
  /** A datagram for the WebSocket. */
  | { type: 'tunnel-out'; trunkId: number; bytes: Uint8Array }
  /** It could not be opened, or a fault of ours ended it; as if `close-trunk` had been said. */
  | { type: 'trunk-ended'; trunkId: number; reason: 'taken' | 'full' | 'fault' }
