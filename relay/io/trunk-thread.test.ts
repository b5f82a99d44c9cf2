import test, { type ExecutionContext } from 'ava'
import { TRUNK_KEEPALIVE_MS } from '../../config/index.ts'
import { HANDOFF_PACKET, HandoffFrame } from '../../core/media/engine/index.ts'
import { DROP_CODE, type DropReason } from '../../core/media/rtp/index.ts'
import { Camera, cameraSpec, Voice, voiceSpec } from '../trunk/simulated-media.fixture.ts'
import { flowsOf } from './trunk-carrier.fixture.ts'
import { NatBox, Station, until } from './trunk-thread.fixture.ts'

const MICROPHONE = 70
const CAMERA = 71
const AWAY = 900

type Stage = { core: Station; child: Station; nat: NatBox }

async function setUp(t: ExecutionContext): Promise<Stage> {
  const [core, child] = await Promise.all([Station.start(), Station.start()])
  const nat = await NatBox.open(core.thread.port)
  t.teardown(async () => {
    nat.close()
    await Promise.all([core.close(), child.close()])
  })
  const flows = flowsOf({ address: '127.0.0.1', port: nat.port })
  core.thread.post({ type: 'open-trunk', flow: flows.core })
  child.thread.post({ type: 'open-trunk', flow: flows.child })
  return { core, child, nat }
}

/** A microphone on the child's worker, which the core's worker wants. */
function speak({ core, child }: Stage): { voice: Voice; beat: () => void } {
  const startMs = performance.now()
  const voice = new Voice(MICROPHONE, (_id, bytes, start, end) =>
    child.link.push(bytes, start, end),
  )
  child.onWant = (_id, layerMask) => {
    voice.mask = layerMask
  }
  child.offer(MICROPHONE, voiceSpec(4))
  core.expect(AWAY, voiceSpec(4))
  core.link.wantLayers(AWAY, 1)
  return { voice, beat: () => voice.advance(performance.now() - startMs) }
}

/** Payloads of the packets that came to a worker, and whether all were of this publication. */
function payloads(station: Station, publicationId: number): { hex: string; layer: number }[] {
  const frame = new HandoffFrame()
  const found: { hex: string; layer: number }[] = []
  for (const bytes of station.frames) {
    frame.read(bytes, 0, bytes.length)
    if (frame.publicationId !== publicationId || frame.kind !== HANDOFF_PACKET) continue
    const hex = Buffer.from(bytes.subarray(28 + 12)).toString('hex')
    found.push({ hex, layer: frame.spatialLayer })
  }
  return found
}

const dropped = (station: Station, reason: DropReason): number =>
  station.thread.figures?.drops[DROP_CODE[reason]] ?? 0

test.serial(
  'what a worker of one node exports comes to a worker of another with identical payloads',
  async (t) => {
    const stage = await setUp(t)
    const { voice, beat } = speak(stage)
    await until(() => payloads(stage.core, AWAY).length >= 60, beat)
    t.true(stage.child.asked.includes(`want ${MICROPHONE} 1`))
    const sent = voice.sent.map(({ payload }) => payload)
    const got = payloads(stage.core, AWAY).map(({ hex }) => hex)
    t.is(new Set(got).size, got.length)
    t.true(got.every((hex) => sent.includes(hex)))
    const first = sent.indexOf(got[0]!)
    t.deepEqual(got, sent.slice(first, first + got.length))
    // How loud it is goes along, and that it flows.
    await until(() => stage.core.reports.some(({ type }) => type === 'levels'), beat)
    t.true(
      stage.core.reports.some(
        (report) => report.type === 'flowing' && report.publicationId === AWAY && report.flowing,
      ),
    )
  },
)

test.serial(
  'a layer that is wanted crosses, keyframe requests go back, and one wanted no more ends',
  async (t) => {
    const { core, child } = await setUp(t)
    const startMs = performance.now()
    const rates = [
      { bitrateBps: 60_000, heightPx: 180 },
      { bitrateBps: 120_000, heightPx: 360 },
    ]
    const outlet = (_id: number, bytes: Uint8Array, start: number, end: number): void => {
      child.link.push(bytes, start, end)
    }
    const camera = new Camera(CAMERA, outlet, rates)
    child.onWant = (_id, layerMask) => {
      camera.mask = layerMask
    }
    child.onKeyframe = (_id, layer) => camera.askKeyframe(layer)
    const beat = (): void => camera.advance(performance.now() - startMs)
    child.offer(CAMERA, cameraSpec(5, 2))
    core.expect(AWAY, cameraSpec(5, 2))
    core.link.wantLayers(AWAY, 0b01)
    await until(() => payloads(core, AWAY).length >= 10, beat)
    t.deepEqual(new Set(payloads(core, AWAY).map(({ layer }) => layer)), new Set([0]))
    core.link.requestKeyframe(AWAY, 0)
    await until(() => child.asked.includes(`keyframe ${CAMERA}.0`), beat)
    core.link.wantLayers(AWAY, 0)
    await until(() => child.asked.at(-1) === `want ${CAMERA} 0`, beat)
  },
)

