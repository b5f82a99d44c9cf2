import test from 'ava'
import fc from 'fast-check'
import { createRandom } from '../link/index.ts'
import { drawShare, startBehaviour } from './behaviours.ts'
import { createFakeCrowd } from './fake-crowd.fixture.ts'
import type { Behaviour, LoadGroup } from './protocol.ts'

const GROUP: LoadGroup = {
  id: 'sites',
  kind: 'synthetic',
  count: 10,
  node: 'core',
  routes: [{ doorUrl: 'ws://127.0.0.1:1/ws' }],
  publishes: { audio: {} },
  join: { how: 'storm', atS: 0 },
}

/** A group that is in, with one behaviour, over `durationS`. */
async function stage(behaviour: Behaviour, { count = 10, durationS = 60, seed = 1 } = {}) {
  const crowd = createFakeCrowd([{ ...GROUP, count }])
  await Promise.all(crowd.seats.map((seat) => seat.enter()))
  crowd.log.length = 0
  const happened: string[] = []
  const { seats, wheel } = crowd
  const clockMs = (atS: number) => atS * 1000
  const random = createRandom(seed).next
  const say = (what: string) => happened.push(what)
  startBehaviour({ seats, wheel, clockMs, durationS, random, happened: say }, behaviour)
  return { ...crowd, happened }
}

test('one publisher is loud at a time, each in its turn', async (t) => {
  const { log, pass } = await stage({ do: 'speaker-changes', fromS: 1, everyS: 2 }, { count: 3 })
  await pass(8000)
  const loud = log.filter((line) => line.endsWith('speak 20')).map((line) => line.split(' ')[1])
  t.deepEqual(loud, ['sites-1', 'sites-2', 'sites-3', 'sites-1'])
  t.is(log.filter((line) => line.includes('speak')).length, 4 * 3)
})

test('a speaker that is out is not given the word', async (t) => {
  const { log, pass, members } = await stage(
    { do: 'speaker-changes', fromS: 1, everyS: 1 },
    { count: 2 },
  )
  members[1]!.state = 'away'
  await pass(4000)
  t.true(log.every((line) => !line.includes('sites-2')))
})

test('hands of a share of the sites go up and come down in turn', async (t) => {
  const { members, pass } = await stage({ do: 'hands', fromS: 0, everyS: 2, share: 0.4 })
  await pass(9000)
  const raising = members.filter(({ asked }) => asked.includes('hand up'))
  t.is(raising.length, 4)
  for (const { asked } of raising)
    t.deepEqual(
      asked.slice(1),
      asked.slice(1).map((_, index) => (index % 2 === 0 ? 'hand up' : 'hand down')),
    )
})

test('chat lines come at the rate of the group and end in time', async (t) => {
  const { log, pass } = await stage({ do: 'chat', fromS: 1, untilS: 3, perSecond: 5 })
  await pass(10_000)
  t.is(log.length, 10)
})

test('one chair marks the emergency and lifts it; a poll is opened and closed likewise', async (t) => {
  const { log, pass, members } = await stage({ do: 'emergency', fromS: 1, untilS: 3 }, { count: 2 })
  members[0]!.state = 'away'
  await pass(5000)
  t.deepEqual(
    log.map((line) => line.replace(/^.*?(?=sites)/, '')),
    ['sites-2 {"type":"emergency","on":true}', 'sites-2 {"type":"emergency","on":false}'],
  )
  const poll = await stage({ do: 'poll', fromS: 1 }, { count: 2 })
  await poll.pass(5000)
  t.is(poll.log.length, 1)
  t.regex(poll.log[0] ?? '', /sites-1 .*poll-open/)
})

test('each votes once, when there is a poll; who was told of none has failed', async (t) => {
  const { log, pass, members, seats } = await stage(
    { do: 'vote', fromS: 1, withinS: 2 },
    { count: 5 },
  )
  for (const member of members.slice(1)) member.poll = 'p1'
  await pass(5000)
  t.is(log.filter((line) => line.includes('"type":"vote","poll":"p1"')).length, 4)
  t.deepEqual(
    seats.map(({ requestsFailed }) => requestsFailed),
    [1, 0, 0, 0, 0],
  )
})

test('a share leaves and comes back after its time away', async (t) => {
  const { log, pass, members } = await stage({
    do: 'come-and-go',
    fromS: 5,
    untilS: 6,
    everyS: 10,
    awayS: 3,
    share: 0.3,
  })
  await pass(5100)
  t.is(members.filter(({ state }) => state === 'idle').length, 3)
  await pass(3100)
  t.true(members.every(({ state }) => state === 'joined'))
  const leaves = log.filter((line) => line.endsWith('leave'))
  const joins = log.filter((line) => line.endsWith('join'))
  t.is(leaves.length, 3)
  for (const line of joins) t.true(Number(line.split(' ')[0]) - 5000 >= 3000)
})

test('abrupt leavers drop out without a word', async (t) => {
  const behaviour = { fromS: 1, untilS: 2, everyS: 10, awayS: 1, share: 0.1, abrupt: true }
  const { log, pass } = await stage({ do: 'come-and-go', ...behaviour })
  await pass(1500)
  t.deepEqual(
    log.map((line) => line.split(' ')[2]),
    ['drop'],
  )
})

test('whoever loses the door comes back within the time, each at a moment of its own', async (t) => {
  const { members, seats, pass, log, happened } = await stage({ do: 'reconnect', withinS: 1 })
  await pass(1000)
  for (const member of members) member.state = 'away'
  await pass(1200)
  t.true(seats.every((seat) => seat.isIn))
  const moments = new Set(
    log.filter((line) => line.endsWith('resume')).map((line) => line.split(' ')[0]),
  )
  t.true(moments.size > 5, `${[...moments]}`)
  t.deepEqual(happened, ['10 of sites lost their connection'])
})

test('while nothing answers tries become rare; when the node is back all come within the time', async (t) => {
  const crowd = await stage({ do: 'reconnect', withinS: 1 })
  const { members, seats, pass, log, wheel, histograms } = crowd
  await pass(100)
  for (const member of members) Object.assign(member, { state: 'away', admits: false })
  await pass(20_000)
  const tries = log.filter((line) => line.endsWith('resume')).length / members.length
  t.true(tries > 4 && tries < 12, `${tries}`)
  for (const member of members) member.admits = true
  for (const seat of seats) seat.lostMs = wheel.nowMs
  await pass(1200)
  t.true(seats.every((seat) => seat.isIn))
  const outage = histograms.all().get('outage')!
  t.is(outage.totalCount, 10)
  t.true(outage.maxValue / 1000 <= 1200)
})

test('the same seed draws the same sites', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.integer({ min: 0, max: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (seed, count, share) => {
        const all = Array.from({ length: count }, (_, index) => index)
        const draw = () => drawShare(all, share, createRandom(seed).next)
        const [once, again] = [draw(), draw()]
        const wanted = share === 0 ? 0 : Math.min(count, Math.max(1, Math.round(count * share)))
        return (
          once.length === wanted &&
          new Set(once).size === wanted &&
          once.every((one, index) => one === again[index])
        )
      },
    ),
  )
  t.pass()
})
