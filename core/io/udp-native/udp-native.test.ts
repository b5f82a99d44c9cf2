import { createSocket } from 'node:dgram'
import test from 'ava'
import {
  addressWord,
  BatchSocket,
  loadNativeUdp,
  type NativeUdp,
  NativeUdpError,
  SendBatch,
  socketAddress,
} from './index.ts'

const loaded = loadNativeUdp()
const LOOPBACK_IPV4 = Uint8Array.of(127, 0, 0, 1)
const LOOPBACK_IPV6 = Uint8Array.from({ length: 16 }, (_, index) => (index === 15 ? 1 : 0))

function native(): NativeUdp {
  if (typeof loaded === 'string') throw new Error(loaded)
  return loaded
}

async function listen(type: 'udp4' | 'udp6') {
  const socket = createSocket(type)
  const seen: { text: string; from: number }[] = []
  socket.on('message', (bytes, { port }) => seen.push({ text: bytes.toString(), from: port }))
  const address = type === 'udp4' ? '127.0.0.1' : '::1'
  await new Promise<void>((resolve) => {
    socket.bind(0, address, resolve)
  })
  return { socket, seen, port: socket.address().port }
}

async function until(done: () => boolean): Promise<void> {
  const endMs = performance.now() + 5_000
  while (!done() && performance.now() < endMs) await new Promise((r) => setTimeout(r, 5))
}

test('on this machine the calls are there', (t) => {
  t.is(typeof loaded, 'object', String(loaded))
})

for (const type of ['udp4', 'udp6'] as const) {
  test(`${type}: a batch reaches each address with its own bytes, from the socket that dgram has too`, async (t) => {
    const octets = type === 'udp4' ? LOOPBACK_IPV4 : LOOPBACK_IPV6
    const listeners = [await listen(type), await listen(type), await listen(type)]
    const family = type === 'udp4' ? 0 : 1
    const open = { family, address: octets, port: 0, bufferBytes: 1 << 18 } as const
    const descriptor = native().open(open)
    const own = createSocket(type)
    await new Promise<void>((resolve) => {
      own.bind({ fd: descriptor }, resolve)
    })
    t.teardown(() => [own, ...listeners.map(({ socket }) => socket)].map((one) => one.close()))
    const memory = new Uint8Array(4096)
    const batch = new SendBatch({ native: native(), descriptor, memory, capacity: 8 })
    for (let at = 0; at < 8; at += 1) {
      const start = at * 100
      memory.set(Buffer.from(`datagram ${at}`), start)
      const to = listeners[at % 3]!.port
      batch.add(start, start + 10, socketAddress(octets, to))
    }
    t.is(batch.send(0), 8)
    batch.clear()
    memory.fill(0)
    await until(() => listeners.reduce((sum, { seen }) => sum + seen.length, 0) === 8)
    for (const [index, { seen }] of listeners.entries()) {
      const expected = [0, 1, 2, 3, 4, 5, 6, 7].filter((at) => at % 3 === index)
      t.deepEqual(
        seen.map(({ text }) => text),
        expected.map((at) => `datagram ${at}`),
      )
      t.true(seen.every(({ from }) => from === own.address().port))
    }
  })
}

test('a message that cannot go ends the call there with its errno', (t) => {
  const options = { family: 0, address: LOOPBACK_IPV4, port: 0, bufferBytes: 1 << 18 } as const
  const descriptor = native().open(options)
  t.teardown(() => native().close(descriptor))
  const memory = new Uint8Array(70_000)
  const batch = new SendBatch({ native: native(), descriptor, memory, capacity: 4 })
  const to = socketAddress(LOOPBACK_IPV4, 9)
  batch.add(0, 10, to)
  batch.add(0, 66_000, to)
  t.is(batch.send(0), 1)
  const EMSGSIZE = -90
  t.is(batch.send(1), EMSGSIZE)
})

test('a taken port is refused by name, and leaves no descriptor open', (t) => {
  const options = { family: 0, address: LOOPBACK_IPV4, port: 0, bufferBytes: 1 << 18 } as const
  const first = native().open(options)
  t.teardown(() => native().close(first))
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  return new Promise<void>((resolve) => {
    socket.bind({ fd: native().open(options) }, () => {
      const { port } = socket.address()
      const error = t.throws(() => native().open({ ...options, port }), {
        instanceOf: NativeUdpError,
      })
      t.is(error?.code, 'EADDRINUSE')
      resolve()
    })
  })
})

test('a batch socket tells where each datagram came from, where to, and when, and answers from there', async (t) => {
  const began = performance.now()
  const seen: { text: string; destination: number; atMs: number; port: number }[] = []
  const socket = new BatchSocket({
    native: native(),
    address: new Uint8Array(4),
    port: 0,
    onDatagram: (bytes, { destination, sourceAddress, atMs }) => {
      const port = Buffer.from(sourceAddress.buffer).readUInt16BE(2)
      seen.push({ text: bytes.toString(), destination, atMs, port })
    },
  })
  const peer = await listen('udp4')
  t.teardown(() => {
    socket.close()
    peer.socket.close()
  })
  for (let host = 1; host <= 200; host += 1) {
    peer.socket.send(`to ${host}`, socket.port, `127.9.0.${host}`)
  }
  await until(() => {
    socket.take()
    return seen.length === 200
  })
  t.is(seen.length, 200)
  for (const { text, destination, port, atMs } of seen) {
    t.is(destination, addressWord(`127.9.0.${text.slice(3)}`))
    t.is(port, peer.port)
    t.true(atMs > began - 5 && atMs < performance.now() + 5)
  }
  const from = new Set<string>()
  peer.socket.on('message', (_, { address }) => from.add(address))
  const to = socketAddress(LOOPBACK_IPV4, peer.port)
  for (let host = 1; host <= 100; host += 1) {
    socket.add(Buffer.from('back'), to, addressWord(`127.9.1.${host}`))
  }
  await until(() => from.size === 100)
  t.is(from.size, 100)
  t.true(from.has('127.9.1.77'))
})

test('a batch socket sends the largest datagram that there is; what is larger is refused and counted', async (t) => {
  const options = { native: native(), address: LOOPBACK_IPV4, port: 0 }
  const heard: number[] = []
  const socket = new BatchSocket({ ...options, onDatagram: ({ length }) => heard.push(length) })
  const peer = await listen('udp4')
  t.teardown(() => {
    socket.close()
    peer.socket.close()
  })
  const to = socketAddress(LOOPBACK_IPV4, peer.port)
  socket.add(Buffer.from('before'), to, 0)
  socket.add(new Uint8Array(65_507).fill(97), to, 0)
  socket.add(Buffer.from('behind'), to, 0)
  await until(() => peer.seen.length === 3)
  t.deepEqual(
    peer.seen.map(({ text }) => text.length),
    [6, 65_507, 6],
  )
  t.is(socket.refused, 0)
  for (const size of [2_049, 2_048]) {
    peer.socket.send(new Uint8Array(size), socket.port, '127.0.0.1')
  }
  await until(() => {
    socket.take()
    return heard.length === 1
  })
  t.deepEqual(heard, [2_048], 'nothing is handed out in part')
  t.is(socket.cut, 1)
  socket.add(new Uint8Array(65_508), to, 0)
  socket.add(new Uint8Array(1_000_000), to, 0)
  t.is(socket.refused, 2)
  socket.add(Buffer.from('last'), to, 0)
  socket.close()
  socket.close()
  t.is(socket.take(), 0)
  await until(() => peer.seen.length === 4)
  t.is(peer.seen.at(-1)?.text, 'last', 'what was added goes out before the end')
})
