import test from 'ava'
import type { StreamQuality } from '../../core/media/control.ts'
import { Harness } from '../test/harness.ts'
import { offerOf } from '../test/offers.ts'
import { OFFER, site, slotsOf, speak } from '../test/site.ts'

test('who speaks is assigned to an audio slot and to main, and everybody hears of it', async (t) => {
  const harness = new Harness()
  const an = await site(harness, ['microphone', 'camera'])
  const binh = await site(harness, [])
  await speak(harness, an.publications['microphone'])
  const assignment = harness.media.take('assign').at(-1)?.assignment
  t.true(assignment?.audio.includes(an.publications['microphone'] ?? -1))
  t.is(assignment?.main, an.publications['camera'] ?? -1)
  const slots = slotsOf(binh)
  t.like(slots.get('6'), { participant: an.joined.participant, use: 'camera', state: 'live' })
  t.like(slots.get('3'), { participant: an.joined.participant, use: 'microphone', state: 'live' })
  t.is(binh.take('speakers').at(-1)?.active, an.joined.participant)
})

test('nobody sees or hears oneself', async (t) => {
  const harness = new Harness()
  const an = await site(harness, ['microphone', 'camera'])
  await site(harness, [])
  await speak(harness, an.publications['microphone'])
  for (const slot of slotsOf(an).values()) t.is(slot.participant, null, slot.mid)
})

test('a live camera takes no picture slot before its first packet', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  await an.ask(OFFER)
  await an.ask({ type: 'publish', use: 'camera', live: true })
  await harness.pass(250)
  t.true(harness.media.take('assign').every(({ assignment }) => assignment.main === 0))
})

test('a mute reaches the media plane and frees the slot', async (t) => {
  const harness = new Harness()
  const an = await site(harness, ['microphone'])
  const chair = await site(harness, [], 'chair')
  harness.media.take('mute')
  const { participant } = an.joined
  await chair.ask({ type: 'mute', participant, use: 'microphone', muted: true })
  await harness.pass(250)
  const publicationId = an.publications['microphone'] ?? 0
  const mutes = harness.media.take('mute').filter((mute) => mute.publicationId === publicationId)
  t.true(mutes.at(-1)?.muted)
  t.deepEqual(an.take('self').at(-1)?.muted.microphone, { self: false, chair: true })
  const audio = harness.media.take('assign').at(-1)?.assignment.audio ?? []
  t.false(audio.includes(publicationId))
})

test('tiles are filled with the others on stage until the client chooses', async (t) => {
  const harness = new Harness()
  const an = await site(harness, ['camera'])
  const binh = await site(harness, ['camera'])
  const viewer = await site(harness, [], 'viewer')
  await harness.pass(250)
  const mine = harness.media.take('view').filter((view) => view.transportId === viewer.transportId)
  const byMid = new Map(mine.at(-1)?.views.map((view) => [view.mid, view]))
  t.deepEqual(
    new Set([byMid.get('7')?.publicationId, byMid.get('8')?.publicationId]),
    new Set([an.publications['camera'], binh.publications['camera']]),
  )
  t.like(byMid.get('6'), { publicationId: 0, widthPx: 1280, heightPx: 720 })
  await viewer.ask({
    type: 'view',
    main: { participant: binh.joined.participant, use: 'camera' },
    slots: [
      { mid: '6', widthPx: 640, heightPx: 360 },
      { mid: '7', participant: an.joined.participant, widthPx: 160, heightPx: 90 },
    ],
  })
  const views = harness.media.take('view').at(-1)?.views
  t.deepEqual(views, [
    { mid: '6', publicationId: binh.publications['camera'] ?? 0, widthPx: 640, heightPx: 360 },
    { mid: '7', publicationId: an.publications['camera'] ?? 0, widthPx: 160, heightPx: 90 },
    { mid: '8', publicationId: views?.[2]?.publicationId ?? 0, widthPx: 0, heightPx: 0 },
  ])
  const slots = slotsOf(viewer)
  t.like(slots.get('6'), { participant: binh.joined.participant, state: 'live' })
  t.is(slots.get('8')?.state, 'paused')
})

test('all viewers are told of the same speaker', async (t) => {
  const harness = new Harness()
  const an = await site(harness, ['microphone', 'camera'])
  const viewers = await Promise.all(Array.from({ length: 20 }, () => site(harness, [], 'viewer')))
  await speak(harness, an.publications['microphone'])
  const shown = viewers.map((viewer) => slotsOf(viewer).get('6')?.participant)
  t.true(shown.every((participant) => participant === an.joined.participant))
})

