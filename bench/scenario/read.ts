/**
 * A scenario from the text of its file: all mistakes at once, each with line, column, key, value
 * and what is allowed. Pure; io.ts finds files.
 */
import * as v from 'valibot'
import { SCENARIO_BYTES_MAX } from '../../config/limits.ts'
import { buildScenario } from './build.ts'
import { checkFits } from './fits.ts'
import { isMapping, SAID } from './form.ts'
import { type Complaint, pathText, quoted, type ScenarioProblem } from './problem.ts'
import { checkReferences } from './references.ts'
import type { Scenario } from './scenario.ts'
import { SCENARIO } from './schema.ts'
import { readYaml, type YamlSource } from './yaml-source.ts'

export type ReadScenario =
  | { ok: true; scenario: Scenario }
  | { ok: false; problems: ScenarioProblem[] }

/** Never throws. `name` is the file's without folder and ending. */
export function readScenario(yaml: string, name: string): ReadScenario {
  if (yaml.length > SCENARIO_BYTES_MAX) {
    const problem = `${yaml.length} characters; allowed: ${SCENARIO_BYTES_MAX}`
    return { ok: false, problems: [{ line: 1, column: 1, key: '', problem }] }
  }
  const source = readYaml(yaml)
  if (source.problems.length > 0) {
    return { ok: false, problems: source.problems.map((problem) => ({ ...problem, key: '' })) }
  }
  const file = source.value ?? {}
  const form = v.safeParse(SCENARIO, file)
  const complaints = [
    ...(form.success ? [] : form.issues.map((issue) => complaintOf(issue, file))),
    ...checkReferences(file),
  ]
  if (form.success && complaints.length === 0) complaints.push(...checkFits(form.output))
  if (form.success && complaints.length === 0) {
    return { ok: true, scenario: buildScenario(form.output, { name, yaml }) }
  }
  const problems = complaints.map((complaint) => placed(complaint, source))
  return { ok: false, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) }
}

function placed(
  { path, problem, column, isAboutKey }: Complaint,
  source: YamlSource,
): ScenarioProblem {
  const place = isAboutKey === true ? source.placeOfKey(path) : source.placeOf(path, column)
  return { ...place, key: pathText(path), problem }
}

/** valibot's issues are of three sorts here: a key too many, a key too few, a wrong value. */
function complaintOf(issue: v.BaseIssue<unknown>, file: unknown): Complaint {
  const path = (issue.path ?? []).map(({ key }) => key as string | number)
  const last = issue.path?.at(-1)
  if (issue.type === 'raw_check' && last !== undefined) {
    return { path, problem: `${quoted(last.key)}: ${issue.message}`, isAboutKey: true }
  }
  if (issue.expected === SAID) return { path, problem: issue.message }
  if (issue.received === 'undefined' && !has(file, path)) {
    return { path, problem: `missing; allowed: ${issue.message}` }
  }
  return { path, problem: `${quoted(issue.input)}; allowed: ${issue.message}` }
}

function has(file: unknown, path: readonly (string | number)[]): boolean {
  let value = file
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)]
    else if (isMapping(value) && Object.hasOwn(value, step)) value = value[step]
    else return false
  }
  return true
}
