/** Two nodes' books of tests and the session between them: who may measure when, and how it ends. */
import test from 'ava'
import { type LinkSettings, PERFECT } from '../../bench/link/index.ts'
import { LINK_TEST_ANSWER_MS, LINK_TEST_PAUSE_MS } from '../../config/limits.ts'
import type { TrunkMessage } from '../control/index.ts'
import type { ToTrunkThread } from '../media-port.ts'
import type { TrunkEnd } from '../trunk/contract.ts'
import { SimulatedTrunk } from '../trunk/simulated-trunk.fixture.ts'
import { LinkTests } from './link-tests.ts'

class World {
  readonly trunk: SimulatedTrunk
  readonly emergencies = { core: false, relay: false }
  readonly loads: string[] = []
  readonly core: LinkTests
  readonly relay: LinkTests
  isOld = false
  readonly #toCore: TrunkMessage[] = []
  readonly #toRelay: TrunkMessage[] = []
  readonly up = this.#session('up', this.#toCore)
  readonly down = this.#session('down', this.#toRelay)

  constructor(line: Partial<LinkSettings> = {}) {
    this.trunk = new SimulatedTrunk({ down: line, up: line })
    const make = (who: 'core' | 'relay'): LinkTests =>
      new LinkTests({
        post: (message) => this.#onPost(who, message),
        isEmergency: () => this.emergencies[who],
      })
    this.core = make('core')
    this.relay = make('relay')
  }

  #session(direction: 'up' | 'down', far: TrunkMessage[]) {
    const peer = { nodeId: direction, name: 'Lai Châu', program: '' }
    const flow = { trunkId: 1 } as never
    return { direction, peer, flow, send: (message: TrunkMessage) => void far.push(message) }
  }

  #onPost(who: 'core' | 'relay', message: ToTrunkThread): void {
    if (message.type !== 'saturate') return
    this.loads.push(`${who} ${message.forMs}`)
    this.end(who).saturate(this.trunk.nowMs + message.forMs)
  }

  end(who: 'core' | 'relay'): TrunkEnd {
    return this.trunk[who].end
  }

  start(seconds = 20) {
    return this.relay.start(this.up, seconds, this.trunk.nowMs)
  }

  run(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.#deliver()
      this.trunk.run(1_000)
      const { nowMs } = this.trunk
      this.core.onReport(this.down, { report: this.end('core').report(nowMs), path: 'udp' })
      this.relay.onReport(this.up, { report: this.end('relay').report(nowMs), path: 'udp' })
      this.#deliver()
      this.core.tick(nowMs)
      this.relay.tick(nowMs)
    }
  }

  #deliver(): void {
    const { nowMs } = this.trunk
    for (const message of this.isOld ? [] : this.#toCore.splice(0))
      this.core.onMessage(this.down, message, nowMs)
    for (const message of this.#toRelay.splice(0)) this.relay.onMessage(this.up, message, nowMs)
  }
}

for (const [kbps, line] of [
  [512, {}],
  [512, { lossRatio: 0.05 }],
  [2_000, {}],
  [2_000, { lossRatio: 0.02, jitterMs: 10 }],
] as const) {
  test(`a line of ${kbps} kbit/s ${JSON.stringify(line)} is measured within 15 % in both directions`, (t) => {
    const rateBps = kbps * 1000
    const world = new World({
      ...PERFECT,
      ...{ rateBps, queueBytes: (rateBps / 8000) * 300, delayMs: 30 },
      ...line,
    })
    world.run(2)
    t.is(world.start(30), undefined)
    world.run(34)
    const { state, result } = world.relay.status()
    t.is(state, 'done')
    for (const way of [result!.down, result!.up]) {
      t.true(Math.abs(way.rateBps / rateBps - 1) < 0.15, `${way.rateBps} of ${rateBps}`)
      t.true(
        Math.abs(way.lossRatio - ((line as LinkSettings).lossRatio ?? 0)) < 0.03,
        `${way.lossRatio}`,
      )
      t.true(way.mtuBytes > 1_000 && way.jitterMs < 30)
    }
    t.true(result!.rttMs >= 60 && result!.rttMs < 130, `${result!.rttMs}`)
  })
}

test('a voice that is live loses nothing and waits no longer while a line is measured', (t) => {
  const world = new World({ ...PERFECT, rateBps: 512_000, queueBytes: 19_200, delayMs: 30 })
  const voice = world.trunk.voice(world.trunk.core, 1)
  world.end('relay').want(1, 1)
  world.run(3)
  world.start(20)
  const before = world.trunk.relay.of(1).length
  world.run(20)
  const got = world.trunk.relay.of(1).slice(before)
  t.true(got.length > 950, `${got.length} of 1000`)
  t.is(got.filter((row, i) => i > 0 && row.sequence !== got[i - 1]!.sequence + 1).length, 0)
  const gaps = got.map((row, i) => row.atMs - (got[i - 1]?.atMs ?? row.atMs)).sort((a, b) => a - b)
  t.true(gaps[Math.floor(gaps.length * 0.99)]! < 120, `${gaps[Math.floor(gaps.length * 0.99)]}`)
  t.truthy(voice)
})

test('one at a time, not again at once, and never beside an emergency', (t) => {
  const world = new World()
  world.emergencies.relay = true
  t.is(world.start(), 'emergency')
  world.emergencies.relay = false
  t.is(world.relay.start(undefined, 20, world.trunk.nowMs), 'not-connected')
  t.is(world.start(10), undefined)
  t.is(world.start(10), 'busy')
  world.run(13)
  t.is(world.relay.status().state, 'done')
  t.is(world.start(10), undefined)
  world.run(1)
  t.like(world.relay.status(), { state: 'refused', reason: 'too-soon' })
  world.trunk.nowMs += LINK_TEST_PAUSE_MS
  world.emergencies.core = true
  world.start(10)
  world.run(1)
  t.like(world.relay.status(), { state: 'refused', reason: 'emergency' })
})

for (const who of ['core', 'relay'] as const) {
  test(`an emergency at the ${who} ends a test within a tick, at both ends`, (t) => {
    const world = new World()
    world.start(60)
    world.run(3)
    t.is(world.relay.status().state, 'running')
    world.emergencies[who] = true
    world.run(2)
    t.like(world.relay.status(), { state: 'failed', reason: 'emergency' })
    t.deepEqual(world.loads.slice(2).sort(), ['core 0', 'relay 0'])
  })
}

test('an older upstream, or a lost one, ends it with its reason', (t) => {
  const world = new World()
  world.isOld = true
  world.start(10)
  world.run(LINK_TEST_ANSWER_MS / 1000 + 1)
  t.like(world.relay.status(), { state: 'failed', reason: 'no-answer' })
  const other = new World()
  other.start(10)
  other.run(2)
  other.relay.onClosed(other.up, other.trunk.nowMs)
  other.core.onClosed(other.down, other.trunk.nowMs)
  t.like(other.relay.status(), { state: 'failed', reason: 'not-connected' })
  t.deepEqual(other.loads, ['core 10000', 'relay 10000', 'core 0'])
})
