import test from 'ava'
import { Harness } from '../test/harness.ts'
import { offerOf, SITE_PARTS, SITE_SECTIONS } from '../test/offers.ts'

const OFFER = { type: 'offer', sdp: offerOf(SITE_PARTS), sections: SITE_SECTIONS }

/** A harness that forgets what it has sent so far: clients and the media plane alike. */
async function settled(harness: Harness, clients: readonly { socket: { sent: unknown[] } }[]) {
  await harness.pass(10_000)
  // What that brought reaches slots with the next turn of the clock.
  await harness.pass(10_000)
  for (const { socket } of clients) socket.sent.splice(0)
  harness.media.commands.splice(0)
}

async function hall(viewerCount: number) {
  const harness = new Harness()
  const chair = await harness.join({ role: 'chair' })
  await chair.ask(OFFER)
  const spec = harness.media.take('open')[0]!.spec
  const microphone = spec.sections.find((one) => one.direction === 'in' && one.use === 'microphone')
  const publicationId = microphone?.direction === 'in' ? microphone.publicationId : 0
  await chair.ask({ type: 'publish', use: 'microphone', live: true })
  const viewers: Awaited<ReturnType<Harness['join']>>[] = []
  for (let index = 0; index < viewerCount; index += 1) {
    const viewer = await harness.join({ role: 'viewer' })
    await viewer.ask(OFFER)
    viewers.push(viewer)
  }
  return { harness, chair, viewers, publicationId }
}

test('one more listener costs the others a count, and the media plane one open and one view', async (t) => {
  const { harness, chair, viewers } = await hall(30)
  await settled(harness, [chair, ...viewers])
  const late = await harness.join({ role: 'viewer' })
  await late.ask(OFFER)
  const transportId = harness.media.take('open')[0]!.spec.transportId
  harness.media.onReport({ type: 'connected', transportId })
  await harness.pass(1_000)
  const types = new Set(harness.media.commands.map(({ type }) => type))
  for (const type of ['assign', 'open', 'import', 'forget'] as const) t.false(types.has(type), type)
  for (const command of harness.media.commands) {
    if ('transportId' in command) t.is(command.transportId, transportId, command.type)
  }
  for (const { socket } of viewers) {
    const told = socket.sent.map((message) => (message as { type: string }).type)
    t.true(told.every((type) => type === 'room') && told.length <= 1, told.join(' '))
  }
})

test('a voice that is heard is one assignment, and one frame for all whose slots are alike', async (t) => {
  const { harness, chair, viewers, publicationId } = await hall(30)
  await settled(harness, [chair, ...viewers])
  harness.media.onReport({ type: 'flowing', publicationId, flowing: true })
  for (let turn = 0; turn < 80; turn += 1) {
    harness.media.onReport({ type: 'levels', levels: [[publicationId, 20]] })
    harness.host.nowMs += 50
  }
  await harness.pass(50)
  t.true(harness.media.take('assign').length <= 1)
  const frames = new Set<string>()
  for (const viewer of viewers) {
    const slots = viewer.take('slots')
    t.is(slots.length, 1)
    frames.add(JSON.stringify(slots[0]))
  }
  t.is(frames.size, 1)
})
