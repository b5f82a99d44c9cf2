/**
 * What happens to a line over time: `10s:rateBps=300k,lossRatio=0.1`, `20s:up:cut`, `25s:heal`,
 * `30s:rebind`, or the same as a list from YAML. Text and values in, changes or complaints out; it
 * knows no clock.
 */
import { TIMETABLE_CHANGES_MAX } from '../../config/limits.ts'
import { PROFILES, type ProfileName } from './profiles.ts'
import { allowedFor, type LinkSettings, parseSetting, SETTING_KEYS } from './settings.ts'

/**
 * Which way: `down` is towards the site (from --to back to who came in by --listen), `up` from it.
 */
export type LinkDirection = 'down' | 'up'

/** One moment. Applied in this order: profile, settings, then cut or heal, then rebind. */
export type LineChange = {
  atMs: number
  directions: readonly LinkDirection[]
  profile?: ProfileName
  settings: Partial<LinkSettings>
  rebind: boolean
}

/** Changes sorted by time, or complaints that name key, value and what is allowed. */
export type Timetable = { changes: LineChange[]; problems: string[] }

const BOTH: readonly LinkDirection[] = ['down', 'up']
const WORDS = ['cut', 'heal', 'rebind']
const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const ALLOWED_KEYS = [...SETTING_KEYS, 'profile', ...WORDS].join(', ')

/** Milliseconds of `250ms`, `10s`, `1.5m`, `2h`; undefined when it is none. */
export function parseTimeMs(text: unknown): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(String(text))
  return match === null ? undefined : Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0)
}

/** A timetable from lines such as `10s:up:cut` (the option --at). */
export function parseTimetableTexts(texts: readonly string[]): Timetable {
  return collected(
    texts.map((text) => {
      const colon = text.indexOf(':')
      const atMs = parseTimeMs(text.slice(0, Math.max(0, colon)))
      if (atMs === undefined)
        return [`${text}: the time is missing; allowed: 10s:rateBps=300k, 500ms:cut, 2m:up:heal`]
      return parseChange(text.slice(colon + 1), atMs)
    }),
  )
}

/** A timetable from YAML: a list of mappings with `at`, `direction` and the keys of a change. */
export function parseTimetableList(list: unknown): Timetable {
  if (!Array.isArray(list)) return { changes: [], problems: ['the timetable is not a list'] }
  return collected(list.map(parseEntry))
}

/** One change without its time, `up:cut` or `rateBps=1M,delayMs=20`; or what is wrong with it. */
export function parseChange(text: string, atMs: number): LineChange | string[] {
  const [, direction, rest = ''] = /^(?:(down|up|both):)?(.*)$/s.exec(text) ?? []
  const entries = rest.split(',').map((part): [string, unknown] => {
    const equals = part.indexOf('=')
    if (equals >= 0) return [part.slice(0, equals).trim(), part.slice(equals + 1).trim()]
    return [part.trim(), WORDS.includes(part.trim()) ? true : '']
  })
  return changeFrom(entries, { atMs, direction })
}

function collected(parsed: (LineChange | string[])[]): Timetable {
  const problems = parsed.flatMap((entry) => (Array.isArray(entry) ? entry : []))
  const changes = parsed.flatMap((entry) => (Array.isArray(entry) ? [] : [entry]))
  if (changes.length > TIMETABLE_CHANGES_MAX)
    problems.push(`${changes.length} changes; allowed: ${TIMETABLE_CHANGES_MAX}`)
  return { changes: changes.sort((a, b) => a.atMs - b.atMs), problems }
}

function parseEntry(entry: unknown, index: number): LineChange | string[] {
  if (typeof entry !== 'object' || entry === null) return [`entry ${index + 1} is not a mapping`]
  const { at, direction, ...rest } = entry as Record<string, unknown>
  const atMs = parseTimeMs(at)
  if (atMs === undefined)
    return [`entry ${index + 1}: at: ${JSON.stringify(at)}; allowed: such as 500ms, 10s, 2m`]
  const change = changeFrom(Object.entries(rest), { atMs, direction })
  return Array.isArray(change) ? change.map((problem) => `entry ${index + 1}: ${problem}`) : change
}

function changeFrom(
  entries: [string, unknown][],
  { atMs, direction = 'both' }: { atMs: number; direction?: unknown },
): LineChange | string[] {
  const problems: string[] = []
  const settings: Record<string, unknown> = {}
  let profile: ProfileName | undefined
  let rebind = false
  if (direction !== 'down' && direction !== 'up' && direction !== 'both')
    problems.push(`direction: ${JSON.stringify(direction)}; allowed: down, up, both`)
  for (const [key, value] of entries) {
    if (key === 'profile' && isProfileName(value)) profile = value
    else if (key === 'rebind' && value === true) rebind = true
    else if ((key === 'cut' || key === 'heal') && value === true) settings.up = key === 'heal'
    else problems.push(...readSetting(settings, key, value))
  }
  if (problems.length > 0) return problems
  return {
    atMs,
    directions: direction === 'both' ? BOTH : [direction as LinkDirection],
    ...(profile === undefined ? {} : { profile }),
    settings: settings as Partial<LinkSettings>,
    rebind,
  }
}

function readSetting(settings: Record<string, unknown>, key: string, value: unknown): string[] {
  const parsed = parseSetting(key, value)
  if (parsed !== undefined) {
    settings[key] = parsed === null ? undefined : parsed
    return []
  }
  if (key === 'profile')
    return [`profile: ${JSON.stringify(value)}; allowed: ${Object.keys(PROFILES).join(', ')}`]
  if (WORDS.includes(key)) return [`${key}: ${JSON.stringify(value)}; allowed: ${key} alone`]
  const allowed = allowedFor(key)
  if (allowed === undefined)
    return [`no such key: ${JSON.stringify(key)}; allowed: ${ALLOWED_KEYS}`]
  return [`${key}: ${JSON.stringify(value)}; allowed: ${allowed}`]
}

/** True for the name of a profile. */
export function isProfileName(name: unknown): name is ProfileName {
  return typeof name === 'string' && Object.hasOwn(PROFILES, name)
}
