/**
 * The OpenAPI 3.1 document, made from the route table that also answers the requests.
 */

import type * as v from 'valibot'
import type { ApiRoute } from './entry.ts'
import { type JsonSchema, jsonSchemaOf } from './json-schema.ts'
import * as schemas from './schemas.ts'

const NAMED: ReadonlyMap<v.GenericSchema, string> = new Map<v.GenericSchema, string>([
  [schemas.ERROR, 'Error'],
  [schemas.ROOM, 'Room'],
  [schemas.ROOMS, 'Rooms'],
  [schemas.PARTICIPANTS, 'Participants'],
  [schemas.TOKEN, 'Token'],
  [schemas.TRUNK_STATUS, 'TrunkStatus'],
  [schemas.NODE_STATISTICS, 'NodeStatistics'],
  [schemas.TRANSPORT_STATISTICS, 'TransportStatistics'],
])

function content(schema: v.GenericSchema): JsonSchema {
  const name = NAMED.get(schema)
  const inner = name === undefined ? jsonSchemaOf(schema) : { $ref: `#/components/schemas/${name}` }
  return { 'application/json': { schema: inner } }
}

function failure(description: string): JsonSchema {
  return { description, content: content(schemas.ERROR) }
}

function parametersOf(route: ApiRoute): JsonSchema[] {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => {
    return { name, in: 'path', required: true, schema: { type: 'string' } }
  })
  const inQuery = Object.entries(route.query ?? {}).map(([name, type]) => {
    return { name, in: 'query', required: false, schema: { type } }
  })
  return [...inPath, ...inQuery]
}

function operationId({ method, path }: ApiRoute): string {
  const words = path.replace('/api/v1/', '').split(/[/{}-]+/)
  const name = words.filter((word) => word !== '').map((w) => w[0]?.toUpperCase() + w.slice(1))
  return method.toLowerCase() + name.join('')
}

function operation(route: ApiRoute): JsonSchema {
  const { status, schema } = route.success
  const responses: JsonSchema = {
    [status]: {
      description: 'Done.',
      ...(schema === undefined ? {} : { content: content(schema) }),
    },
    400: failure('The request is not as documented.'),
    403: failure('The token does not allow this.'),
    429: failure('Too many requests.'),
    503: failure('Not now: overloaded, or the store cannot be written.'),
  }
  if (route.access !== 'none') responses['401'] = failure('No valid token.')
  if (route.path.includes('{')) responses['404'] = failure('No such room or participant.')
  if (route.body !== undefined) {
    responses['413'] = failure('The body is too large.')
    responses['415'] = failure('The body is not application/json.')
  }
  return {
    operationId: operationId(route),
    summary: route.summary,
    parameters: parametersOf(route),
    ...(route.body === undefined ? {} : { requestBody: { content: content(route.body) } }),
    responses,
    security: route.access === 'none' ? [] : [{ bearer: [] }],
  }
}

/** The document for `/api/v1/openapi.json`. */
export function openApiDocument(routes: readonly ApiRoute[], version: string): JsonSchema {
  const paths: Record<string, JsonSchema> = {}
  for (const route of routes) {
    paths[route.path] ??= {}
    ;(paths[route.path] as JsonSchema)[route.method.toLowerCase()] = operation(route)
  }
  const components = [...NAMED].map(([schema, name]) => [name, jsonSchemaOf(schema)])
  return {
    openapi: '3.1.0',
    info: {
      title: 'Nhịp Cầu',
      version,
      description: 'Rooms and participants of a node. Tokens: role chair of the room, or admin.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: Object.fromEntries(components),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}
