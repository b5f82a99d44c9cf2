import { MessageChannel } from 'node:worker_threads'
import test from 'ava'
import { EARLY_WANTS_MAX, HANDOFF_FRAME_BYTES_MAX } from '../../config/index.ts'
import type { ExportOutlet } from '../media/engine/index.ts'
import { EngineCounters, HANDOFF_PACKET, HANDOFF_STATUS } from '../media/engine/index.ts'
import { createDropCounters, DROP_CODE } from '../media/rtp/index.ts'
import { Crossing } from './media-worker-crossing.ts'
import type { MediaEngine } from './media-worker-engine.ts'
import { createRingMemory } from './packet-ring.ts'

const PUBLICATION = 7
const ROOM = 1
const DESCRIPTION = {
  publicationId: PUBLICATION,
  kind: 'video' as const,
  use: 'camera' as const,
  codecs: [{ codec: 'vp8' as const, payloadType: 96, clockRate: 90_000 }],
  layerCount: 3,
}

/** One worker's side, with an engine that only takes notes. */
class Side {
  readonly heard: string[] = []
  readonly drops = createDropCounters()
  outlet: ExportOutlet | undefined
  readonly crossing: Crossing

  constructor() {
    const engine: MediaEngine = {
      counters: new EngineCounters(),
      command: (command) => this.heard.push(command.type),
      transportIndex: () => -1,
      connected: () => undefined,
      disconnected: () => undefined,
      onRtp: () => undefined,
      onRtcp: () => undefined,
      nextDeadlineMs: () => Number.POSITIVE_INFINITY,
      onDeadline: () => undefined,
      exportPublication: (_id, outlet) => {
        this.outlet = outlet
        return true
      },
      onUpstreamKeyframe: (id, layer) => this.heard.push(`keyframe ${id}/${layer}`),
      onUpstreamWant: (id, mask) => this.heard.push(`want ${id}/${mask}`),
      onImported: (bytes, start, end) => this.heard.push(`frame ${bytes.subarray(start, end)}`),
    }
    this.crossing = new Crossing({
      engine: () => engine,
      nowMs: () => 0,
      onInput: () => undefined,
      drops: this.drops,
    })
  }

  take(): string[] {
    return this.heard.splice(0)
  }
}

function connect(one: Side, other: Side, [oneIndex, otherIndex]: [number, number]): void {
  const { port1, port2 } = new MessageChannel()
  const forth = createRingMemory(4_096)
  const back = createRingMemory(4_096)
  one.crossing.link({ peer: otherIndex, port: port1, outgoing: forth, incoming: back })
  other.crossing.link({ peer: oneIndex, port: port2, outgoing: back, incoming: forth })
}

/** Message ports deliver within some turns of the loop. */
async function settle(done: () => boolean): Promise<void> {
  for (let turns = 0; turns < 10_000 && !done(); turns++) await new Promise(setImmediate)
}

test('packets cross only while someone over there wants a layer; demand is the union of all', async (t) => {
  const home = new Side()
  const near = new Side()
  const far = new Side()
  t.teardown(() => {
    for (const side of [home, near, far]) side.crossing.close()
  })
  connect(home, near, [0, 1])
  connect(home, far, [0, 2])
  home.crossing.export(PUBLICATION, 1)
  home.crossing.export(PUBLICATION, 2)
  near.crossing.import(ROOM, DESCRIPTION, 0)
  far.crossing.import(ROOM, DESCRIPTION, 0)
  t.deepEqual(near.take(), ['import'])
  home.take()
  home.outlet?.handoff(Uint8Array.of(0, 1, 2), 1, 3)
  near.crossing.wantLayers(PUBLICATION, 0b001)
  await settle(() => home.heard.length >= 1)
  far.crossing.wantLayers(PUBLICATION, 0b100)
  await settle(() => home.heard.length >= 2)
  t.deepEqual(home.take(), ['want 7/1', 'want 7/5'])
  far.crossing.wantLayers(PUBLICATION, 0)
  await settle(() => home.heard.length >= 1)
  t.deepEqual(home.take(), ['want 7/1'])
  far.take()
  home.outlet?.handoff(Uint8Array.of(0, 8, 9), 1, 3)
  await settle(() => near.heard.length >= 1)
  t.deepEqual(near.take(), ['frame 8,9'])
  t.deepEqual(far.take(), [])
})

