import test from 'ava'
import fc from 'fast-check'
import { UDP_SEND_QUEUE_MAX } from '../../config/index.ts'
import { createDropCounters, DROP_CODE } from '../media/rtp/index.ts'
import { type SendRoute, type SendSocket, SlabSender } from './udp-mux-send.ts'
import type { TupleSource } from './udp-mux-tuple.ts'

const SLOT_BYTES = 64
const SLOTS = 256
const TO: TupleSource = { address: '192.0.2.1', port: 5_000, family: 0 }
const TO_IPV6: TupleSource = { address: '2001:db8::1', port: 5_000, family: 1 }

/** Like libuv: takes datagrams at once until it is slow, then keeps references in a queue. */
class SlowSocket implements SendSocket {
  readonly onWire: Uint8Array[] = []
  readonly queue: Uint8Array[] = []
  slow = false

  send(bytes: Uint8Array): void {
    if (this.slow || this.queue.length > 0) this.queue.push(bytes)
    else this.onWire.push(bytes.slice())
  }

  getSendQueueCount(): number {
    return this.queue.length
  }

  /** The device takes up to `count` datagrams, as they are by now. */
  drain(count: number): void {
    for (const bytes of this.queue.splice(0, count)) this.onWire.push(bytes.slice())
  }
}

/** The owner of the slab, as in srtp/send-slab.ts: goes round, and asks what may still be read. */
class SlabOwner {
  readonly slab = new Uint8Array(SLOT_BYTES * SLOTS)
  readonly sender: SlabSender
  readonly drops = createDropCounters()
  readonly #known: (TupleSource | undefined)[] = []
  #taken = 0
  #written = 0

  constructor(sockets: SendSocket[], batches: SendRoute['batch'][] = []) {
    const routes = sockets.map((socket, family): SendRoute => {
      const batch = batches[family]
      return batch === undefined ? { socket } : { socket, batch }
    })
    this.sender = new SlabSender({ slab: this.slab, routes, drops: this.drops })
  }

  /** A transport for each address; none is reached at `undefined`. */
  token(to: TupleSource | undefined): number {
    let token = this.#known.indexOf(to)
    if (token < 0) {
      token = this.#known.push(to) - 1
      this.sender.routes.set(token, to)
    }
    return token
  }

  /** Writes number `#written` into a free slot and sends it; false when every slot may still be read. */
  send(to: TupleSource | undefined): boolean {
    const inFlight = this.sender.inFlightCount()
    if (inFlight === 0) this.#taken = 0
    if (inFlight >= SLOTS) return false
    const start = (this.#taken++ % SLOTS) * SLOT_BYTES
    new DataView(this.slab.buffer).setUint32(start, this.#written++)
    this.sender.sendSlab(start, start + 40, this.token(to))
    return true
  }
}

function numbers(socket: SlowSocket): number[] {
  return socket.onWire.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0))
}

test('a slab slot is never sent with the bytes of a later packet, however slow the device', (t) => {
  const socket = new SlowSocket()
  const owner = new SlabOwner([socket])
  for (let i = 0; i < 100; i++) owner.send(TO)
  owner.sender.flush()
  socket.slow = true
  for (let i = 0; i < 100; i++) owner.send(TO)
  owner.sender.flush()
  socket.slow = false
  socket.drain(50)
  for (let i = 0; i < 300; i++) owner.send(TO)
  owner.sender.flush()
  socket.drain(Number.POSITIVE_INFINITY)
  const seen = numbers(socket)
  t.true(seen.length >= 200)
  t.deepEqual(
    seen,
    seen.map((_, index) => index),
  )
})

test('property: under any slowness of two sockets every datagram on the wire is whole and in order', (t) => {
  const action = fc.oneof(
    fc.constantFrom('ipv4' as const, 'ipv6' as const),
    fc.record({ socket: fc.integer({ min: 0, max: 1 }), slow: fc.boolean() }),
    fc.record({ socket: fc.integer({ min: 0, max: 1 }), drain: fc.integer({ min: 0, max: 40 }) }),
  )
  const property = fc.property(fc.array(action, { maxLength: 600 }), (actions) => {
    const sockets = [new SlowSocket(), new SlowSocket()]
    const owner = new SlabOwner(sockets)
    for (const one of actions) {
      if (typeof one === 'string') owner.send(one === 'ipv4' ? TO : TO_IPV6)
      else if ('slow' in one) sockets[one.socket]!.slow = one.slow
      else sockets[one.socket]!.drain(one.drain)
    }
    owner.sender.flush()
    for (const socket of sockets) {
      socket.drain(Number.POSITIVE_INFINITY)
      const seen = numbers(socket)
      t.deepEqual(
        seen,
        [...seen].sort((one, other) => one - other),
      )
      t.is(new Set(seen).size, seen.length)
    }
  })
  fc.assert(property, { numRuns: 300 })
})

test('nothing is in flight while the kernel takes everything', (t) => {
  const owner = new SlabOwner([new SlowSocket(), new SlowSocket()])
  for (let i = 0; i < 1_000; i++) t.true(owner.send(i % 2 === 0 ? TO : TO_IPV6))
  t.is(owner.sender.inFlightCount(), 0)
  t.is(owner.sender.packets, 1_000)
  t.is(owner.sender.bytes, 40_000)
})

