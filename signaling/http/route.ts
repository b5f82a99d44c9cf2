/**
 * A table of routes and the way to one: method, path pattern, bounds, handler. Patterns are literal
 * segments and `{name}` segments; nothing else.
 */

import type { DoorRequest, DoorResponse } from '../door.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'

export type RouteRequest = DoorRequest & {
  /** Decoded and in NFC. */
  readonly parameters: Readonly<Record<string, string>>
  readonly search: URLSearchParams
}

export type Route = {
  method: Method
  /** Such as `/api/v1/rooms/{room}`. */
  path: string
  bodyBytesMax: number
  handle: (request: RouteRequest) => DoorResponse | Promise<DoorResponse>
}

type Compiled = { segments: string[]; byMethod: Map<Method, Route> }

export type Found<R extends Route> =
  | { kind: 'route'; route: R; parameters: Record<string, string> }
  | { kind: 'other-method'; allow: Method[] }
  | { kind: 'bad-path' }
  | { kind: 'nothing' }

/** Segment by segment; undefined when a `{name}` is empty or not decodable. */
function match(
  segments: readonly string[],
  path: readonly string[],
): Record<string, string> | undefined | 'bad' {
  if (segments.length !== path.length) return undefined
  const parameters: Record<string, string> = Object.create(null)
  for (const [index, segment] of segments.entries()) {
    const given = path[index] ?? ''
    if (!segment.startsWith('{')) {
      if (segment !== given) return undefined
      continue
    }
    try {
      const value = decodeURIComponent(given).normalize('NFC')
      if (value === '') return 'bad'
      parameters[segment.slice(1, -1)] = value
    } catch {
      return 'bad'
    }
  }
  return parameters
}

/** Finds routes. Literal patterns win over those with names, in the order of the table. */
export class Router<R extends Route> {
  readonly #compiled = new Map<string, Compiled>()

  constructor(routes: readonly R[]) {
    for (const route of routes) {
      let entry = this.#compiled.get(route.path)
      if (entry === undefined) {
        entry = { segments: route.path.split('/'), byMethod: new Map() }
        this.#compiled.set(route.path, entry)
      }
      entry.byMethod.set(route.method, route)
    }
  }

  /** HEAD finds the GET route. */
  find(method: string, path: string): Found<R> {
    const wanted = (method === 'HEAD' ? 'GET' : method) as Method
    const given = path.split('/', 12)
    for (const { segments, byMethod } of this.#compiled.values()) {
      const parameters = match(segments, given)
      if (parameters === 'bad') return { kind: 'bad-path' }
      if (parameters === undefined) continue
      const route = byMethod.get(wanted)
      if (route !== undefined) return { kind: 'route', route: route as R, parameters }
      return { kind: 'other-method', allow: [...byMethod.keys()] }
    }
    return { kind: 'nothing' }
  }
}
