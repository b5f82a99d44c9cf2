/** What a node knows of the tree below it, told by books that only know their own trunks. */
import test from 'ava'
import fc from 'fast-check'
import {
  STATUS_LOST_MS,
  STATUS_RELAYS_PER_CHILD_MAX,
  STATUS_RELAYS_PER_MESSAGE,
  STATUS_SILENT_MS,
} from '../../config/limits.ts'
import { packPlain } from '../../core/msgpack/index.ts'
import { TRUNK_CLASSES, type TrunkReport, type TrunkStreamReport } from '../trunk/contract.ts'
import { type RelayStatus, StatusBook, type TrunkStatus } from './index.ts'

const START_MS = 1_790_000_000_000

function report(change: Partial<TrunkReport> = {}): TrunkReport {
  return {
    rttMs: 40,
    lossSentRatio: 0.01,
    lossReceivedRatio: 0.02,
    lossResidualRatio: 0.001,
    lossBurst: 1,
    queueDelayMs: 10,
    jitterMs: 3,
    estimateBps: 2_000_000,
    provenBps: 900_000,
    sentBps: 800_000,
    receivedBps: 300_000,
    mtuBytes: 1_200,
    shares: TRUNK_CLASSES.map((_, i) => i * 1_000),
    repair: { nack: true, redundancyRatio: 0, parityRatio: 0 },
    speech: { packetMs: 20, bitrateBps: 0 },
    streams: [],
    ...change,
  }
}

function stream(change: Partial<TrunkStreamReport> = {}): TrunkStreamReport {
  return {
    streamId: 1,
    class: 'main-base',
    layerWanted: 2,
    layerSent: 2,
    temporal: 3,
    mode: 'full',
    keyframeIntervalMs: 0,
    bitrateBps: 500_000,
    reason: 'none',
    missingBps: 0,
    ...change,
  }
}

const nameOf = () => ({ room: 'hop', participant: 'pa', use: 'camera' as const })

/** Base32 letters only. */
const idOf = (name: string): string =>
  `n${[...name].map((c) => 'abcdefghijklmnopqrstuvwxyz234567'[c.charCodeAt(0) % 32]).join('')}`

/** Nodes in memory whose clocks are one. */
class World {
  nowMs = START_MS
  readonly books = new Map<string, StatusBook>()
  readonly trunks: {
    id: number
    parent: string
    child: string
    isCut: boolean
    streams: TrunkStreamReport[]
  }[] = []
  messageBytesMax = 0

  /** Returns the trunk to its parent, 0 for a core. */
  add(name: string, parent?: string): number {
    const node = { nodeId: idOf(name), name, version: '1.0.0', startedMs: this.nowMs }
    this.books.set(name, new StatusBook(node))
    return parent === undefined ? 0 : this.link(parent, name)
  }

  link(parent: string, child: string): number {
    const id = this.trunks.length + 1
    this.trunks.push({ id, parent, child, isCut: false, streams: [] })
    const [up, down] = ['up', 'down'] as const
    const peer = (name: string, direction: 'up' | 'down') => ({
      direction,
      nodeId: idOf(name),
      name,
      version: '1.0.0',
    })
    this.books.get(parent)!.opened(id, peer(child, down), this.nowMs)
    this.books.get(child)!.opened(id, peer(parent, up), this.nowMs)
    return id
  }

  cut(id: number): void {
    const trunk = this.trunks[id - 1]!
    trunk.isCut = true
    this.books.get(trunk.parent)!.closed(id, this.nowMs)
    this.books.get(trunk.child)!.closed(id, this.nowMs)
  }

  run(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.nowMs += 1_000
      for (const { id, parent, child, isCut, streams } of this.trunks) {
        if (isCut) continue
        const facts = { nameOf, wallMs: this.nowMs }
        this.books.get(parent)!.reported(id, report({ streams }), facts)
        this.books.get(child)!.reported(id, report({ estimateBps: 500_000 }), facts)
      }
      for (const [name, book] of this.books) this.#deliver(name, book)
    }
  }

  #deliver(name: string, book: StatusBook): void {
    for (const { trunkId, status } of book.due(this.nowMs)) {
      const { parent, child } = this.trunks[trunkId - 1]!
      this.messageBytesMax = Math.max(this.messageBytesMax, packPlain(status).length)
      const far = this.books.get(name === parent ? child : parent)!
      if (!far.told(trunkId, structuredClone(status), this.nowMs)) throw new Error('malformed')
    }
  }

  status(name: string, historyOf?: string): TrunkStatus {
    return this.books.get(name)!.status(this.nowMs, historyOf)
  }
}

