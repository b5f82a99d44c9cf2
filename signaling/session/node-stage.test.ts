import test from 'ava'
import type { StageChoice, StageListener, TrackDescription } from '../../relay/stage-port.ts'
import { FarNode, farTrack } from '../test/far-node.ts'
import { Harness } from '../test/harness.ts'
import { OFFER, site, slotsOf, speak } from '../test/site.ts'

/** Remembers what the trunks are told. */
class Listener implements StageListener {
  readonly tracks = new Map<number, TrackDescription>()
  readonly choices: StageChoice[] = []
  readonly rooms: [string, boolean][] = []
  readonly emergencies: [string, boolean][] = []
  onPublished = (id: number, track: TrackDescription): void => void this.tracks.set(id, track)
  onUnpublished = (id: number): void => void this.tracks.delete(id)
  onChoice = (choice: StageChoice): void => void this.choices.push(choice)
  onRoom = (room: string, present: boolean): void => void this.rooms.push([room, present])
  onEmergency = (room: string, on: boolean): void => void this.emergencies.push([room, on])
}

const NONE: StageChoice = {
  ...{ room: 'giao-ban', heard: ['', '', ''], main: null, mainFallback: null, active: null },
}

/** A node with one viewer, and a speaker on another node whose tracks have come in. */
async function district() {
  const harness = new Harness()
  const viewer = await site(harness, [], 'viewer')
  const far = new FarNode(harness)
  const speaker = await far.join('speaker', ['microphone', 'camera'])
  await far.sync()
  const { stage } = harness.hub
  const microphone = stage.importTrack(farTrack(speaker, 'microphone'))
  const camera = stage.importTrack(farTrack(speaker, 'camera'))
  await harness.pass(250)
  return { harness, viewer, far, speaker, microphone, camera, stage }
}

test('a track of another node is shown and heard like one of ours', async (t) => {
  const { harness, viewer, speaker, microphone, camera } = await district()
  const imports = harness.media.take('import')
  t.deepEqual(
    imports.map(({ publication }) => publication.publicationId),
    [microphone, camera],
  )
  t.like(imports[1]?.publication, { kind: 'video', use: 'camera', layerCount: 3 })
  await speak(harness, microphone)
  const { assignment } = harness.media.take('assign').at(-1) ?? {}
  t.true(assignment?.audio.includes(microphone))
  t.is(assignment?.main, camera)
  const slots = slotsOf(viewer)
  t.like(slots.get('6'), { participant: speaker, use: 'camera', state: 'live' })
  t.like(slots.get('3'), { participant: speaker, use: 'microphone', state: 'live' })
  t.is(viewer.take('speakers').at(-1)?.active, speaker)
})

test('a view may choose a picture of another node, and tiles are filled with them', async (t) => {
  const { harness, viewer, speaker, camera } = await district()
  const tile = harness.media
    .take('view')
    .at(-1)
    ?.views.find(({ mid }) => mid === '7')
  t.is(tile?.publicationId, camera)
  const slots = [{ mid: '6', widthPx: 640, heightPx: 360 }]
  await viewer.ask({ type: 'view', main: { participant: speaker, use: 'camera' }, slots })
  t.is(harness.media.take('view').at(-1)?.views[0]?.publicationId, camera)
})

test('who is muted on another node is not heard here, and is again afterwards', async (t) => {
  const { harness, far, speaker, microphone } = await district()
  const heard = () => harness.media.take('assign').at(-1)?.assignment.audio.includes(microphone)
  t.true(heard())
  await far.command(speaker, { type: 'mute', use: 'microphone', muted: true })
  await far.sync()
  t.false(heard())
  await far.command(speaker, { type: 'mute', use: 'microphone', muted: false })
  await far.sync()
  t.true(heard())
})

