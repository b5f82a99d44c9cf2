import test from 'ava'
import { createFakeCrowd } from './fake-crowd.fixture.ts'
import { LoadRun } from './load-run.ts'
import type { LoadGroup, LoadMessage, LoadSetup } from './protocol.ts'
import { Sampler } from './sampler.ts'
import { SelfWatch } from './self-watch.ts'
import { NEVER } from './timer-wheel.ts'

const DOOR = 'ws://127.0.0.1:1/ws'
const GROUP: LoadGroup = {
  id: 'sites',
  kind: 'synthetic',
  count: 10,
  node: 'core',
  routes: [{ doorUrl: DOOR }],
  watches: { main: { widthPx: 640, heightPx: 360 } },
  join: { how: 'storm', atS: 0 },
}
const OWN = { latenessMaxMs: 1, cpuShare: 0.5 }
const NO_PAGES = { sums: {}, histograms: new Map() }

function play(groups: LoadGroup[]) {
  const crowd = createFakeCrowd(groups)
  const said: LoadMessage[] = []
  const setup: LoadSetup = { op: 'setup', seed: 1, room: 'r', dataDir: '/', durationS: 60, groups }
  const sampler = new Sampler(
    groups.map(({ id }) => id),
    crowd.histograms,
  )
  const run = new LoadRun({
    ...crowd,
    setup,
    sampler,
    self: new SelfWatch(),
    say: (message) => said.push(message),
  })
  run.start(0)
  const finish = (completed = true) =>
    run.finish({ completed, nowMs: crowd.wheel.nowMs, pages: NO_PAGES })
  return { ...crowd, run, said, sampler, finish }
}

test('a storm has no more joins under way than it may, and begins the next when one is done', async (t) => {
  const { pass, members, wheel } = play([
    { ...GROUP, count: 9, join: { how: 'storm', atS: 1, parallel: 3 } },
  ])
  let underway = 0
  let most = 0
  const begunMs: number[] = []
  for (const member of members)
    member.join = () => {
      underway += 1
      most = Math.max(most, underway)
      begunMs.push(wheel.nowMs)
      return new Promise((resolve) => {
        wheel.add(wheel.nowMs + 100, () => {
          underway -= 1
          resolve({ joined: true, joinMs: 100, steps: {} })
          return NEVER
        })
      })
    }
  await pass(996)
  t.deepEqual(begunMs, [])
  await pass(1000)
  t.is(most, 3)
  t.is(begunMs.length, 9)
  t.true(begunMs.at(-1)! - begunMs[0]! >= 200)
})

test('a site whose join never ends keeps its lane, and the others go on', async (t) => {
  const { members, pass, run } = play([
    { ...GROUP, count: 5, join: { how: 'storm', atS: 0, parallel: 2 } },
  ])
  members[0]!.join = () => new Promise(() => {})
  await pass(100)
  t.deepEqual(
    members.slice(1).map(({ state }) => state),
    ['joined', 'joined', 'joined', 'joined'],
  )
  t.is(run.second(100, OWN).phase, 'joining')
})

test('paced joins come at their rate', async (t) => {
  const { log, pass } = play([{ ...GROUP, join: { how: 'paced', atS: 1, perSecond: 5 } }])
  await pass(5000)
  const atMs = log.map((line) => Number(line.split(' ')[0]))
  t.is(atMs.length, 10)
  for (const [index, ms] of atMs.entries()) {
    const dueMs = 1000 + index * 200
    t.true(ms >= dueMs && ms <= dueMs + 8, `${ms} for ${dueMs}`)
  }
})

test('the phase is idle, then joining, then steady', async (t) => {
  const { pass, run, members, said } = play([{ ...GROUP, join: { how: 'storm', atS: 2 } }])
  await pass(1000)
  t.is(run.second(1000, OWN).phase, 'idle')
  let let_in = () => {}
  members[0]!.join = () =>
    new Promise((resolve) => {
      let_in = () => resolve({ joined: true, joinMs: 1, steps: {} })
    })
  await pass(1500)
  t.is(run.second(2500, OWN).phase, 'joining')
  t.is(run.selfPhase, 'joining')
  let_in()
  await pass(100)
  t.is(run.second(3500, OWN).phase, 'steady')
  t.is(run.selfPhase, 'steady')
  t.true(said.some((one) => one.event === 'happened' && /all sites/.test(one.what)))
})

