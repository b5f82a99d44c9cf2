/**
 * A line in a scenario: a profile, settings of docs/LINK.md laid over it, and a timetable of
 * changes in the grammar of `./nhipcau link --timetable`. Reads with the emulator's own parsers, so
 * that both know the same keys.
 */
import * as v from 'valibot'
import { TIMETABLE_CHANGES_MAX } from '../../config/limits.ts'
import {
  allowedFor,
  type LineChange,
  type LinkSettings,
  NUMBER_SETTINGS,
  OTHER_SETTINGS,
  PROFILES,
  type ProfileName,
  parseTimetableList,
} from '../link/index.ts'
import {
  type Form,
  list,
  mapping,
  maybe,
  oneOf,
  orShort,
  preset,
  reading,
  SAID,
  turned,
} from './form.ts'
import type { LinkPlan } from './scenario.ts'

/** Anything: another parser has the word on it. */
export function anything(allowed: string): Form<unknown> {
  return reading(allowed, (value) => value ?? undefined)
}

const profile = oneOf(Object.keys(PROFILES) as ProfileName[])

/** Each setting of docs/LINK.md as a key of its own. */
const settings = Object.fromEntries(
  [...NUMBER_SETTINGS, ...OTHER_SETTINGS].map(({ key: name, doc }) => [
    name,
    maybe(setting(name), doc),
  ]),
)

const oneWay = mapping(settings) as Form<Record<string, unknown>>

/** Told entry by entry, with the emulator's own words. */
const changes = v.pipe(
  list(anything('a change'), { min: 0, max: TIMETABLE_CHANGES_MAX }),
  v.rawTransform(({ dataset, addIssue, NEVER }): LineChange[] => {
    const read: LineChange[] = []
    for (const [index, entry] of dataset.value.entries()) {
      const { changes: found, problems } = parseTimetableList([entry])
      read.push(...found)
      for (const problem of problems) {
        const item = {
          type: 'array',
          origin: 'value',
          input: dataset.value,
          key: index,
          value: entry,
        } as const
        addIssue({ message: problem.replace(/^entry 1:? /, ''), expected: SAID, path: [item] })
      }
    }
    return read.length < dataset.value.length ? NEVER : read.sort((a, b) => a.atMs - b.atMs)
  }),
)

type LinkRead = Omit<LinkPlan, 'id'>

/** A line: the name of a profile, or a mapping. */
export const linkForm = orShort(
  turned(profile, (name): LinkRead => ({ profile: name, down: {}, up: {}, changes: [] })),
  turned(
    mapping({
      profile: preset(profile, ['perfect', 'where it starts from: a profile of docs/LINK.md']),
      ...settings,
      down: preset(oneWay, [{}, 'settings towards the sites only']),
      up: preset(oneWay, [{}, 'settings from the sites only']),
      changes: preset(changes as Form<LineChange[]>, [[], 'timetable as in docs/LINK.md']),
    }),
    ({ profile: name, down, up, changes: timetable, ...both }): LinkRead => ({
      profile: name,
      down: partialSettings({ ...both, ...down }),
      up: partialSettings({ ...both, ...up }),
      changes: timetable,
    }),
  ),
)

/** As the emulator reads a change; null stands for `burstLoss: none`. */
function setting(name: string): Form<unknown> {
  return reading(allowedFor(name) ?? '', (value) => {
    const [change] = parseTimetableList([{ at: '0s', [name]: value }]).changes
    const read = change?.settings[name as keyof LinkSettings]
    return change === undefined ? undefined : (read ?? null)
  })
}

function partialSettings(read: Record<string, unknown>): Partial<LinkSettings> {
  const entries = Object.entries(read).map(([name, value]) => [name, value ?? undefined])
  return Object.fromEntries(entries)
}
