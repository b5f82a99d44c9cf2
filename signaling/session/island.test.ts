import test from 'ava'
import type { UpstreamState } from '../../relay/stage-port.ts'
import { FarNode } from '../test/far-node.ts'
import { Harness } from '../test/harness.ts'
import { site } from '../test/site.ts'

const LINK: UpstreamState = {
  ...{ state: 'connected', sinceMs: 0, mark: 'green', rateBps: 0, lossRatio: 0, rttMs: 0 },
  upstream: 'Hà Nội',
}

test('on an island the room is told who moderates, he may, and with the link back he may no more', async (t) => {
  const harness = new Harness()
  const mai = await site(harness, [], 'speaker')
  const viewer = await site(harness, [], 'viewer')
  const { stage } = harness.hub
  stage.setUpstream(LINK)
  stage.setUpstream({ ...LINK, state: 'connecting' })
  await harness.pass(1_000)
  mai.say({ type: 'lock', ref: 1, locked: true })
  await harness.pass(250)
  t.is(mai.take('error').at(-1)?.code, 'forbidden')
  stage.setUpstream({ ...LINK, state: 'island' })
  await harness.pass(1_000)
  const { participant } = mai.joined
  t.is(viewer.take('room').at(-1)?.acting?.[0]?.participant, participant)
  mai.say({ type: 'lock', ref: 2, locked: true })
  await harness.pass(250)
  t.like(mai.take('ok').at(-1), { ref: 2 })
  t.true(harness.host.conference.summary('giao-ban')?.locked)
  stage.setUpstream(LINK)
  await harness.pass(1_000)
  t.deepEqual(viewer.take('room').at(-1)?.acting, [])
  t.false(harness.host.conference.summary('giao-ban')?.locked)
})

test('people of nodes below are of the island too, as long as they hang there', async (t) => {
  const harness = new Harness()
  await site(harness, [], 'viewer')
  const far = new FarNode(harness)
  const speaker = await far.join('speaker')
  await far.sync()
  const { stage } = harness.hub
  stage.setNodesBelow(['nfar'])
  stage.setUpstream({ ...LINK, state: 'island' })
  await harness.pass(1_000)
  const acting = () =>
    harness.host.conference.summary('giao-ban')?.acting.map((one) => one.participant)
  t.deepEqual(acting(), [speaker])
  stage.setNodesBelow([])
  await harness.pass(1_000)
  t.deepEqual(acting(), [])
})
