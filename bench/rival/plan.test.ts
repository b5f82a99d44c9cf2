import test from 'ava'
import type { Scenario } from '../scenario/index.ts'
import { planLegs } from './plan.ts'

const watches = { audio: 1, main: { widthPx: 320, heightPx: 180 } }
const layer = { bitrateBps: 150_000, widthPx: 320, heightPx: 180 }
const common = {
  kind: 'synthetic' as const,
  node: 'janus',
  routes: [],
  linkPer: 'site' as const,
  checkEvery: 61,
  transportWide: false,
  behaviours: [],
}
const join = { how: 'storm' as const, atS: 0 }
const group = (id: string, count: number): Scenario['sites'][number] => {
  return { ...common, id, count, role: 'viewer', watches, join }
}
const scenario: Scenario = {
  name: 'rival',
  title: 'rival',
  seed: 1,
  durationS: 30,
  repeat: 1,
  room: 'bench',
  needs: ['janus'],
  placement: {},
  othersCoresMax: 0.15,
  ownLatenessMsMax: 25,
  nodes: [
    { id: 'ours', kind: 'core', config: {} },
    { id: 'janus', kind: 'rival', config: {}, rival: { name: 'janus', eventLoops: 4 } },
  ],
  links: [],
  sites: [
    {
      ...common,
      id: 'speaker',
      count: 1,
      role: 'speaker',
      join,
      publishes: { audio: {}, video: { framesPerSecond: 25, layers: [layer] } },
    },
    group('first', 300),
    { ...group('second', 300), join: { ...join, parallel: 50 } },
  ],
  http: [],
  windows: [],
  faults: [],
  pass: [],
  yaml: '',
}

test('groups that watch become steps, each measured for an equal part of the duration', (t) => {
  t.deepEqual(planLegs(scenario), {
    receivers: [300, 600],
    seconds: 15,
    rounds: 2,
    parallel: 100,
    eventLoops: 4,
    videoBps: 150_000,
    framesPerSecond: 25,
  })
})

test('what a rival cannot be measured with is refused in the words of the scenario', (t) => {
  const refused = (change: Partial<Scenario>) =>
    t.throws(() => planLegs({ ...scenario, ...change }))?.message ?? ''
  t.regex(refused({ nodes: scenario.nodes.slice(1) }), /beside one core/)
  t.regex(refused({ sites: scenario.sites.slice(0, 1) }), /nobody watches/)
  t.regex(refused({ sites: scenario.sites.slice(1) }), /one site speaks/)
  t.regex(refused({ sites: [{ ...group('far', 3), node: 'ours' }] }), /sites\.far\.node/)
  t.regex(refused({ faults: [{ atS: 1, do: 'kill', node: 'janus' }] }), /no links, faults/)
})