function outline(relays: readonly RelayStatus[]): string {
  return relays
    .map(({ name, children }) => (children.length > 0 ? `${name}(${outline(children)})` : name))
    .join(' ')
}

function find(relays: readonly RelayStatus[], name: string): RelayStatus | undefined {
  for (const relay of relays) {
    const found = relay.name === name ? relay : find(relay.children, name)
    if (found !== undefined) return found
  }
  return undefined
}

test('a core sees the whole tree, four deep, with the figures of both ways of every link', (t) => {
  const world = new World()
  world.add('core')
  world.add('province', 'core')
  world.add('district', 'province')
  world.add('commune', 'district')
  world.books.get('commune')!.setSites(7)
  world.books.get('province')!.setSites(2)
  world.run(10)
  const { children, node } = world.status('core')
  t.is(outline(children), 'province(district(commune))')
  t.is(node.sitesBelow, 9)
  t.is(children[0]!.sitesBelow, 9)
  const commune = find(children, 'commune')!
  t.like(commune, { sites: 7, state: 'connected', mark: 'green', version: '1.0.0' })
  t.is(commune.link.rttMs, 40)
  t.like(commune.link.down, { estimateBps: 2_000_000, usedBps: 800_000, lossRatio: 0.01 })
  t.like(commune.link.up, {
    estimateBps: 500_000,
    usedBps: 300_000,
    lossRatio: 0.02,
    residualRatio: 0.001,
  })
  t.deepEqual(
    commune.link.down.shares,
    TRUNK_CLASSES.map((_, i) => i * 1_000),
  )
})

test('sixty relays are told in messages of bounded size, all of them within seconds', (t) => {
  const world = new World()
  world.add('core')
  world.add('province', 'core')
  for (let d = 0; d < 8; d++) {
    const district = `d${'abcdefgh'[d]}`
    world.add(district, 'province')
    for (let c = 0; c < 6; c++) world.add(`${district}c${'abcdef'[c]}`, district)
  }
  world.run(12)
  const { children, relaysOmitted } = world.status('core')
  const count = (relays: readonly RelayStatus[]): number =>
    relays.reduce((sum, relay) => sum + 1 + count(relay.children), 0)
  t.is(count(children), 1 + 8 + 48)
  t.is(relaysOmitted, 0)
  t.true(world.messageBytesMax <= 200 + STATUS_RELAYS_PER_MESSAGE * 200, `${world.messageBytesMax}`)
})

test('what is shed is summed up by class, with its reason, up to the core', (t) => {
  const world = new World()
  world.add('core')
  world.add('province', 'core')
  const id = world.add('district', 'province')
  const tile = { class: 'other-base', mode: 'off', reason: 'bandwidth', missingBps: 1_000 } as const
  world.trunks[id - 1]!.streams = [
    stream({ streamId: 2, ...tile }),
    stream({ streamId: 3, ...tile }),
    stream({ mode: 'keyframes', keyframeIntervalMs: 7_000, reason: 'pre-empted', missingBps: 9 }),
    stream({ streamId: 4 }),
    stream({ streamId: 5, reason: 'not-wanted', mode: 'off' }),
  ]
  world.run(5)
  const { link, troubles, mark } = find(world.status('core').children, 'district')!
  t.deepEqual(link.down.shed, [
    {
      class: 'main-base',
      mode: 'keyframes',
      reason: 'pre-empted',
      count: 1,
      keyframeIntervalMs: 7_000,
      missingBps: 9,
    },
    { ...tile, count: 2, keyframeIntervalMs: 0, missingBps: 2_000 },
  ])
  t.deepEqual(troubles, ['tiles-shed', 'pre-empted'])
  t.is(mark, 'amber')
  const own = world.status('province').children[0]!
  t.is(own.streams?.length, 5)
  t.like(own.streams![0], { room: 'hop', participant: 'pa', use: 'camera', streamId: 2 })
  t.deepEqual(
    world.status('district').upstream?.link.down.shed,
    link.down.shed,
    'the relay knows it too',
  )
})

