/**
 * The part of JSON Schema 2020-12 (as OpenAPI 3.1 uses it) that our valibot schemas need, made from
 * them: what the document promises and what the server enforces cannot drift apart. Throws at start
 * for a schema that it does not know.
 */

import type * as v from 'valibot'

export type JsonSchema = { [key: string]: unknown }

type Node = {
  type: string
  pipe?: Node[]
  entries?: Record<string, Node>
  item?: Node
  wrapped?: Node
  options?: unknown[]
  literal?: unknown
  requirement?: unknown
  default?: unknown
  expected?: string | null
}

const ACTIONS: Readonly<Record<string, string>> = {
  min_length: 'minLength',
  max_length: 'maxLength',
  min_value: 'minimum',
  max_value: 'maximum',
}

function fromPipe(pipe: readonly Node[]): JsonSchema {
  const [first, ...actions] = pipe
  if (first === undefined) throw new Error('an empty pipe')
  const schema = fromNode(first)
  for (const action of actions) {
    const key = ACTIONS[action.type]
    if (key !== undefined)
      schema[schema['type'] === 'array' ? itemsKey(key) : key] = action.requirement
    else if (action.type === 'integer') schema['type'] = 'integer'
    else if (action.type === 'regex') schema['pattern'] = (action.requirement as RegExp).source
  }
  return schema
}

function itemsKey(key: string): string {
  return key === 'minLength' ? 'minItems' : 'maxItems'
}

function fromObject(entries: Record<string, Node>): JsonSchema {
  const properties: Record<string, JsonSchema> = {}
  const required: string[] = []
  for (const [name, node] of Object.entries(entries)) {
    const optional = node.type === 'exact_optional' || node.type === 'optional'
    properties[name] = fromNode(optional ? (node.wrapped as Node) : node)
    if (!optional) required.push(name)
  }
  return { type: 'object', properties, ...(required.length > 0 ? { required } : {}) }
}

function fromNode(node: Node): JsonSchema {
  if (node.pipe !== undefined) return fromPipe(node.pipe.map((part) => ({ ...part, ...own(part) })))
  switch (node.type) {
    case 'string':
    case 'number':
    case 'boolean':
      return { type: node.type }
    case 'object':
    case 'strict_object':
      return fromObject(node.entries ?? {})
    case 'array':
      return { type: 'array', items: fromNode(node.item as Node) }
    case 'picklist':
      return { type: 'string', enum: [...(node.options ?? [])] }
    case 'literal':
      return { const: node.literal }
    case 'nullable':
      return { anyOf: [fromNode(node.wrapped as Node), { type: 'null' }] }
    case 'union':
      return { anyOf: (node.options as Node[]).map(fromNode) }
    default:
      throw new Error(`no JSON Schema for valibot's ${node.type}`)
  }
}

/** The first part of a pipe carries the pipe itself: without this it would be followed for ever. */
function own(part: Node): Partial<Node> {
  const { pipe: _pipe, ...rest } = part
  return { ...rest, pipe: undefined } as unknown as Partial<Node>
}

/** JSON Schema of a valibot schema. */
export function jsonSchemaOf(schema: v.GenericSchema): JsonSchema {
  return fromNode(schema as unknown as Node)
}
