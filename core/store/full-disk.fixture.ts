/**
 * Child of event-store.test.ts, run on a small file system of its own: fills it, appends until
 * refused, makes room again and prints what happened as one line of JSON.
 */
import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RoomEvent } from '../conference/index.ts'
import { openEventStore } from './index.ts'

const folder = process.argv[2]!
const ballast = join(folder, 'ballast')
writeFileSync(ballast, new Uint8Array(256 * 1024))
const store = openEventStore({ folder: join(folder, 'data'), randomBytes, wallMs: 0 })
let sequence = 0

async function append(): ReturnType<typeof store.append> {
  const place = { origin: 'na', sequence: sequence + 1, time: sequence + 1, room: 'hall' }
  const payload = { participant: 'pa', name: '', site: '', text: 'x'.repeat(2_000) }
  const event: RoomEvent = { ...place, type: 'chat', payload }
  const result = await store.append([event])
  if (result.ok) sequence += 1
  return result
}

let refused = await append()
while (refused.ok && sequence < 10_000) refused = await append()
const acknowledged = sequence
const again = await append()
rmSync(ballast)
const healed = await append()
await store.close()
const reopened = openEventStore({ folder: join(folder, 'data'), randomBytes, wallMs: 0 })
const { report } = reopened
await reopened.close()
process.stdout.write(JSON.stringify({ acknowledged, refused, again, healed, report }))
