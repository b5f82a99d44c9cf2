import test from 'ava'
import { type GotPacket, SimulatedTrunk } from './simulated-trunk.fixture.ts'

const LAYERS = [
  { bitrateBps: 150_000, heightPx: 180 },
  { bitrateBps: 450_000, heightPx: 360 },
  { bitrateBps: 900_000, heightPx: 720 },
]

/** VP8's picture numbers (bytes 2..4 of the descriptor) are the trunk's own. */
function withoutNumbers(payload: string): string {
  return payload.slice(0, 4) + payload.slice(10)
}

/** Index of the first that differs from what was sent, from where receiving began; -1 = none. */
function firstDifference(sent: string[], got: string[]): number {
  const from = sent.indexOf(got[0] ?? '')
  return from < 0 ? 0 : got.findIndex((payload, i) => payload !== sent[from + i])
}

function jumps(got: GotPacket[]): number {
  return got.filter((row, i) => i > 0 && row.sequence !== got[i - 1]!.sequence + 1).length
}

test('audio and three layers of video cross a perfect link byte by byte', (t) => {
  const world = new SimulatedTrunk()
  const voice = world.voice(world.core, 1)
  const camera = world.camera(world.core, 2, LAYERS)
  world.relay.end.want(1, 1)
  world.relay.end.want(2, 7)
  world.run(20_000)
  const heard = world.relay.of(1)
  t.true(heard.length > 990, `${heard.length} of ${voice.sent.length}`)
  const sent = voice.sent.map(({ payload }) => payload)
  t.is(firstDifference(sent, heard.map(({ payload }) => payload)), -1)
  t.is(jumps(heard), 0)
  for (let layer = 0; layer < 3; layer++) {
    const seen = world.relay.of(2, layer)
    const shown = camera.sent.filter((packet) => packet.layer === layer)
    t.true(seen.length > 300, `layer ${layer}: ${seen.length} of ${shown.length}`)
    t.is(jumps(seen), 0)
    const pictures = shown.map(({ payload }) => withoutNumbers(payload))
    t.is(firstDifference(pictures, seen.map(({ payload }) => withoutNumbers(payload))), -1)
  }
})
