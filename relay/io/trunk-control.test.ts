/** Both ends over real sockets: the doors of a node, the dialer, TLS, and whoever should not come in. */
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { WebSocket } from 'ws'
import { TRUNK_HANDSHAKES_MAX, TRUNK_MESSAGE_BYTES_MAX } from '../../config/index.ts'
import { createLog, systemClock } from '../../core/io/index.ts'
import { makeTestCertificate } from '../../signaling/io/test/test-certificate.ts'
import { openServer } from '../../signaling/test/server.ts'
import type { SessionEnd, TrunkMessage, TrunkSession } from '../control/index.ts'
import { loadNodeKey, RelayBook, rememberUpstream } from '../identity/index.ts'
import { openTrunkControl, type TrunkControl } from './trunk-control.ts'

const NAME = 'Mường Nhé'

class Node {
  readonly dataDir: string
  readonly control: TrunkControl
  readonly sessions: TrunkSession[] = []
  readonly heard: TrunkMessage[] = []
  readonly ends: SessionEnd[] = []
  readonly log: Record<string, unknown>[] = []
  port = 0

  constructor(
    t: ExecutionContext,
    name: string,
    options: { dataDir?: string; asRelay?: boolean; certificateFile?: string } = {},
  ) {
    this.dataDir = options.dataDir ?? folder()
    const destination = { write: (line: string) => void this.log.push(JSON.parse(line)) }
    this.control = openTrunkControl({
      dataDir: this.dataDir,
      asRelay: options.asRelay ?? false,
      self: { nodeId: `n${name}`, name, program: '0.1.0' },
      certificateFile: options.certificateFile ?? '',
      media: () => ({ address: '', port: 40_100 }),
      upstreamMediaPort: 0,
      tokenKeys: [{ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) }],
      leaseMs: 10_000,
      clock: systemClock,
      log: createLog('debug', {}, destination),
      onSession: (session) => {
        this.sessions.push(session)
        session.onMessage = (message) => this.heard.push(message)
        session.onClosed = (reason) => this.ends.push(reason)
      },
    })
    t.teardown(() => this.control.close())
  }

  code(name = NAME): string {
    const nodeKey = loadNodeKey(this.dataDir).publicKey
    const book = new RelayBook(this.dataDir)
    return book.createCode({ name, nodeKey, ttlMs: 60_000, wallMs: Date.now() })
  }
}

const folder = (): string => mkdtempSync(join(tmpdir(), 'nhipcau-trunk-'))