test('keyframe requests go to the worker that receives the publication', async (t) => {
  const home = new Side()
  const near = new Side()
  t.teardown(() => {
    for (const side of [home, near]) side.crossing.close()
  })
  connect(home, near, [0, 1])
  near.crossing.import(ROOM, DESCRIPTION, 0)
  near.crossing.requestKeyframe(PUBLICATION, 2)
  await settle(() => home.heard.length > 0)
  t.deepEqual(home.take(), ['keyframe 7/2'])
  near.crossing.forget(PUBLICATION)
  near.crossing.requestKeyframe(PUBLICATION, 2)
  near.crossing.wantLayers(PUBLICATION, 1)
  await settle(() => home.heard.length > 0)
  t.deepEqual(home.take(), [])
})

test('a want that overtakes the export counts once the export is there', async (t) => {
  const home = new Side()
  const near = new Side()
  t.teardown(() => {
    for (const side of [home, near]) side.crossing.close()
  })
  connect(home, near, [0, 1])
  near.crossing.import(ROOM, DESCRIPTION, 0)
  near.crossing.wantLayers(PUBLICATION, 0b010)
  await settle(() => false)
  t.deepEqual(home.take(), [])
  home.crossing.export(PUBLICATION, 1)
  t.deepEqual(home.take(), ['want 7/2'])
})

test('wants for what is never exported are bounded: the oldest is forgotten', async (t) => {
  const home = new Side()
  const near = new Side()
  t.teardown(() => {
    for (const side of [home, near]) side.crossing.close()
  })
  connect(home, near, [0, 1])
  for (let publicationId = 1; publicationId <= EARLY_WANTS_MAX + 1; publicationId++) {
    near.crossing.import(ROOM, { ...DESCRIPTION, publicationId }, 0)
    near.crossing.wantLayers(publicationId, 1)
  }
  // The last message has come when its own want is there.
  await settle(() => false)
  home.crossing.export(EARLY_WANTS_MAX + 1, 1)
  home.crossing.export(2, 1)
  home.crossing.export(1, 1)
  t.deepEqual(home.take(), [`want ${EARLY_WANTS_MAX + 1}/1`, 'want 2/1', 'want 1/0'])
})

test('a full ring drops and counts; a dead peer is no longer written to', async (t) => {
  const home = new Side()
  const near = new Side()
  t.teardown(() => {
    for (const side of [home, near]) side.crossing.close()
  })
  connect(home, near, [0, 1])
  home.crossing.export(PUBLICATION, 1)
  near.crossing.import(ROOM, DESCRIPTION, 0)
  near.crossing.wantLayers(PUBLICATION, 1)
  await settle(() => home.heard.includes('want 7/1'))
  const frame = new Uint8Array(HANDOFF_FRAME_BYTES_MAX / 2)
  for (let i = 0; i < 10; i++) home.outlet?.handoff(frame, 0, frame.length)
  const dropped = home.drops[DROP_CODE['ring-full']]!
  t.true(dropped >= 6)
  home.take()
  home.crossing.unlink(1)
  t.deepEqual(home.take(), ['want 7/0'])
  home.outlet?.handoff(frame, 0, frame.length)
  t.is(home.drops[DROP_CODE['ring-full']], dropped)
})

test('a status crosses to all that it is exported to, wanted or not', async (t) => {
  const home = new Side()
  const near = new Side()
  t.teardown(() => {
    for (const side of [home, near]) side.crossing.close()
  })
  connect(home, near, [0, 1])
  home.crossing.export(PUBLICATION, 1)
  near.crossing.import(ROOM, DESCRIPTION, 0)
  near.take()
  home.outlet?.handoff(Uint8Array.of(HANDOFF_PACKET, 9), 0, 2)
  home.outlet?.handoff(Uint8Array.of(HANDOFF_STATUS, 5), 0, 2)
  await settle(() => near.heard.length >= 1)
  t.deepEqual(near.take(), [`frame ${HANDOFF_STATUS},5`])
})

test('a peer that was started again hears what is wanted of it', async (t) => {
  const before = new Side()
  const after = new Side()
  const near = new Side()
  t.teardown(() => {
    for (const side of [before, after, near]) side.crossing.close()
  })
  connect(before, near, [0, 1])
  near.crossing.import(ROOM, DESCRIPTION, 0)
  near.crossing.wantLayers(PUBLICATION, 0b110)
  near.crossing.unlink(0)
  after.crossing.export(PUBLICATION, 1)
  after.take()
  connect(after, near, [0, 1])
  await settle(() => after.heard.includes('want 7/6'))
  t.true(after.take().includes('want 7/6'))
})
