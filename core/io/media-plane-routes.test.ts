import test from 'ava'
import fc from 'fast-check'
import type { Section, TransportSpec } from '../media/control.ts'
import { MediaRoutes } from './media-plane-routes.ts'
import type { ToWorker } from './media-worker-protocol.ts'

const ICE = { usernameFragment: 'u', password: 'p' }
const ROOM = 1

function spec(transportId: number, publicationId?: number): TransportSpec {
  const section: Section = {
    direction: 'in',
    use: 'camera',
    publicationId: publicationId ?? 0,
    rids: ['q', 'h', 'f'],
    ssrcs: [],
    mid: '0',
    kind: 'video',
    codecs: [{ codec: 'vp8', payloadType: 96, clockRate: 90_000 }],
    extensions: {},
    feedback: { nack: true, pli: true, transportWide: true, remb: false },
  }
  const sections = publicationId === undefined ? [] : [section]
  const ice = { iceLocal: ICE, iceRemote: ICE }
  return { transportId, roomId: ROOM, ...ice, fingerprints: [], sections, permitted: ['camera'] }
}

class Recorder {
  readonly lines: string[] = []
  readonly links: string[] = []
  readonly routes = new MediaRoutes({
    post: (worker, message) => this.lines.push(`${worker} ${describe(message)}`),
    ensureLink: (from, to) => this.links.push(`${from}-${to}`),
  })

  join(transportId: number, worker: number, publicationId?: number): void {
    this.routes.reserve(transportId, ROOM, worker)
    this.routes.open(spec(transportId, publicationId))
  }

  take(): string[] {
    return this.lines.splice(0)
  }
}

function describe(message: ToWorker): string {
  switch (message.type) {
    case 'command': {
      const { command } = message
      return command.type === 'forget' ? `forget ${command.publicationId}` : command.type
    }
    case 'import':
      return `import ${message.publication.publicationId} from ${message.peer}`
    case 'export':
    case 'unexport':
      return `${message.type} ${message.publicationId} to ${message.peer}`
    default:
      return message.type
  }
}

const main = (publicationId: number) => ({ audio: [], main: publicationId, mainFallback: 0 })

test('nothing crosses while everyone is on one worker', (t) => {
  const recorder = new Recorder()
  recorder.join(1, 0, 100)
  recorder.join(2, 0)
  recorder.routes.assign(ROOM, main(100))
  t.deepEqual(recorder.take(), ['0 open', '0 open', '0 assign'])
})

test('an assigned publication crosses to each worker that has someone in the room, before the assignment', (t) => {
  const recorder = new Recorder()
  recorder.join(1, 0, 100)
  recorder.join(2, 1)
  recorder.take()
  recorder.routes.assign(ROOM, main(100))
  t.deepEqual(recorder.take(), ['0 export 100 to 1', '1 import 100 from 0', '0 assign', '1 assign'])
  t.deepEqual(recorder.links, ['0-1'])
  recorder.routes.assign(ROOM, main(100))
  t.deepEqual(recorder.take(), ['0 assign', '1 assign'])
})

test('the first of a room on a worker finds what the room shows', (t) => {
  const recorder = new Recorder()
  recorder.join(1, 0, 100)
  recorder.routes.assign(ROOM, main(100))
  recorder.take()
  recorder.join(2, 1)
  t.deepEqual(recorder.take(), ['1 open', '0 export 100 to 1', '1 import 100 from 0', '1 assign'])
  recorder.join(3, 1)
  t.deepEqual(recorder.take(), ['1 open'])
})

test('a publication that was assigned before it came crosses when it comes', (t) => {
  const recorder = new Recorder()
  recorder.join(1, 1)
  recorder.routes.assign(ROOM, main(100))
  recorder.take()
  recorder.join(2, 0, 100)
  t.true(recorder.take().includes('1 import 100 from 0'))
})

