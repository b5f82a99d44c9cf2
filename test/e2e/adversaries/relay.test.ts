/** A core with a relay below it and a call that crosses: what strangers, liars and copies of the relay may do to it. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { WebSocket } from 'ws'
import { OPUS_PAYLOAD_TYPE } from '../../../bench/site/offer.ts'
import { createLog, systemClock } from '../../../core/io/index.ts'
import type { TrunkSession } from '../../../relay/control/index.ts'
import { loadNodeKey, RelayBook, rememberUpstream } from '../../../relay/identity/index.ts'
import { TRUNK_SUBPROTOCOL } from '../../../relay/io/child-socket.ts'
import { openTrunkControl } from '../../../relay/io/trunk-control.ts'
import { type CoreProcess, NHIPCAU, startRelay } from '../core-process.ts'
import { Arena } from './arena.ts'
import { eventual, settled } from './eventual.ts'
import { joinTicking } from './steady-call.ts'

const NAME = 'Lai Châu'

const dropped = (reason: string): string => `nhipcau_trunk_dropped_total{reason="${reason}"}`

/** Stands between relay and core, passes everything on, and keeps what the relay has sent. */
class Tap {
  readonly captured: Buffer[] = []
  readonly #front: Socket
  readonly #back: Socket

  private constructor(front: Socket, back: Socket) {
    this.#front = front
    this.#back = back
  }

  static async open(): Promise<Tap> {
    const [front, back] = [createSocket('udp4'), createSocket('udp4')]
    front.bind(0, '127.0.0.1')
    back.bind(0, '127.0.0.1')
    await Promise.all([once(front, 'listening'), once(back, 'listening')])
    return new Tap(front, back)
  }

  get port(): number {
    return this.#front.address().port
  }

  passTo(corePort: number): void {
    let relayPort = 0
    this.#front.on('message', (bytes, { port }) => {
      relayPort = port
      if (this.captured.length < 400) this.captured.push(bytes)
      this.#back.send(bytes, corePort, '127.0.0.1')
    })
    this.#back.on('message', (bytes) => this.#front.send(bytes, relayPort, '127.0.0.1'))
  }

  close(): void {
    this.#front.close()
    this.#back.close()
  }
}

let arena: Arena
let relay: CoreProcess
let tap: Tap
let trunkPort = 0
/** Sequence numbers of voice as a listener at the relay gets them. */
const heard: number[] = []
const cleanups: (() => unknown)[] = []
const life = { teardown: (fn: () => unknown) => cleanups.push(fn) } as unknown as ExecutionContext

const relayEnv = (): Record<string, string> => ({
  NHIPCAU_ANNOUNCED_IPS: '127.0.0.1',
  NHIPCAU_TRUNK_UPSTREAM_PORT: String(tap.port),
})

test.before(async () => {
  tap = await Tap.open()
  arena = await Arena.open()
  const ready = arena.core.log.find(({ msg }) => msg === 'trunk thread is ready')
  trunkPort = Number(ready?.port)
  tap.passTo(trunkPort)
  relay = await startRelay(life, arena.core, { name: NAME, env: relayEnv() })
  // It learns from above whose tokens are good.
  if (!(await eventual(() => relay.log.some(({ event }) => event === 'upstream'))))
    throw new Error('the relay does not come in')
  const { leave } = await joinTicking(arena.context, {
    doorUrl: `ws://127.0.0.1:${relay.httpPort}/ws`,
    token: await arena.token({ room: 'call', role: 'viewer' }),
    plans: [{ use: 'audio' }],
    transportWide: false,
    onMedia: (_site, datagram, isRtcp) => {
      if (isRtcp || datagram.length < 22) return
      if ((datagram[1]! & 0x7f) === OPUS_PAYLOAD_TYPE) heard.push(datagram.readUInt16BE(2))
    },
  })
  cleanups.push(leave)
  if (!(await eventual(() => heard.length > 50 && tap.captured.length > 20)))
    throw new Error('the call does not cross the trunk')
})

test.after.always(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup()
  await arena?.close()
  tap?.close()
})

/** What `arena.attack` proves of the call at the core is true of the one over the trunk as well: nothing is missing. */
async function attack(
  t: ExecutionContext<unknown>,
  drops: Record<string, number>,
  act: () => Promise<void>,
): Promise<void> {
  const from = heard.length
  await arena.attack(t, drops, act)
  t.true(
    await eventual(() => heard.length > from + 50),
    'the listener at the relay goes on hearing',
  )
  const got = new Set(heard.slice(from))
  const [first, last] = [Math.min(...got), Math.max(...got)]
  // Not over a wrap of the numbers: those of the call begin low.
  t.is(last - first + 1, got.size, 'no number is missing over the trunk')
}