test('a picture of another node counts from its first packet there, and waits while none comes', async (t) => {
  const harness = new Harness()
  const viewer = await site(harness, [], 'viewer')
  const far = new FarNode(harness)
  const speaker = await far.join('speaker', ['camera'])
  await far.sync()
  const { stage } = harness.hub
  const camera = stage.importTrack(farTrack(speaker, 'camera', { started: false, flowing: false }))
  await harness.pass(250)
  t.is(harness.media.take('assign').at(-1)?.assignment.main, 0)
  stage.updateTrack(camera, { started: true, flowing: true })
  await harness.pass(250)
  t.is(harness.media.take('assign').at(-1)?.assignment.main, camera)
  t.is(slotsOf(viewer).get('6')?.state, 'live')
  stage.updateTrack(camera, { started: true, flowing: false })
  await harness.pass(250)
  t.is(slotsOf(viewer).get('6')?.state, 'waiting')
  harness.media.onReport({ type: 'flowing', publicationId: camera, flowing: true })
  await harness.pass(250)
  t.is(slotsOf(viewer).get('6')?.state, 'live')
})

test('a publisher hears what the links below leave for its speech, and again after it came back', async (t) => {
  const harness = new Harness()
  const speaker = await site(harness, ['microphone'], 'speaker')
  const { stage } = harness.hub
  const { microphone } = speaker.publications
  stage.limitSpeech(microphone!, { packetMs: 60, bitrateBps: 12_000 })
  stage.limitSpeech(9_999, { packetMs: 60, bitrateBps: 8_000 })
  await harness.pass(50)
  const said = { type: 'limit', use: 'microphone', packetMs: 60, bitrateBps: 12_000 } as const
  t.deepEqual(speaker.take('limit'), [said])
  const { session, secret } = speaker.joined
  speaker.drop()
  const again = harness.connect()
  await again.ask({ type: 'join', token: speaker.token, resume: { session, secret } })
  t.deepEqual(again.take('limit'), [said])
})

test('a forgotten track leaves the slots at once', async (t) => {
  const { harness, viewer, microphone, camera, stage } = await district()
  harness.media.take('assign')
  stage.forgetTrack(camera)
  t.is(harness.media.take('assign').at(-1)?.assignment.main, 0)
  stage.forgetTrack(microphone)
  t.deepEqual(harness.media.take('assign').at(-1)?.assignment.audio, [0, 0, 0])
  t.deepEqual(
    harness.media.take('forget').map(({ publicationId }) => publicationId),
    [camera, microphone],
  )
  await harness.pass(250)
  t.is(slotsOf(viewer).get('6')?.state, 'empty')
  stage.forgetTrack(camera)
  stage.updateTrack(camera, { started: true, flowing: true })
  t.deepEqual(harness.media.take('forget'), [])
})

test('a room lives while somebody is in it or a track of another node is', async (t) => {
  const { harness, viewer, microphone, camera, stage } = await district()
  await viewer.ask({ type: 'leave' })
  t.is(harness.hub.roomCount, 1)
  stage.forgetTrack(camera)
  t.is(harness.hub.roomCount, 1)
  stage.forgetTrack(microphone)
  t.is(harness.hub.roomCount, 0)
})

test('a room with tracks of others is there for who comes later', async (t) => {
  const harness = new Harness()
  const far = new FarNode(harness)
  const speaker = await far.join('speaker', ['camera'])
  const camera = harness.hub.stage.importTrack(farTrack(speaker, 'camera'))
  // The log comes after the track.
  await far.sync()
  const viewer = await site(harness, [], 'viewer')
  t.is(slotsOf(viewer).get('6')?.participant, speaker)
  t.is(harness.media.take('assign').at(-1)?.assignment.main, camera)
})