test('a viewer with one audio section hears the active speaker in it', async (t) => {
  const harness = new Harness()
  const speakers = [
    await site(harness, ['microphone']),
    await site(harness, ['microphone']),
    await site(harness, ['microphone']),
  ]
  const listener = await harness.join({ role: 'viewer' })
  const sdp = offerOf([{ mid: 'a', kind: 'audio', direction: 'recvonly' }])
  await listener.ask({ type: 'offer', sdp, sections: [{ mid: 'a', use: 'audio' }] })
  for (const speaker of speakers) {
    await speak(harness, speaker.publications['microphone'])
    const view = harness.media.take('view').at(-1)?.views[0]
    t.is(view?.publicationId, speaker.publications['microphone'])
    t.is(listener.take('slots').at(-1)?.slots[0]?.participant, speaker.joined.participant)
  }
})

test('the chair’s pin comes before who speaks', async (t) => {
  const harness = new Harness()
  const chair = await site(harness, [], 'chair')
  const an = await site(harness, ['microphone', 'camera'])
  const binh = await site(harness, ['camera'])
  await speak(harness, an.publications['microphone'])
  await chair.ask({ type: 'pin', participant: binh.joined.participant })
  await harness.pass(250)
  t.is(harness.media.take('assign').at(-1)?.assignment.main, binh.publications['camera'] ?? -1)
  t.like(chair.take('room').at(-1)?.pin, { participant: binh.joined.participant })
})

test('who loses the transport leaves the slots', async (t) => {
  const harness = new Harness()
  const an = await site(harness, ['microphone', 'camera'])
  const binh = await site(harness, [])
  await speak(harness, an.publications['microphone'])
  harness.media.open.delete(an.transportId)
  const { transportId } = an
  harness.media.onReport({ type: 'disconnected', transportId, cause: 'consent-expired' })
  await harness.pass(250)
  t.is(harness.media.take('assign').at(-1)?.assignment.main, 0)
  t.is(slotsOf(binh).get('6')?.state, 'empty')
})

const GOOD: StreamQuality = {
  mid: '6',
  direction: 'out',
  bitrateBps: 500_000,
  lossRatio: 0,
  rttMs: 40,
  jitterMs: 5,
  spatialLayer: 2,
  spatialLayerWanted: 2,
  reason: 'none',
}

for (const [name, change, mark, reason] of [
  ['all well', {}, 'green', 'none'],
  ['1.9 % loss', { lossRatio: 0.019 }, 'green', 'none'],
  ['2 % loss', { lossRatio: 0.02 }, 'amber', 'loss'],
  ['10 % loss', { lossRatio: 0.1 }, 'red', 'loss'],
  ['300 ms', { rttMs: 300 }, 'amber', 'delay'],
  ['800 ms', { rttMs: 800 }, 'red', 'delay'],
  ['60 ms jitter', { jitterMs: 60 }, 'amber', 'delay'],
  ['a layer too low', { spatialLayer: 1, reason: 'bandwidth' }, 'amber', 'bandwidth'],
  ['paused', { spatialLayer: -1, reason: 'bandwidth' }, 'red', 'bandwidth'],
  ['nothing arrives', { spatialLayer: -1, reason: 'no-packets' }, 'red', 'no-packets'],
  ['nobody looks', { spatialLayer: -1, spatialLayerWanted: -1 }, 'green', 'none'],
] as const) {
  test(`quality is ${mark} for ${reason} when: ${name}`, async (t) => {
    const harness = new Harness()
    const an = await site(harness, [])
    const { transportId } = an
    harness.media.onReport({ type: 'quality', transportId, streams: [{ ...GOOD, ...change }] })
    t.like(an.take('quality')[0]?.streams[0], { mid: '6', mark, reason })
  })
}

test('a slot that the link cannot carry is told as paused', async (t) => {
  const harness = new Harness()
  const an = await site(harness, ['microphone', 'camera'])
  const binh = await site(harness, [])
  await speak(harness, an.publications['microphone'])
  const streams: StreamQuality[] = [{ ...GOOD, spatialLayer: -1, reason: 'bandwidth' }]
  harness.media.onReport({ type: 'quality', transportId: binh.transportId, streams })
  await harness.pass(50)
  t.is(slotsOf(binh).get('6')?.state, 'paused')
})
