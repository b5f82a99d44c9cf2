/**
 * The one file here that touches the machine: finds and reads scenarios, and sees what this build
 * and machine can run.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { ScenarioError } from './problem.ts'
import { readScenario } from './read.ts'
import type { Scenario } from './scenario.ts'
import { readYaml } from './yaml-source.ts'

const ROOT = join(import.meta.dirname, '../..')
const FOLDER = join(ROOT, 'bench/scenarios')
const YAML = /\.ya?ml$/

/** Names of bench/scenarios, sorted. */
export function scenarioNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => YAML.test(file))
    .map((file) => file.replace(YAML, ''))
    .sort()
}

/**
 * By name (`hello`) or by file (`my/file.yaml`). Throws ScenarioError with all mistakes, or that
 * there is no such file.
 */
export function loadScenario(nameOrFile: string): Scenario {
  const isFile = YAML.test(nameOrFile) || nameOrFile.includes('/')
  const file = isFile ? nameOrFile : join('bench/scenarios', `${nameOrFile}.yaml`)
  const text = readText(isFile ? resolve(nameOrFile) : join(ROOT, file), nameOrFile)
  const read = readScenario(text, basename(file).replace(YAML, ''))
  if (!read.ok) throw new ScenarioError(file, read.problems)
  const problems = read.scenario.nodes.flatMap(({ id, program }) => {
    if (program === undefined || existsSync(join(ROOT, program))) return []
    const problem = `${JSON.stringify(program)} is not there; allowed: a file of the repository`
    const place = readYaml(text).placeOf(['nodes', id, 'program'])
    return [{ ...place, key: `nodes.${id}.program`, problem }]
  })
  if (problems.length > 0) throw new ScenarioError(file, problems)
  return read.scenario
}

function readText(path: string, asked: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException
    const problem = `${code}; allowed: a file, or one of ${scenarioNames().join(', ')}`
    throw new ScenarioError(asked, [{ line: 1, column: 1, key: '', problem }])
  }
}
