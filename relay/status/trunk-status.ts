/**
 * What `GET /api/v1/trunk` says: this node, the link above it, and the tree of relays below it, with reasons as codes
 * that the page puts into words. Plain JSON values; rates in bit/s, ratios 0..1, times in Unix ms.
 */
import type { SourceUse } from '../../core/media/control.ts'
import type { ShedReason, TrunkClass, TrunkStreamReport } from '../trunk/contract.ts'

/** green: good; amber: something is left out or the link is poor; red: cut off, or people miss something. */
export type Mark = 'green' | 'amber' | 'red'

/** What is wrong with a link, worst first; docs/PROTOCOL.md has them in words. */
export const TROUBLES = [
  /** No control session; `sinceMs` says since when. */
  'lost',
  /** Nothing was heard about it for a while: what is shown is old. */
  'silent',
  /** A voice that is wanted does not cross. */
  'audio-shed',
  /** Media datagrams are lost beyond what repair mends. */
  'unrepaired',
  /** Slides or a main picture do not cross at all. */
  'picture-off',
  /** Slides or a main picture come as a still every few seconds. */
  'picture-stills',
  /** Slides or a main picture are smaller or choppier than wanted. */
  'picture-reduced',
  /** Small pictures are left out or reduced. */
  'tiles-shed',
  /** An emergency has taken what others would have. */
  'pre-empted',
  /** A twentieth of the datagrams is lost, and mended. */
  'loss',
  /** Datagrams wait long in a queue on the way. */
  'queue',
  /** A long way: talk is hard. */
  'delay',
] as const
export type Trouble = (typeof TROUBLES)[number]

/** Streams of one class that fare alike, below what is wanted of them. */
export type ShedSummary = {
  class: TrunkClass
  mode: TrunkStreamReport['mode']
  reason: Extract<ShedReason, 'bandwidth' | 'pre-empted'>
  count: number
  /** Between pictures in mode `keyframes`, the longest of them; else 0. */
  keyframeIntervalMs: number
  /** The next better level would need this much more, for all of them together. */
  missingBps: number
}

/** One way of one link. */
export type DirectionStatus = {
  estimateBps: number
  usedBps: number
  /** Before repair, and after it. */
  lossRatio: number
  residualRatio: number
  queueDelayMs: number
  /** Bit/s by class, in the order of TRUNK_CLASSES. */
  shares: number[]
  shed: ShedSummary[]
}

/** A link between a node and the one above it. */
export type LinkStatus = { rttMs: number; down: DirectionStatus; up: DirectionStatus }

/** One stream that this node sends over a trunk of its own. */
export type StreamStatus = TrunkStreamReport & {
  room: string
  participant: string
  use: SourceUse
}

/** One relay below this node. */
export type RelayStatus = {
  nodeId: string
  name: string
  version: string
  state: 'connected' | 'lost'
  /** Since when it is in this state. */
  sinceMs: number
  /** When anything was last heard about it. */
  heardMs: number
  /** Sites at it, and at it and everything below. */
  sites: number
  sitesBelow: number
  mark: Mark
  /** Worst first. */
  troubles: Trouble[]
  link: LinkStatus
  /** What is sent to it, stream by stream; children of this node only. */
  streams?: StreamStatus[]
  children: RelayStatus[]
}

/** The link above. */
export type UpstreamLinkStatus = {
  nodeId: string
  name: string
  version: string
  state: 'connected' | 'lost'
  sinceMs: number
  mark: Mark
  troubles: Trouble[]
  link: LinkStatus
  streams: StreamStatus[]
}

/** One way of one link over time; one entry per step, null where nothing was heard. */
export type DirectionHistory = {
  estimateBps: (number | null)[]
  usedBps: (number | null)[]
  lossRatio: (number | null)[]
  /** By class, in the order of TRUNK_CLASSES. */
  shares: (number | null)[][]
}

/** The last ten minutes of one link. */
export type LinkHistory = {
  nodeId: string
  stepMs: number
  /** Of the first entry. */
  fromMs: number
  rttMs: (number | null)[]
  down: DirectionHistory
  up: DirectionHistory
}

export type TrunkStatus = {
  nowMs: number
  node: {
    nodeId: string
    name: string
    version: string
    startedMs: number
    sites: number
    sitesBelow: number
  }
  /** null on a core, and before the first contact. */
  upstream: UpstreamLinkStatus | null
  children: RelayStatus[]
  /** Relays that are told of but not shown, since there are too many. */
  relaysOmitted: number
  /** Of the node that was asked for, if any and known; `upstream` is named by its own nodeId. */
  history: LinkHistory | null
}
