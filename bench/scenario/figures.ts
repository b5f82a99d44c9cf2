/**
 * Which figures a criterion may name, so that a mistyped one is told before the run and not as `unknown` after it.
 */

/** Ids of one scenario. */
export type FigureIds = { nodes: string[]; links: string[]; groups: string[]; http: string[] }

const OWNERS = { group: 'groups', link: 'links', node: 'nodes', http: 'http' } as const

/** Why a figure of this name cannot be in a report of a scenario with these ids; undefined when it can. */
export function figureProblem(name: string, ids: FigureIds): string | undefined {
  const [first = '', id = ''] = name.split('.')
  if (!Object.hasOwn(OWNERS, first)) return undefined
  const known = ids[OWNERS[first as keyof typeof OWNERS]]
  if (known.includes(id)) return undefined
  return `${name}: there is no ${first} ${id}; allowed: ${known.join(', ') || 'none is in this file'}`
}