test('the queue behind a slow device is bounded; what is beyond is dropped and counted', (t) => {
  const socket = new SlowSocket()
  const owner = new SlabOwner([socket])
  socket.slow = true
  for (let i = 0; i < UDP_SEND_QUEUE_MAX + 100; i++) owner.sender.sendSlab(0, 40, owner.token(TO))
  owner.sender.flush()
  for (let i = 0; i < 10; i++) owner.sender.sendOwned(new Uint8Array(10), TO)
  t.is(socket.queue.length, UDP_SEND_QUEUE_MAX)
  t.is(owner.drops[DROP_CODE['send-queue-full']], 110)
})

test('a datagram for a family without a socket goes nowhere', (t) => {
  const socket = new SlowSocket()
  const owner = new SlabOwner([socket])
  owner.sender.sendSlab(0, 40, owner.token(TO_IPV6))
  owner.sender.flush()
  owner.sender.sendOwned(new Uint8Array(4), TO_IPV6)
  t.is(socket.onWire.length, 0)
})

/** Like the kernel behind sendmmsg: copies what it takes; `full` after so many; some addresses it refuses. */
class FakeKernel {
  readonly onWire: number[] = []
  room = Number.POSITIVE_INFINITY
  readonly #slab: () => Uint8Array
  #added: { start: number; refused: boolean }[] = []

  constructor(slab: () => Uint8Array) {
    this.#slab = slab
  }

  add(start: number, _end: number, to: Int32Array): void {
    this.#added.push({ start, refused: to[0] === REFUSED[0] })
  }

  addIpv4(start: number, _end: number, word0: number): void {
    this.#added.push({ start, refused: word0 === REFUSED[0] })
  }

  send(from: number): number {
    let taken = 0
    for (const { start, refused } of this.#added.slice(from)) {
      if (refused) return taken > 0 ? taken : ENETUNREACH
      if (this.room === 0) return taken > 0 ? taken : EAGAIN
      this.room -= 1
      this.onWire.push(new DataView(this.#slab().buffer).getUint32(start))
      taken += 1
    }
    return taken
  }

  clear(): void {
    this.#added = []
  }
}

const EAGAIN = -11
const ENETUNREACH = -101
const REFUSED = Int32Array.of(2, 0, 0, 0)
const TO_BATCHED: TupleSource = { ...TO, socketAddress: Int32Array.of(1, 0, 0, 0) }
const TO_REFUSED: TupleSource = { ...TO, socketAddress: REFUSED }

function batchedOwner(): { owner: SlabOwner; kernel: FakeKernel; socket: SlowSocket } {
  const socket = new SlowSocket()
  let slab = new Uint8Array(0)
  const kernel = new FakeKernel(() => slab)
  const owner = new SlabOwner([socket], [kernel])
  slab = owner.slab
  return { owner, kernel, socket }
}

test('what has an address goes out in batches, the rest one by one', (t) => {
  const { owner, kernel, socket } = batchedOwner()
  for (let i = 0; i < 100; i++) owner.send(i % 10 === 9 ? TO : TO_BATCHED)
  t.is(owner.sender.inFlightCount(), 0)
  t.is(kernel.onWire.length, 90)
  t.is(socket.onWire.length, 10)
  t.is(owner.sender.packets, 100)
  t.is(owner.sender.bytes, 4_000)
})

test('a datagram that the kernel refuses is counted and keeps nobody back', (t) => {
  const { owner, kernel } = batchedOwner()
  for (let i = 0; i < 64; i++) owner.send(i % 8 === 3 ? TO_REFUSED : TO_BATCHED)
  owner.sender.flush()
  t.is(owner.drops[DROP_CODE['send-refused']], 8)
  t.deepEqual(
    kernel.onWire,
    Array.from({ length: 64 }, (_, index) => index).filter((index) => index % 8 !== 3),
  )
})

test('property: behind a full kernel libuv waits, in order, and nothing is sent twice', (t) => {
  const rooms = fc.array(fc.integer({ min: 0, max: 80 }), { minLength: 1, maxLength: 12 })
  const property = fc.property(rooms, (steps) => {
    const { owner, kernel, socket } = batchedOwner()
    for (const room of steps) {
      kernel.room = room
      socket.slow = true
      for (let i = 0; i < 40; i++) owner.send(TO_BATCHED)
      owner.sender.flush()
      socket.slow = false
      socket.drain(Number.POSITIVE_INFINITY)
    }
    t.is(owner.sender.inFlightCount(), 0)
    const seen = [...kernel.onWire, ...numbers(socket)].sort((one, other) => one - other)
    t.deepEqual(
      seen,
      Array.from({ length: steps.length * 40 }, (_, index) => index),
    )
  })
  fc.assert(property, { numRuns: 200 })
})

test('a transport whose address is gone, or was never known, is counted and keeps nobody back', (t) => {
  const { owner, kernel } = batchedOwner()
  for (let i = 0; i < 64; i++) owner.send(i % 2 === 0 ? TO_BATCHED : undefined)
  owner.sender.flush()
  owner.sender.routes.set(owner.token(TO_BATCHED), undefined)
  owner.send(TO_BATCHED)
  owner.sender.flush()
  t.is(kernel.onWire.length, 32)
  t.is(owner.drops[DROP_CODE['tuple-missing']], 33)
})
