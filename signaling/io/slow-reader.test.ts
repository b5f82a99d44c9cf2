/**
 * Whoever does not read, through the real door with the real sessions behind it: the connection is
 * ended, and nobody else waits. That statistics go before it: session.test.ts. Runs over `ws`, and
 * under Debian 13's libc over uWebSockets.js.
 */
import { once } from 'node:events'
import test from 'ava'
import { WebSocket } from 'ws'
import { CHAT_PAGE_ENTRIES_MAX, SESSION_BUFFERED_BYTES_MAX } from '../../config/index.ts'
import { openServer, token } from '../test/server.ts'

type Told = { type: string; ref?: number; code?: string; entries?: unknown[] }

const ENTRY = 'ồ'.repeat(2_000)
const EVENTUAL_MS = 60_000
/**
 * Longest that these tests ask: the rate of messages is bounded, and so is what the kernel holds
 * for a sleeper.
 */
const ASKS_MAX = 400
const PACE_MS = 22

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function eventually(isSo: () => boolean): Promise<boolean> {
  const endMs = performance.now() + EVENTUAL_MS
  while (!isSo() && performance.now() < endMs) await pause(10)
  return isSo()
}

class Guest {
  readonly told: Told[] = []
  readonly socket: WebSocket
  closeCode: number | undefined
  #ref = 0

  constructor(port: number) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['nhipcau.1.json'])
    this.socket.on('message', (data: Buffer) => this.told.push(JSON.parse(data.toString())))
    this.socket.on('close', (code) => {
      this.closeCode = code
    })
    this.socket.on('error', () => undefined)
  }

  say(message: object): number {
    this.#ref += 1
    this.socket.send(JSON.stringify({ ...message, ref: this.#ref }), () => undefined)
    return this.#ref
  }

  async ask(message: object): Promise<Told | undefined> {
    const mine = this.say(message)
    await eventually(() => this.told.some(({ ref }) => ref === mine))
    return this.told.find(({ ref }) => ref === mine)
  }
}

test('a reader that stops is ended with 1013 behind a bounded buffer; who reads goes on', async (t) => {
  const server = await openServer(t)
  const { port, counters, door } = server.signaling
  if (process.env.NHIPCAU_TEST_SUITE === 'doors') t.is(door, 'uws')
  const [reader, slow] = [new Guest(port), new Guest(port)]
  t.teardown(() => {
    for (const { socket } of [reader, slow]) socket.terminate()
  })
  await Promise.all([reader, slow].map(({ socket }) => once(socket, 'open')))
  for (const guest of [reader, slow]) {
    t.is((await guest.ask({ type: 'join', token: await token() }))?.type, 'joined')
  }
  for (let entry = 0; entry < CHAT_PAGE_ENTRIES_MAX; entry++) {
    t.is((await reader.ask({ type: 'chat', text: ENTRY }))?.type, 'ok')
    await pause(PACE_MS)
  }
  const page = await slow.ask({ type: 'chat-history', limit: CHAT_PAGE_ENTRIES_MAX })
  t.is(page?.entries?.length, CHAT_PAGE_ENTRIES_MAX)

  slow.socket.pause()
  const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external
  let grownBytes = 0
  let asks = 0
  for (; asks < ASKS_MAX && counters.slowReaders === 0; asks++) {
    slow.say({ type: 'chat-history', limit: CHAT_PAGE_ENTRIES_MAX })
    await pause(PACE_MS)
    const { arrayBuffers, external } = process.memoryUsage()
    grownBytes = Math.max(grownBytes, arrayBuffers + external - before)
  }
  t.is(counters.slowReaders, 1, `after ${asks} answers of 600 KB`)
  t.log(`${door}: ended after ${asks} asks, at most ${(grownBytes / 2 ** 20).toFixed(1)} MB more`)
  t.true(grownBytes < 24 * SESSION_BUFFERED_BYTES_MAX, `${grownBytes} bytes`)
  t.is((await reader.ask({ type: 'ping' }))?.type, 'pong', 'nobody else waits')
  slow.socket.resume()
  t.true(await eventually(() => slow.closeCode !== undefined))
  // Cut before the closing handshake when even that could not be written in time.
  t.true([1013, 1006].includes(slow.closeCode ?? 0), `${slow.closeCode}`)
  t.is(reader.closeCode, undefined)
  t.deepEqual(server.faults, [])
})
