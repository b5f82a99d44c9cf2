/** WebSockets that send too much, too fast, nonsense or nothing, or do not read (docs/PROTOCOL.md §1). */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { pack } from 'msgpackr'
import {
  CHAT_PAGE_ENTRIES_MAX,
  JOIN_MS_MAX,
  MESSAGES_BURST_MAX,
  MESSAGES_PER_S_MAX,
} from '../../../config/index.ts'
import { Arena } from './arena.ts'
import { RawSocket } from './raw-socket.ts'

const MEGABYTE = 1024 * 1024
const MSGPACK = ['nhipcau.1.msgpack']
/** Whoever is cut before the closing handshake sees 1006. */
const CUT = 1006
const CLOSED_POLICY = 1008
const CLOSED_TOO_LARGE = 1009
const refusals = (code: string): string => `nhipcau_door_refusals_total{code="${code}"}`

let arena: Arena
let idle: RawSocket[] = []
let idleSinceMs = 0
test.before(async () => {
  arena = await Arena.open()
  idle = await Promise.all(Array.from({ length: 500 }, () => RawSocket.open(arena.doorUrl)))
  idleSinceMs = performance.now()
})
test.after.always(() => arena.close())

async function open(t: ExecutionContext<unknown>, protocols?: string[]): Promise<RawSocket> {
  const raw = await RawSocket.open(arena.doorUrl, protocols)
  t.teardown(() => raw.close())
  return raw
}

async function joined(t: ExecutionContext<unknown>, room: string): Promise<RawSocket> {
  const raw = await open(t)
  raw.say({ type: 'join', token: await arena.token({ room }) })
  t.truthy(await raw.hear(({ type }) => type === 'joined'))
  // Those whom the server cut would keep their seats for a minute.
  t.teardown(() => arena.closeRoom(room))
  return raw
}

test.serial(
  'a frame of 16 MB ends its connection as too large, before and after the join',
  async (t) => {
    const frame = randomBytes(16 * MEGABYTE)
    for (const raw of [await open(t), await open(t, MSGPACK), await joined(t, 'frames')]) {
      await arena.attack(t, {}, async () => {
        raw.sayRaw(frame)
        t.true([CLOSED_TOO_LARGE, CUT].includes((await raw.ended()) ?? 0), `${raw.closeCode}`)
      })
    }
  },
)

test.serial('fragments without end are cut at the size of an offer', async (t) => {
  const raw = await open(t)
  let sentBytes = 0
  await arena.attack(t, {}, async () => {
    const fragment = 'x'.repeat(4_096)
    while (raw.closeCode === undefined && sentBytes < 8 * MEGABYTE) {
      raw.sayRaw(fragment, { fin: false })
      sentBytes += fragment.length
      if (sentBytes % (64 * 1024) === 0) await sleep(2)
    }
  })
  t.true([CLOSED_TOO_LARGE, CUT].includes(raw.closeCode ?? 0), `${raw.closeCode}`)
  t.true(sentBytes < 4 * MEGABYTE, `${sentBytes} bytes`)
})

test.serial('tiny fragments without end cost no memory', async (t) => {
  const raws = await Promise.all(Array.from({ length: 20 }, () => open(t)))
  const rss = 'nhipcau_process_resident_memory_bytes'
  const before = (await arena.series()).get(rss) ?? 0
  await arena.attack(t, {}, async () => {
    for (let index = 0; index < 5_000; index++) {
      for (const raw of raws) raw.sayRaw(index % 2 === 0 ? 'x' : '', { fin: false })
      if (index % 25 === 0) await sleep(1)
    }
  })
  const grownMb = (((await arena.series()).get(rss) ?? 0) - before) / MEGABYTE
  t.true(grownMb < 30, `${grownMb} MB for 100,000 fragments`)
})

test.serial('a message of more than 64 KiB that is no offer is too large', async (t) => {
  const raw = await open(t)
  await arena.attack(t, {}, async () => {
    raw.say({ type: 'ping', filler: 'x'.repeat(100_000) })
    t.is(await raw.ended(), CLOSED_TOO_LARGE)
  })
  t.is(raw.told.at(-1)?.code, 'too-large')
})

