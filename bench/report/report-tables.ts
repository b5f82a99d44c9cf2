/** The schema of the report as tables for people; docs/BENCH.md is made from it. */
import type * as v from 'valibot'
import {
  COMMIT,
  CRITERION,
  EVENT,
  LAYERS,
  LINK,
  LINK_DIRECTION,
  MACHINE,
  NODE,
  PROCESS,
  REPORT,
  SCENARIO,
  SERIES,
  SITE,
  VALIDITY,
} from './report-schema.ts'

export type FieldRow = { path: string; kind: string; meaning: string }
export type FieldTable = { title: string; rows: FieldRow[] }

/** What the walk needs of a schema of valibot. */
type Node = {
  type: string
  entries?: Record<string, Node>
  item?: Node
  value?: Node
  wrapped?: Node
  pipe?: readonly Node[]
  description?: string
  options?: readonly string[]
  literal?: unknown
}

/** Parts with a table of their own; the rest is told with its owner's fields. */
const PARTS: readonly [string, v.GenericSchema][] = [
  ['The report', REPORT],
  ['Scenario', SCENARIO],
  ['Validity', VALIDITY],
  ['Machine', MACHINE],
  ['Commit', COMMIT],
  ['Criterion', CRITERION],
  ['Node', NODE],
  ['Link', LINK],
  ['Direction of a link', LINK_DIRECTION],
  ['Process', PROCESS],
  ['Site', SITE],
  ['Series', SERIES],
  ['Layers', LAYERS],
  ['Event', EVENT],
]

/** One table for each part of the report, the whole first. */
export function reportTables(): FieldTable[] {
  return PARTS.map(([title, schema]) => ({ title, rows: rowsOf(schema as unknown as Node, '') }))
}

function rowsOf(schema: Node, prefix: string): FieldRow[] {
  return Object.entries(schema.entries ?? {}).flatMap(([key, entry]) => {
    const isOptional = entry.type === 'exact_optional'
    const pipe = (isOptional ? entry.wrapped : entry)?.pipe ?? []
    const bare = pipe[0] as Node
    const meaning = pipe.find(({ type }) => type === 'description')?.description ?? ''
    const path = `${prefix}${key}`
    const kind = `${kindOf(bare)}${isOptional ? ', may be missing' : ''}`
    return [{ path, kind, meaning }, ...innerRows(bare, path)]
  })
}

/** Fields of an object, or of the items of a list, that has no table of its own. */
function innerRows(schema: Node, path: string): FieldRow[] {
  const isList = schema.type === 'array'
  const inner = bareOf(isList ? schema.item : schema)
  if (inner?.entries === undefined || partOf(inner) !== undefined) return []
  return rowsOf(inner, `${path}${isList ? '[]' : ''}.`)
}

/** A schema without the bounds and meanings that were piped onto it. */
function bareOf(schema: Node | undefined): Node | undefined {
  return schema?.pipe === undefined ? schema : (schema.pipe[0] as Node)
}

function partOf(schema: Node): string | undefined {
  const found = PARTS.find(([, part]) => (part as unknown as Node).entries === schema.entries)
  return found?.[0]
}

function kindOf(schema: Node): string {
  switch (schema.type) {
    case 'object':
      return partOf(schema) === undefined ? 'object' : `[${partOf(schema)}](${anchorOf(schema)})`
    case 'array':
      return `list of ${kindOf(bareOf(schema.item) as Node)}`
    case 'record':
      return `names to ${kindOf(bareOf(schema.value) as Node)}`
    case 'picklist':
      return (schema.options ?? []).map((option) => `\`${option}\``).join(', ')
    case 'literal':
      return `\`${JSON.stringify(schema.literal)}\``
    case 'nullable':
      return `${kindOf(bareOf(schema.wrapped) as Node)} or null`
    case 'custom':
      return 'list of numbers or null'
    case 'boolean':
      return 'true or false'
    case 'string':
      return 'text'
    default:
      return schema.type
  }
}

function anchorOf(schema: Node): string {
  return `#${(partOf(schema) ?? '').toLowerCase().replaceAll(' ', '-')}`
}
