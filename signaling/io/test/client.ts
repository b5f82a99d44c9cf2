/** For the contract of the doors: handlers that do little, and clients to try them with. */
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { ExecutionContext } from 'ava'
import { WebSocket } from 'ws'
import type { Door, DoorHandlers, DoorOptions, DoorResponse } from '../../door.ts'

export type Open = (options: DoorOptions) => Promise<Door>

export const PLAIN = { 'content-type': 'text/plain' }

export function handlersFor(overrides: Partial<DoorHandlers>): DoorHandlers {
  return {
    bodyBytesMax: () => 1_000,
    onRequest: (request): DoorResponse => ({ status: 200, headers: PLAIN, body: request.path }),
    onUpgrade: (_head, offered) => ({ protocol: offered[0] ?? '' }),
    onOpen: () => {},
    onMessage: () => {},
    onDrain: () => {},
    onClose: () => {},
    ...overrides,
  }
}

export async function opened(
  t: ExecutionContext,
  open: Open,
  overrides: Partial<DoorHandlers>,
): Promise<Door> {
  const door = await open({
    host: '127.0.0.1',
    port: 0,
    messageBytesMax: 10_000,
    handlers: handlersFor(overrides),
  })
  t.teardown(() => door.close())
  return door
}

export type Answer = { status: number; headers: IncomingMessage['headers']; body: string }

export async function call(
  port: number,
  path: string,
  options: { method?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { method = 'GET', body, headers = {} } = options
  const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false })
  request.end(body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks).toString(),
  }
}

export function dial(port: number, protocols: string[] = ['one']): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${port}/ws`, protocols)
}

/** A promise with its handle outside. */
export function later<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  return Promise.withResolvers<T>()
}

export async function firstLine(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return chunk.toString('latin1').split('\r\n')[0] ?? ''
}
