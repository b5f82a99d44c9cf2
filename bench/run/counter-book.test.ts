import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { CounterBook } from './counter-book.ts'
import type { RunningNode } from './node.ts'

const SENT = 'nhipcau_media_sent_packets_total'

/** A node that says what it is told to say, as the process that it is told to be. */
async function node(t: ExecutionContext) {
  const now = { sent: 0, pid: process.pid }
  const server = createServer((_, response) =>
    response.end(`# TYPE ${SENT} counter\n${SENT} ${now.sent}\n`),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const it = {
    id: 'core',
    metricsUrl: `http://127.0.0.1:${port}/metrics`,
    processes: () => (now.pid === 0 ? [] : [{ id: 'core', pid: now.pid }]),
  } as Partial<RunningNode> as RunningNode
  return { now, it }
}

test('what was counted before the zero does not count, what a restarted node counts does', async (t) => {
  const { now, it } = await node(t)
  const book = new CounterBook([it])
  now.sent = 1000
  await book.read(0)
  now.sent = 1500
  await book.read(5)
  now.pid = 0
  await book.read(6)
  // More than before, and yet from zero: only the process tells.
  Object.assign(now, { sent: 2000, pid: process.ppid })
  await book.read(10)
  t.is(book.counted()?.counters.get(SENT), 2500)
  const [series] = book.series()
  t.is(series?.id, 'forward.core.packetsPerSecond')
  t.deepEqual(series?.atS, [5, 10])
  t.deepEqual(series?.values, [100, 400])
})

test('the steady stretch is between the first beginning and the first end', async (t) => {
  const { now, it } = await node(t)
  const book = new CounterBook([it])
  await book.read(0)
  t.is(book.steady(), undefined)
  now.sent = 100
  await book.read(2)
  book.beginSteady(2)
  now.sent = 700
  await book.read(5)
  book.endSteady(5)
  now.sent = 900
  await book.read(8)
  book.endSteady(8)
  const stretch = book.steady()
  t.is(stretch?.seconds, 3)
  t.is(stretch?.counted.counters.get(SENT), 600)
  t.true((stretch?.cpuSeconds ?? -1) >= 0)
})

test('nodes without counters have none, rather than zeros', async (t) => {
  const { it } = await node(t)
  const book = new CounterBook([{ ...it, metricsUrl: undefined }])
  await book.read(0)
  t.is(book.counted(), undefined)
})
