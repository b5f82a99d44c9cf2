import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { Packr } from 'msgpackr'
import { type WebSocket, WebSocketServer } from 'ws'
import { EnterError, type Entered, SiteSession } from './site-session.ts'

const packr = new Packr({ useRecords: false, mapsAsObjects: true })

type Told = Record<string, unknown> & { type: string; ref?: number }
type Answer = Record<string, unknown> & { type: string }

/** A door that answers each `join` with what the test says, in order; the last one for ever. */
async function startDoor(t: ExecutionContext, answers: readonly Answer[]) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const joins: Told[] = []
  const sockets: WebSocket[] = []
  server.on('connection', (socket) => {
    sockets.push(socket)
    socket.on('message', (data: Buffer) => {
      const told = packr.unpack(data) as Told
      if (told.type !== 'join') return
      const answer = answers[Math.min(joins.length, answers.length - 1)]
      joins.push(told)
      socket.send(packr.pack({ ...answer, ref: told.ref }))
    })
  })
  t.teardown(() => {
    for (const socket of sockets) socket.terminate()
    server.close()
  })
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`
  const say = (message: Answer): void => sockets.at(-1)?.send(packr.pack(message))
  return { url, joins, sockets, say, server }
}

function startSession(t: ExecutionContext, doorUrl: string, reconnects = true) {
  const back = Promise.withResolvers<Entered>()
  const lost: { why: string; isFinal: boolean }[] = []
  const ended = Promise.withResolvers<void>()
  const session = new SiteSession({
    doorUrl,
    token: 'a token',
    random: () => 0,
    reconnects,
    onMessage: () => {},
    onLost: (why, isFinal) => {
      lost.push({ why, isFinal })
      if (isFinal) ended.resolve()
    },
    onBack: (entered) => back.resolve(entered),
  })
  t.teardown(() => session.end())
  return { session, back: back.promise, ended: ended.promise, lost }
}

const JOINED = { type: 'joined', session: 's1', secret: 'x', resumed: false }

test('a lost connection comes back by itself, within the session', async (t) => {
  const door = await startDoor(t, [JOINED, { ...JOINED, resumed: true, slots: [] }])
  const { session, back, lost } = startSession(t, door.url)
  await session.enter(false)
  door.sockets[0]?.terminate()
  const { joined } = await back
  t.true(joined.resumed)
  t.deepEqual(door.joins[1]?.resume, { session: 's1', secret: 'x' })
  t.deepEqual(
    lost.map(({ isFinal }) => isFinal),
    [false],
  )
  t.true(session.isOpen)
})

test('a session that is gone is joined anew on the same connection', async (t) => {
  const gone = { type: 'error', code: 'session-gone', message: 'too late', fatal: false }
  const door = await startDoor(t, [JOINED, gone, { ...JOINED, session: 's2' }])
  const { session, back } = startSession(t, door.url)
  await session.enter(false)
  door.sockets[0]?.terminate()
  await back
  t.is(door.joins.length, 3)
  t.is(door.joins[2]?.resume, undefined)
  t.is(door.sockets.length, 2)
})

test('who was kicked does not come back, and who shall not reconnect neither', async (t) => {
  const door = await startDoor(t, [JOINED])
  const kicked = startSession(t, door.url)
  await kicked.session.enter(false)
  door.say({ type: 'bye', code: 'kicked', message: 'out' })
  await kicked.ended
  t.regex(kicked.lost[0]?.why ?? '', /kicked/)
  const still = startSession(t, door.url, false)
  await still.session.enter(false)
  door.sockets[1]?.terminate()
  await still.ended
  t.is(door.joins.length, 2)
})

test('a join that fails names its step, and whether trying again is of use', async (t) => {
  const refused = (code: string) => ({ type: 'error', code, message: 'no', fatal: true })
  for (const [code, isFinal] of [
    ['unauthorized', true],
    ['overloaded', false],
  ] as const) {
    const door = await startDoor(t, [refused(code)])
    const { session } = startSession(t, door.url)
    const error = await t.throwsAsync<EnterError>(session.enter(false), { instanceOf: EnterError })
    t.is(error?.step, 'join')
    t.is(error?.isFinal, isFinal)
    t.false(session.isOpen)
  }
  const { session } = startSession(t, 'ws://127.0.0.1:9/ws')
  const error = await t.throwsAsync<EnterError>(session.enter(false), { instanceOf: EnterError })
  t.is(error?.step, 'door')
})

test('an attempt that was overtaken lets its connection go', async (t) => {
  const door = await startDoor(t, [JOINED])
  const { session } = startSession(t, door.url)
  const first = session.enter(false)
  const second = session.enter(false)
  await t.throwsAsync(first, { message: /meanwhile/ })
  await second
  t.true(session.isOpen)
  t.is(door.joins.length, 2)
})