test('a view pulls what it names to the viewer alone', (t) => {
  const recorder = new Recorder()
  recorder.join(1, 0, 100)
  recorder.join(2, 1)
  recorder.join(3, 2)
  recorder.take()
  recorder.routes.view(3, [{ mid: '1', publicationId: 100, widthPx: 320, heightPx: 180 }])
  t.deepEqual(recorder.take(), ['0 export 100 to 2', '2 import 100 from 0', '2 view'])
})

test('the end of a publisher ends its publication everywhere', (t) => {
  const recorder = new Recorder()
  recorder.join(1, 0, 100)
  recorder.join(2, 1)
  recorder.routes.assign(ROOM, main(100))
  recorder.take()
  recorder.routes.end(1)
  t.deepEqual(recorder.take(), ['0 unexport 100 to 1', '1 forget 100'])
  t.is(recorder.routes.homeOf(100), undefined)
})

test('a worker whose last one of the room leaves gets nothing of it any more', (t) => {
  const recorder = new Recorder()
  recorder.join(1, 0, 100)
  recorder.join(2, 1)
  recorder.routes.assign(ROOM, main(100))
  recorder.take()
  recorder.routes.end(2)
  t.deepEqual(recorder.take(), ['0 unexport 100 to 1', '1 forget 100'])
  recorder.routes.assign(ROOM, main(100))
  t.deepEqual(recorder.take(), ['0 assign'])
})

test('a reservation that is given back leaves no trace', (t) => {
  const recorder = new Recorder()
  recorder.routes.reserve(1, ROOM, 0)
  recorder.routes.end(1)
  recorder.routes.open(spec(1, 100))
  t.deepEqual(recorder.take(), [])
  t.is(recorder.routes.workerOf(1), undefined)
})

test('property: imports and exports balance, whoever comes and goes', (t) => {
  const id = fc.integer({ min: 1, max: 8 })
  const step = fc.tuple(fc.constantFrom('join', 'end', 'assign', 'view'), id, id)
  const property = fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const recorder = new Recorder()
    const { routes } = recorder
    const alive = new Set<number>()
    for (const [act, one, other] of steps) {
      if (act === 'join' && !alive.has(one)) {
        alive.add(one)
        recorder.join(one, one % 3, 100 + one)
      } else if (act === 'end') {
        alive.delete(one)
        routes.end(one)
      } else if (act === 'assign') routes.assign(ROOM, main(100 + one))
      else if (act === 'view') {
        const view = { mid: '1', publicationId: 100 + other, widthPx: 1, heightPx: 1 }
        routes.view(one, [view])
      }
    }
    const open = new Map<string, number>()
    for (const line of recorder.lines) {
      const [, verb, publication, , peer] = line.split(' ')
      if (verb !== 'export' && verb !== 'unexport') continue
      const key = `${publication} ${peer}`
      open.set(key, (open.get(key) ?? 0) + (verb === 'export' ? 1 : -1))
      t.true([0, 1].includes(open.get(key)!), key)
    }
    for (const transportId of alive) routes.end(transportId)
    const count = (verb: string) =>
      recorder.lines.filter((line) => line.includes(` ${verb} `)).length
    t.is(count('export'), count('unexport'))
    t.is(count('import'), count('forget'))
  })
  fc.assert(property, { numRuns: 300 })
})

const TRUNK = 7
const remote = (publicationId: number) => ({
  publicationId,
  kind: 'video' as const,
  use: 'camera' as const,
  codecs: [{ codec: 'vp8' as const, payloadType: 96, clockRate: 90_000 }],
  layerCount: 3,
})

test('a publication of another node goes nowhere in a room without transports, and to those who come later', (t) => {
  const recorder = new Recorder()
  recorder.routes.import(ROOM, remote(500), TRUNK)
  recorder.routes.assign(ROOM, main(500))
  t.deepEqual(recorder.take(), [])
  recorder.join(1, 0)
  t.deepEqual(recorder.take(), ['0 open', '7 export 500 to 0', '0 import 500 from 7', '0 assign'])
  recorder.routes.end(1)
  t.deepEqual(recorder.take(), ['7 unexport 500 to 0', '0 forget 500'])
  recorder.join(2, 1)
  t.true(recorder.take().includes('1 import 500 from 7'))
  t.is(recorder.routes.homeOf(500), TRUNK)
  recorder.routes.forget(500)
  t.deepEqual(recorder.take(), ['7 unexport 500 to 1', '1 forget 500'])
  t.is(recorder.routes.homeOf(500), undefined)
})