test.serial('forged, replayed and foreign datagrams are counted and change nothing', async (t) => {
  const stage = await setUp(t)
  const { core, nat } = stage
  const { beat } = speak(stage)
  await until(() => payloads(core, AWAY).length >= 10, beat)
  const forged = Uint8Array.from(nat.lastUp)
  forged[forged.length - 1]! ^= 1
  forged[3]! ^= 0x7f
  const foreign = Uint8Array.from(nat.lastUp)
  foreign[9]! ^= 0xff
  await nat.inject(forged)
  await nat.inject(nat.lastUp)
  await nat.inject(foreign)
  await until(
    () =>
      dropped(core, 'srtp-auth-failed') === 1 &&
      dropped(core, 'srtp-replayed') === 1 &&
      dropped(core, 'trunk-unknown') === 1,
    beat,
  )
  const before = payloads(core, AWAY).length
  await until(() => payloads(core, AWAY).length >= before + 20, beat)
  t.is(core.thread.figures?.roams, 0)
})

test.serial('a NAT that gives the child another port is followed', async (t) => {
  const stage = await setUp(t)
  const { core, child, nat } = stage
  const { beat } = speak(stage)
  await until(() => payloads(core, AWAY).length >= 10, beat)
  await nat.rebind()
  const before = payloads(core, AWAY).length
  await until(() => payloads(core, AWAY).length >= before + 100, beat)
  await until(() => core.thread.figures?.roams === 1, beat)
  t.is(child.path(), 'udp')
})

test.serial('an idle trunk keeps its way through a NAT open', async (t) => {
  const { core, child, nat } = await setUp(t)
  await until(() => core.heard() && child.heard())
  nat.lastUp = new Uint8Array(0)
  const startMs = performance.now()
  await until(() => nat.lastUp.length > 0)
  t.true(performance.now() - startMs < TRUNK_KEEPALIVE_MS)
  await until(() => core.path() !== undefined)
  t.is(child.path() ?? 'udp', 'udp')
})

test.serial('where UDP is blocked, packets go through the WebSocket', async (t) => {
  const stage = await setUp(t)
  const { core, child, nat } = stage
  nat.blocked = true
  for (const [from, to] of [
    [core, child],
    [child, core],
  ] as const) {
    from.thread.onMessage = (message) => {
      from.told.push(message)
      if (message.type !== 'tunnel-out') return
      const { trunkId, bytes } = message
      to.thread.post({ type: 'tunnelled', trunkId, bytes })
    }
  }
  const { beat } = speak(stage)
  await until(() => payloads(core, AWAY).length >= 30, beat)
  await until(() => child.path() === 'tunnel' && core.path() === 'tunnel', beat)
  t.true(core.heard() && child.heard())
})

test.serial('a port that is taken is an error with its number in it', async (t) => {
  const one = await Station.start()
  t.teardown(() => one.close())
  const { startTrunkThread } = await import('./trunk-thread-host.ts')
  const { createLog } = await import('../../core/io/index.ts')
  const { port } = one.thread
  const again = startTrunkThread({ port, batching: true, log: createLog('silent') })
  await t.throwsAsync(again, { message: new RegExp(`UDP port ${port}`) })
})

/** The real thread, but `tunnel` kills it. */
const MORTAL = `
  import { parentPort } from 'node:worker_threads'
  import '${new URL('./trunk-thread.ts', import.meta.url).href}'
  parentPort.on('message', (message) => {
    if (message.type === 'tunnel') throw new Error('as the test asked')
  })`

test.serial(
  'a thread that dies ends its trunks, comes back on its port, and serves again',
  async (t) => {
    const core = await Station.start(new URL(`data:text/javascript,${encodeURIComponent(MORTAL)}`))
    const child = await Station.start()
    t.teardown(() => Promise.all([core.close(), child.close()]))
    const { port } = core.thread
    core.thread.post({ type: 'open-trunk', flow: flowsOf({ address: '127.0.0.1', port }).core })
    core.thread.post({ type: 'tunnel', trunkId: 1, on: true })
    await until(() => core.ended === 1)
    t.deepEqual(core.told.at(-1), { type: 'trunk-ended', trunkId: 1, reason: 'fault' })
    // Opened while the thread is down: it ends at once.
    core.told.length = 0
    core.thread.post({ type: 'open-trunk', flow: flowsOf({ address: '127.0.0.1', port }).core })
    await until(() => core.told.length > 0)
    t.is(core.told[0]?.type, 'trunk-ended')
    await until(() => core.restarted === 1)
    t.is(core.thread.port, port)
    const flows = flowsOf({ address: '127.0.0.1', port })
    core.thread.post({ type: 'open-trunk', flow: flows.core })
    child.thread.post({ type: 'open-trunk', flow: flows.child })
    await until(() => core.heard() && child.heard())
  },
)
