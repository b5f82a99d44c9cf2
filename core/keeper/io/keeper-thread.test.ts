/** The real thread, with a media worker's end of the ring played by the test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { PACKET_RING_BYTES } from '../../../config/index.ts'
import { WorkerLink } from '../../io/carriers.ts'
import { createLog } from '../../io/index.ts'
import { createRingMemory } from '../../io/packet-ring.ts'
import type { SegmentEntry } from '../contract.ts'
import { handoffFrame, mediaPacket, picturePackets, statusFrame } from '../segment.fixture.ts'
import { hashOf, readSegment } from '../segment-format.ts'
import { type Keeper, startKeeper } from './keeper-host.ts'

const MICROPHONE = 7
const CAMERA = 8
const PATIENCE_MS = 40_000
const NAMES = { room: 'giao-ban', participant: 'p1', name: 'Mai' }
const ALWAYS = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }

async function until(done: () => boolean, act: () => void = () => undefined): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  while (!done()) {
    if (performance.now() > endMs) throw new Error(`not within ${PATIENCE_MS} ms: ${done}`)
    act()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Worker 0 of a media plane, as far as the keeper sees it. */
class FakeWorker {
  readonly asked: string[] = []
  readonly #keeper: Keeper
  #link: WorkerLink | undefined

  constructor(keeper: Keeper) {
    this.#keeper = keeper
    this.connect()
  }

  connect(): void {
    const { port1, port2 } = new MessageChannel()
    const outgoing = createRingMemory(PACKET_RING_BYTES)
    const incoming = createRingMemory(PACKET_RING_BYTES)
    const link = { peer: 0, port: port1, outgoing: incoming, incoming: outgoing }
    this.#keeper.peer.post({ type: 'link', link }, [port1])
    this.#link?.close()
    this.#link = new WorkerLink(
      { peer: 2, port: port2, outgoing, incoming },
      {
        onFrame: () => undefined,
        onKeyframeWanted: (_peer, id, layer) => this.asked.push(`keyframe ${id}.${layer}`),
        onLayersWanted: (_peer, id, mask) => this.asked.push(`want ${id} ${mask}`),
      },
    )
  }

  offer(publicationId: number): void {
    const isAudio = publicationId === MICROPHONE
    const codec = isAudio ? 'opus' : 'vp8'
    const publication = {
      publicationId,
      kind: isAudio ? 'audio' : 'video',
      use: isAudio ? 'microphone' : 'camera',
      codecs: [{ codec, payloadType: 96, clockRate: isAudio ? 48_000 : 90_000 }],
      layerCount: 1,
    } as const
    this.#keeper.peer.post({
      type: 'import',
      roomId: 1,
      peer: 0,
      publication: { ...publication, codecs: [...publication.codecs] },
    })
  }

  push(frame: Uint8Array): void {
    this.#link!.push(frame, 0, frame.length)
  }

  /** Seconds of sound and picture at once; the picture has a keyframe each two seconds. */
  play(seconds: number): void {
    const zeroMs = performance.now()
    this.push(statusFrame(MICROPHONE, { levelDbov: 25, zeroMs }))
    this.push(statusFrame(CAMERA, { levelDbov: 127, zeroMs }))
    for (let index = 0; index < seconds * 50; index++) {
      const payload = Uint8Array.of(0xf8, 0xff, index & 0xff)
      this.push(
        handoffFrame(MICROPHONE, mediaPacket({ sequence: index, timestamp: index * 960, payload })),
      )
    }
    for (let index = 0; index < seconds * 25; index++) {
      const isKey = index % 50 === 0
      const fields = { sequence: index * 2, timestamp: index * 3_600, isKey, tl0: index & 0xff }
      for (const packet of picturePackets(fields)) this.push(handoffFrame(CAMERA, packet))
    }
  }

  close(): void {
    this.#link?.close()
  }
}