test.serial(
  'unknown, malformed and untimely messages are refused by code, then the connection ends',
  async (t) => {
    const nonsense = [
      '',
      '{',
      '[]',
      'null',
      '{"type":"__proto__"}',
      '{"type":"constructor"}',
      '{"type":"toString","ref":1}',
      '{"__proto__":{"type":"ping"}}',
      '{"type":"chat","text":5}',
      `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
      `{"type":"ping","a":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
    ]
    const raw = await open(t)
    await arena.attack(t, { [refusals('bad-message')]: 90 }, async () => {
      for (let turn = 0; turn < 20; turn++) {
        for (const text of nonsense) raw.sayRaw(text)
        await sleep(20)
      }
      t.is(await raw.ended(), CLOSED_POLICY)
    })
    t.is(raw.told.at(-1)?.type, 'bye')
  },
)

test.serial('hostile msgpack is refused: types of others, bombs of length and depth', async (t) => {
  const bombs = [
    'c1',
    'dfffffffff',
    'ddffffffff',
    'dbffffffff',
    'c6ffffffff',
    'c7ff7f',
    'd4ff00',
    'd60000000000',
    'd4720840',
    `${'91'.repeat(5_000)}c0`,
    '81a95f5f70726f746f5f5f81a474797065a470696e67',
  ].map((hex) => Buffer.from(hex, 'hex'))
  const raw = await open(t, MSGPACK)
  let count = 0
  await arena.attack(t, { [refusals('bad-message')]: bombs.length * 5 }, async () => {
    for (let turn = 0; turn < 5; turn++) {
      for (const bomb of bombs) raw.sayRaw(bomb, { binary: true })
      count += bombs.length
      raw.sayRaw(randomBytes(200), { binary: true })
      await sleep(20)
    }
    raw.sayRaw(pack({ type: 'chat', text: 'too early' }), { binary: true })
    await sleep(100)
  })
  t.true(count > 50)
  t.is(raw.closeCode, undefined, 'below the bound of refusals it may go on')
})

test.serial(
  'text that is not UTF-8, and the other kind of frame, are not understood',
  async (t) => {
    const [json, packed] = [await open(t), await open(t, MSGPACK)]
    await arena.attack(t, { [refusals('bad-message')]: 2 }, async () => {
      json.sayRaw(Buffer.from('{"type":"ping"}'), { binary: true })
      packed.sayRaw('{"type":"ping"}', { binary: false })
      t.truthy(await json.hear(({ code }) => code === 'bad-message'))
      json.sayRaw(Buffer.from('7b22ff', 'hex'), { binary: false })
      t.true([1007, CUT].includes((await json.ended()) ?? 0), `${json.closeCode}`)
    })
  },
)

test.serial('10,000 messages a second are refused, then the connection ends', async (t) => {
  const raw = await joined(t, 'flood')
  const startedMs = performance.now()
  await arena.attack(t, { [refusals('rate-limited')]: 90 }, async () => {
    for (let index = 0; index < 10_000; index++) raw.say({ type: 'ping', ref: index })
    t.true([CLOSED_POLICY, CUT].includes((await raw.ended()) ?? 0), `${raw.closeCode}`)
  })
  const seconds = Math.ceil((performance.now() - startedMs) / 1_000)
  const pongs = raw.told.filter(({ type }) => type === 'pong').length
  t.true(pongs <= MESSAGES_BURST_MAX + MESSAGES_PER_S_MAX * seconds, `${pongs} in ${seconds} s`)
  t.like(raw.told.at(-1), { code: 'rate-limited' })
})

test.serial('a slow reader is ended, and never grows memory', async (t) => {
  const room = 'slow'
  const writer = await joined(t, room)
  for (let entry = 1; entry <= CHAT_PAGE_ENTRIES_MAX; entry++) {
    writer.say({ type: 'chat', ref: entry, text: 'ồ'.repeat(2_000) })
    t.is((await writer.hear(({ ref }) => ref === entry))?.type, 'ok')
    await sleep(22)
  }
  const slow = await joined(t, room)
  const rss = 'nhipcau_process_resident_memory_bytes'
  const before = (await arena.series()).get(rss) ?? 0
  let peak = 0
  await arena.attack(t, {}, async () => {
    slow.socket.pause()
    // Each answer is 600 KB; a reader who reads would get some 60 MB.
    for (let ask = 0; ask < 100; ask++) {
      slow.say({ type: 'chat-history', limit: CHAT_PAGE_ENTRIES_MAX })
      await sleep(15)
      if (ask % 10 === 0) peak = Math.max(peak, (await arena.series()).get(rss) ?? 0)
    }
    slow.socket.resume()
    t.true([1013, CUT].includes((await slow.ended()) ?? 0), `${slow.closeCode}`)
  })
  const grownMb = (peak - before) / MEGABYTE
  t.log(`memory grew by ${grownMb.toFixed(0)} MB`)
  t.true(grownMb < 60, `${grownMb} MB`)
  t.true(((await arena.series()).get('nhipcau_door_slow_readers_total') ?? 0) >= 1)
})

test.serial(
  'chat texts are text: HTML goes through as it is, control characters not at all',
  async (t) => {
    const raw = await joined(t, 'chat')
    const html = '<img src=x onerror=alert(1)><script>alert(2)</script>'
    await arena.attack(t, { [refusals('bad-message')]: 4 }, async () => {
      raw.say({ type: 'chat', text: html })
      for (const bad of ['a\0b', '\u001b[2J', '\u0007', 'x'.repeat(2_001)]) {
        raw.say({ type: 'chat', text: bad })
      }
      const heard = await raw.hear(({ type }) => type === 'chat')
      t.like(heard, { entries: [{ text: html }] })
    })
  },
)

test.serial('a foreign page, a foreign path and unknown subprotocols are not let in', async (t) => {
  const { doorUrl } = arena
  const refusal = async (...args: Parameters<typeof RawSocket.open>): Promise<string> =>
    (await t.throwsAsync(RawSocket.open(...args))).message
  await arena.attack(t, {}, async () => {
    t.regex(await refusal(doorUrl, []), /400/)
    t.regex(await refusal(doorUrl, ['nhipcau.9.json', 'chat']), /400/)
    t.regex(await refusal(doorUrl.replace('/ws', '/ws/../ws2')), /404/)
    const origin = { headers: { origin: 'https://evil.example' } }
    t.regex(await refusal(doorUrl, undefined, origin), /403/)
    const rebound = { headers: { origin: 'http://evil.example', host: 'rebind.example' } }
    t.regex(await refusal(doorUrl, undefined, rebound), /403/)
    t.regex(await refusal(doorUrl, undefined, { headers: { origin: 'null' } }), /403/)
  })
})

test.serial('whoever has not joined within ten seconds is told and closed', async (t) => {
  await sleep(Math.max(0, JOIN_MS_MAX + 1_000 - (performance.now() - idleSinceMs)))
  for (const raw of idle) await raw.ended()
  t.deepEqual([...new Set(idle.map(({ closeCode }) => closeCode))], [CLOSED_POLICY])
  t.true(idle.every(({ told }) => told.at(-1)?.code === 'bad-state'))
})

test.serial('afterwards nothing is left', async (t) => {
  await arena.assertBaseline(t)
})