/** Sends from a socket of its own; returns how many bytes came back. */
async function fromAStranger(
  send: (to: (bytes: Buffer) => Promise<void>) => Promise<void>,
): Promise<number> {
  const socket = createSocket('udp4')
  let answeredBytes = 0
  socket.on('message', (bytes) => {
    answeredBytes += bytes.length
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  let sent = 0
  await send(async (bytes) => {
    socket.send(bytes, trunkPort, '127.0.0.1')
    sent += 1
    // Bursts that fit the kernel's buffer.
    if (sent % 50 === 0) await arena.read()
  })
  await settled(() => answeredBytes)
  socket.close()
  return answeredBytes
}

test.serial('datagrams of foreign SSRCs are counted and not answered', async (t) => {
  let answered = 0
  await attack(t, { [dropped('trunk-unknown')]: 900 }, async () => {
    answered = await fromAStranger(async (send) => {
      for (let i = 0; i < 1_000; i++) {
        const bytes = randomBytes(200)
        bytes[0] = 0x80
        await send(bytes)
      }
    })
  })
  t.is(answered, 0)
})

test.serial(
  'forged and replayed datagrams of the trunk itself are counted, not answered, and move nothing',
  async (t) => {
    const real = tap.captured.slice(0, 20)
    let answered = 0
    await attack(t, { [dropped('srtp-auth-failed')]: 400 }, async () => {
      answered = await fromAStranger(async (send) => {
        for (let i = 0; i < 500; i++) {
          const forged = Buffer.from(real[i % real.length]!)
          // A number that was not there yet, with a tag that cannot be its.
          forged.writeUInt16BE((real.at(-1)!.readUInt16BE(2) + 5_000 + i) & 0xffff, 2)
          await send(forged)
        }
        for (let i = 0; i < 500; i++) await send(real[i % real.length]!)
      })
    })
    t.is(answered, 0)
  },
)

test.serial('rubbish on the path of trunks ends with its own connection', async (t) => {
  await attack(t, {}, async () => {
    const ends = Array.from({ length: 20 }, async (_, i) => {
      const socket = new WebSocket(`ws://127.0.0.1:${arena.core.httpPort}/trunk`, [
        TRUNK_SUBPROTOCOL,
      ])
      socket.on('error', () => undefined)
      socket.on('open', () => socket.send(i % 2 === 0 ? randomBytes(1 + i * 100) : 'text'))
      await once(socket, 'close')
    })
    await Promise.all(ends)
  })
})

test.serial(
  'a relay that says what it must not loses its trunk, not the node, and comes in again',
  async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'nhipcau-liar-'))
    t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
    const book = new RelayBook(arena.core.dataDir)
    const nodeKey = loadNodeKey(arena.core.dataDir).publicKey
    const code = book.createCode({ name: 'Liar', nodeKey, ttlMs: 60_000, wallMs: Date.now() })
    rememberUpstream(dataDir, { url: `ws://127.0.0.1:${arena.core.httpPort}`, code })
    const sessions: TrunkSession[] = []
    const ends: string[] = []
    const control = openTrunkControl({
      dataDir,
      asRelay: true,
      self: { nodeId: 'nliar', name: 'Liar', program: '0.1.0' },
      certificateFile: '',
      media: () => ({ address: '', port: 0 }),
      upstreamMediaPort: 0,
      tokenKeys: [],
      leaseMs: 10_000,
      clock: systemClock,
      log: createLog('silent'),
      onSession: (session) => {
        sessions.push(session)
        session.onMessage = () => undefined
        session.onDatagram = () => undefined
        session.onClosed = (reason) => ends.push(reason)
      },
    })
    t.teardown(() => control.close())
    control.start()
    await attack(t, {}, async () => {
      for (let round = 1; round <= 2; round++) {
        t.true(await eventual(() => sessions.length === round), `comes in, ${round}`)
        sessions.at(-1)!.send({ type: 'rooms', rooms: [{ room: 7, present: 'yes' }] } as never)
        t.true(await eventual(() => ends.length === round), `is cut, ${round}`)
      }
    })
    t.deepEqual(ends, ['malformed', 'malformed'])
  },
)

test.serial(
  'of two relays with one identity the older is fenced, and both logs say so',
  async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'nhipcau-copy-'))
    t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
    cpSync(relay.dataDir, dataDir, { recursive: true })
    const mark = arena.call.mark()
    const copy = await startRelay(t, arena.core, { name: NAME, dataDir, env: relayEnv() })
    const isFenced = (entry: Record<string, unknown>): boolean =>
      entry.event === 'fenced' || entry.reason === 'fenced'
    t.true(await eventual(() => arena.core.log.some(isFenced)), 'the core says so')
    t.true(
      await eventual(() => relay.log.some(isFenced) || copy.log.some(isFenced)),
      'a relay does',
    )
    t.is((await arena.call.verdict(mark)).missing, 0)
    await copy.stop()
  },
)

test.serial('a relay whose key is revoked is cut', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'nhipcau-revoked-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const other = await startRelay(t, arena.core, { name: 'Sìn Hồ', dataDir, env: relayEnv() })
  const env = { ...process.env, NHIPCAU_DATA_DIR: arena.core.dataDir }
  const has = (log: CoreProcess['log'], event: string, key: string, value: string): boolean =>
    log.some((entry) => entry.event === event && entry[key] === value)
  t.true(await eventual(() => has(arena.core.log, 'child', 'relay', 'Sìn Hồ')), 'came in')
  const mark = arena.call.mark()
  execFileSync(NHIPCAU, ['enrol', '--revoke', 'Sìn Hồ'], { env, stdio: 'ignore' })
  t.true(
    await eventual(() => has(arena.core.log, 'revoked', 'relay', 'Sìn Hồ')),
    'the core says so',
  )
  t.true(await eventual(() => other.log.some(({ reason }) => reason === 'revoked')), 'it is told')
  t.is((await arena.call.verdict(mark)).missing, 0)
})

test.serial('afterwards nothing is left', async (t) => {
  await arena.assertBaseline(t)
})