test('trunks hear of live sources of this node only, with their flags, and of who is where', async (t) => {
  const harness = new Harness()
  const early = await site(harness, ['microphone'])
  const listener = new Listener()
  harness.hub.stage.watch(listener)
  t.deepEqual(listener.rooms, [['giao-ban', true]])
  const id = early.publications['microphone'] ?? 0
  t.like(listener.tracks.get(id), { use: 'microphone', kind: 'audio', flowing: true })
  t.is(listener.tracks.get(id)?.participant, early.joined.participant)
  // Negotiated, but not live: nobody else's business.
  await site(harness, [], 'viewer')
  t.is(listener.tracks.size, 1)
  const late = await harness.join()
  await late.ask(OFFER)
  const spec = harness.media.take('open')[0]?.spec
  const camera = spec?.sections.find((section) => section.mid === '1')
  const publicationId = camera?.direction === 'in' ? camera.publicationId : 0
  await late.ask({ type: 'publish', use: 'camera', live: true })
  await harness.pass(250)
  t.like(listener.tracks.get(publicationId), { layerCount: 3, started: false, flowing: false })
  harness.media.onReport({ type: 'flowing', publicationId, flowing: true })
  t.like(listener.tracks.get(publicationId), { started: true, flowing: true })
  harness.media.onReport({ type: 'flowing', publicationId, flowing: false })
  t.like(listener.tracks.get(publicationId), { started: true, flowing: false })
  await late.ask({ type: 'leave' })
  t.false(listener.tracks.has(publicationId))
  const { stage } = harness.hub
  const far = stage.importTrack(farTrack('pfar', 'camera'))
  await harness.pass(250)
  t.false(listener.tracks.has(far))
})

test('trunks hear that the last of a room has gone', async (t) => {
  const harness = new Harness()
  const listener = new Listener()
  harness.hub.stage.watch(listener)
  const an = await site(harness, ['camera'])
  const binh = await site(harness, [])
  await binh.ask({ type: 'leave' })
  await an.ask({ type: 'leave' })
  t.deepEqual(listener.rooms, [
    ['giao-ban', true],
    ['giao-ban', false],
  ])
  t.is(listener.tracks.size, 0)
})

test('trunks hear of emergencies, and that they end with the room', async (t) => {
  const harness = new Harness()
  const chair = await harness.join({ role: 'chair' })
  const an = await harness.join()
  t.like(await an.ask({ type: 'emergency', on: true }), { type: 'error', code: 'forbidden' })
  t.like(await chair.ask({ type: 'emergency', on: true }), { type: 'ok' })
  await harness.pass(250)
  t.true(an.take('room').at(-1)?.emergency)
  const listener = new Listener()
  harness.hub.stage.watch(listener)
  const told = [['giao-ban', true]]
  t.deepEqual(listener.emergencies as unknown, told)
  const late = await harness.join()
  t.true(late.joined.room.emergency)
  await chair.ask({ type: 'emergency', on: true })
  await harness.pass(250)
  t.is(listener.emergencies.length, 1)
  const closing = harness.host.operate('giao-ban', { type: 'close-room' })
  await harness.settle()
  await closing
  t.deepEqual(listener.emergencies.at(-1), ['giao-ban', false])
  t.false((await harness.join()).joined.room.emergency)
})

test('the own choice is told in names, and not while another’s is followed', async (t) => {
  const { harness, speaker, microphone, stage } = await district()
  const listener = new Listener()
  stage.watch(listener)
  await speak(harness, microphone)
  t.like(listener.choices.at(-1), {
    room: 'giao-ban',
    main: { participant: speaker, use: 'camera' },
    active: speaker,
  })
  t.true(listener.choices.at(-1)?.heard.includes(speaker))
  const told = listener.choices.length
  stage.follow('giao-ban', { ...NONE, main: { participant: speaker, use: 'camera' } })
  const an = await site(harness, ['microphone', 'camera'])
  await speak(harness, an.publications['microphone'])
  t.is(listener.choices.length, told)
  stage.follow('giao-ban', undefined)
  t.is(listener.choices.at(-1)?.active, an.joined.participant)
})

test('the choice of the node above decides, for slots and for speakers', async (t) => {
  const { harness, viewer, speaker, camera, microphone, stage } = await district()
  const an = await site(harness, ['microphone', 'camera'])
  await speak(harness, microphone)
  for (const client of [viewer, an]) client.take('speakers')
  const participant = an.joined.participant
  stage.follow('giao-ban', {
    ...{ room: 'giao-ban', heard: [participant, '', ''], active: participant },
    main: { participant, use: 'camera' },
    mainFallback: { participant: speaker, use: 'camera' },
  })
  await harness.pass(250)
  const { assignment } = harness.media.take('assign').at(-1) ?? {}
  t.is(assignment?.main, an.publications['camera'] ?? -1)
  t.is(assignment?.mainFallback, camera)
  t.deepEqual(
    assignment?.audio.filter((id) => id !== 0),
    [an.publications['microphone'] ?? -1],
  )
  t.like(viewer.take('speakers').at(-1), { active: participant, heard: [participant] })
  t.is(slotsOf(viewer).get('6')?.participant, participant)
  t.is(slotsOf(an).get('6')?.participant, speaker)
  // Levels do not matter now.
  await speak(harness, microphone)
  t.deepEqual(harness.media.take('assign'), [])
})