test('a publication of another node that was assigned or looked at crosses once it is there', (t) => {
  const recorder = new Recorder()
  recorder.join(1, 0)
  recorder.routes.assign(ROOM, main(500))
  recorder.take()
  recorder.routes.import(ROOM, remote(500), TRUNK)
  t.deepEqual(recorder.take(), ['7 export 500 to 0', '0 import 500 from 7'])
  recorder.routes.import(ROOM, remote(501), TRUNK)
  recorder.routes.view(1, [{ mid: '1', publicationId: 501, widthPx: 1, heightPx: 1 }])
  t.deepEqual(recorder.take(), ['7 export 501 to 0', '0 import 501 from 7', '0 view'])
})

test('a publication of this node crosses to the trunk when it is let, though nobody is there, and ends with its transport', (t) => {
  const recorder = new Recorder()
  recorder.join(1, 0, 100)
  recorder.take()
  recorder.routes.export(100, TRUNK)
  recorder.routes.export(100, TRUNK)
  t.deepEqual(recorder.take(), ['0 export 100 to 7', '7 import 100 from 0'])
  recorder.routes.unexport(100, TRUNK)
  t.deepEqual(recorder.take(), ['0 unexport 100 to 7', '7 forget 100'])
  recorder.routes.export(100, TRUNK)
  recorder.take()
  recorder.routes.end(1)
  t.deepEqual(recorder.take(), ['0 unexport 100 to 7', '7 forget 100'])
  recorder.routes.unexport(100, TRUNK)
  t.deepEqual(recorder.take(), [])
})

test('one that is let cross before it comes crosses when it comes; one that was not is left alone', (t) => {
  const recorder = new Recorder()
  recorder.routes.export(100, TRUNK)
  recorder.routes.export(101, TRUNK)
  recorder.routes.unexport(101, TRUNK)
  recorder.join(1, 0, 100)
  recorder.join(2, 0, 101)
  const lines = recorder.take()
  t.true(lines.includes('7 import 100 from 0'))
  t.false(lines.includes('7 import 101 from 0'))
})

test('forget of our own publication changes nothing', (t) => {
  const recorder = new Recorder()
  recorder.join(1, 0, 100)
  recorder.take()
  recorder.routes.forget(100)
  recorder.routes.forget(12_345)
  t.is(recorder.routes.homeOf(100), 0)
  t.deepEqual(recorder.take(), [])
})

test("mute reaches the home of ours, and all who import what is another node's, also those who do so later", (t) => {
  const recorder = new Recorder()
  recorder.join(1, 0, 100)
  recorder.join(2, 1)
  recorder.routes.import(ROOM, remote(500), TRUNK)
  recorder.routes.assign(ROOM, { audio: [500], main: 100, mainFallback: 0 })
  recorder.take()
  recorder.routes.mute(100, true)
  t.deepEqual(recorder.take(), ['0 mute'])
  recorder.routes.mute(500, true)
  t.deepEqual(recorder.take(), ['0 mute', '1 mute'])
  recorder.join(3, 2)
  t.is(recorder.take().filter((line) => line === '2 mute').length, 1)
})

test('a trunk thread that begins anew hears again of all that crosses, both ways', (t) => {
  const recorder = new Recorder()
  recorder.join(1, 0, 100)
  recorder.join(2, 1)
  recorder.routes.import(ROOM, remote(500), TRUNK)
  recorder.routes.assign(ROOM, { audio: [], main: 500, mainFallback: 100 })
  recorder.routes.export(100, TRUNK)
  recorder.take()
  recorder.links.length = 0
  recorder.routes.repeat(TRUNK)
  t.deepEqual(recorder.take(), ['7 import 100 from 0', '7 export 500 to 0', '7 export 500 to 1'])
  t.deepEqual(recorder.links, ['0-7', '7-0', '7-1'])
})
