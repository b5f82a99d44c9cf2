import test from 'ava'
import type { SiteGroup } from '../scenario/index.ts'
import { markOf, momentText, planLines, planMoments, subtreeOf } from './planning.ts'

const link = (id: string) => ({ id, profile: 'vsat' as const, down: {}, up: {}, changes: [] })

const group = (
  id: string,
  rest: Partial<SiteGroup> & Pick<SiteGroup, 'routes' | 'linkPer'>,
): SiteGroup => ({
  id,
  kind: 'synthetic',
  count: 4,
  role: 'viewer',
  node: 'core',
  checkEvery: 61,
  transportWide: false,
  join: { how: 'storm', atS: 0 },
  behaviours: [],
  ...rest,
})

test('without a link a group goes straight', (t) => {
  const { sets, ways } = planLines({
    nodes: [],
    links: [link('unused')],
    sites: [group('hall', { routes: [], linkPer: 'site' })],
  })
  t.deepEqual(sets, [])
  t.deepEqual(ways.get('hall'), [{ line: 0, share: 1 }])
})

test('a line for each site: as many routes of one share as sites', (t) => {
  const { sets, ways } = planLines({
    nodes: [],
    links: [link('thin'), link('wide')],
    sites: [
      group('hall', {
        routes: [
          { link: 'thin', share: 3 },
          { link: 'wide', share: 1 },
        ],
        linkPer: 'site',
      }),
    ],
  })
  t.deepEqual(
    sets.map(({ plan, lines }) => [plan.id, lines.length]),
    [
      ['thin', 3],
      ['wide', 1],
    ],
  )
  const found = ways.get('hall') ?? []
  t.is(found.length, 4)
  t.true(found.every(({ share }) => share === 1))
  t.deepEqual(
    found.filter((way) => way.link === 'thin').map(({ line }) => line),
    [0, 1, 2],
  )
})

test('groups that share a link share its one line, with a way to each of their nodes', (t) => {
  const routes = [{ link: 'thin', share: 1 }]
  const { sets, ways } = planLines({
    nodes: [],
    links: [link('thin')],
    sites: [
      group('a', { routes, linkPer: 'group' }),
      group('b', { routes, linkPer: 'group', node: 'other' }),
    ],
  })
  t.deepEqual(sets[0]?.lines, [['core', 'other']])
  t.deepEqual(sets[0]?.groups, ['a', 'b'])
  t.deepEqual(ways.get('a'), ways.get('b'))
})

const relay = (id: string, upstream: string, above?: string) => {
  const line = above === undefined ? {} : { link: above }
  return { id, kind: 'relay' as const, upstream, config: {}, ...line }
}

test('the line above a relay leads to the node above, and stands in front of nobody else', (t) => {
  const { sets } = planLines({
    nodes: [
      { id: 'core', kind: 'core', config: {} },
      relay('north', 'core', 'thin'),
      relay('d1', 'north'),
    ],
    links: [link('thin')],
    sites: [group('hall', { routes: [], linkPer: 'site', node: 'd1' })],
  })
  t.deepEqual(
    sets.map(({ lines, groups, relay: below }) => ({ lines, groups, below })),
    [{ lines: [['core']], groups: [], below: 'north' }],
  )
})

test('what happens to a node concerns all that hang on it', (t) => {
  const nodes = [
    { id: 'core', kind: 'core' as const, config: {} },
    relay('north', 'core'),
    relay('south', 'core'),
    relay('d1', 'north'),
  ]
  t.deepEqual(subtreeOf(nodes, 'north'), ['north', 'd1'])
  t.deepEqual(subtreeOf(nodes, 'core'), ['core', 'north', 'south', 'd1'])
})

test('faults and changes of links come in order of time, and in words', (t) => {
  const both = ['down', 'up'] as const
  const changes = [
    { atMs: 9_000, directions: both, settings: { up: false }, rebind: false },
    {
      atMs: 4_000,
      directions: ['down'] as const,
      settings: { rateBps: 64_000 },
      rebind: true,
    },
    { atMs: 6_000, directions: both, profile: 'commune' as const, settings: {}, rebind: false },
  ]
  const moments = planMoments({
    links: [{ ...link('thin'), changes }],
    faults: [
      { atS: 5, do: 'kill', node: 'core' },
      { atS: 1, do: 'heal', link: 'thin' },
    ],
  })
  t.deepEqual(moments.map(momentText), [
    'heal thin',
    'thin down: rateBps 64000 rebind',
    'kill core',
    'thin profile commune',
    'thin cut',
  ])
  t.deepEqual(changes.map(markOf), ['down', undefined, undefined])
})
