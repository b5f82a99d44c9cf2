/**
 * What every door must do, as tests: run over each implementation by its own test file. Real sockets on loopback, no
 * sleeps: each test waits for an event.
 */

import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, type Socket } from 'node:net'
import type { ExecutionContext, TestFn } from 'ava'
import { WebSocket } from 'ws'
import type {
  Door,
  DoorHandlers,
  DoorOptions,
  DoorRequest,
  DoorResponse,
  DoorSocket,
  RequestHead,
} from '../door.ts'
import { makeTestCertificate } from './test-certificate.ts'

type Open = (options: DoorOptions) => Promise<Door>

const PLAIN = { 'content-type': 'text/plain' }

function handlersFor(overrides: Partial<DoorHandlers>): DoorHandlers {
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

async function opened(
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

type Answer = { status: number; headers: IncomingMessage['headers']; body: string }

async function call(
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

function dial(port: number, protocols: string[] = ['one']): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${port}/ws`, protocols)
}

/** A promise with its handle outside. */
function later<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  return Promise.withResolvers<T>()
}

function httpContract(test: TestFn, open: Open): void {
  test('a request reaches the handler whole, and a copy outlives the call', async (t) => {
    let kept: DoorRequest | undefined
    const door = await opened(t, open, {
      onRequest: async (request) => {
        kept = request
        await new Promise((resolve) => setImmediate(resolve))
        return { status: 201, headers: { ...PLAIN, 'x-a': 'b' }, body: request.body }
      },
    })
    const answer = await call(door.port, '/a%20b?c=d&e', {
      method: 'POST',
      body: 'hello',
      headers: { 'X-Upper': 'Value' },
    })
    t.is(answer.status, 201)
    t.is(answer.body, 'hello')
    t.is(answer.headers['x-a'], 'b')
    t.is(answer.headers['content-length'], '5')
    t.is(kept?.method, 'POST')
    t.is(kept?.path, '/a%20b')
    t.is(kept?.query, 'c=d&e')
    t.is(kept?.headers['x-upper'], 'Value')
    t.is(Object.getPrototypeOf(kept?.headers), null)
    t.is(kept?.remoteAddress, '127.0.0.1')
    t.is(kept?.secure, false)
  })

  test('a body above its bound is refused with 413 and never reaches the handler', async (t) => {
    let calls = 0
    const door = await opened(t, open, {
      bodyBytesMax: () => 10,
      onRequest: () => {
        calls++
        return { status: 200, headers: {} }
      },
    })
    const answer = await call(door.port, '/', { method: 'POST', body: 'x'.repeat(11) })
    t.is(answer.status, 413)
    t.is(calls, 0)
    const exact = await call(door.port, '/', { method: 'POST', body: 'x'.repeat(10) })
    t.is(exact.status, 200)
  })

  test('a chunked body above its bound is refused with 413', async (t) => {
    const door = await opened(t, open, { bodyBytesMax: () => 10 })
    const socket = connect(door.port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n')
    socket.write('8\r\n12345678\r\n8\r\n12345678\r\n')
    t.regex(await firstLine(socket), /^HTTP\/1\.1 413 /)
  })

  test('HEAD, 204 and 304 carry no body, and HEAD keeps the length', async (t) => {
    const door = await opened(t, open, {
      onRequest: (request) =>
        request.path === '/204'
          ? { status: 204, headers: {} }
          : request.path === '/304'
            ? { status: 304, headers: { etag: '"x"' } }
            : { status: 200, headers: PLAIN, body: 'twelve bytes' },
    })
    const head = await call(door.port, '/', { method: 'HEAD' })
    t.is(head.headers['content-length'], '12')
    t.is(head.body, '')
    const empty = await call(door.port, '/204')
    t.is(empty.status, 204)
    t.is(empty.headers['content-length'], undefined)
    const same = await call(door.port, '/304')
    t.is(same.status, 304)
    t.is(same.headers.etag, '"x"')
  })

  test('all methods arrive, DELETE and OPTIONS without waiting for a body', async (t) => {
    const door = await opened(t, open, {
      onRequest: (request) => ({ status: 200, headers: PLAIN, body: request.method }),
    })
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      t.is((await call(door.port, '/', { method })).body, method)
    }
  })

  test('a handler that throws or rejects costs one 500, not the door', async (t) => {
    const door = await opened(t, open, {
      onRequest: (request) => {
        if (request.path === '/throw') throw new Error('on purpose')
        if (request.path === '/reject') return Promise.reject(new Error('on purpose'))
        return { status: 200, headers: {} }
      },
    })
    t.is((await call(door.port, '/throw')).status, 500)
    t.is((await call(door.port, '/reject')).status, 500)
    t.is((await call(door.port, '/')).status, 200)
  })

  test('control characters in a header value cannot start another header', async (t) => {
    const door = await opened(t, open, {
      onRequest: () => ({ status: 200, headers: { location: '/x\r\nset-cookie: a=b\0' } }),
    })
    const answer = await call(door.port, '/')
    t.is(answer.headers['set-cookie'], undefined)
    t.is(answer.headers.location, '/x  set-cookie: a=b')
  })

  test('a client that leaves before the answer does no harm', async (t) => {
    const arrived = later<void>()
    const released = later<DoorResponse>()
    const door = await opened(t, open, {
      onRequest: (request) => {
        if (request.path !== '/slow') return { status: 200, headers: {} }
        arrived.resolve()
        return released.promise
      },
    })
    const socket = connect(door.port, '127.0.0.1')
    socket.write('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n')
    await arrived.promise
    socket.resetAndDestroy()
    t.is((await call(door.port, '/')).status, 200)
    released.resolve({ status: 200, headers: {}, body: 'late' })
    t.is((await call(door.port, '/')).status, 200)
  })

  test('a large response arrives whole', async (t) => {
    const body = Buffer.alloc(3_000_000, 'abc')
    const door = await opened(t, open, {
      onRequest: () => ({ status: 200, headers: PLAIN, body }),
    })
    const answer = await call(door.port, '/')
    t.is(answer.body.length, body.length)
    t.is(answer.headers['content-length'], String(body.length))
  })

  test('a second door on the same port is refused', async (t) => {
    const door = await opened(t, open, {})
    await t.throwsAsync(
      open({
        host: '127.0.0.1',
        port: door.port,
        messageBytesMax: 100,
        handlers: handlersFor({}),
      }),
    )
  })
}

async function firstLine(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return chunk.toString('latin1').split('\r\n')[0] ?? ''
}

function socketContract(test: TestFn, open: Open): void {
  test('the chosen subprotocol is confirmed, text and binary frames keep their kind', async (t) => {
    const seen: { head: RequestHead | undefined; protocol: string }[] = []
    const door = await opened(t, open, {
      onUpgrade: (_head, offered) => ({ protocol: offered.find((name) => name === 'two') ?? '' }),
      onOpen: (socket, head) => seen.push({ head, protocol: socket.protocol }),
      onMessage: (socket, data, binary) => {
        socket.send(binary ? data : Buffer.from(data).toString())
      },
    })
    const client = dial(door.port, ['one', 'two'])
    await once(client, 'open')
    t.is(client.protocol, 'two')
    client.send('chào')
    const [text, textBinary] = (await once(client, 'message')) as [Buffer, boolean]
    t.is(text.toString(), 'chào')
    t.false(textBinary)
    client.send(Buffer.from([1, 2, 3]))
    const [bytes, bytesBinary] = (await once(client, 'message')) as [Buffer, boolean]
    t.deepEqual([...bytes], [1, 2, 3])
    t.true(bytesBinary)
    t.is(seen[0]?.protocol, 'two')
    t.is(seen[0]?.head?.remoteAddress, '127.0.0.1')
    t.is(seen[0]?.head?.path, '/ws')
    client.terminate()
  })

  test('a refused upgrade gets its response', async (t) => {
    const door = await opened(t, open, {
      onUpgrade: () => ({ response: { status: 400, headers: PLAIN, body: 'no' } }),
    })
    const client = dial(door.port)
    const [, response] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage]
    t.is(response.statusCode, 400)
    t.is(response.headers['content-length'], '2')
    response.destroy()
  })

  test('received bytes belong to the handler after it returned', async (t) => {
    const kept: Uint8Array[] = []
    const second = later<void>()
    const door = await opened(t, open, {
      onMessage: (_socket, data) => {
        kept.push(data)
        if (kept.length === 2) second.resolve()
      },
    })
    const client = dial(door.port)
    await once(client, 'open')
    client.send(Buffer.from('first'))
    client.send(Buffer.from('other'))
    await second.promise
    t.is(Buffer.from(kept[0] ?? []).toString(), 'first')
    client.terminate()
  })

  test('a message above the bound ends the connection and is not delivered', async (t) => {
    let messages = 0
    const closed = later<void>()
    const door = await opened(t, open, {
      onMessage: () => {
        messages++
      },
      onClose: () => closed.resolve(),
    })
    const client = dial(door.port)
    client.on('error', () => {})
    await once(client, 'open')
    client.send(Buffer.alloc(10_001))
    await closed.promise
    t.is(messages, 0)
    client.terminate()
  })

  test('endless fragments end the connection at the same bound', async (t) => {
    const closed = later<void>()
    const door = await opened(t, open, { onClose: () => closed.resolve() })
    const client = dial(door.port)
    client.on('error', () => {})
    await once(client, 'open')
    for (let i = 0; i < 20; i++) client.send(Buffer.alloc(1_000), { fin: false })
    await closed.promise
    client.terminate()
    t.pass()
  })

  test('close carries code and reason, and onClose comes once', async (t) => {
    const closes: number[] = []
    const closed = later<void>()
    const door = await opened(t, open, {
      onOpen: (socket) => socket.close(1008, 'kicked'),
      onClose: (_socket, code) => {
        closes.push(code)
        closed.resolve()
      },
    })
    const client = dial(door.port)
    const [code, reason] = (await once(client, 'close')) as [number, Buffer]
    await closed.promise
    t.is(code, 1008)
    t.is(reason.toString(), 'kicked')
    t.is(closes.length, 1)
  })

  test('calls on a closed socket do nothing', async (t) => {
    const closed = later<DoorSocket>()
    const door = await opened(t, open, { onClose: (socket) => closed.resolve(socket) })
    const client = dial(door.port)
    await once(client, 'open')
    client.terminate()
    const socket = await closed.promise
    socket.send('late')
    socket.send(Buffer.from('late'))
    socket.close(1000, '')
    socket.terminate()
    t.is(socket.bufferedBytes(), 0)
  })

  test('a reader that stops shows in bufferedBytes, and drain tells when it reads on', async (t) => {
    const opening = later<DoorSocket>()
    const drained = later<void>()
    let full = false
    const door = await opened(t, open, {
      onOpen: (socket) => opening.resolve(socket),
      onDrain: (socket) => {
        if (full && socket.bufferedBytes() === 0) drained.resolve()
      },
    })
    const client = dial(door.port)
    const socket = await opening.promise
    await once(client, 'open')
    client.pause()
    const block = Buffer.alloc(64 * 1024)
    let sent = 0
    // The kernel takes a few megabytes at most; the door itself cuts at 4 MiB of its own.
    while (socket.bufferedBytes() < 1_000_000 && sent < 1_000) {
      socket.send(block)
      sent++
      await new Promise((resolve) => setImmediate(resolve))
    }
    t.true(socket.bufferedBytes() >= 1_000_000)
    full = true
    client.resume()
    await drained.promise
    t.is(socket.bufferedBytes(), 0)
    client.terminate()
  })

  test('a reader that never reads is cut before the buffer grows without bound', async (t) => {
    const opening = later<DoorSocket>()
    const closed = later<void>()
    const door = await opened(t, open, {
      onOpen: (socket) => opening.resolve(socket),
      onClose: () => closed.resolve(),
    })
    const client = dial(door.port)
    client.on('error', () => {})
    const socket = await opening.promise
    await once(client, 'open')
    client.pause()
    const block = Buffer.alloc(256 * 1024)
    for (let i = 0; i < 200; i++) socket.send(block)
    await closed.promise
    client.terminate()
    t.pass()
  })

  test('closing the door tells open sockets 1001 and takes no new ones', async (t) => {
    const door = await opened(t, open, {})
    const client = dial(door.port)
    await once(client, 'open')
    const closed = once(client, 'close')
    await Promise.all([door.close(), door.close()])
    t.is((await closed)[0], 1001)
    const late = connect(door.port, '127.0.0.1')
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
    t.is(error.code, 'ECONNREFUSED')
  })
}

function tlsContract(test: TestFn, open: Open): void {
  test('speaks TLS with the configured files, and says so', async (t) => {
    const tls = makeTestCertificate()
    const door = await open({
      host: '127.0.0.1',
      port: 0,
      tls,
      messageBytesMax: 100,
      handlers: handlersFor({
        onRequest: (request) => ({ status: 200, headers: {}, body: String(request.secure) }),
        onMessage: (socket, data) => socket.send(data),
      }),
    })
    t.teardown(() => door.close())
    const request = httpsRequest({
      host: '127.0.0.1',
      port: door.port,
      rejectUnauthorized: false,
      agent: false,
    })
    request.end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const [body] = (await once(response, 'data')) as [Buffer]
    t.is(body.toString(), 'true')
    const client = new WebSocket(`wss://127.0.0.1:${door.port}/`, ['one'], {
      rejectUnauthorized: false,
    })
    await once(client, 'open')
    client.send(Buffer.from('x'))
    t.is(((await once(client, 'message')) as [Buffer])[0].toString(), 'x')
    client.terminate()
  })

  test('missing TLS files are an error, not an open door', async (t) => {
    const tls = { certificateFile: '/nonexistent/a.pem', keyFile: '/nonexistent/b.pem' }
    await t.throwsAsync(
      open({ host: '127.0.0.1', port: 0, tls, messageBytesMax: 100, handlers: handlersFor({}) }),
    )
  })
}

/** Registers the whole contract with `test`; `open` is the door under test. */
export function doorContract(test: TestFn, open: Open): void {
  httpContract(test, open)
  socketContract(test, open)
  tlsContract(test, open)
}
