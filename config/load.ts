/**
 * From defaults, a YAML file and environment variables to one validated `Config`; later sources win. Collects all
 * mistakes before it refuses, so that an operator mends them in one go.
 */
import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { type Config, SETTINGS, type Setting } from './schema.ts'

/** One wrong setting, said in full: the key, the value and what is allowed. */
export class ConfigError extends Error {
  readonly code = 'bad-config'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`configuration refused:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

export type ConfigSources = {
  /** Path of a YAML file. */
  file?: string
  /** Usually process.env. Empty strings count as not set. */
  env: Record<string, string | undefined>
  /** `key=value` pairs of the command line (`--set`); they win over all. */
  overrides?: readonly string[]
}

/** Throws ConfigError naming every key, value and allowed range that is wrong. */
export function loadConfig(sources: ConfigSources): Config {
  const problems: string[] = []
  const fromFile = sources.file === undefined ? new Map() : readYaml(sources.file, problems)
  const fromLine = readOverrides(sources.overrides ?? [], problems)
  checkEnvironmentNames(sources.env, problems)
  const config: Record<string, unknown> = {}
  for (const setting of SETTINGS) {
    const text = sources.env[setting.env]
    const given = [
      [fromLine.get(setting.key), `--set ${setting.key}`],
      [text === '' ? undefined : text, setting.env],
      [fromFile.get(setting.key), setting.key],
    ].find(([value]) => value !== undefined)
    config[setting.key] =
      given === undefined
        ? setting.default
        : readValue(setting, given[0], { name: String(given[1]), problems })
  }
  if ((config['http.tls.cert'] === '') !== (config['http.tls.key'] === '')) {
    problems.push('http.tls.cert and http.tls.key: set both or none')
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return config as Config
}

/** The allowed values of a setting in words, for errors, help and docs. */
export function describeRange(setting: Setting): string {
  switch (setting.kind) {
    case 'integer':
      return `${setting.min}..${setting.max} ${setting.unit}`
    case 'boolean':
      return 'true or false'
    case 'choice':
      return setting.choices.join(', ')
    case 'list':
      return `a list of at most ${setting.countMax}: ${setting.hint}`
    case 'text':
      return setting.hint
  }
}

function readValue(
  setting: Setting,
  raw: unknown,
  { name, problems }: { name: string; problems: string[] },
): unknown {
  const value = parseValue(setting, raw)
  if (value === undefined) {
    problems.push(`${name}: ${quote(raw)} is not allowed; allowed: ${describeRange(setting)}`)
  }
  return value
}

function parseValue(setting: Setting, raw: unknown): unknown {
  switch (setting.kind) {
    case 'integer': {
      const number = typeof raw === 'string' && /^-?\d{1,15}$/.test(raw.trim()) ? Number(raw) : raw
      const fits = Number.isInteger(number) && inRange(number as number, setting)
      return fits ? number : undefined
    }
    case 'boolean':
      if (raw === true || raw === 'true' || raw === '1') return true
      return raw === false || raw === 'false' || raw === '0' ? false : undefined
    case 'choice':
      return (setting.choices as readonly unknown[]).includes(raw) ? raw : undefined
    case 'list': {
      const items = typeof raw === 'string' ? raw.split(/[\s,]+/).filter(Boolean) : raw
      if (!Array.isArray(items) || items.length > setting.countMax) return undefined
      const pattern = setting.pattern
      return items.every((item) => typeof item === 'string' && pattern.test(item))
        ? items
        : undefined
    }
    case 'text': {
      if (typeof raw !== 'string' || raw.includes('\0') || raw.length > 4096) return undefined
      return 'pattern' in setting && !setting.pattern.test(raw) ? undefined : raw
    }
  }
}

function inRange(value: number, range: { min: number; max: number }): boolean {
  return value >= range.min && value <= range.max
}

function readYaml(file: string, problems: string[]): Map<string, unknown> {
  const values = new Map<string, unknown>()
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    problems.push(`--config ${file}: ${(error as Error).message}`)
    return values
  }
  const document = parseDocument(text, { maxAliasCount: 0 } as object)
  for (const error of document.errors) problems.push(`${file}: ${error.message}`)
  if (document.errors.length === 0) flatten(document.toJS() ?? {}, { prefix: '', values, problems })
  return values
}

function flatten(
  node: unknown,
  into: { prefix: string; values: Map<string, unknown>; problems: string[] },
): void {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) {
    into.problems.push(`${into.prefix || 'the file'}: expected a map of settings`)
    return
  }
  for (const [name, value] of Object.entries(node)) {
    const key = into.prefix === '' ? name : `${into.prefix}.${name}`
    if (SETTINGS.some((setting) => setting.key === key)) into.values.set(key, value)
    else if (SETTINGS.some((setting) => setting.key.startsWith(`${key}.`))) {
      flatten(value, { ...into, prefix: key })
    } else into.problems.push(`${key}: no such setting${suggestion(key)}`)
  }
}

function readOverrides(pairs: readonly string[], problems: string[]): Map<string, string> {
  const values = new Map<string, string>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const key = at < 0 ? pair : pair.slice(0, at)
    if (at < 0) problems.push(`--set ${pair}: expected key=value`)
    else if (!SETTINGS.some((setting) => setting.key === key)) {
      problems.push(`--set ${key}: no such setting${suggestion(key)}`)
    } else values.set(key, pair.slice(at + 1))
  }
  return values
}

/** A mistyped variable would otherwise be ignored in silence, on the day of the ceremony. */
function checkEnvironmentNames(env: ConfigSources['env'], problems: string[]): void {
  const known = new Set<string>(SETTINGS.map((setting) => setting.env))
  for (const name of Object.keys(env)) {
    if (!name.startsWith('NHIPCAU_') || known.has(name) || FOR_TOOLS.test(name)) continue
    problems.push(`${name}: no such environment variable (./nhipcau help settings lists them)`)
  }
}

/** Variables that steer tests and tools, not the node. */
const FOR_TOOLS = /^NHIPCAU_(FUZZ|TEST|BENCH)_/

function suggestion(key: string): string {
  const last = key.split('.').at(-1)?.toLowerCase() ?? ''
  const near = SETTINGS.find((setting) => setting.key.toLowerCase().endsWith(last))
  return near === undefined || last === '' ? '' : `; did you mean ${near.key}?`
}

function quote(raw: unknown): string {
  return JSON.stringify(raw)?.slice(0, 120) ?? String(raw)
}
