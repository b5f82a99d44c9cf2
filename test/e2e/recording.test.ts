/** What a room heard and saw is on disk as segments, and comes back as a film that a browser plays. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { hashOf, readSegment, type Segment } from '../../core/keeper/index.ts'
import { eventually, openBrowser } from './browser.ts'
import { startCore } from './core-process.ts'
import { joinDemo, openPerson } from './person.ts'

/** All segments of a data folder, by their beginnings; each has the name that its bytes give. */
function segmentsOf(dataDir: string): Segment[] {
  const folder = join(dataDir, 'segments')
  const segments: Segment[] = []
  for (const prefix of readdirSync(folder).filter((name) => /^[0-9a-f]{2}$/.test(name))) {
    for (const name of readdirSync(join(folder, prefix))) {
      const bytes = readFileSync(join(folder, prefix, name))
      if (`${hashOf(bytes)}.seg` !== name) throw new Error(`${name} is not what it is called`)
      segments.push(readSegment(bytes)!)
    }
  }
  return segments.sort((one, other) => one.startMs - other.startMs)
}

test('what is said and shown is on disk in chains of segments', async (t) => {
  const core = await startCore(t, { env: { NHIPCAU_KEEPER: 'true' } })
  const context = await openBrowser(t)
  const mai = await openPerson(context)
  await joinDemo(mai, core.url, { name: 'Lò Thị Mai', language: 'vi' })
  await eventually('a few segments of sound and picture are stored', () => {
    const uses = segmentsOf(core.dataDir).map(({ use }) => use)
    return ['microphone', 'camera'].every((use) => uses.filter((one) => one === use).length >= 4)
  })
  await core.stop()
  const all = segmentsOf(core.dataDir)
  for (const use of ['microphone', 'camera']) {
    const track = all.filter((segment) => segment.use === use)
    t.true(track.every(({ name, room }) => name === 'Lò Thị Mai' && room === 'demo'))
    t.deepEqual(
      track.map(({ sequence }) => sequence),
      track.map((_, index) => index),
    )
  }
})
