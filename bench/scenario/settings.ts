/**
 * Settings of a node inside a scenario: nested or dotted YAML to `--set key=value`, judged by
 * config/ itself.
 */
import { ConfigError, loadConfig } from '../../config/index.ts'
import { isMapping } from './form.ts'
import { type Complaint, quoted } from './problem.ts'
import type { Path } from './yaml-source.ts'

/** The runner chooses these itself: nodes of one run must not meet. */
const OF_THE_RUNNER =
  /^(?:http\.(?:host|port)|media\.(?:port|announcedIps)|trunk\.(?:port|upstreamPort)|data\.dir)$/

/** Dotted keys and texts of a checked `config`. */
export function flatSettings(config: unknown): Record<string, string> {
  return Object.fromEntries(entriesOf(config, []).map(({ key, value }) => [key, textOf(value)]))
}

/** All that config/ refuses, each at its key. */
export function checkSettings(config: unknown, path: Path): Complaint[] {
  if (config === undefined) return []
  if (!isMapping(config)) {
    return [{ path, problem: `${quoted(config)}; allowed: a mapping of settings (docs/CONFIG.md)` }]
  }
  return entriesOf(config, path).flatMap(({ key, value, path: at }): Complaint[] => {
    if (OF_THE_RUNNER.test(key)) {
      const problem = `${quoted(value)}; ${key} is chosen by the runner; allowed: other settings`
      return [{ path: at, problem, isAboutKey: true }]
    }
    return configProblems(`${key}=${textOf(value)}`).map((problem) => ({ path: at, problem }))
  })
}

function configProblems(pair: string): string[] {
  try {
    loadConfig({ env: {}, overrides: [pair] })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    // Certificate and key are each wrong without the other; here they come one by one.
    const ours = error.problems.filter((problem) => problem.startsWith('--set '))
    return ours.map((problem) => problem.replace(/^--set [^:]*: /, ''))
  }
}

type Setting = { key: string; value: unknown; path: Path }

function entriesOf(config: unknown, path: Path, prefix = ''): Setting[] {
  if (!isMapping(config)) return []
  return Object.entries(config).flatMap(([name, value]): Setting[] => {
    const key = `${prefix}${name}`
    const at = [...path, name]
    return isMapping(value) ? entriesOf(value, at, `${key}.`) : [{ key, value, path: at }]
  })
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join(',') : String(value)
}
