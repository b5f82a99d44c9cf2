import test, { type ExecutionContext } from 'ava'
import type { MediaPlane, MediaReport, Section } from '../media/control.ts'
import { createLog } from './log.ts'
import { createMediaPlane } from './media-plane.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { audioSlotSection, microphoneSection, opusPacket, TestPeer } from './test-peer.fixture.ts'

const PAYLOAD = Uint8Array.of(0x78, 1, 2, 3, 4, 5, 6, 7, 8, 9)
/** Real sockets and threads: how long until the slowest machine must have answered. */
const PATIENCE_MS = 40_000

/** One plane of two workers for all tests of this file; each has a room of its own. */
let shared: { plane: MediaPlane; metrics: Metrics; reports: MediaReport[] }
let rooms = 0

test.before(async () => {
  const metrics = createMetrics()
  const log = createLog('silent')
  const options = {
    workers: 2,
    mediaPort: 0,
    batching: true,
    announcedIps: ['127.0.0.1'],
    log,
    metrics,
  }
  shared = { plane: await createMediaPlane(options), metrics, reports: [] }
  shared.plane.onReport = (report) => shared.reports.push(report)
})

test.after.always(() => shared.plane.close())

type Stage = typeof shared & {
  room: number
  /** Publication of the microphone, and its SSRC. */
  microphone: number
  ssrc: number
  peers: TestPeer[]
}

function setUp(t: ExecutionContext): Stage {
  const room = ++rooms
  const stage = { ...shared, room, microphone: 100 + room, ssrc: 0x1234_0000 + room, peers: [] }
  t.teardown(() => {
    for (const peer of (stage as Stage).peers) peer.close()
  })
  return stage
}

