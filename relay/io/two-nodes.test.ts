import test, { type ExecutionContext } from 'ava'
import {
  audioSlotSection,
  microphoneSection,
  opusPacket,
  type TestPeer,
} from '../../core/io/test-peer.fixture.ts'
import type { ImportedPublication } from '../../core/media/control.ts'
import { until } from './trunk-thread.fixture.ts'
import { BareNode, connect } from './two-nodes.fixture.ts'

const ROOM = 1
const MICROPHONE = 100
const AWAY = 900
const STREAM = 4
const SSRC = 0x1234_0001
/** Opus, CELT, 20 ms. */
const PAYLOAD = Uint8Array.of(0xf8, 1, 2, 3, 4, 5, 6, 7, 8, 9)

const microphone = (publicationId: number): ImportedPublication => ({
  publicationId,
  kind: 'audio',
  use: 'microphone',
  codecs: [{ codec: 'opus', payloadType: 111, clockRate: 48_000 }],
  layerCount: 1,
})

async function setUp(
  t: ExecutionContext,
  entry?: URL,
): Promise<{ core: BareNode; child: BareNode }> {
  const [core, child] = await Promise.all([
    BareNode.start({ workers: 2 }),
    BareNode.start(entry === undefined ? {} : { entry }),
  ])
  t.teardown(() => Promise.all([core.close(), child.close()]))
  connect(core, child)
  return { core, child }
}

/** Sends packets, numbered within the payload, until `done`. */
async function speak(speaker: TestPeer, from: number, done: () => boolean): Promise<number> {
  let sequence = from
  await until(done, () => {
    speaker.sendRtp(opusPacket(SSRC, sequence, PAYLOAD), sequence)
    sequence += 1
  })
  return sequence
}

test.serial(
  'whoever speaks on one node is heard on another, also by those who come later',
  async (t) => {
    const { core, child } = await setUp(t)
    const speaker = await child.join(ROOM, [microphoneSection(MICROPHONE, SSRC)])
    child.offer(microphone(MICROPHONE), STREAM)
    // Nobody is in the room at the core yet.
    core.take(ROOM, microphone(AWAY), STREAM)
    const listener = await core.join(ROOM, [audioSlotSection()])
    const next = await speak(speaker, 100, () => listener.received.length >= 20)
    t.deepEqual(listener.received[0]!.subarray(12), PAYLOAD)
    const flowing = core.reports.filter((report) => report.type === 'flowing')
    t.deepEqual(flowing, [{ type: 'flowing', publicationId: AWAY, flowing: true }])
    await speak(speaker, next, () => core.reports.some((report) => report.type === 'levels'))
    const levels = core.reports.find((report) => report.type === 'levels')
    t.deepEqual(
      levels?.levels.map(([publicationId]) => publicationId),
      [AWAY],
    )
  },
)

test.serial(
  'a publication that is forgotten is heard no more, and one that may not cross does not',
  async (t) => {
    const { core, child } = await setUp(t)
    const speaker = await child.join(ROOM, [microphoneSection(MICROPHONE, SSRC)])
    const listener = await core.join(ROOM, [audioSlotSection()])
    child.offer(microphone(MICROPHONE), STREAM)
    core.take(ROOM, microphone(AWAY), STREAM)
    const next = await speak(speaker, 100, () => listener.received.length >= 20)
    child.plane.letCross(MICROPHONE, false)
    let quietMs = performance.now()
    let heard = 0
    const quiet = (): boolean => {
      if (listener.received.length > heard) quietMs = performance.now()
      heard = listener.received.length
      return performance.now() - quietMs > 1_000
    }
    const after = await speak(speaker, next, quiet)
    child.plane.letCross(MICROPHONE, true)
    const again = await speak(speaker, after, () => listener.received.length >= heard + 20)
    core.plane.send({ type: 'forget', publicationId: AWAY })
    quietMs = performance.now()
    await speak(speaker, again, quiet)
    t.pass()
  },
)

/** The real thread, but `tunnel` kills it. */
const MORTAL = `
  import { parentPort } from 'node:worker_threads'
  import '${new URL('./trunk-thread.ts', import.meta.url).href}'
  parentPort.on('message', (message) => {
    if (message.type === 'tunnel') throw new Error('as the test asked')
  })`

test.serial(
  'a call goes on after the trunk thread has died and its trunks were dialled again',
  async (t) => {
    const entry = new URL(`data:text/javascript,${encodeURIComponent(MORTAL)}`)
    const { core, child } = await setUp(t, entry)
    const speaker = await child.join(ROOM, [microphoneSection(MICROPHONE, SSRC)])
    const listener = await core.join(ROOM, [audioSlotSection()])
    child.offer(microphone(MICROPHONE), STREAM)
    core.take(ROOM, microphone(AWAY), STREAM)
    const next = await speak(speaker, 100, () => listener.received.length >= 20)
    const ended = Promise.withResolvers<void>()
    child.trunk.onMessage = (message) => {
      if (message.type === 'trunk-ended') ended.resolve()
    }
    child.trunk.post({ type: 'tunnel', trunkId: 1, on: true })
    await ended.promise
    core.trunk.post({ type: 'close-trunk', trunkId: 1 })
    // As the desk does once a session stands again; until then the thread may be down.
    const redial = (): void => {
      core.trunk.post({ type: 'close-trunk', trunkId: 1 })
      connect(core, child)
      child.offer(microphone(MICROPHONE), STREAM)
      core.expect(microphone(AWAY), STREAM)
    }
    let ready = false
    child.trunk.onMessage = (message) => {
      ready ||= message.type !== 'trunk-ended'
    }
    let sinceMs = 0
    await until(
      () => ready,
      () => {
        if (performance.now() - sinceMs < 1_500) return
        sinceMs = performance.now()
        redial()
      },
    )
    const heard = listener.received.length
    await speak(speaker, next, () => listener.received.length >= heard + 20)
    t.pass()
  },
)
