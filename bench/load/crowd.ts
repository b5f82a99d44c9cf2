/**
 * Makes the seats of a plan: a member for each site, with a signed token of its own, dealt out to
 * its group's routes.
 */

import { issueToken, loadTokenKeys } from '../../signaling/index.ts'
import { createRandom } from '../link/index.ts'
import { dealRoutes } from './deal.ts'
import type { HistogramBook } from './histograms.ts'
import type { MemberMaker, MemberSpec } from './member.ts'
import type { LoadGroup, LoadRoute, LoadSetup } from './protocol.ts'
import type { Sampler } from './sampler.ts'
import { type JoinTally, newJoinTally, Seat } from './seat.ts'

export type CrowdOptions = {
  setup: LoadSetup
  /** One for each kind of the plan. */
  makers: ReadonlyMap<LoadGroup['kind'], MemberMaker>
  histograms: HistogramBook
  sampler: Sampler
  nowMs: () => number
  happened: (what: string) => void
}

export type Crowd = { seats: Seat[]; tallies: Map<string, JoinTally> }

/** Tokens outlive the run by this. */
const TOKEN_MARGIN_S = 3600

/** Rejects when the core's keys cannot be read. */
export async function createCrowd(options: CrowdOptions): Promise<Crowd> {
  const { setup, makers, histograms, nowMs } = options
  const seats: Seat[] = []
  const tallies = new Map<string, JoinTally>()
  const keys = loadTokenKeys(setup.dataDir)
  for (const group of setup.groups) {
    const tally = newJoinTally()
    tallies.set(group.id, tally)
    const maker = makers.get(group.kind)
    if (maker === undefined) throw new Error(`nothing makes ${group.kind} sites`)
    const shares = group.routes.map(({ share }) => share ?? 1)
    for (const [index, route] of dealRoutes(shares, group.count).entries()) {
      const id = `${group.id}-${index + 1}`
      const claims = { room: group.room ?? setup.room, role: roleOf(group), name: id, site: id }
      const ttlS = Math.ceil(setup.durationS) + TOKEN_MARGIN_S
      const token = await issueToken(keys, { ...claims, ttlS, nowMs: Date.now() })
      const spec = specOf(options, {
        group,
        id,
        number: (setup.firstNumber ?? 1) + seats.length,
        route: group.routes[route] as LoadRoute,
        token,
      })
      const member = maker.create(spec)
      seats.push(new Seat({ spec, member, histograms, tally, nowMs }))
    }
  }
  return { seats, tallies }
}

type Own = Pick<MemberSpec, 'group' | 'id' | 'number' | 'route' | 'token'>

function specOf({ setup, sampler, happened }: CrowdOptions, own: Own): MemberSpec {
  const { group, id, number } = own
  return {
    ...own,
    room: group.room ?? setup.room,
    latencies: sampler.latenciesOf(group.id),
    random: createRandom((setup.seed ^ Math.imul(number, 0x9e3779b1)) >>> 0).next,
    reconnects: !(group.behaviours ?? []).some((one) => one.do === 'reconnect'),
    onEvent: (what) => happened(`${id}: ${what}`),
  }
}

function roleOf({ role, publishes }: LoadGroup): NonNullable<LoadGroup['role']> {
  return role ?? (publishes === undefined ? 'viewer' : 'speaker')
}