/** Repeats `act` until `done` holds. */
async function until(
  done: () => boolean | Promise<boolean>,
  act: () => void = () => undefined,
): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  while (!(await done())) {
    if (performance.now() > endMs) throw new Error(`not within ${PATIENCE_MS} ms: ${done}`)
    act()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

type Reservation = ReturnType<MediaPlane['reserve']>

async function open(
  stage: Stage,
  sections: Section[],
  { transportId, candidates }: Reservation,
): Promise<TestPeer> {
  const { fingerprint } = stage.plane
  const peer = await TestPeer.create({
    transportId,
    roomId: stage.room,
    candidates,
    fingerprint,
    sections,
  })
  stage.peers.push(peer)
  stage.plane.send({ type: 'open', spec: peer.spec })
  return peer
}

async function join(
  stage: Stage,
  sections: Section[],
  reservation = stage.plane.reserve(stage.room),
): Promise<TestPeer> {
  const peer = await open(stage, sections, reservation)
  await until(
    () => peer.stunAnswers > 0,
    () => peer.check(),
  )
  peer.startDtls()
  const { transportId } = peer.spec
  const isConnected = (report: MediaReport): boolean =>
    report.type === 'connected' && report.transportId === transportId
  await until(
    () => peer.connected && stage.reports.some(isConnected),
    () => peer.tick(),
  )
  return peer
}

function hear(stage: Stage): void {
  const assignment = { audio: [stage.microphone], main: 0, mainFallback: 0 }
  stage.plane.send({ type: 'assign', roomId: stage.room, assignment })
}

/** Speaks until each of `listeners` has heard `count` more packets. */
async function speak(
  speaker: TestPeer,
  listeners: TestPeer[],
  from: number,
  count = 5,
): Promise<number> {
  const section = speaker.spec.sections[0]
  const ssrc = section?.direction === 'in' ? section.ssrcs[0]!.ssrc : 0
  const heard = listeners.map((listener) => listener.received.length)
  let sequence = from
  await until(
    () => listeners.every((listener, at) => listener.received.length >= heard[at]! + count),
    () => {
      speaker.sendRtp(opusPacket(ssrc, sequence, PAYLOAD), sequence)
      sequence++
    },
  )
  return sequence
}

function payloadOf(packet: Uint8Array): Uint8Array {
  return packet.subarray(packet.length - PAYLOAD.length)
}

function disconnectCause(stage: Stage, peer: TestPeer): string | undefined {
  for (const report of stage.reports) {
    if (report.type !== 'disconnected') continue
    if (report.transportId === peer.spec.transportId) return report.cause
  }
  return undefined
}

test('what one peer says another hears, through ICE, DTLS and SRTP', async (t) => {
  const stage = setUp(t)
  const speaker = await join(stage, [microphoneSection(stage.microphone, stage.ssrc)])
  const listener = await join(stage, [audioSlotSection()])
  hear(stage)
  await speak(speaker, [listener], 100)
  t.deepEqual(payloadOf(listener.received[0]!), PAYLOAD)
  t.true(stage.reports.some(({ type }) => type === 'flowing'))
  const stats = await stage.plane.stats(listener.spec.transportId)
  t.true((stats?.packetsOut ?? 0) > 0)
  t.is(await stage.plane.stats(999), undefined)
})

test('a room spread over two workers hears what is received on the other one', async (t) => {
  const stage = setUp(t)
  const speaker = await join(stage, [microphoneSection(stage.microphone, stage.ssrc)])
  const near = await join(stage, [audioSlotSection()])
  t.is(near.port, speaker.port)
  hear(stage)
  // Reservations fill the speaker's worker until the room spreads.
  let elsewhere = stage.plane.reserve(stage.room)
  while (elsewhere.candidates[0]?.port === speaker.port) elsewhere = stage.plane.reserve(stage.room)
  const far = await join(stage, [audioSlotSection()], elsewhere)
  const next = await speak(speaker, [near, far], 65_530)
  t.deepEqual(payloadOf(far.received[0]!), PAYLOAD)
  stage.plane.send({ type: 'mute', publicationId: stage.microphone, muted: true })
  stage.plane.send({ type: 'close', transportId: speaker.spec.transportId })
  await until(() => disconnectCause(stage, speaker) === 'closed')
  t.true(next > 65_530)
})

test('a call survives roaming and an ICE restart, and a forged check moves nothing', async (t) => {
  const stage = setUp(t)
  const speaker = await join(stage, [microphoneSection(stage.microphone, stage.ssrc)])
  const listener = await join(stage, [audioSlotSection()])
  hear(stage)
  let sequence = await speak(speaker, [listener], 1)
  const answered = listener.stunAnswers
  await listener.roam()
  listener.check({ password: 'a-guess-of-the-right-length' })
  await speaker.roam()
  await until(
    () => speaker.stunAnswers > 1 && listener.stunAnswers > answered,
    () => {
      speaker.check()
      listener.check()
    },
  )
  sequence = await speak(speaker, [listener], sequence)
  const { transportId } = listener.spec
  stage.plane.send({ type: 'restart', transportId, ...listener.renewCredentials() })
  const before = listener.stunAnswers
  await until(
    () => listener.stunAnswers > before,
    () => listener.check(),
  )
  await speak(speaker, [listener], sequence)
  t.is(disconnectCause(stage, listener), undefined)
})

test('a peer that says goodbye is reported, and one that we close is told', async (t) => {
  const stage = setUp(t)
  const leaving = await join(stage, [audioSlotSection()])
  const staying = await join(stage, [audioSlotSection()])
  leaving.closeDtls()
  await until(() => disconnectCause(stage, leaving) === 'peer-closed')
  stage.plane.send({ type: 'close', transportId: staying.spec.transportId })
  await until(() => staying.closedByServer)
  t.is(disconnectCause(stage, staying), 'closed')
})

test('floods with bad tags and broken datagrams leave the call beside them alone', async (t) => {
  const stage = setUp(t)
  const speaker = await join(stage, [microphoneSection(stage.microphone, stage.ssrc)])
  const listener = await join(stage, [audioSlotSection()])
  hear(stage)
  const sequence = await speak(speaker, [listener], 1)
  for (let i = 0; i < 300; i++) {
    const forged = new Uint8Array(100).fill(i)
    forged.set([0x80, 111, i >> 8, i])
    speaker.sendRaw(forged)
    speaker.sendRaw(Uint8Array.of(i))
  }
  await speak(speaker, [listener], sequence)
  await until(async () =>
    /dropped_total\{reason="srtp-auth-failed"\} [1-9]/.test(await stage.metrics.text()),
  )
  t.is(disconnectCause(stage, speaker), undefined)
})

test('a port that is taken is an error with its number in it', async (t) => {
  const stage = setUp(t)
  const { candidates } = stage.plane.reserve(stage.room)
  const { port } = candidates[0]!
  const options = {
    workers: 1,
    mediaPort: port,
    batching: true,
    announcedIps: [],
    log: createLog('silent'),
  }
  await t.throwsAsync(createMediaPlane({ ...options, metrics: createMetrics() }), {
    message: new RegExp(`${port}`),
  })
})
