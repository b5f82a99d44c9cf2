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

/** Of what came, how many were not sent, or came before something that was sent earlier. */
function strangers(sent: string[], got: string[]): number {
  const places = new Map(sent.map((payload, i) => [payload, i]))
  let last = -1
  let count = 0
  for (const payload of got) {
    const place = places.get(payload) ?? -1
    if (place <= last) count += 1
    last = Math.max(last, place)
  }
  return count
}

function jumps(got: GotPacket[]): number {
  return got.filter((row, i) => i > 0 && row.sequence !== got[i - 1]!.sequence + 1).length
}

/** What was sent and came from `fromMs` until shortly before the end. */
function during<T extends { atMs: number }>(rows: T[], [fromMs, toMs]: [number, number]): T[] {
  return rows.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
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
  t.is(
    strangers(
      sent,
      heard.map(({ payload }) => payload),
    ),
    0,
  )
  t.is(jumps(heard), 0)
  for (let layer = 0; layer < 3; layer++) {
    const seen = world.relay.of(2, layer)
    const shown = camera.sent.filter((packet) => packet.layer === layer)
    t.is(jumps(seen), 0)
    const pictures = shown.map(({ payload }) => withoutNumbers(payload))
    t.is(
      strangers(
        pictures,
        seen.map(({ payload }) => withoutNumbers(payload)),
      ),
      0,
    )
    // Once the link is known, everything crosses.
    const late: [number, number] = [11_000, 20_900]
    t.true(Math.abs(during(seen, late).length - during(shown, late).length) <= 3, `layer ${layer}`)
  }
})
