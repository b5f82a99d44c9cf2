/**
 * What is wrong with a scenario, so that a person finds it: file, line, column, key, value, what is
 * allowed.
 */
import type { Path, Place } from './yaml-source.ts'

/** Before it has a place. */
export type Complaint = {
  path: Path
  /** Names the value, and what is allowed. */
  problem: string
  /** In the value's text, from 1. */
  column?: number
  /** The key itself is wrong, not its value. */
  isAboutKey?: boolean
}

export type ScenarioProblem = Place & { key: string; problem: string }

/** All mistakes of one file. */
export class ScenarioError extends Error {
  readonly code = 'bad-scenario'
  readonly file: string
  readonly problems: readonly ScenarioProblem[]

  constructor(file: string, problems: readonly ScenarioProblem[]) {
    const lines = problems.map((one) => {
      const key = one.key === '' ? '' : `${one.key}: `
      return `  ${file}:${one.line}:${one.column}: ${key}${one.problem}`
    })
    super(`scenario refused:\n${lines.join('\n')}`)
    this.name = 'ScenarioError'
    this.file = file
    this.problems = problems
  }
}

/** A value as it stands in a complaint. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** `sites.hall.join`, `pass[2]`. */
export function pathText(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '')
}
