/**
 * Child of event-store.test.ts: appends batches for ever and prints the last acknowledged sequence,
 * until it is killed.
 */
import { randomBytes } from 'node:crypto'
import type { RoomEvent } from '../conference/index.ts'
import { openEventStore } from './index.ts'

const store = openEventStore({ folder: process.argv[2]!, randomBytes, wallMs: 0 })
let sequence = store.versionVector()[store.nodeId] ?? 0

for (;;) {
  const batch: RoomEvent[] = []
  for (let count = 0; count < 20; count += 1) {
    sequence += 1
    const place = { origin: store.nodeId, sequence, time: sequence, room: 'hall' }
    batch.push({ ...place, type: 'locked', payload: { locked: sequence % 2 === 0 } })
  }
  if (!(await store.append(batch)).ok) process.exit(3)
  process.stdout.write(`${sequence}\n`)
}
