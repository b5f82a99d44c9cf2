/**
 * Everything that this node knows about trunks: its own ends' reports, and what the far ends tell. Pure; fed by the
 * desk of the trunks, read by `GET /api/v1/trunk` and the metrics.
 */
import {
  STATUS_INTERVAL_MS,
  STATUS_INTERVAL_MS_MAX,
  STATUS_RELAYS_PER_MESSAGE,
  STATUS_SHARE_MAX,
} from '../../config/limits.ts'
import type { TrackName, UpstreamState } from '../stage-port.ts'
import type { TrunkReport } from '../trunk/contract.ts'
import { summarizeShed } from './direction.ts'
import { type KnownRelay, KnownRelays, knownRelay, troublesNow } from './known-relays.ts'
import { parseStatus, type RelayFacts, writeStatus } from './status-message.ts'
import { markOf } from './troubles.ts'
import type { DirectionStatus, LinkHistory, TrunkStatus } from './trunk-status.ts'

/** Rough size of a message and of each relay in it. */
const MESSAGE_BYTES = 120
const RELAY_BYTES = 160

/** This node itself. */
export type StatusNode = { nodeId: string; name: string; version: string; startedMs: number }

/** Who is at the other end of a trunk, and which way it goes. */
export type StatusPeer = { direction: 'up' | 'down'; nodeId: string; name: string; version: string }

type Trunk = { readonly direction: 'up' | 'down'; readonly far: KnownRelay; dueMs: number }

/** One trunk of this node, for metrics: figures by its far end's id. */
export type TrunkFigures = { direction: 'up' | 'down'; far: KnownRelay }

/** One per node. Times are Unix ms. */
export class StatusBook {
  readonly #node: StatusNode
  readonly #relays = new KnownRelays()
  readonly #trunks = new Map<number, Trunk>()
  #upstream: KnownRelay | undefined
  #sites = 0
  /** Whose turn it is to be told upwards. */
  #turn = 0

  constructor(node: StatusNode) {
    this.#node = node
  }

  /** Sites that are joined to this node itself. */
  setSites(sites: number): void {
    this.#sites = sites
  }

  /** The control session of a trunk stands. */
  opened(trunkId: number, peer: StatusPeer, wallMs: number): void {
    const { direction, nodeId } = peer
    const far =
      direction === 'up' ? this.#above(nodeId, wallMs) : this.#relays.child(nodeId, wallMs)
    if (far === undefined) return
    far.name = peer.name
    far.version = peer.version
    far.state = 'connected'
    far.sinceMs = wallMs
    far.heardMs = wallMs
    this.#trunks.set(trunkId, { direction, far, dueMs: wallMs })
  }

