import test, { type ExecutionContext } from 'ava'
import type { MediaPlane, MediaReport, Section } from '../media/control.ts'
import { createLog } from './log.ts'
import { createMediaPlane } from './media-plane.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { audioSlotSection, microphoneSection, opusPacket, TestPeer } from './test-peer.ts'

const ROOM = 1
const MICROPHONE = 100
const SSRC = 0x1234_5678
const PAYLOAD = Uint8Array.of(0x78, 1, 2, 3, 4, 5, 6, 7, 8, 9)
/** Real sockets and threads: how long until the slowest machine must have answered. */
const PATIENCE_MS = 20_000

type Stage = { plane: MediaPlane; metrics: Metrics; reports: MediaReport[]; peers: TestPeer[] }

async function setUp(t: ExecutionContext, workers: number): Promise<Stage> {
  const metrics = createMetrics()
  const log = createLog('silent')
  const plane = await createMediaPlane({
    workers,
    mediaPort: 0,
    announcedIps: ['127.0.0.1'],
    log,
    metrics,
  })
  const stage: Stage = { plane, metrics, reports: [], peers: [] }
  plane.onReport = (report) => stage.reports.push(report)
  t.teardown(async () => {
    for (const peer of stage.peers) peer.close()
    await plane.close()
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
    roomId: ROOM,
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
  reservation = stage.plane.reserve(ROOM),
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

function hear(stage: Stage, publicationId: number): void {
  const assignment = { audio: [publicationId], main: 0, mainFallback: 0 }
  stage.plane.send({ type: 'assign', roomId: ROOM, assignment })
}

/** Speaks until each of `listeners` has heard `count` more packets. */
async function speak(
  speaker: TestPeer,
  listeners: TestPeer[],
  from: number,
  count = 5,
): Promise<number> {
  const heard = listeners.map((listener) => listener.received.length)
  let sequence = from
  await until(
    () => listeners.every((listener, at) => listener.received.length >= heard[at]! + count),
    () => {
      speaker.sendRtp(opusPacket(SSRC, sequence, PAYLOAD), sequence)
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
  const stage = await setUp(t, 1)
  const speaker = await join(stage, [microphoneSection(MICROPHONE, SSRC)])
  const listener = await join(stage, [audioSlotSection()])
  hear(stage, MICROPHONE)
  await speak(speaker, [listener], 100)
  t.deepEqual(payloadOf(listener.received[0]!), PAYLOAD)
  t.true(stage.reports.some(({ type }) => type === 'flowing'))
  const stats = await stage.plane.stats(listener.spec.transportId)
  t.true((stats?.packetsOut ?? 0) > 0)
  t.is(await stage.plane.stats(999), undefined)
})

test('a room spread over two workers hears what is received on the other one', async (t) => {
  const stage = await setUp(t, 2)
  const speaker = await join(stage, [microphoneSection(MICROPHONE, SSRC)])
  const near = await join(stage, [audioSlotSection()])
  t.is(near.port, speaker.port)
  hear(stage, MICROPHONE)
  // Reservations fill the speaker's worker until the room spreads.
  let elsewhere = stage.plane.reserve(ROOM)
  while (elsewhere.candidates[0]?.port === speaker.port) elsewhere = stage.plane.reserve(ROOM)
  const far = await join(stage, [audioSlotSection()], elsewhere)
  const next = await speak(speaker, [near, far], 65_530)
  t.deepEqual(payloadOf(far.received[0]!), PAYLOAD)
  stage.plane.send({ type: 'mute', publicationId: MICROPHONE, muted: true })
  stage.plane.send({ type: 'close', transportId: speaker.spec.transportId })
  await until(() => disconnectCause(stage, speaker) === 'closed')
  t.true(next > 65_530)
})

test('a call survives roaming and an ICE restart, and a forged check moves nothing', async (t) => {
  const stage = await setUp(t, 1)
  const speaker = await join(stage, [microphoneSection(MICROPHONE, SSRC)])
  const listener = await join(stage, [audioSlotSection()])
  hear(stage, MICROPHONE)
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
  const stage = await setUp(t, 1)
  const leaving = await join(stage, [audioSlotSection()])
  const staying = await join(stage, [audioSlotSection()])
  leaving.closeDtls()
  await until(() => disconnectCause(stage, leaving) === 'peer-closed')
  stage.plane.send({ type: 'close', transportId: staying.spec.transportId })
  await until(() => staying.closedByServer)
  t.is(disconnectCause(stage, staying), 'closed')
})

test('floods with bad tags and broken datagrams leave the call beside them alone', async (t) => {
  const stage = await setUp(t, 1)
  const speaker = await join(stage, [microphoneSection(MICROPHONE, SSRC)])
  const listener = await join(stage, [audioSlotSection()])
  hear(stage, MICROPHONE)
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
  const stage = await setUp(t, 1)
  const { candidates } = stage.plane.reserve(ROOM)
  const { port } = candidates[0]!
  const options = { workers: 1, mediaPort: port, announcedIps: [], log: createLog('silent') }
  await t.throwsAsync(createMediaPlane({ ...options, metrics: createMetrics() }), {
    message: new RegExp(`${port}`),
  })
})
