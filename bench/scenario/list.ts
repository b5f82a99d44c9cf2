/** `./nhipcau bench list`: which scenarios there are, how large, and whether they can run here. */
import { parseArgs } from 'node:util'
import { loadScenario, scenarioNames } from './io.ts'
import { ScenarioError } from './problem.ts'
import type { Scenario } from './scenario.ts'

export const LIST_USAGE = `bench list      scenarios of bench/scenarios: name, sites, time, whether they can run here
  --json                  as JSON, one object a line`

/** What a build or machine lacks for a scenario, in words; empty: it can run. */
export type MissingNeeds = (scenario: Scenario) => string[]

export type ListRow = {
  name: string
  title: string
  sites: number
  durationS: number
  nodes: string[]
  lacks: string[]
}

/** Prints the list; 1 when a file of it is wrong, which is said at its place. */
export function listCommand(args: readonly string[], missingNeeds: MissingNeeds): number {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean' } } })
  const rows: ListRow[] = []
  let code = 0
  for (const name of scenarioNames()) {
    try {
      rows.push(rowOf(loadScenario(name), missingNeeds))
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error
      console.error(error.message)
      code = 1
    }
  }
  console.log(
    values.json === true ? rows.map((row) => JSON.stringify(row)).join('\n') : listText(rows),
  )
  return code
}

/** A table for people: columns as wide as they must be. */
export function listText(rows: readonly ListRow[]): string {
  const width = Math.max(4, ...rows.map(({ name }) => name.length))
  const line = (cells: [string, string, string, string]): string => {
    const [name, sites, time, rest] = cells
    return `${name.padEnd(width)}  ${sites.padStart(6)}  ${time.padStart(6)}  ${rest}`
  }
  const lines = rows.flatMap(({ name, title, sites, durationS, lacks }) => {
    const first = line([name, String(sites), durationText(durationS), title])
    const wanting = lacks.map((what) => line(['', '', '', `not here: ${what}`]))
    return [first, ...wanting]
  })
  return [line(['name', 'sites', 'time', 'title']), ...lines].join('\n')
}

/** `20s`, `10m`, `1.5h`. */
export function durationText(durationS: number): string {
  if (durationS >= 3600) return `${Number((durationS / 3600).toFixed(1))}h`
  if (durationS >= 120) return `${Number((durationS / 60).toFixed(1))}m`
  return `${Number(durationS.toFixed(1))}s`
}

function rowOf(scenario: Scenario, missingNeeds: MissingNeeds): ListRow {
  const { name, title, sites, durationS, nodes } = scenario
  return {
    name,
    title,
    sites: sites.reduce((sum, { count }) => sum + count, 0),
    durationS,
    nodes: nodes.map(({ id, kind }) => (id === kind ? id : `${id} (${kind})`)),
    lacks: missingNeeds(scenario),
  }
}