test('a relay that is cut off is lost, whoever is behind it is silent after a while, and both come back', (t) => {
  const world = new World()
  world.add('core')
  world.add('province', 'core')
  world.add('district', 'province')
  world.run(5)
  world.cut(1)
  world.run(2)
  t.like(world.status('core').children[0], { state: 'lost', troubles: ['lost'], mark: 'red' })
  t.like(world.status('province').upstream, { state: 'lost', mark: 'red' })
  world.run(STATUS_SILENT_MS / 1_000 + 1)
  t.deepEqual(find(world.status('core').children, 'district')?.troubles, ['silent'])
  world.link('core', 'province')
  world.run(5)
  t.is(outline(world.status('core').children), 'province(district)')
  t.like(find(world.status('core').children, 'district'), { state: 'connected', mark: 'green' })
})

test('a relay that dialled again before its old session ended is not lost by the end of the old one', (t) => {
  const world = new World()
  world.add('core')
  world.add('province', 'core')
  world.run(1)
  world.link('core', 'province')
  world.cut(1)
  world.run(1)
  t.is(world.status('core').children[0]?.state, 'connected')
})

test('a relay that has moved to another province stands there, and only there', (t) => {
  const world = new World()
  world.add('core')
  world.add('east', 'core')
  world.add('west', 'core')
  const id = world.add('district', 'east')
  world.run(5)
  t.is(outline(world.status('core').children), 'east(district) west')
  world.cut(id)
  world.run(3)
  world.link('west', 'district')
  world.run(5)
  t.is(outline(world.status('core').children), 'east west(district)')
  t.is(find(world.status('core').children, 'district')?.state, 'connected')
})

test('a child cannot take the relays of another, this node itself, or more places than its own', (t) => {
  const book = new StatusBook({ nodeId: 'ncore', name: 'core', version: '1', startedMs: 0 })
  const open = (trunkId: number, name: string): void =>
    book.opened(trunkId, { direction: 'down', nodeId: idOf(name), name, version: '1' }, START_MS)
  open(1, 'east')
  open(2, 'west')
  const way = [0, 0, 0, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0], []]
  const told = (nodeId: string, parentId = '', name = nodeId) => [
    nodeId,
    parentId,
    name,
    '1',
    1,
    START_MS,
    1,
    20,
    way,
    way,
  ]
  const tell = (trunkId: number, relays: unknown[]): boolean =>
    book.told(trunkId, { v: 1, sends: way, residual: 0, sites: 0, relays, omitted: 0 }, START_MS)
  t.true(tell(1, [told('na'), told(idOf('west')), told('ncore')]))
  t.true(tell(2, [told('na', '', 'stolen')]))
  t.is(outline(book.status(START_MS).children), 'east(na) west')
  // A ring of parents stands under whoever tells of it.
  t.true(tell(1, [told('nb', 'nc'), told('nc', 'nb')]))
  const east = book.status(START_MS).children[0]!
  t.true(find(east.children, 'nb') !== undefined && find(east.children, 'nc') !== undefined)
  for (let i = 0; i < STATUS_RELAYS_PER_CHILD_MAX; i++) {
    t.true(tell(1, [told(`n${'abcdefgh'[i % 8]}${'abcdefgh'[(i >> 3) % 8]}${'abcdefgh'[i >> 6]}`)]))
  }
  const all = new Set<string>()
  const collect = (relays: readonly RelayStatus[]): void => {
    for (const { nodeId, children } of relays) {
      all.add(nodeId)
      collect(children)
    }
  }
  collect(book.status(START_MS).children)
  t.is(all.size, 2 + STATUS_RELAYS_PER_CHILD_MAX)
  t.true(book.status(START_MS).relaysOmitted > 0)
})

test('a message that is not as documented is malformed, and nothing of it is kept', (t) => {
  const book = new StatusBook({ nodeId: 'ncore', name: 'core', version: '1', startedMs: 0 })
  book.opened(1, { direction: 'down', nodeId: 'neast', name: 'east', version: '1' }, START_MS)
  const way = [0, 0, 0, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0], []]
  const relay = ['na', '', 'a\u202Eb', '1', 1, START_MS, 1, 20, way, way]
  t.false(book.told(1, {}, START_MS))
  t.false(book.told(1, { v: 1, sends: [1, 2], residual: 0 }, START_MS))
  t.false(book.told(1, { v: 1, sends: way, residual: 0, sites: 1, relays: [relay] }, START_MS))
  t.false(book.told(1, { v: 1, sends: way, residual: Number.NaN }, START_MS))
  t.is(outline(book.status(START_MS).children), 'east')
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('v', 'sends', 'residual', 'sites', 'relays'), fc.anything()),
      (status) => {
        book.told(1, status, START_MS)
      },
    ),
    { numRuns: 500 },
  )
})