async function eventually(t: ExecutionContext, isSo: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 20_000
  while (!isSo() && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.true(isSo(), what)
}

/** A node with its doors open. */
async function core(
  t: ExecutionContext,
  { name = 'core', tls = false }: { name?: string; tls?: boolean } = {},
): Promise<Node> {
  const files = tls ? makeTestCertificate() : undefined
  const node = new Node(t, name, { certificateFile: files?.certificateFile ?? '' })
  const server = await openServer(t, {
    sockets: [node.control.children.route],
    listen: { host: '127.0.0.1', port: 0, door: 'auto', ...(files ? { tls: files } : {}) },
  })
  node.port = server.signaling.port
  return node
}

function relay(
  t: ExecutionContext,
  url: string,
  options: { code?: string; dataDir?: string; name?: string },
): Node {
  const dataDir = options.dataDir ?? folder()
  rememberUpstream(dataDir, options.code === undefined ? {} : { url, code: options.code })
  const node = new Node(t, options.name ?? 'relay', { dataDir, asRelay: true })
  node.control.start()
  return node
}

const wsUrl = ({ port }: { port: number }): string => `ws://127.0.0.1:${port}`
const isUp = (node: Node) => (): boolean => node.control.upstream?.session !== undefined

for (const tls of [false, true]) {
  test(`a relay enrols itself by its code and talks both ways, ${tls ? 'TLS' : 'loopback'}`, async (t) => {
    const above = await core(t, { tls })
    const below = relay(t, `${tls ? 'wss' : 'ws'}://127.0.0.1:${above.port}`, {
      code: above.code(),
    })
    await eventually(t, isUp(below), 'connected')
    await eventually(t, () => above.sessions.length === 1, 'accepted')
    const [up, down] = [below.sessions[0]!, above.sessions[0]!]
    t.like(up, { direction: 'up', peer: { nodeId: 'ncore', name: 'core' } })
    t.like(down, { direction: 'down', peer: { nodeId: 'nrelay', name: NAME } })
    t.deepEqual(up.path, ['ncore'])
    t.is(up.tokenKeys.length, 1)
    t.deepEqual(up.flow.remote, { address: '127.0.0.1', port: 40_100 })
    t.deepEqual(up.flow.send, down.flow.receive)
    t.deepEqual(up.flow.receive, down.flow.send)
    up.send({ type: 'rooms', rooms: [{ room: 'tuần', present: true }] })
    down.send({ type: 'withdraw', streamIds: [7] })
    const got: Uint8Array[] = []
    down.onDatagram = (bytes) => got.push(bytes)
    t.true(up.sendDatagram(Uint8Array.of(0x80, 9)))
    const isHeard = (): boolean => above.heard.length + below.heard.length + got.length === 3
    await eventually(t, isHeard, 'heard')
    t.deepEqual(above.heard, [{ type: 'rooms', rooms: [{ room: 'tuần', present: true }] }])
    t.deepEqual(below.heard, [{ type: 'withdraw', streamIds: [7] }])
    t.deepEqual([...got[0]!], [0x80, 9])
    await eventually(t, () => up.rttMs > 0, 'measured')
    await below.control.close()
    await eventually(t, () => above.ends.length === 1, 'ended')
    t.deepEqual(above.ends, ['ended'])
  })
}

test('a second start needs no code; the former session is fenced when it is still there', async (t) => {
  const above = await core(t)
  const first = relay(t, wsUrl(above), { code: above.code() })
  await eventually(t, isUp(first), 'first')
  const copy = folder()
  cpSync(first.dataDir, copy, { recursive: true })
  const second = relay(t, '', { dataDir: copy })
  await eventually(t, isUp(second), 'second')
  await eventually(t, () => first.ends.length > 0, 'first is ended')
  t.deepEqual(first.ends, ['fenced'])
  t.true(above.log.some(({ event }) => event === 'fenced'))
  await eventually(t, () => first.control.upstream?.failure?.reason === 'fenced', 'and refused')
  await eventually(
    t,
    () => above.log.some(({ event, reason }) => event === 'trunk-refused' && reason === 'fenced'),
    'told above',
  )
  await eventually(
    t,
    () => first.log.some(({ event, reason }) => event === 'upstream-lost' && reason === 'fenced'),
    'told below',
  )
  t.true(isUp(second)())
})

test('a code is used once, a wrong core is seen, and each is told why', async (t) => {
  const [above, other] = [await core(t), await core(t, { name: 'other' })]
  const code = above.code()
  const first = relay(t, wsUrl(above), { code })
  await eventually(t, isUp(first), 'first')
  const thief = relay(t, wsUrl(above), { code, name: 'thief' })
  await eventually(t, () => thief.control.upstream?.failure?.reason === 'code-used', 'code-used')
  // The code does not exist there, and were it told otherwise: its key is not that of the code.
  const lost = relay(t, wsUrl(other), { code: above.code(), name: 'lost' })
  await eventually(t, () => lost.control.upstream?.failure?.reason === 'bad-code', 'bad-code')
  t.is(thief.sessions.length + lost.sessions.length, 0)
  t.is(above.control.children.sessions.size, 1)
})

test('two relays of different keys cannot be one node', async (t) => {
  const above = await core(t)
  const first = relay(t, wsUrl(above), { code: above.code('one') })
  await eventually(t, isUp(first), 'first')
  const second = relay(t, wsUrl(above), { code: above.code('two') })
  const isRefused = (): boolean => second.control.upstream?.failure?.reason === 'duplicate-node'
  await eventually(t, isRefused, 'refused')
  t.true(isUp(first)())
})

test('revocation on the command line cuts a relay that is connected', async (t) => {
  const above = await core(t)
  const below = relay(t, wsUrl(above), { code: above.code() })
  await eventually(t, isUp(below), 'up')
  new RelayBook(above.dataDir).revoke(NAME, Date.now())
  await eventually(t, () => below.ends.length === 1, 'cut')
  t.deepEqual(below.ends, ['revoked'])
  await eventually(t, () => below.control.upstream?.failure?.reason === 'revoked', 'and refused')
})

test('a lost line is dialled again by the same start, which replaces its former self', async (t) => {
  const above = await core(t)
  const line = await cuttableLine(t, above.port)
  const below = relay(t, wsUrl(line), { code: above.code() })
  await eventually(t, isUp(below), 'up')
  line.freeze()
  below.control.upstream?.session?.close('lease')
  line.thaw()
  await eventually(t, () => below.sessions.length === 2 && isUp(below)(), 'again')
  await eventually(t, () => above.control.children.sessions.size === 1, 'one session')
  line.cut()
  await eventually(t, () => below.sessions.length === 3 && isUp(below)(), 'and again')
  t.is(below.ends.at(-1), 'lost')
  t.false(below.ends.includes('fenced'))
})

test('somebody who stands between with another certificate learns nothing and gets nobody in', async (t) => {
  const above = await core(t, { tls: true })
  // His certificate at the outside, the core at the inside, frames passed on as they are.
  const files = makeTestCertificate()
  const middle = await openServer(t, {
    listen: { host: '127.0.0.1', port: 0, door: 'ws', tls: files },
    sockets: [passOn(`wss://127.0.0.1:${above.port}/trunk`)],
  })
  const below = relay(t, `wss://127.0.0.1:${middle.signaling.port}`, { code: above.code() })
  const isSeen = (): boolean => below.control.upstream?.failure?.reason === 'bad-signature'
  await eventually(t, isSeen, 'seen')
  t.is(below.sessions.length + above.sessions.length, 0)
})

test('strangers get ten seconds, few places, no pages, and no large messages', async (t) => {
  const above = await core(t)
  const dial = (headers: Record<string, string> = {}): WebSocket =>
    new WebSocket(`${wsUrl(above)}/trunk`, ['nhipcau.trunk.1'], { headers })
  const statusOf = (socket: WebSocket): Promise<number> =>
    new Promise((resolve) => {
      socket.on('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode))
      socket.on('open', () => resolve(101))
      socket.on('error', () => {})
    })
  t.is(await statusOf(dial({ origin: 'https://evil.example' })), 403)
  const large = dial()
  t.is(await statusOf(large), 101)
  const closed = new Promise((resolve) => large.once('close', resolve))
  large.send(Buffer.alloc(TRUNK_MESSAGE_BYTES_MAX))
  await closed
  const idle: WebSocket[] = []
  for (let count = 0; count < TRUNK_HANDSHAKES_MAX; count += 1) {
    const socket = dial()
    idle.push(socket)
    t.is(await statusOf(socket), 101)
  }
  t.is(await statusOf(dial()), 503)
  const gone = Promise.all(
    idle.map((socket) => new Promise((resolve) => socket.once('close', resolve))),
  )
  const startMs = performance.now()
  await gone
  t.true(performance.now() - startMs > 5_000)
  t.is(await statusOf(dial()), 101)
  t.is(above.control.children.refusals.get('timeout'), TRUNK_HANDSHAKES_MAX)
})

test('a tree tells its way to the top, and a ring does not close', async (t) => {
  const top = await core(t, { name: 'top' })
  const middleDir = folder()
  rememberUpstream(middleDir, { url: wsUrl(top), code: top.code() })
  const middle = new Node(t, 'middle', { dataDir: middleDir, asRelay: true })
  const server = await openServer(t, { sockets: [middle.control.children.route] })
  middle.port = server.signaling.port
  middle.control.start()
  await eventually(t, isUp(middle), 'middle')
  const bottom = relay(t, wsUrl(middle), { code: middle.code('bottom'), name: 'bottom' })
  await eventually(t, isUp(bottom), 'bottom')
  t.deepEqual(bottom.sessions[0]?.path, ['nmiddle', 'ntop'])
  // The top dials the middle: it finds itself above it.
  const ringDir = folder()
  cpSync(top.dataDir, ringDir, { recursive: true })
  rememberUpstream(ringDir, { url: wsUrl(middle), code: middle.code('ring') })
  const ring = new Node(t, 'top', { dataDir: ringDir, asRelay: true })
  ring.control.start()
  await eventually(t, () => ring.control.upstream?.failure?.reason === 'loop', 'loop')
})

test('a book that cannot be read lets nobody in and harms nothing else', async (t) => {
  const above = await core(t)
  const code = above.code()
  writeFileSync(join(above.dataDir, 'relays.json'), 'x', { mode: 0o600 })
  const below = relay(t, wsUrl(above), { code })
  await eventually(t, () => below.control.upstream?.failure?.reason === 'overloaded', 'refused')
})

/** A TCP line that can stand still and be cut. */
async function cuttableLine(
  t: ExecutionContext,
  port: number,
): Promise<{ port: number; freeze: () => void; thaw: () => void; cut: () => void }> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const all = (act: (socket: Socket) => void) => (): void => {
    for (const socket of [...sockets]) act(socket)
  }
  const cut = all((socket) => socket.destroy())
  t.teardown(() => {
    cut()
    server.close()
  })
  const { port: own } = server.address() as { port: number }
  return {
    port: own,
    freeze: all((socket) => socket.pause()),
    thaw: all((socket) => socket.resume()),
    cut,
  }
}

/** Frames in both directions as they are. */
function passOn(url: string): TrunkControl['children']['route'] {
  const peers = new Map<object, WebSocket>()
  return {
    path: '/trunk',
    subprotocol: 'nhipcau.trunk.1',
    hasPlaceFor: () => true,
    onOpen: (socket) => {
      const peer = new WebSocket(url, ['nhipcau.trunk.1'], { rejectUnauthorized: false })
      peers.set(socket, peer)
      peer.on('message', (data: Buffer) => socket.send(data, false))
      peer.on('close', () => socket.terminate())
      peer.on('error', () => {})
    },
    onMessage: (socket, data) => {
      const peer = peers.get(socket)!
      if (peer.readyState === WebSocket.OPEN) peer.send(data)
      else peer.once('open', () => peer.send(data))
    },
    onClose: (socket) => peers.get(socket)?.terminate(),
  }
}
