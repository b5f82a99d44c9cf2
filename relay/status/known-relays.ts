/**
 * The relays below this node: its own children, and those that the children tell of. Bounded; what one child says of
 * another's relays does not move them while those are connected.
 */
import {
  STATUS_LOST_MS,
  STATUS_RELAYS_MAX,
  STATUS_RELAYS_PER_CHILD_MAX,
  STATUS_SILENT_MS,
} from '../../config/limits.ts'
import { emptyDirection } from './direction.ts'
import { LinkRecord } from './link-record.ts'
import type { RelayFacts } from './status-message.ts'
import { markOf, troublesOf } from './troubles.ts'
import type { LinkStatus, RelayStatus, StreamStatus, Trouble } from './trunk-status.ts'

/** What is remembered of one relay, or of the node above. */
export type KnownRelay = {
  readonly nodeId: string
  /** '' = this node. */
  parentId: string
  /** The child that tells of it; '' = it is a child itself. */
  via: string
  name: string
  version: string
  state: 'connected' | 'lost'
  sinceMs: number
  heardMs: number
  sites: number
  link: LinkStatus
  readonly record: LinkRecord
  streams: StreamStatus[]
  /** Of a child: relays below it that it does not tell of. */
  omitted: number
}

export function knownRelay(nodeId: string, wallMs: number): KnownRelay {
  return {
    nodeId,
    parentId: '',
    via: '',
    name: '',
    version: '',
    state: 'connected',
    sinceMs: wallMs,
    heardMs: wallMs,
    sites: 0,
    link: { rttMs: 0, down: emptyDirection(), up: emptyDirection() },
    record: new LinkRecord(),
    streams: [],
    omitted: 0,
  }
}

/** What is wrong with it now, worst first. */
export function troublesNow(relay: KnownRelay, wallMs: number): Trouble[] {
  if (relay.state === 'lost') return ['lost']
  const isSilent = wallMs - relay.heardMs > STATUS_SILENT_MS
  return isSilent ? ['silent'] : troublesOf(relay.link)
}

/** One per node. */
export class KnownRelays {
  readonly #relays = new Map<string, KnownRelay>()
  #refused = 0

  get(nodeId: string): KnownRelay | undefined {
    return this.#relays.get(nodeId)
  }

  values(): IterableIterator<KnownRelay> {
    return this.#relays.values()
  }

  /** Relays that were not taken or are not told of. */
  get omitted(): number {
    let sum = this.#refused
    for (const relay of this.#relays.values()) sum += relay.omitted
    return sum
  }

  /** A child of this node, known before or not; undefined when there are too many. */
  child(nodeId: string, wallMs: number): KnownRelay | undefined {
    const relay = this.#relays.get(nodeId) ?? this.#add(nodeId, wallMs)
    if (relay === undefined) return undefined
    relay.parentId = ''
    relay.via = ''
    return relay
  }

  /** What a child tells of relays below it. */
  told(child: KnownRelay, facts: readonly RelayFacts[], wallMs: number): void {
    this.#refused = 0
    for (const fact of facts) {
      const relay = this.#relayOf(child, fact, wallMs)
      if (relay === undefined) continue
      const { parentId, name, version, state, sinceMs, sites, link } = fact
      relay.via = child.nodeId
      relay.parentId = parentId === '' ? child.nodeId : parentId
      relay.heardMs = wallMs
      Object.assign(relay, { name, version, state, sinceMs, sites, link })
      if (state === 'connected') relay.record.add(link, wallMs)
    }
  }

  /** Forgets who is gone for good. */
  prune(wallMs: number): void {
    for (const [nodeId, relay] of this.#relays) {
      const isGone = relay.via === '' && relay.state === 'lost'
      const since = isGone ? relay.sinceMs : relay.heardMs
      const teller = this.#relays.get(relay.via)
      // Whoever is connected and no longer tells of it has forgotten it, or it has moved.
      const keptMs = teller?.state === 'connected' ? 10 * STATUS_SILENT_MS : STATUS_LOST_MS
      const isChild = relay.via === '' && relay.state === 'connected'
      if (!isChild && wallMs - since > keptMs) this.#relays.delete(nodeId)
    }
  }

  /** Children of this node with all below them. */
  tree(wallMs: number): RelayStatus[] {
    const below = new Map<string, KnownRelay[]>()
    for (const relay of this.#relays.values()) {
      const siblings = below.get(relay.parentId)
      if (siblings === undefined) below.set(relay.parentId, [relay])
      else siblings.push(relay)
    }
    const shown = new Set<string>()
    const build = (relay: KnownRelay): RelayStatus => {
      shown.add(relay.nodeId)
      const children = (below.get(relay.nodeId) ?? []).filter(({ nodeId }) => !shown.has(nodeId))
      return statusOf(relay, children.map(build), wallMs)
    }
    const roots = (below.get('') ?? []).map(build)
    // Told of with a parent that nobody knows: at least under who tells of it.
    for (const relay of this.#relays.values()) {
      const teller = roots.find(({ nodeId }) => nodeId === relay.via)
      if (!shown.has(relay.nodeId)) teller?.children.push(build(relay))
    }
    for (const root of roots) sumSites(root)
    return roots
  }

  #relayOf(child: KnownRelay, fact: RelayFacts, wallMs: number): KnownRelay | undefined {
    const known = this.#relays.get(fact.nodeId)
    if (known !== undefined) {
      if (known.via === child.nodeId) return known
      const isHeld = known.state === 'connected' && wallMs - known.heardMs <= STATUS_SILENT_MS
      return isHeld || fact.state === 'lost' || known === child ? undefined : known
    }
    let told = 0
    for (const relay of this.#relays.values()) if (relay.via === child.nodeId) told += 1
    if (told < STATUS_RELAYS_PER_CHILD_MAX) return this.#add(fact.nodeId, wallMs)
    this.#refused += 1
    return undefined
  }

  #add(nodeId: string, wallMs: number): KnownRelay | undefined {
    if (this.#relays.size >= STATUS_RELAYS_MAX) {
      this.#refused += 1
      return undefined
    }
    const relay = knownRelay(nodeId, wallMs)
    this.#relays.set(nodeId, relay)
    return relay
  }
}

function statusOf(relay: KnownRelay, children: RelayStatus[], wallMs: number): RelayStatus {
  const troubles = troublesNow(relay, wallMs)
  const { nodeId, name, version, state, sinceMs, heardMs, sites, link, via, streams } = relay
  return {
    nodeId,
    name,
    version,
    state,
    sinceMs,
    heardMs,
    sites,
    sitesBelow: 0,
    mark: markOf(troubles),
    troubles,
    link,
    ...(via === '' ? { streams } : {}),
    children,
  }
}

function sumSites(relay: RelayStatus): number {
  relay.sitesBelow = relay.sites
  for (const child of relay.children) relay.sitesBelow += sumSites(child)
  return relay.sitesBelow
}
