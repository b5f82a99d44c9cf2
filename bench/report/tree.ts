/**
 * The tree of a run: nodes below nodes, groups of sites below those, each with the line above it
 * and how it did. Lines of the single sites of a group are one edge, which tells of the worst.
 * Pure.
 */
import { healthOfLink, healthOfSites, isSuffering, summarize, worstHealth } from './health.ts'
import type { Health, TreeEdge, TreeNode } from './page-model.ts'
import type { LinkReport, NodeReport, RunReport, SiteReport } from './report.ts'

/** Children that are drawn one by one; beyond, those that did well become one. */
const CHILDREN_MAX = 12
/** A report is data from outside: its nodes need not form a tree. */
const DEPTH_MAX = 8

type Parts = {
  children: Map<string | undefined, NodeReport[]>
  sites: Map<string, SiteReport[]>
  links: Map<string, LinkReport>
  linksBelow: Map<string, LinkReport[]>
}

/** From the first node that has none above it; undefined when there is none. */
export function treeOf({ nodes, sites, links }: RunReport): TreeNode | undefined {
  const known = new Set(nodes.map(({ id }) => id))
  const above = ({ upstream }: NodeReport) =>
    upstream === undefined || !known.has(upstream) ? undefined : upstream
  const children = Map.groupBy(nodes, above)
  const roots = children.get(undefined) ?? []
  // A core and its rival, one after the other: nothing joins them.
  if (roots.length > 1 && sites.length === 0) return undefined
  const parts: Parts = {
    children,
    sites: Map.groupBy(sites, ({ node }) => node),
    links: new Map(links.map((link) => [link.id, link])),
    linksBelow: Map.groupBy(links, ({ below }) => below),
  }
  const [root, ...others] = roots.map((node) => nodeOf(node, parts, 0))
  if (root === undefined) return undefined
  return { ...root, children: [...root.children, ...others] }
}

function nodeOf(node: NodeReport, parts: Parts, depth: number): TreeNode {
  const below = depth >= DEPTH_MAX ? [] : (parts.children.get(node.id) ?? [])
  const groups = Map.groupBy(parts.sites.get(node.id) ?? [], ({ group }) => group)
  const children = [
    ...below.map((child) => nodeOf(child, parts, depth + 1)),
    ...[...groups].map(([group, members]) => groupOf(group, members, parts)),
  ]
  const links = linksOf([node.link], node.id, parts)
  return {
    id: node.id,
    kind: node.kind,
    ...countsOf(children),
    health: worstHealth(children.map(({ health }) => health)),
    ...edgeOf(links),
    children: folded(children),
  }
}

function groupOf(group: string, members: readonly SiteReport[], parts: Parts): TreeNode {
  const links = linksOf(
    members.map(({ link }) => link),
    group,
    parts,
  )
  return {
    id: group,
    kind: 'group',
    joined: members.filter(({ joined }) => joined).length,
    sites: members.length,
    suffering: members.filter(isSuffering).length,
    health: healthOfSites(members),
    ...edgeOf(links),
    children: [],
  }
}

/** Named ones, and those whose lower end is `below`. */
function linksOf(ids: readonly (string | undefined)[], below: string, parts: Parts): LinkReport[] {
  const named = ids.flatMap((id) => parts.links.get(id ?? '') ?? [])
  return [...new Set([...named, ...(parts.linksBelow.get(below) ?? [])])]
}

function edgeOf(links: readonly LinkReport[]): { edge?: TreeEdge } {
  if (links.length === 0) return {}
  const ways = { up: links.map((l) => summarize(l.up)), down: links.map((l) => summarize(l.down)) }
  const worst = (name: 'lossRatio' | 'overflowRatio') => ({
    up: Math.max(...ways.up.map((way) => way[name])),
    down: Math.max(...ways.down.map((way) => way[name])),
  })
  const sum = (list: { meanBps: number }[]) => list.reduce((total, way) => total + way.meanBps, 0)
  const health = links.map(healthOfLink)
  return {
    edge: {
      links: links.length,
      profiles: [...new Set(links.map(({ profile }) => profile))].slice(0, 4).join(', '),
      health: worstHealth(health),
      bad: health.filter((word) => word === 'bad').length,
      lossRatio: worst('lossRatio'),
      overflowRatio: worst('overflowRatio'),
      meanBps: { up: sum(ways.up), down: sum(ways.down) },
    },
  }
}

function countsOf(nodes: readonly TreeNode[]): Pick<TreeNode, 'joined' | 'sites' | 'suffering'> {
  const sum = (name: 'joined' | 'sites' | 'suffering'): number =>
    nodes.reduce((total, node) => total + node[name], 0)
  return { joined: sum('joined'), sites: sum('sites'), suffering: sum('suffering') }
}

const WORST_FIRST: Readonly<Record<Health, number>> = { bad: 0, strained: 1, good: 2, idle: 3 }

/** Keeps the worst, and makes one of the others when there are too many to draw. */
function folded(children: TreeNode[]): TreeNode[] {
  if (children.length <= CHILDREN_MAX) return children
  const rank = (node: TreeNode): number =>
    WORST_FIRST[worstHealth([node.health, node.edge?.health ?? 'idle'])]
  const sorted = children.toSorted((a, b) => rank(a) - rank(b))
  const rest = sorted.slice(CHILDREN_MAX - 1)
  const fold: TreeNode = {
    id: String(rest.length),
    kind: 'folded',
    ...countsOf(rest),
    health: worstHealth(rest.map(({ health }) => health)),
    children: [],
  }
  return [...sorted.slice(0, CHILDREN_MAX - 1), fold]
}