  /** It has ended. A relay that has dialled again meanwhile stays connected. */
  closed(trunkId: number, wallMs: number): void {
    const trunk = this.#trunks.get(trunkId)
    if (trunk === undefined) return
    this.#trunks.delete(trunkId)
    const { far } = trunk
    if ([...this.#trunks.values()].some((other) => other.far === far)) return
    far.state = 'lost'
    far.sinceMs = wallMs
    far.streams = []
  }

  /** Our end's figures of the last second. `nameOf`: whose the streams are. */
  reported(
    trunkId: number,
    report: TrunkReport,
    { nameOf, wallMs }: { nameOf: (streamId: number) => TrackName | undefined; wallMs: number },
  ): void {
    const trunk = this.#trunks.get(trunkId)
    if (trunk === undefined) return
    const { far, direction } = trunk
    const { down, up } = far.link
    far.heardMs = wallMs
    far.link.rttMs = Math.round(report.rttMs)
    takeSent(direction === 'up' ? up : down, report)
    takeReceived(direction === 'up' ? down : up, report)
    far.streams = report.streams.flatMap((stream) => {
      const name = nameOf(stream.streamId)
      return name === undefined ? [] : [{ ...stream, ...name }]
    })
    far.record.add(far.link, wallMs)
  }

  /** A `status` message of the far end. False when it is malformed: the trunk must end. */
  told(trunkId: number, status: Record<string, unknown>, wallMs: number): boolean {
    const message = parseStatus(status)
    if (message === undefined) return false
    const trunk = this.#trunks.get(trunkId)
    if (trunk === undefined) return true
    const { far, direction } = trunk
    const theirs = direction === 'up' ? far.link.down : far.link.up
    const ours = direction === 'up' ? far.link.up : far.link.down
    const { estimateBps, queueDelayMs, shares, shed } = message.sends
    Object.assign(theirs, { estimateBps, queueDelayMs, shares, shed })
    ours.residualRatio = message.residualRatio
    if (direction === 'up' || message.below === undefined) return true
    const { sites, relays, omitted } = message.below
    far.sites = sites
    far.omitted = omitted
    const others = relays.filter(({ nodeId }) => nodeId !== this.#node.nodeId)
    this.#relays.told(far, others, wallMs)
    return true
  }

  /** `status` messages that are to be sent now; call about once a second. */
  due(wallMs: number): { trunkId: number; status: Record<string, unknown> }[] {
    this.#relays.prune(wallMs)
    const messages: { trunkId: number; status: Record<string, unknown> }[] = []
    for (const [trunkId, trunk] of this.#trunks) {
      // After a clock that was set back a message is due at once.
      const waitMs = trunk.dueMs - wallMs
      if (waitMs > 0 && waitMs <= STATUS_INTERVAL_MS_MAX) continue
      const { direction, far } = trunk
      const [sends, receives] = waysOf(trunk)
      const relays = direction === 'up' ? this.#nextRelays() : []
      const below = { sites: this.#sites, relays, omitted: this.#relays.omitted }
      const link = { sends, residualRatio: receives.residualRatio }
      const status = writeStatus(direction === 'up' ? { ...link, below } : link)
      messages.push({ trunkId, status })
      trunk.dueMs = wallMs + intervalMs(far, direction, relays.length)
    }
    return messages
  }

  /** How the link above fares, for the pages; undefined before the first contact. */
  upstreamFigures(
    wallMs: number,
  ): Pick<UpstreamState, 'mark' | 'rateBps' | 'lossRatio' | 'rttMs'> | undefined {
    const far = this.#upstream
    if (far === undefined) return undefined
    const { down, rttMs } = far.link
    const mark = markOf(troublesNow(far, wallMs))
    return { mark, rateBps: down.estimateBps, lossRatio: down.lossRatio, rttMs }
  }

  /** Of every trunk that stands. */
  figures(): TrunkFigures[] {
    return [...this.#trunks.values()]
  }

  /** Everything; `historyOf`: a nodeId whose link's last ten minutes are wanted too. */
  status(wallMs: number, historyOf?: string): TrunkStatus {
    const children = this.#relays.tree(wallMs)
    const sitesBelow = children.reduce((sum, child) => sum + child.sitesBelow, this.#sites)
    return {
      nowMs: wallMs,
      node: { ...this.#node, sites: this.#sites, sitesBelow },
      upstream: this.#upstreamStatus(wallMs),
      children,
      relaysOmitted: this.#relays.omitted,
      history: this.#history(wallMs, historyOf),
    }
  }

  #above(nodeId: string, wallMs: number): KnownRelay {
    if (this.#upstream?.nodeId !== nodeId) this.#upstream = knownRelay(nodeId, wallMs)
    return this.#upstream!
  }

  #upstreamStatus(wallMs: number): TrunkStatus['upstream'] {
    const far = this.#upstream
    if (far === undefined) return null
    const troubles = troublesNow(far, wallMs)
    const { nodeId, name, version, state, sinceMs, link, streams } = far
    return {
      nodeId,
      name,
      version,
      state,
      sinceMs,
      mark: markOf(troubles),
      troubles,
      link,
      streams,
    }
  }

  #history(wallMs: number, nodeId: string | undefined): LinkHistory | null {
    if (nodeId === undefined) return null
    const isUpstream = nodeId === this.#upstream?.nodeId
    const relay = isUpstream ? this.#upstream : this.#relays.get(nodeId)
    return relay?.record.history(nodeId, wallMs) ?? null
  }

  /** Nodes below this one, at any depth, that are connected or were until `lostMsMax` ago. */
  nodesBelow(wallMs: number, lostMsMax: number): string[] {
    const isThere = (relay: KnownRelay | undefined): boolean =>
      relay !== undefined && (relay.state === 'connected' || wallMs - relay.sinceMs <= lostMsMax)
    const below: string[] = []
    for (const relay of this.#relays.values()) {
      const teller = relay.via === '' ? relay : this.#relays.get(relay.via)
      if (isThere(relay) && isThere(teller)) below.push(relay.nodeId)
    }
    return below
  }

  /** The next few of all relays below, round and round. */
  #nextRelays(): RelayFacts[] {
    const all = [...this.#relays.values()]
    const count = Math.min(all.length, STATUS_RELAYS_PER_MESSAGE)
    const next: RelayFacts[] = []
    for (let i = 0; i < count; i++) {
      const { nodeId, parentId, name, version, state, sinceMs, sites, link } =
        all[(this.#turn + i) % all.length]!
      next.push({ nodeId, parentId, name, version, state, sinceMs, sites, link })
    }
    this.#turn = all.length === 0 ? 0 : (this.#turn + count) % all.length
    return next
  }
}

/** What we send over a trunk, and what we receive. */
function waysOf({ direction, far }: Trunk): [DirectionStatus, DirectionStatus] {
  const { down, up } = far.link
  return direction === 'up' ? [up, down] : [down, up]
}

/** A thin link is told about more rarely. */
function intervalMs({ link }: KnownRelay, direction: 'up' | 'down', relayCount: number): number {
  const bits = (MESSAGE_BYTES + relayCount * RELAY_BYTES) * 8
  const { estimateBps } = direction === 'up' ? link.up : link.down
  const ms = estimateBps > 0 ? (bits * 1_000) / (estimateBps * STATUS_SHARE_MAX) : 0
  return Math.min(STATUS_INTERVAL_MS_MAX, Math.max(STATUS_INTERVAL_MS, ms))
}

function takeSent(way: DirectionStatus, report: TrunkReport): void {
  way.estimateBps = Math.round(report.estimateBps)
  way.usedBps = Math.round(report.sentBps)
  way.lossRatio = report.lossSentRatio
  way.queueDelayMs = Math.round(report.queueDelayMs)
  way.shares = report.shares.map((share) => Math.round(share))
  way.shed = summarizeShed(report.streams)
}

function takeReceived(way: DirectionStatus, report: TrunkReport): void {
  way.usedBps = Math.round(report.receivedBps)
  way.lossRatio = report.lossReceivedRatio
  way.residualRatio = report.lossResidualRatio
}
