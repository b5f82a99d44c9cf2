import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { type LinkSettings, PERFECT, parseChange } from '../index.ts'
import { createEmulator, type EmulatorOptions } from './index.ts'

const LOOPBACK = { host: '127.0.0.1', port: 0 }

/** A server, a line in front of it, and a way to dial it; all closed at the end of the test. */
async function stand(
  t: ExecutionContext,
  { serve, ...line }: { serve: (socket: Socket) => void } & Partial<LinkSettings>,
  options: Partial<EmulatorOptions> = {},
) {
  const sockets: Socket[] = []
  const keep = (socket: Socket): Socket => {
    socket.on('error', () => {})
    sockets.push(socket)
    return socket
  }
  const server = createServer({ allowHalfOpen: true }, (socket) => serve(keep(socket)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const direction = { ...PERFECT, ...line }
  const to = { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
  const emulator = await createEmulator({
    mappings: [{ kind: 'tcp', listen: LOOPBACK, to }],
    profile: { about: '', down: direction, up: direction },
    timetable: [],
    seed: 3,
    idleMs: 60_000,
    onRow: () => {},
    ...options,
  })
  t.teardown(() => {
    emulator.close()
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const port = emulator.listening[0]?.port ?? 0
  const dial = () => keep(connect({ port, host: '127.0.0.1', allowHalfOpen: true }))
  return { emulator, server, dial, tcp: () => emulator.summary().tcp[0] }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let step = 0; step < 2000 && !isSo(); step += 1) await sleep(5)
}

/** Also after an error, unlike `once`. */
const closed = (socket: Socket) => new Promise((done) => socket.on('close', done))

const echo = (socket: Socket): void => {
  socket.pipe(socket)
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  await once(socket, 'end')
  return Buffer.concat(chunks)
}

test.serial(
  'bytes come whole and in order over a line that loses, and half-close passes',
  async (t) => {
    const place = await stand(t, {
      serve: echo,
      rateBps: 20e6,
      queueMs: 50,
      delayMs: 5,
      lossRatio: 0.02,
    })
    const bytes = randomBytes(400_000)
    const client = place.dial()
    const back = readAll(client)
    client.end(bytes)
    const digest = (data: Buffer) => createHash('sha256').update(data).digest('hex')
    t.is(digest(await back), digest(bytes))
    await until(() => place.tcp()?.connections === 0)
    const counters = place.tcp()
    t.like(counters, { connections: 0, opened: 1, resets: 0 })
    t.true((counters?.retransmissions ?? 0) > 5)
  },
)

test.serial('the first answer takes two round trips: handshake, then data', async (t) => {
  const place = await stand(t, { serve: echo, delayMs: 40 })
  const startMs = performance.now()
  const client = place.dial()
  client.write('hello')
  await once(client, 'data')
  const tookMs = performance.now() - startMs
  t.true(tookMs > 157 && tookMs < 400, `${tookMs}`)
})

test.serial(
  'a server that speaks first is heard, and its end comes while the client still speaks',
  async (t) => {
    const heard: string[] = []
    const place = await stand(t, {
      delayMs: 5,
      serve: (socket) => {
        socket.end('banner')
        socket.on('data', (bytes) => heard.push(String(bytes)))
      },
    })
    const client = place.dial()
    t.is(String(await readAll(client)), 'banner')
    client.end('last words')
    await until(() => heard.length > 0)
    t.deepEqual(heard, ['last words'])
  },
)

test.serial('an outage is a stall, not an end', async (t) => {
  const place = await stand(t, { serve: echo, delayMs: 5 })
  const client = place.dial()
  const heard: string[] = []
  client.on('data', (bytes) => heard.push(String(bytes)))
  client.write('a')
  await until(() => heard.length === 1)
  const apply = (text: string) => {
    const parsed = parseChange(text, 0)
    if (!Array.isArray(parsed)) place.emulator.apply(parsed)
  }
  apply('cut')
  client.write('b')
  await sleep(300)
  t.is(heard.length, 1)
  apply('heal')
  await until(() => heard.length === 2)
  t.deepEqual(heard, ['a', 'b'])
  t.true((place.tcp()?.timeouts ?? 0) >= 1)
})

test.serial('a target that refuses, and an end that breaks, reset the other side', async (t) => {
  const place = await stand(t, { serve: (socket) => socket.resetAndDestroy(), delayMs: 5 })
  const cut = place.dial()
  const [error] = (await once(cut, 'error')) as [NodeJS.ErrnoException]
  t.is(error.code, 'ECONNRESET')
  place.server.close()
  await closed(place.dial())
  t.is(place.tcp()?.connections, 0)
  t.is(place.tcp()?.resets, 2)
})

test.serial('connections are bounded', async (t) => {
  const place = await stand(t, { serve: echo }, { connectionsMax: 1 })
  const first = place.dial()
  first.write('x')
  await once(first, 'data')
  await closed(place.dial())
  t.like(place.tcp(), { connections: 1, opened: 1, refused: 1 })
})

test.serial('a server that does not read holds the client, not the memory', async (t) => {
  const sizeBytes = 60_000_000
  const place = await stand(t, { serve: (socket) => socket.pause() })
  const client = place.dial()
  client.write(Buffer.alloc(sizeBytes))
  let before = -1
  await until(() => {
    const now = place.emulator.summary().up.bytesIn
    const isStill = now > 100_000 && now === before
    before = now
    return isStill
  })
  await sleep(100)
  const { bytesIn } = place.emulator.summary().up
  t.true(bytesIn < sizeBytes / 2, `${bytesIn} bytes crossed`)
})

test.serial('TCP and UDP of one process share one line', async (t) => {
  const place = await stand(t, { serve: (socket) => socket.resume(), rateBps: 1e6, queueMs: 300 })
  const client = place.dial()
  client.write(Buffer.alloc(100_000))
  await until(() => place.emulator.summary().up.packetsOut > 20)
  const { up } = place.emulator.summary()
  // What a datagram would wait behind: the connection's segments stand in the same queue.
  t.true(up.queueMs > 50, `${up.queueMs}`)
})
