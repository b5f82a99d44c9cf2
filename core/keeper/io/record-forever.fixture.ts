/** A process that records sound until it is killed; writes how many segments were told as stored. Not shipped. */
import { ROOM_START_MS, soundSegment } from '../segment.fixture.ts'
import { SegmentDisk } from './segment-disk.ts'

const disk = await SegmentDisk.open({
  folder: process.argv[2]!,
  origin: 'node-1',
  bounds: { hours: 4, bytes: 1_000_000_000 },
  now: () => ({ nowMs: 0, wallMs: ROOM_START_MS }),
  onStored: (entries) => process.stdout.write(`${entries.at(-1)!.sequence}\n`),
  onDropped: () => undefined,
  onDamaged: () => undefined,
  onHealth: () => undefined,
  onNote: () => undefined,
})
const track = { room: 'giao-ban', participant: 'p1', use: 'microphone', name: 'Mai' } as const
for (let index = 0; ; index++) {
  const { frames, ...rest } = soundSegment({ startMs: ROOM_START_MS + index * 2_000 })
  for (let count = 0; count < 5; count++) disk.record({ track, draft: { ...rest, frames } })
  await disk.flush()
}