async function start(t: ExecutionContext) {
  const dataDir = mkdtempSync(join(tmpdir(), 'nhipcau-keeper-'))
  const options = {
    dataDir,
    nodeId: 'node-1',
    bounds: { hours: 4, bytes: 1e9 },
    log: createLog('silent'),
  }
  const keeper = await startKeeper(options)
  const worker = new FakeWorker(keeper)
  t.teardown(async () => {
    worker.close()
    await keeper.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const stored: SegmentEntry[] = []
  keeper.watch({ onStored: (entry) => stored.push(entry) })
  return { keeper, worker, stored, dataDir, options }
}

function keepBoth(keeper: Keeper, worker: FakeWorker): void {
  for (const publicationId of [MICROPHONE, CAMERA]) {
    worker.offer(publicationId)
    const use = publicationId === MICROPHONE ? 'microphone' : 'camera'
    keeper.keep({ publicationId, track: { ...NAMES, use }, shown: true })
  }
}

test('frames of a media worker become segments that can be listed and read', async (t) => {
  const { keeper, worker, stored } = await start(t)
  keepBoth(keeper, worker)
  await until(() => worker.asked.length === 2)
  t.deepEqual(worker.asked.toSorted(), [`want ${MICROPHONE} 1`, `want ${CAMERA} 1`])
  worker.play(6)
  // An order may overtake what still lies in the ring.
  await until(() => stored.length >= 4)
  keeper.drop(MICROPHONE)
  keeper.drop(CAMERA)
  await until(() => stored.length === 6)
  t.deepEqual(worker.asked.slice(2).toSorted(), [`want ${MICROPHONE} 0`, `want ${CAMERA} 0`])
  t.deepEqual(keeper.list({ room: 'giao-ban', ...ALWAYS }).length, 6)
  const sound = keeper.list({ room: 'giao-ban', use: 'microphone', ...ALWAYS })
  t.deepEqual(
    sound.map(({ sequence, frameCount, name, origin }) => [sequence, frameCount, name, origin]),
    [0, 1, 2].map((sequence) => [sequence, 100, 'Mai', 'node-1']),
  )
  const outcome = await keeper.read(sound[0]!.hash)
  t.true(outcome.ok && hashOf(outcome.bytes) === sound[0]!.hash)
  const segment = outcome.ok ? readSegment(outcome.bytes) : undefined
  t.is(segment?.frames[5]?.levelDbov, 25)
  t.deepEqual([...segment!.frames[5]!.bytes], [0xf8, 0xff, 5])
  t.deepEqual(
    keeper.tracks({ room: 'giao-ban', ...ALWAYS }).map(({ use }) => use),
    ['camera', 'microphone'],
  )
  t.is(keeper.tail({ ...sound[0]!, use: 'microphone' })?.sequence, 2)
  t.is(keeper.rooms()[0]?.room, 'giao-ban')
  const { startMs } = sound[0]!
  const track = { room: 'giao-ban', participant: 'p1', use: 'microphone' } as const
  t.deepEqual(keeper.missing({ ...track, fromMs: startMs, toMs: startMs + 6_000 }), [])
  t.is(keeper.missing({ ...track, fromMs: startMs, toMs: startMs + 9_000 }).length, 1)
  t.is(keeper.health.state, 'storing')
})

test('what one node recorded another takes, byte for byte, once', async (t) => {
  const one = await start(t)
  const other = await start(t)
  keepBoth(one.keeper, one.worker)
  await until(() => one.worker.asked.length === 2)
  one.worker.play(4)
  await until(() => one.stored.length >= 2)
  one.keeper.drop(MICROPHONE)
  await until(() => one.stored.filter(({ use }) => use === 'microphone').length === 2)
  for (const { hash } of one.stored) {
    const read = await one.keeper.read(hash)
    if (!read.ok) throw new Error(read.reason)
    const bytes = new Uint8Array(read.bytes)
    t.like(await other.keeper.put(bytes.slice(), hash), { ok: true, state: 'stored' })
    t.like(await other.keeper.put(bytes.slice(), hash), { ok: true, state: 'known' })
    const again = await other.keeper.read(hash)
    t.deepEqual(again.ok ? [...again.bytes] : [], [...bytes])
  }
  t.is(other.stored.length, one.stored.length)
})

test('closing writes what was being recorded, and the next start goes on', async (t) => {
  const { keeper, worker, options } = await start(t)
  keepBoth(keeper, worker)
  await until(() => worker.asked.length === 2)
  worker.play(1)
  await until(() => (keeper.figures?.tracks ?? 0) === 2)
  await keeper.close()
  const again = await startKeeper(options)
  t.is(again.list({ room: 'giao-ban', ...ALWAYS }).length, 2)
  await again.close()
})