test('a chosen voice that is not here yet is silent, a chosen picture leaves the one before', async (t) => {
  const { harness, speaker, camera, microphone, stage } = await district()
  await speak(harness, microphone)
  harness.media.take('assign')
  const other = { participant: 'pother', use: 'camera' } as const
  stage.follow('giao-ban', { ...NONE, heard: ['pother', '', ''], main: other, active: 'pother' })
  t.deepEqual(harness.media.take('assign').at(-1)?.assignment, {
    ...{ audio: [0, 0, 0], main: camera, mainFallback: 0 },
  })
  const heard = ['', speaker, 'pother']
  stage.follow('giao-ban', { ...NONE, heard, main: null })
  t.deepEqual(harness.media.take('assign').at(-1)?.assignment, {
    ...{ audio: [0, microphone, 0], main: 0, mainFallback: 0 },
  })
})

test('changing who decides changes no slot whose content stays', async (t) => {
  const harness = new Harness()
  const sites = [
    await site(harness, ['microphone', 'camera']),
    await site(harness, ['microphone']),
    await site(harness, ['microphone']),
  ]
  await speak(harness, sites[0]?.publications['microphone'])
  const before = harness.media.take('assign').at(-1)?.assignment
  const names = sites.map(({ joined }) => joined.participant)
  const { stage } = harness.hub
  const same = {
    ...NONE,
    heard: [names[2] ?? '', names[0] ?? '', names[1] ?? ''],
    main: { participant: names[0] ?? '', use: 'camera' } as const,
    active: names[0] ?? '',
  }
  for (const client of sites) client.socket.sent = []
  stage.follow('giao-ban', same)
  await harness.pass(250)
  stage.follow('giao-ban', undefined)
  await harness.pass(250)
  t.deepEqual(harness.media.take('assign'), [])
  t.true(sites.every((client) => client.take('slots').length === 0))
  stage.follow('giao-ban', { ...same, heard: [names[1] ?? '', 'pother', names[2] ?? ''] })
  const after = harness.media.take('assign').at(-1)?.assignment.audio ?? []
  const first = sites[0]?.publications['microphone']
  t.deepEqual(
    after,
    before?.audio.map((id) => (id === first ? 0 : id)),
  )
})

test('a choice that comes before its room is followed from the room’s beginning', async (t) => {
  const harness = new Harness()
  harness.hub.stage.follow('giao-ban', NONE)
  await site(harness, ['microphone', 'camera'])
  t.is(harness.media.take('assign').at(-1)?.assignment.main, 0)
  harness.hub.stage.follow('giao-ban', undefined)
  t.not(harness.media.take('assign').at(-1)?.assignment.main, 0)
})

test('a room that is closed lets go of what others sent into it, and can be opened again', async (t) => {
  const { harness, viewer, speaker, far } = await district()
  const closing = harness.host.operate('giao-ban', { type: 'close-room' })
  await harness.settle()
  t.true((await closing).ok)
  t.like(viewer.take('bye')[0], { code: 'not-found' })
  await harness.pass(250)
  t.is(harness.media.take('assign').at(-1)?.assignment.main, 0)
  await far.sync()
  const again = await far.join('speaker', ['camera'])
  await far.sync()
  const camera = harness.hub.stage.importTrack(farTrack(again, 'camera'))
  const late = await site(harness, [], 'viewer')
  t.is(harness.media.take('assign').at(-1)?.assignment.main, camera)
  t.is(slotsOf(late).get('6')?.participant, again)
  t.not(again, speaker)
})
