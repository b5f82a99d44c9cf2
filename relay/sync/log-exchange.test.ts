import test from 'ava'
import {
  TRUNK_EVENTS_BATCHES_MAX,
  TRUNK_ORIGINS_MAX,
  TRUNK_SYNC_ORIGINS_MAX,
} from '../../config/index.ts'
import type { RoomEvent } from '../../core/conference/index.ts'
import type { SyncMessage } from '../control/index.ts'
import { LogExchange } from './index.ts'
import { pass, SimLink, SimNode, seededRandom } from './sync.fixture.ts'

const NAMES = ['nation', 'province', 'district', 'commune', 'border']

/** nation - province - district - commune, and border below province: depth 4. */
function tree(seed: number): { nodes: SimNode[]; links: SimLink[]; random: () => number } {
  const random = seededRandom(seed)
  const nodes = NAMES.map((name) => new SimNode(name, random))
  const pairs = [
    [0, 1],
    [1, 2],
    [2, 3],
    [1, 4],
  ] as const
  const links = pairs.map(([a, b]) => new SimLink([nodes[a]!, nodes[b]!], 10 + 290 * random()))
  return { nodes, links, random }
}

const chatOf = ({ conference }: SimNode): string =>
  JSON.stringify(
    conference.chatPage('hall', undefined, 100).entries.map((entry) => [entry.name, entry.text]),
  )

test('a first join brings all that was said before, over four levels, each event once a link', (t) => {
  const { nodes, links } = tree(1)
  for (let count = 0; count < 300; count += 1) nodes[0]!.say(`before ${count}`)
  for (const link of links) link.connect(0)
  pass(nodes, links, 20_000)
  const vector = nodes[0]!.log.versionVector()
  for (const node of nodes) t.deepEqual(node.log.versionVector(), vector)
  const count = vector.nation ?? 0
  t.true(count > 300)
  for (const link of links) t.is(link.eventCount, count)
})

test('what is said crosses the tree within its delays, and never goes back', (t) => {
  const { nodes, links } = tree(2)
  for (const link of links) link.connect(0)
  pass(nodes, links, 3_000)
  nodes[3]!.say('from the commune')
  pass(nodes, links, 1_000)
  for (const node of nodes) {
    t.is(node.log.versionVector().commune, nodes[3]!.log.versionVector().commune)
    t.is(node.ingestedCount, node.acceptedCount)
  }
  t.is(nodes[3]!.ingestedCount, 0)
})

for (const seed of [11, 12, 13, 14, 15]) {
  test(`whatever is cut and however often, all logs are one in the end (seed ${seed})`, (t) => {
    const { nodes, links, random } = tree(seed)
    for (let step = 0; step < 400; step += 1) {
      const link = links[Math.floor(random() * links.length)]!
      if (random() < 0.3) {
        if (link.isUp) link.cut()
        else link.connect(nodes[0]!.nowMs)
      }
      const speaker = nodes[Math.floor(random() * nodes.length)]!
      for (let count = random() * 6; count > 1; count -= 1) speaker.say(`${step} ${count}`)
      pass(nodes, links, Math.ceil(random() * 40) * 10)
    }
    for (const link of links) link.connect(nodes[0]!.nowMs)
    pass(nodes, links, 60_000)
    const vector = nodes[0]!.log.versionVector()
    t.is(Object.keys(vector).length, 5)
    const chat = chatOf(nodes[0]!)
    for (const node of nodes) {
      t.deepEqual(node.log.versionVector(), vector)
      t.is(chatOf(node), chat)
      // A cut may take an answer with it, so an event may come again; never twice over one session.
      t.deepEqual(node.behind, [])
    }
    t.deepEqual(
      links.map(({ malformedCount }) => malformedCount),
      [0, 0, 0, 0],
    )
  })
}

/** One node and what it says to a neighbour that the test plays itself. */
function played(): {
  node: SimNode
  said: SyncMessage[]
  hear: (message: SyncMessage, nowMs?: number) => unknown
} {
  const node = new SimNode('nation', seededRandom(7))
  node.say('one')
  node.say('two')
  const said: SyncMessage[] = []
  const neighbour = node.exchange.addNeighbour((message) => said.push(message), {
    rttMs: () => 100,
    nowMs: 0,
  })
  return { node, said, hear: (message, nowMs = 0) => neighbour.onMessage(message, nowMs) }
}

const EMPTY: SyncMessage = { type: 'sync', vector: {}, lost: [], more: false }

function strange(origin: string, sequence: number, time = 1_000): RoomEvent {
  return { origin, sequence, time, room: 'hall', type: 'locked', payload: { locked: true } }
}

test('nothing is sent before the neighbour has said what it has, to its last part', (t) => {
  const { said, hear } = played()
  t.is(said.length, 1)
  hear({ ...EMPTY, more: true })
  t.is(said.length, 1)
  hear(EMPTY)
  t.is(said.at(-1)?.type, 'events')
})

test('events of our own that we did not write are not taken, and the operator hears of it', (t) => {
  const { node, said, hear } = played()
  const own = node.log.versionVector().nation ?? 0
  hear({ ...EMPTY, vector: { nation: own + 3 } })
  t.deepEqual(node.behind, [[own + 3, own]])
  hear({ type: 'events', batch: 1, events: [strange('nation', own + 1)] })
  t.is(node.log.versionVector().nation, own)
  t.is(said.at(-1)?.type, 'events-taken')
})

