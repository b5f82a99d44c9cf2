/**
 * The schema of scenarios as tables for people: what docs/SCENARIOS.md prints, so that no key is
 * missing there.
 */
import * as v from 'valibot'
import { type Entries, type FormNote, noteOf } from './form.ts'
import { SCENARIO } from './schema.ts'

export type SchemaRow = {
  /** Of a mapping whose key decides what else stands in it: that key with its value, `do: kill`. */
  when?: string
  key: string
  /** What is allowed, in words. */
  allowed: string
  /** `must stand`, `may be left out`, or what is read in its place. */
  leftOut: string
  meaning: string
}

/** `path`: where the mapping stands, `sites.ID.join`; '' for the file itself. */
export type SchemaTable = { path: string; rows: SchemaRow[] }

/** One table for each mapping of a scenario's file, parents before children. */
export function schemaTables(): SchemaTable[] {
  const tables: SchemaTable[] = []
  walk(noteOf(SCENARIO), { path: '', tables })
  return tables
}

type Walk = { path: string; tables: SchemaTable[] }

function walk({ entries, each, choices }: FormNote, { path, tables }: Walk): void {
  if (entries !== undefined) {
    tables.push({ path, rows: rowsOf(entries) })
    walkEntries(entries, { path, tables })
  }
  if (each !== undefined) {
    const inside = isList(path) ? `${path}[]` : `${path}.ID`
    walk(noteOf(each), { path: inside, tables })
  }
  if (choices === undefined) return
  const table: SchemaTable = { path, rows: [] }
  tables.push(table)
  for (const [word, form] of Object.entries(choices.forms)) {
    const { entries: own = {} } = noteOf(form)
    table.rows.push(...rowsOf(own).map((row) => ({ when: `${choices.key}: ${word}`, ...row })))
  }
}

function walkEntries(entries: Entries, { path, tables }: Walk): void {
  for (const [key, schema] of Object.entries(entries)) {
    // One way of a line has the line's own settings again.
    if (path === 'links.ID' && (key === 'down' || key === 'up')) continue
    walk(noteOf(unwrapped(schema)), { path: path === '' ? key : `${path}.${key}`, tables })
  }
}

const LISTS = ['faults', 'pass', 'behaviours', 'layers', 'needs', 'changes']

function isList(path: string): boolean {
  return LISTS.includes(path.split('.').at(-1) ?? '')
}

function rowsOf(entries: Entries): SchemaRow[] {
  return Object.entries(entries).map(([key, schema]) => {
    const form = unwrapped(schema)
    const note = noteOf(form)
    return {
      key,
      allowed: note.allowed ?? kindOf(note),
      leftOut: leftOutOf(schema),
      meaning: v.getDescription(form as never) ?? '',
    }
  })
}

function kindOf({ entries, each, choices }: FormNote): string {
  if (each !== undefined) return 'more, see below'
  return entries !== undefined || choices !== undefined ? 'a mapping, see below' : ''
}

type Optional = { type: string; wrapped: v.GenericSchema; default?: unknown }

function unwrapped(schema: v.GenericSchema): v.GenericSchema {
  const { type, wrapped } = schema as unknown as Optional
  return type === 'optional' || type === 'exact_optional' ? wrapped : schema
}

function leftOutOf(schema: v.GenericSchema): string {
  const { type, default: preset } = schema as unknown as Optional
  if (type === 'exact_optional') return 'may be'
  if (type !== 'optional') return '**must stand**'
  return `\`${typeof preset === 'string' ? preset : JSON.stringify(preset)}\``
}
