/**
 * Which lines a scenario needs, who goes through which of them, and in what order all that happens happens. Pure:
 * stage.ts builds it.
 */
import type { LineChange } from '../link/index.ts'
import { dealRoutes } from '../load/index.ts'
import type { Fault, LinkPlan, Scenario, SiteGroup } from '../scenario/index.ts'

/** One link of the scenario and the lines of it: one that all share, or one for each site. */
export type LineSet = {
  plan: LinkPlan
  /** Nodes behind each line. */
  lines: string[][]
  /** Groups in front of it; none where a relay is. */
  groups: string[]
  /** The relay below it: then its one line leads to the node above, trunk and door. */
  relay?: string
}

/** One way of a group: straight (no link), or through a line. */
export type Way = { link?: string; line: number; share: number }

export type Lines = { sets: LineSet[]; ways: Map<string, Way[]> }

/** Lines in front of sites first, then those above relays. Links that nobody uses have no lines. */
export function planLines(scenario: Pick<Scenario, 'links' | 'sites' | 'nodes'>): Lines {
  const sets = new Map<string, LineSet>()
  const shared = new Map<string, number>()
  const ways = new Map<string, Way[]>()
  const setOf = (link: string, group: SiteGroup): LineSet => {
    const plan = scenario.links.find(({ id }) => id === link)
    if (plan === undefined) throw new Error(`${group.id} goes by link ${link}, which is not there`)
    const set = sets.get(link) ?? { plan, lines: [], groups: [] }
    sets.set(link, set)
    if (!set.groups.includes(group.id)) set.groups.push(group.id)
    return set
  }
  for (const group of scenario.sites) {
    const perSite = group.linkPer === 'site'
    const dealt = perSite ? ownWays(group) : group.routes
    const found = dealt.map(({ link, share }): Way => {
      const set = setOf(link, group)
      const line = perSite ? set.lines.push([group.node]) - 1 : sharedLine(set, shared)
      const nodes = set.lines[line] as string[]
      if (!nodes.includes(group.node)) nodes.push(group.node)
      return { link, line, share }
    })
    ways.set(group.id, found.length > 0 ? found : [{ line: 0, share: 1 }])
  }
  return { sets: [...sets.values(), ...relayLines(scenario)], ways }
}

/** A line above a relay carries nothing else. */
function relayLines({ nodes, links }: Pick<Scenario, 'nodes' | 'links'>): LineSet[] {
  return nodes.flatMap(({ id, upstream, link }) => {
    const plan = links.find((one) => one.id === link)
    if (plan === undefined || upstream === undefined) return []
    return [{ plan, lines: [[upstream]], groups: [], relay: id }]
  })
}

/** A node and all that hang on it, in the scenario's order. */
export function subtreeOf(nodes: Scenario['nodes'], top: string): string[] {
  const found = new Set([top])
  // Parents stand before their children.
  for (const { id, upstream } of nodes) {
    if (upstream !== undefined && found.has(upstream)) found.add(id)
  }
  return [...found]
}

/** A way for each site, in the order in which the load deals them out. */
function ownWays({ routes, count }: SiteGroup): SiteGroup['routes'] {
  if (routes.length === 0) return []
  const shares = routes.map(({ share }) => share)
  return dealRoutes(shares, count).map((index) => ({ link: routes[index]?.link ?? '', share: 1 }))
}

function sharedLine(set: LineSet, shared: Map<string, number>): number {
  const line = shared.get(set.plan.id) ?? set.lines.push([]) - 1
  shared.set(set.plan.id, line)
  return line
}

/** One thing that happens from outside. */
export type Moment =
  | { atS: number; fault: Fault }
  | { atS: number; link: string; change: LineChange }

/** Faults of nodes and links, and changes of links, by time. */
export function planMoments({ faults, links }: Pick<Scenario, 'faults' | 'links'>): Moment[] {
  const changes = links.flatMap(({ id, changes: list }) =>
    list.map((change): Moment => ({ atS: change.atMs / 1000, link: id, change })),
  )
  const broken = faults.map((fault): Moment => ({ atS: fault.atS, fault }))
  return [...broken, ...changes].sort((a, b) => a.atS - b.atS)
}

/** The change of both ways that a fault of a link is. */
export function changeOf(fault: 'cut' | 'heal'): LineChange {
  const settings = { up: fault === 'heal' }
  return { atMs: 0, directions: ['down', 'up'], settings, rebind: false }
}

/** What a change does to those behind it: an outage begins, ends, or neither. */
export function markOf({ settings }: LineChange): 'down' | 'up' | undefined {
  if (settings.up === undefined) return undefined
  return settings.up ? 'up' : 'down'
}

/** Whether it is from here that things can be well again. */
export function endsOutage(moment: Moment): boolean {
  if (!('fault' in moment)) return markOf(moment.change) === 'up'
  return ['heal', 'restart', 'continue'].includes(moment.fault.do)
}

/** In words, for the report's events. */
export function momentText(moment: Moment): string {
  if ('fault' in moment) {
    const { fault } = moment
    return 'node' in fault ? `${fault.do} ${fault.node}` : `${fault.do} ${fault.link}`
  }
  const { link, change } = moment
  const { up, ...settings } = change.settings
  const words = [
    ...(change.directions.length === 1 ? [`${change.directions[0]}:`] : []),
    ...(change.profile === undefined ? [] : [`profile ${change.profile}`]),
    ...Object.entries(settings).map(([key, value]) => `${key} ${settingText(value)}`),
    ...(up === undefined ? [] : [up ? 'heal' : 'cut']),
    ...(change.rebind ? ['rebind'] : []),
  ]
  return `${link} ${words.join(' ')}`
}

function settingText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