test('a gap, and a clock that is far ahead, are answered with where we stand', (t) => {
  const { said, hear } = played()
  hear({ type: 'events', batch: 1, events: [strange('other', 1), strange('other', 3)] })
  t.like(said.at(-1), { type: 'events-taken', batch: 1, vector: { other: 1 }, refused: 'gap' })
  hear({ type: 'events', batch: 2, events: [strange('other', 2, Number.MAX_SAFE_INTEGER)] })
  t.like(said.at(-1), { batch: 2, vector: { other: 1 }, refused: 'clock-ahead' })
  hear({ type: 'events', batch: 3, events: [], unreadable: [{ origin: 'other', sequence: 2 }] })
  t.like(said.at(-1), { batch: 3, vector: { other: 1 }, refused: 'unknown' })
})

test('what a neighbour could not take is sent again after a rest, from where it stands', (t) => {
  const { node, said, hear } = played()
  hear(EMPTY)
  const first = said.at(-1)
  t.is(first?.type === 'events' && first.events.length, 4)
  hear({ type: 'events-taken', batch: 1, vector: { nation: 1 }, refused: 'store-unavailable' })
  t.is(said.at(-1), first)
  node.exchange.tick(500)
  t.is(said.at(-1), first)
  node.exchange.tick(1_000)
  const again = said.at(-1)
  t.deepEqual(again?.type === 'events' && again.events.map(({ sequence }) => sequence), [2, 3, 4])
})

test('an answer to a batch that was never sent ends the session', (t) => {
  const { hear } = played()
  t.is(hear({ type: 'events-taken', batch: 9, vector: {}, refused: null }), 'malformed')
})

test('a neighbour that names ever more origins is cut off', (t) => {
  const { hear } = played()
  let at = 0
  const nextOrigin = (): [string, number] => {
    at += 1
    return [`n${at}`, 1]
  }
  const part = (): SyncMessage => ({
    ...EMPTY,
    vector: Object.fromEntries(Array.from({ length: TRUNK_SYNC_ORIGINS_MAX }, nextOrigin)),
    more: true,
  })
  const whole = Math.floor(TRUNK_ORIGINS_MAX / TRUNK_SYNC_ORIGINS_MAX)
  for (let count = 0; count < whole; count += 1) t.is(hear(part()), undefined)
  t.is(hear(part()), 'malformed')
})

test('more batches at once than may be on their way are malformed', (t) => {
  const log = { nodeId: 'n', versionVector: () => ({}), readOrigin: () => [], lostEvents: () => [] }
  const exchange = new LogExchange({ log, ingest: () => undefined, onBehind: () => undefined })
  const neighbour = exchange.addNeighbour(() => undefined, { rttMs: () => 0, nowMs: 0 })
  for (let batch = 1; batch <= TRUNK_EVENTS_BATCHES_MAX; batch += 1) {
    t.is(
      neighbour.onMessage({ type: 'events', batch, events: [] } as { type: string }, 0),
      undefined,
    )
  }
  const more = { type: 'events', batch: 99, events: [] } as { type: string }
  t.is(neighbour.onMessage(more, 0), 'malformed')
})

test('a neighbour without credit gets nothing, and all of it once it has some', (t) => {
  const { said, hear } = played()
  hear({ type: 'events-wanted', creditBytes: 0 })
  hear(EMPTY)
  t.is(said.length, 1)
  hear({ type: 'events-wanted', creditBytes: 10_000 })
  t.is(said.at(-1)?.type, 'events')
})

test('on a slow line little is on its way at once, on a fast one more and more', (t) => {
  const { node, said, hear } = played()
  for (let count = 0; count < 3_000; count += 1) node.say('x'.repeat(200))
  hear(EMPTY)
  const sizes: number[] = []
  const answer = (elapsedMs: number): void => {
    const last = said.at(-1)
    if (last?.type !== 'events') return
    sizes.push(last.events.length)
    for (const { type, batch } of said.splice(0) as { type: string; batch: number }[]) {
      if (type !== 'events') continue
      node.nowMs += elapsedMs
      hear({ type: 'events-taken', batch, vector: {}, refused: null }, node.nowMs)
    }
  }
  for (let round = 0; round < 5; round += 1) answer(110)
  t.true(sizes.at(-1)! > 4 * sizes[0]!, String(sizes))
  sizes.length = 0
  for (let round = 0; round < 8; round += 1) answer(3_000)
  t.true(sizes.at(-1)! <= 6, String(sizes))
})

test('a damaged event comes back from a neighbour', (t) => {
  const random = seededRandom(5)
  const [good, damaged] = [new SimNode('good', random), new SimNode('damaged', random)]
  const links = [new SimLink([good, damaged], 20)]
  good.say('one')
  good.say('two')
  links[0]!.connect(0)
  pass([good, damaged], links, 1_000)
  links[0]!.cut()
  const list = damaged.log.byOrigin.get('good')!
  const whole = list[2]!
  list[2] = { ...whole, room: '', type: 'lost', payload: {} }
  damaged.log.lost = [{ origin: 'good', sequence: 3 }]
  links[0]!.connect(1_000)
  pass([good, damaged], links, 1_000)
  t.deepEqual(damaged.log.lostEvents(), [])
  t.deepEqual(damaged.log.byOrigin.get('good')?.[2], whole)
})