test('ten minutes of a link are kept in steps of five seconds, with gaps where nothing was heard', (t) => {
  const world = new World()
  world.add('core')
  world.add('province', 'core')
  world.add('district', 'province')
  world.run(700)
  world.cut(1)
  world.run(20)
  const history = world.status('core', idOf('district')).history!
  t.is(history.stepMs, 5_000)
  t.is(history.down.estimateBps.length, 120)
  t.is(history.fromMs + 120 * 5_000 > world.nowMs, true)
  t.is(history.down.estimateBps[50], 2_000_000)
  t.is(history.up.estimateBps[50], 500_000)
  t.is(history.rttMs[50], 40)
  t.is(history.down.lossRatio[50], 0.01)
  t.is(history.down.shares[7]![50], 7_000)
  t.is(history.down.estimateBps.at(-1), null)
  t.is(world.status('core', 'nobody').history, null)
  t.not(world.status('province', idOf('core')).history, null, 'the link above has one too')
})

test('a lost relay is forgotten after a day, one that its teller has forgotten after ten minutes', (t) => {
  const world = new World()
  world.add('core')
  world.add('province', 'core')
  const id = world.add('district', 'province')
  world.run(5)
  world.cut(id)
  world.run(STATUS_SILENT_MS / 100)
  t.is(outline(world.status('core').children), 'province(district)')
  world.nowMs += STATUS_LOST_MS
  // The province forgets first; the core has not heard of it for a day either.
  world.run(2)
  t.is(outline(world.status('province').children), '')
  t.is(outline(world.status('core').children), 'province')
})

test('a thin link is told about rarely', (t) => {
  const book = new StatusBook({ nodeId: 'ncore', name: 'core', version: '1', startedMs: 0 })
  book.opened(1, { direction: 'up', nodeId: 'nup', name: 'up', version: '1' }, START_MS)
  let bytes = 0
  for (let second = 0; second < 100; second++) {
    const wallMs = START_MS + second * 1_000
    book.reported(1, report({ estimateBps: 20_000 }), { nameOf, wallMs })
    for (const { status } of book.due(wallMs)) bytes += packPlain(status).length
  }
  t.true((bytes * 8) / 100 <= 20_000 * 0.02, `${bytes} bytes in 100 s`)
})

test('the mark of a link is its worst trouble', (t) => {
  const troublesWith = (change: Partial<TrunkReport>): string => {
    const book = new StatusBook({ nodeId: 'ncore', name: 'core', version: '1', startedMs: 0 })
    book.opened(1, { direction: 'down', nodeId: 'neast', name: 'east', version: '1' }, START_MS)
    book.reported(1, report(change), { nameOf, wallMs: START_MS })
    const { mark, troubles } = book.status(START_MS).children[0]!
    return `${mark} ${troubles.join(' ')}`
  }
  const shed = (change: Partial<TrunkStreamReport>) => ({
    streams: [stream({ reason: 'bandwidth', ...change })],
  })
  t.is(troublesWith({}), 'green ')
  t.is(troublesWith(shed({ class: 'stage-audio', mode: 'off' })), 'red audio-shed')
  t.is(troublesWith(shed({ class: 'slides', mode: 'off' })), 'red picture-off')
  t.is(troublesWith(shed({ mode: 'keyframes' })), 'amber picture-stills')
  t.is(troublesWith(shed({})), 'amber picture-reduced')
  t.is(troublesWith(shed({ class: 'other-base', mode: 'off' })), 'amber tiles-shed')
  t.is(troublesWith({ lossReceivedRatio: 0.1 }), 'amber loss')
  t.is(troublesWith({ lossReceivedRatio: 0.1, lossResidualRatio: 0.1 }), 'red unrepaired')
  t.is(troublesWith({ queueDelayMs: 400, rttMs: 1_000 }), 'amber queue delay')
})
