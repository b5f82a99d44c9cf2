/** One row of the table of REST, and what all rows share. */
import type * as v from 'valibot'
import type { OperatorCommand } from '../../core/conference/index.ts'
import type { MediaPlane } from '../../core/media/control.ts'
import type { ConferenceHost } from '../../core/store/index.ts'
import type { Claims, TokenKeys, TokenVerifier } from '../auth/index.ts'
import type { DoorResponse } from '../door.ts'
import { noContent, type Route, type RouteRequest, refusal } from '../http/index.ts'
import type { Hub } from '../session/index.ts'

export type ApiOptions = {
  host: ConferenceHost
  hub: Hub
  media: MediaPlane
  keys: TokenKeys
  verify: TokenVerifier
  demo: boolean
  trunkStatus: ((historyOf: string | undefined) => unknown) | undefined
  retryUpstream: (() => void) | undefined
  linkTest: LinkTestDoor | undefined
}

/** Measuring the link above; `start` says why not, if not. */
export type LinkTestDoor = {
  start: (seconds: number) => string | undefined
  status: () => unknown
}

/** Who may call: nobody has to prove anything, the room's chair or an admin, an operator or an admin, an admin only. */
export type Access = 'none' | 'chair' | 'operator' | 'admin'

export type ApiRoute = Route & {
  summary: string
  access: Access
  body?: v.GenericSchema
  /** Names and types of query parameters. */
  query?: Readonly<Record<string, 'string' | 'integer'>>
  /** Status of success, and its body. */
  success: { status: number; schema?: v.GenericSchema }
}

export type Call = { request: RouteRequest; claims: Claims | undefined; body: unknown }
export type Entry = Omit<ApiRoute, 'handle' | 'bodyBytesMax'> & {
  answer: (call: Call) => DoorResponse | Promise<DoorResponse>
}

export const BAD_BODY = { code: 'bad-message', message: 'the body is not as documented' } as const
export const NO_ROOM = { code: 'not-found', message: 'no such room' } as const

/** Asks the conference with the powers of a chair; 204, or why not. */
export async function operate(
  host: ConferenceHost,
  room: string,
  command: OperatorCommand,
): Promise<DoorResponse> {
  const result = await host.operate(room, command)
  return result.ok ? noContent() : refusal(result)
}

/** The room in the path. */
export function roomOf({ request }: Call): string {
  return request.parameters['room'] ?? ''
}
