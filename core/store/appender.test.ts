import test from 'ava'
import type { RoomEvent } from '../conference/index.ts'
import { Appender } from './appender.ts'

/** Writes nothing: dies of a batch of one, takes any other. */
const FRAIL = `
  import { parentPort } from 'node:worker_threads'
  parentPort.on('message', ({ type, events }) => {
    if (type === 'close') parentPort.close()
    else if (events.length === 1) throw new Error('a bug in the thread')
    else parentPort.postMessage({ ok: true })
  })`

test('when its thread dies, what did not get to the disk has failed, and the next batch starts another', async (t) => {
  const durable: number[] = []
  const appender = new Appender({
    path: '',
    pageCountMax: 0,
    onDurable: (events) => durable.push(events.length),
    // It died of the batch of five after the commit, of the others before.
    isOnDisk: ({ sequence }) => sequence === 5,
    entry: new URL(`data:text/javascript,${encodeURIComponent(FRAIL)}`),
  })
  const event = { type: 'locked', payload: { locked: true }, room: 'hall' } as const
  const batch = (count: number): RoomEvent[] =>
    Array.from({ length: count }, (_, index) => ({
      ...event,
      ...{ origin: 'na', sequence: index + 1, time: index + 1 },
    }))
  t.deepEqual(await appender.append(batch(3)), { ok: true })
  const failed = { ok: false, cause: 'failed' } as const
  const onTheirWay = [1, 4, 5, 0].map((count) => appender.append(batch(count)))
  t.deepEqual(await Promise.all(onTheirWay), [failed, failed, { ok: true }, failed])
  t.deepEqual(await appender.append(batch(2)), { ok: true })
  t.deepEqual(durable, [3, 5, 2])
  await appender.close()
  await appender.close()
  t.deepEqual(await appender.append(batch(2)), failed)
})
