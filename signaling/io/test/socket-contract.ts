/** What every door must do with WebSockets, as tests. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { TestFn } from 'ava'
import { WebSocket } from 'ws'
import type { DoorSocket, RequestHead } from '../../door.ts'
import { dial, handlersFor, later, type Open, opened, PLAIN } from './client.ts'

function frames(test: TestFn, open: Open): void {
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
}

function bounds(test: TestFn, open: Open): void {
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
}

function closing(test: TestFn, open: Open): void {
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
}

function slowReaders(test: TestFn, open: Open): void {
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

const TEXT = 'chào các bạn '.repeat(300)

/** Says the text on a path, and hears it again; how many bytes came over the wire for it. */
async function echoedBytes(
  port: number,
  path: string,
): Promise<{ bytes: number; extensions: string; text: string }> {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, ['one'], {
    perMessageDeflate: { threshold: 0 },
  })
  const upgraded = once(client, 'upgrade') as Promise<[IncomingMessage]>
  await once(client, 'open')
  const [response] = await upgraded
  const socket: Socket = response.socket
  const before = socket.bytesRead
  client.send(TEXT)
  const [data] = (await once(client, 'message')) as [Buffer]
  const bytes = socket.bytesRead - before
  client.terminate()
  return { bytes, extensions: client.extensions, text: data.toString() }
}

function deflated(test: TestFn, open: Open): void {
  test('messages are deflated on the paths that are named, and there only', async (t) => {
    const seen: string[] = []
    const door = await open({
      host: '127.0.0.1',
      port: 0,
      messageBytesMax: 10_000,
      deflatePaths: ['/thin'],
      handlers: handlersFor({
        onOpen: (_socket, { path }) => seen.push(path),
        onMessage: (socket, data) => socket.send(Buffer.from(data).toString()),
      }),
    })
    t.teardown(() => door.close())
    const thin = await echoedBytes(door.port, '/thin')
    const wide = await echoedBytes(door.port, '/ws')
    t.is(thin.text, TEXT)
    t.is(wide.text, TEXT)
    t.regex(thin.extensions, /permessage-deflate/)
    t.is(wide.extensions, '')
    t.true(thin.bytes < 500, `${thin.bytes}`)
    t.true(wide.bytes > TEXT.length, `${wide.bytes}`)
    t.deepEqual(seen, ['/thin', '/ws'])
  })

  test('a bomb is cut at the same bound once it is inflated', async (t) => {
    let messages = 0
    const closed = later<void>()
    const door = await open({
      host: '127.0.0.1',
      port: 0,
      messageBytesMax: 10_000,
      deflatePaths: ['/thin'],
      handlers: handlersFor({
        onMessage: () => {
          messages++
        },
        onClose: () => closed.resolve(),
      }),
    })
    t.teardown(() => door.close())
    const client = new WebSocket(`ws://127.0.0.1:${door.port}/thin`, ['one'], {
      perMessageDeflate: { threshold: 0 },
    })
    client.on('error', () => {})
    await once(client, 'open')
    client.send(Buffer.alloc(5_000_000))
    await closed.promise
    t.is(messages, 0)
    client.terminate()
  })
}

/** What a door owes to WebSocket clients. */
export function socketContract(test: TestFn, open: Open): void {
  frames(test, open)
  bounds(test, open)
  closing(test, open)
  slowReaders(test, open)
  deflated(test, open)
}
