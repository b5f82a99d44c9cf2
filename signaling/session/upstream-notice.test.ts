import test from 'ava'
import { UPSTREAM_NOTICE_MS } from '../../config/index.ts'
import type { UpstreamState } from '../../relay/stage-port.ts'
import { Harness } from '../test/harness.ts'

function stateOf(harness: Harness, change: Partial<UpstreamState> = {}): UpstreamState {
  return {
    ...{ state: 'connected', sinceMs: harness.host.wallMs - 5_000, mark: 'green' },
    ...{ rateBps: 512_345, lossRatio: 0.0149, rttMs: 48.7, upstream: 'Điện Biên' },
    ...change,
  } as UpstreamState
}

test('a core says nothing of an upstream, and has none to try', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  await harness.pass(10_000)
  t.deepEqual(an.take('upstream'), [])
})

test('who joins a relay is told of the link above, with rounded figures and its age', async (t) => {
  const harness = new Harness()
  harness.hub.stage.setUpstream(stateOf(harness))
  const an = await harness.join()
  t.deepEqual(an.take('upstream'), [
    {
      ...{ type: 'upstream', state: 'connected', forMs: 5_000, mark: 'green' },
      ...{ rateBps: 510_000, lossRatio: 0.01, rttMs: 49 },
      ...{ node: 'Mường Nhé', upstream: 'Điện Biên' },
    } as const,
  ])
  an.drop()
  await harness.pass(1_000)
  const again = harness.connect()
  const { session, secret } = an.joined
  await again.ask({ type: 'join', token: an.token, resume: { session, secret } })
  t.is(again.take('upstream')[0]?.forMs, 6_000)
})

test('changes are told at most each 2 s, the last state always, trembling figures never', async (t) => {
  const harness = new Harness()
  const an = await harness.join()
  const { stage } = harness.hub
  stage.setUpstream(stateOf(harness))
  t.is(an.take('upstream').length, 1)
  const sinceMs = harness.host.wallMs
  stage.setUpstream(stateOf(harness, { state: 'connecting', sinceMs }))
  stage.setUpstream(stateOf(harness, { state: 'island', mark: 'red', sinceMs }))
  await harness.pass(UPSTREAM_NOTICE_MS - 1)
  t.deepEqual(an.take('upstream'), [])
  await harness.pass(1)
  t.like(an.take('upstream'), [{ state: 'island', mark: 'red', forMs: UPSTREAM_NOTICE_MS }])
  for (const rttMs of [48.6, 49.4, 48.9]) {
    stage.setUpstream(stateOf(harness, { state: 'island', mark: 'red', sinceMs, rttMs }))
    await harness.pass(UPSTREAM_NOTICE_MS)
  }
  t.deepEqual(an.take('upstream'), [])
})

test('the chair may have the upstream tried at once, others not', async (t) => {
  const harness = new Harness()
  const chair = await harness.join({ role: 'chair' })
  const an = await harness.join()
  t.like(await an.ask({ type: 'try-upstream' }), { type: 'error', code: 'forbidden' })
  t.is(harness.retryCount, 0)
  t.like(await chair.ask({ type: 'try-upstream' }), { type: 'ok' })
  t.is(harness.retryCount, 1)
})
