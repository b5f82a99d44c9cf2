/**
 * Whether what a scenario names exists: ids of nodes, links and groups, relays that form a tree,
 * criteria that can be read. Looks at plain values before or beside the schema, so that one reading
 * tells all mistakes; what is no text or mapping is the schema's to complain about.
 */
import { checkCriterion } from './check-expression.ts'
import { figuresOf } from './expression.ts'
import { type FigureIds, figureProblem } from './figures.ts'
import { isMapping } from './form.ts'
import { isProblem, parseExpression } from './parse-expression.ts'
import { type Complaint, quoted } from './problem.ts'
import { checkSettings } from './settings.ts'
import type { Path } from './yaml-source.ts'

type Ids = FigureIds
type Named = { what: 'node' | 'link'; id: unknown; path: Path }

const ID = /^[A-Za-z][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*$/
const ID_CHARS_MAX = 48
/** They would be read as something else, by people or by JavaScript. */
const TAKEN = ['and', 'or', 'not', 'constructor', 'prototype', 'total']

/**
 * Every dangling or circular reference of a file's plain value, and every criterion that cannot be
 * judged.
 */
export function checkReferences(file: unknown): Complaint[] {
  if (!isMapping(file)) return []
  const { nodes, links, sites, http, windows } = file
  const sections = { nodes, links, sites, http, windows }
  const ids = {
    nodes: keysOf(file.nodes),
    links: keysOf(file.links),
    groups: keysOf(file.sites),
    http: keysOf(file.http),
    windows: keysOf(file.windows),
  }
  const badIds = Object.entries(sections).flatMap(([name, section]) => checkIds(name, section))
  const twice = ids.groups.filter((id) => ids.nodes.includes(id))
  const clashes = twice.map((id) => {
    const problem = `${quoted(id)} is the id of a node, too; allowed: another id`
    return { path: ['sites', id], problem, isAboutKey: true }
  })
  const named = namedIn(file)
  return [
    ...badIds,
    ...clashes,
    ...named.flatMap((one) => checkNamed(one, ids)),
    ...unusedLinks(ids, named),
    ...cycles(file.nodes),
    ...mappingsOf(file.nodes).flatMap(([id, { config }]) =>
      checkSettings(config, ['nodes', id, 'config']),
    ),
    ...listOf(file.pass).flatMap((text, index) => checkPass({ text, path: ['pass', index] }, ids)),
  ]
}

function checkIds(name: string, section: unknown): Complaint[] {
  const allowed = `allowed: a letter, then letters, digits, _ and single -; ${ID_CHARS_MAX} at most`
  return keysOf(section)
    .filter((id) => !ID.test(id) || id.length > ID_CHARS_MAX || TAKEN.includes(id))
    .map((id) => ({
      path: [name, id],
      problem: `${quoted(id)} cannot be an id; ${allowed}; not ${TAKEN.join(', ')}`,
      isAboutKey: true,
    }))
}

function namedIn(file: Record<string, unknown>): Named[] {
  const fromNodes = mappingsOf(file.nodes).flatMap(([id, { upstream, link }]): Named[] => [
    { what: 'node', id: upstream, path: ['nodes', id, 'upstream'] },
    { what: 'link', id: link, path: ['nodes', id, 'link'] },
  ])
  const fromSites = mappingsOf(file.sites).flatMap(([id, { node, link }]): Named[] => [
    { what: 'node', id: node, path: ['sites', id, 'node'] },
    ...(isMapping(link) ? Object.keys(link) : [link]).map((one): Named => {
      const inside = isMapping(link) ? [String(one)] : []
      return { what: 'link', id: one, path: ['sites', id, 'link', ...inside] }
    }),
  ])
  const fromHttp = mappingsOf(file.http).map(([id, { node }]): Named => {
    return { what: 'node', id: node, path: ['http', id, 'node'] }
  })
  const fromFaults = listOf(file.faults).flatMap((fault, index): Named[] => {
    if (!isMapping(fault)) return []
    return [
      { what: 'node', id: fault.node, path: ['faults', index, 'node'] },
      { what: 'link', id: fault.link, path: ['faults', index, 'link'] },
    ]
  })
  return [...fromNodes, ...fromSites, ...fromHttp, ...fromFaults]
}

function checkNamed({ what, id, path }: Named, ids: Ids): Complaint[] {
  const known = what === 'node' ? ids.nodes : ids.links
  if (typeof id !== 'string' || known.includes(id)) return []
  const allowed = known.length === 0 ? `there are no ${what}s` : known.join(', ')
  return [{ path, problem: `${quoted(id)} is no ${what}; allowed: ${allowed}` }]
}

/** A line that nobody uses is most likely a line that somebody should. */
function unusedLinks(ids: Ids, named: Named[]): Complaint[] {
  const used = named.filter(({ what, path }) => what === 'link' && path[0] !== 'faults')
  return ids.links
    .filter((id) => !used.some((one) => one.id === id))
    .map((id) => ({
      path: ['links', id],
      problem: `no node and no group uses ${quoted(id)}; allowed: name it under nodes or sites, or remove it`,
      isAboutKey: true,
    }))
}

function cycles(nodes: unknown): Complaint[] {
  const above = new Map(mappingsOf(nodes).map(([id, { upstream }]) => [id, upstream]))
  return [...above.keys()].flatMap((id) => {
    const way = [id]
    let next = above.get(id)
    while (typeof next === 'string' && above.has(next) && !way.includes(next)) {
      way.push(next)
      next = above.get(next)
    }
    if (next !== id) return []
    const problem = `a circle: ${[...way, id].join(' -> ')}; allowed: a node whose way up ends at a core`
    return [{ path: ['nodes', id, 'upstream'], problem }]
  })
}

function checkPass({ text, path }: { text: unknown; path: Path }, ids: Ids): Complaint[] {
  if (typeof text !== 'string') return []
  const expression = parseExpression(text)
  const found = isProblem(expression) ? [expression] : checkCriterion(expression)
  const complaints = found.map(({ column, problem }) => ({ path, column, problem }))
  if (isProblem(expression)) return complaints
  const unknown = figuresOf(expression).flatMap((name): Complaint[] => {
    const problem = figureProblem(name, ids)
    const column = text.indexOf(name) + 1
    return problem === undefined ? [] : [{ path, column, problem }]
  })
  return [...complaints, ...unknown]
}

function keysOf(section: unknown): string[] {
  return isMapping(section) ? Object.keys(section) : []
}

function listOf(section: unknown): unknown[] {
  return Array.isArray(section) ? section : []
}

function mappingsOf(section: unknown): [string, Record<string, unknown>][] {
  const entries = isMapping(section) ? Object.entries(section) : []
  return entries.filter((entry): entry is [string, Record<string, unknown>] => isMapping(entry[1]))
}
