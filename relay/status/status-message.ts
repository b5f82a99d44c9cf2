/**
 * The `status` message of the control flow (relay/control/messages.ts): what the ends of a link tell each other about
 * it, and upwards also what is below. Bounded; unknown fields are skipped.
 *
 *   v         1
 *   sends     what the teller sends over this link (direction.ts)
 *   residual  loss after repair of what it receives, 1/10,000
 *   sites     upwards: sites at the teller itself
 * relays    upwards: [[nodeId, parentId ('' = the teller), name, version, connected 0/1, since Unix ms, sites, RTT
 * ms, down,
 *             up] ...], at most STATUS_RELAYS_PER_MESSAGE; the others in later messages
 *   omitted   upwards: relays that are never told, since there are too many
 */
import * as v from 'valibot'
import { NAME_CHARACTERS_MAX, STATUS_RELAYS_PER_MESSAGE } from '../../config/limits.ts'
import { DIRECTION, readDirection, writeDirection } from './direction.ts'
import type { DirectionStatus, LinkStatus } from './trunk-status.ts'

/** One relay as its neighbours know it. */
export type RelayFacts = {
  nodeId: string
  /** '' = the teller. */
  parentId: string
  name: string
  version: string
  state: 'connected' | 'lost'
  sinceMs: number
  sites: number
  link: LinkStatus
}

export type StatusMessage = {
  sends: DirectionStatus
  residualRatio: number
  /** Absent downwards. */
  below?: { sites: number; relays: RelayFacts[]; omitted: number }
}

const RATIO = 10_000
const SITES_MAX = 1_000_000
const RTT_MS_MAX = 600_000
// They reach pages: nothing that turns text around or ends a line.
const UNFIT = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u

const natural = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(most))
const text = v.pipe(
  v.string(),
  v.maxLength(NAME_CHARACTERS_MAX),
  v.check((value) => !UNFIT.test(value), 'characters that do not belong in a name'),
)
const nodeId = v.pipe(v.string(), v.regex(/^[a-z][a-z2-7]{1,32}$/))
const relay = v.tuple([
  nodeId,
  v.union([v.literal(''), nodeId]),
  text,
  text,
  natural(1),
  natural(Number.MAX_SAFE_INTEGER),
  natural(SITES_MAX),
  natural(RTT_MS_MAX),
  DIRECTION,
  DIRECTION,
])
const MESSAGE = v.object({
  v: v.literal(1),
  sends: DIRECTION,
  residual: natural(RATIO),
  sites: v.optional(natural(SITES_MAX)),
  relays: v.optional(v.pipe(v.array(relay), v.maxLength(STATUS_RELAYS_PER_MESSAGE))),
  omitted: v.optional(natural(SITES_MAX)),
})

export function writeStatus(message: StatusMessage): Record<string, unknown> {
  const { sends, residualRatio, below } = message
  const link = { v: 1, sends: writeDirection(sends), residual: Math.round(residualRatio * RATIO) }
  if (below === undefined) return link
  const relays = below.relays.map((facts) => [
    facts.nodeId,
    facts.parentId,
    facts.name,
    facts.version,
    facts.state === 'connected' ? 1 : 0,
    facts.sinceMs,
    facts.sites,
    Math.min(RTT_MS_MAX, Math.round(facts.link.rttMs)),
    writeDirection(facts.link.down),
    writeDirection(facts.link.up),
  ])
  return { ...link, sites: below.sites, relays, omitted: below.omitted }
}

/** undefined when it is not as documented. */
export function parseStatus(status: Record<string, unknown>): StatusMessage | undefined {
  const result = v.safeParse(MESSAGE, status)
  if (!result.success) return undefined
  const { sends, residual, sites, relays = [], omitted = 0 } = result.output
  const message = { sends: readDirection(sends), residualRatio: residual / RATIO }
  if (sites === undefined) return message
  const told = relays.map(
    ([id, parentId, name, version, connected, sinceMs, ownSites, rttMs, down, up]): RelayFacts => ({
      nodeId: id,
      parentId,
      name,
      version,
      state: connected === 1 ? 'connected' : 'lost',
      sinceMs,
      sites: ownSites,
      link: { rttMs, down: readDirection(down), up: readDirection(up) },
    }),
  )
  return { ...message, below: { sites, relays: told, omitted } }
}