test('live loss and bitrate are those of the last second', async (t) => {
  const { pass, run, members } = play([{ ...GROUP, count: 2 }])
  await pass(1000)
  run.second(1000, OWN)
  for (const member of members)
    Object.assign(member.seen, {
      audioPackets: 45,
      audioLost: 5,
      audioExpected: 50,
      receivedBytes: 12_500,
    })
  await pass(1000)
  const { lossRatio, receivedBps, packetsPerSecond } = run.second(2000, OWN)
  t.deepEqual(
    { lossRatio, receivedBps, packetsPerSecond },
    {
      lossRatio: 0.1,
      receivedBps: 200_000,
      packetsPerSecond: 90,
    },
  )
  await pass(1000)
  t.is(run.second(3000, OWN).lossRatio, 0)
})

test('the end of an outage is told to those behind it, and to no others', async (t) => {
  const routes = [
    { doorUrl: DOOR, link: 'thin' },
    { doorUrl: DOOR, link: 'wide' },
  ]
  const { members, pass, run, wheel } = play([{ ...GROUP, count: 4, routes }])
  await pass(100)
  run.mark({ op: 'mark', what: 'down', link: 'thin' }, wheel.nowMs)
  run.mark({ op: 'mark', what: 'up', link: 'thin' }, wheel.nowMs)
  t.deepEqual(
    members.map(({ asked }) => asked.includes('healed')),
    [true, false, true, false],
  )
  run.mark({ op: 'mark', what: 'up', nodes: ['elsewhere'] }, wheel.nowMs)
  t.deepEqual(
    members.map(({ asked }) => asked.filter((what) => what === 'healed').length),
    [1, 0, 1, 0],
  )
})

test('who cannot join is counted as failed, with the step; who was never asked is not', async (t) => {
  const { members, pass, finish } = play([
    { ...GROUP, id: 'first', count: 2 },
    { ...GROUP, id: 'later', count: 3, join: { how: 'storm', atS: 50 } },
  ])
  members[0]!.admits = false
  await pass(1000)
  const { figures, completed } = finish(false)
  t.false(completed)
  t.like(figures, {
    'sites.planned': 5,
    'sites.joined': 1,
    'sites.failed': 1,
    'group.first.sites.failed': 1,
    'group.later.sites.failed': 0,
    'joins.failed': 1,
    'requests.failed': 0,
    'join.count': 1,
    'join.p50Ms': 100.031,
  })
})

test('a site that was lost and is not back when the run ends has failed', async (t) => {
  const { members, pass, finish } = play([{ ...GROUP, count: 3 }])
  await pass(2000)
  members[1]!.state = 'away'
  await pass(2000)
  const { figures, sites } = finish()
  t.is(figures['sites.failed'], 1)
  t.deepEqual(sites[1]?.why, ['was out when the run ended'])
})

test('a site that is still joining when the run ends has failed, and says so', async (t) => {
  const { members, pass, finish } = play([{ ...GROUP, count: 2 }])
  members[0]!.join = () => {
    members[0]!.state = 'joining'
    return new Promise(() => {})
  }
  await pass(1000)
  const { figures, sites } = finish()
  t.is(figures['sites.failed'], 1)
  t.like(sites[0], { joined: false, failedAt: 'unfinished' })
})

test('ratios are ratios of sums over all sites, not means of ratios', async (t) => {
  const { members, pass, run, finish } = play([{ ...GROUP, count: 2 }])
  await pass(1000)
  Object.assign(members[0]!.seen, { audioPackets: 90, audioLost: 10, audioExpected: 100 })
  Object.assign(members[1]!.seen, { audioPackets: 900, audioLost: 0, audioExpected: 900 })
  members[0]!.figures = { audioLossRatio: 0.1, frozenMaxMs: 700, resyncAudioMs: 400 }
  members[1]!.figures = { audioLossRatio: 0, frozenMaxMs: 20 }
  await pass(1000)
  run.second(2000, OWN)
  members[1]!.seen.videoPackets = 7
  t.like(finish().figures, {
    'loss.audio.ratio': 0.01,
    'loss.audio.ratioMax': 0.1,
    'frozen.maxMs': 700,
    'resync.audio.count': 1,
    packets: 997,
  })
})

test('what was never measured has no figure', async (t) => {
  const { pass, run, finish } = play([GROUP])
  await pass(1000)
  run.second(1000, OWN)
  const names = Object.keys(finish().figures)
  for (const name of ['loss.ratio', 'concealed.ratio', 'latency.audio.p99Ms', 'frozen.maxMs'])
    t.false(names.includes(name), name)
})

test('what single sites say of themselves is bounded', async (t) => {
  const { run, said } = play([GROUP])
  for (let count = 0; count < 1000; count += 1) run.happened(`${count}`, true)
  const told = said.filter(({ event }) => event === 'happened')
  t.is(told.length, 100)
  t.regex(JSON.stringify(told.at(-1)), /left out/)
  run.happened('of all')
  t.is(said.filter(({ event }) => event === 'happened').length, 101)
})
