import test from 'ava'
import { TRUNK_TUNNEL_AFTER_MS, TRUNK_UDP_RETRY_MS } from '../../config/index.ts'
import { BY_TUNNEL, BY_UDP, TrunkPath } from './trunk-path.ts'

type Address = { address: string; port: number; family: 0 | 1 }
const HOME: Address = { address: '10.0.0.1', port: 1, family: 0 }
const OTHER: Address = { address: '10.0.0.1', port: 2, family: 0 }
const BOTH = BY_UDP | BY_TUNNEL
const keep = (from: Address): Address => ({ ...from })

/** Takes every 50 ms; the ways taken, each once in a row. */
function run(path: TrunkPath<Address>, fromMs: number, untilMs: number): number[] {
  const ways: number[] = []
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += 50) {
    const way = path.take(nowMs)
    if (ways.at(-1) !== way) ways.push(way)
  }
  return ways
}

test('an upstream sends nothing before it has been reached', (t) => {
  const path = new TrunkPath<Address>(undefined)
  t.is(path.take(0), 0)
  t.is(path.name, 'none')
  path.heardUdp(HOME, true, 0, keep)
  t.is(path.take(0), BY_UDP)
  t.deepEqual(path.remote, HOME)
})

test('an address moves with a newer datagram only', (t) => {
  const path = new TrunkPath<Address>(undefined)
  path.heardUdp(HOME, true, 0, keep)
  path.heardUdp(OTHER, false, 1, keep)
  t.deepEqual(path.remote, HOME)
  path.heardUdp(OTHER, true, 2, keep)
  t.deepEqual(path.remote, OTHER)
  t.is(path.roams, 1)
})

test('the dialling side stays with the address that it was given', (t) => {
  const path = new TrunkPath<Address>(HOME)
  path.heardUdp(OTHER, true, 0, keep)
  t.deepEqual(path.remote, HOME)
})

test('the dialling side turns to the tunnel when nothing answers, not when it says little', (t) => {
  const path = new TrunkPath<Address>(HOME)
  t.is(path.take(0), BY_UDP)
  t.is(path.take(60_000), BY_UDP)
  path.heardUdp(HOME, true, 60_100, keep)
  t.deepEqual(run(path, 61_000, 61_000 + TRUNK_TUNNEL_AFTER_MS), [BY_UDP])
  t.is(path.take(61_000 + TRUNK_TUNNEL_AFTER_MS), BOTH)
  t.is(path.name, 'tunnel')
})

test('in the tunnel UDP is tried now and then, and taken as soon as it answers', (t) => {
  const path = new TrunkPath<Address>(HOME)
  let nowMs = TRUNK_TUNNEL_AFTER_MS + 50
  run(path, 0, nowMs)
  path.heardTunnel(true, nowMs)
  for (let i = 0; i < 20; i++) {
    path.heardTunnel(true, nowMs)
    t.deepEqual(run(path, nowMs, nowMs + 1_000), [BY_TUNNEL])
    nowMs += 1_000
  }
  nowMs = TRUNK_TUNNEL_AFTER_MS + TRUNK_UDP_RETRY_MS
  path.heardTunnel(true, nowMs)
  const ways = run(path, nowMs, nowMs + 1_500)
  t.deepEqual(new Set(ways), new Set([BOTH, BY_TUNNEL]))
  t.true(ways.filter((way) => way === BOTH).length <= 7)
  path.heardUdp(HOME, true, nowMs + 1_500, keep)
  t.is(path.take(nowMs + 1_500), BY_UDP)
})

test('while neither way answers, every datagram goes both', (t) => {
  const path = new TrunkPath<Address>(HOME)
  run(path, 0, 2 * TRUNK_TUNNEL_AFTER_MS)
  t.deepEqual(run(path, 2 * TRUNK_TUNNEL_AFTER_MS + 50, 20_000), [BOTH])
})

test('the other side follows into the tunnel, answers a try over UDP, and goes back when the tunnel falls silent', (t) => {
  const path = new TrunkPath<Address>(undefined)
  path.heardUdp(HOME, true, 0, keep)
  path.heardTunnel(true, 1_000)
  t.is(path.take(1_000), BY_TUNNEL)
  path.heardUdp(HOME, true, 1_050, keep)
  t.is(path.take(1_060), BOTH)
  t.is(path.take(1_070), BY_TUNNEL)
  path.heardUdp(HOME, true, 2_000, keep)
  t.is(path.take(2_000), BY_UDP)
  path.heardTunnel(false, 2_100)
  t.is(path.take(2_100), BY_UDP)
})

test('an order for the tunnel holds until it is taken back', (t) => {
  const path = new TrunkPath<Address>(HOME)
  path.force(true)
  path.heardUdp(HOME, true, 0, keep)
  t.is(path.take(0), BY_TUNNEL)
  path.force(false)
  t.is(path.take(0), BY_UDP)
})

test('an upstream without a port takes no UDP, whatever is ordered', (t) => {
  const path = new TrunkPath<Address>({ ...HOME, port: 0 })
  t.deepEqual(run(path, 0, 60_000), [BY_TUNNEL])
  path.force(false)
  t.is(path.take(60_000), BY_TUNNEL)
})
