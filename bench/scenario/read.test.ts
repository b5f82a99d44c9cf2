import test from 'ava'
import {
  SCENARIO_BYTES_MAX,
  SCENARIO_CRITERIA_MAX,
  SCENARIO_FAULTS_MAX,
  SCENARIO_GROUPS_MAX,
  SCENARIO_LINKS_MAX,
  SCENARIO_NODES_MAX,
  SCENARIO_OWN_LINES_MAX,
  SCENARIO_SITES_MAX,
} from '../../config/limits.ts'
import { readScenario } from './read.ts'
import { FULL, lineOf, problemsOf, small } from './scenario.fixture.ts'
import type { Scenario } from './scenario.ts'

function read(yaml: string): Scenario {
  const result = readScenario(yaml, 'test')
  if (!result.ok)
    throw new Error(result.problems.map(({ key, problem }) => `${key}: ${problem}`).join('\n'))
  return result.scenario
}

/** The only problem of `lines`. */
function complaint(
  t: { is: (a: unknown, b: unknown, c?: string) => unknown },
  lines: string,
): string {
  const problems = problemsOf(small(lines))
  const all = problems.map(({ key, problem }) => `${key}: ${problem}`)
  t.is(all.length, 1, all.join('\n'))
  return all[0] ?? ''
}

test('a scenario that says everything is read as it means', (t) => {
  const scenario = read(FULL)
  t.like(scenario, { name: 'test', seed: 7, durationS: 120, repeat: 2, room: 'hall-1' })
  t.deepEqual(scenario.needs, ['chromium'])
  t.is(scenario.yaml, FULL)
  t.deepEqual(
    scenario.nodes.map(({ id }) => id),
    ['core', 'district', 'commune'],
  )
  t.like(scenario.nodes[0], {
    program: 'bench/index.ts',
    config: { 'media.workers': '2', 'http.requestRateMax': '500' },
  })
  const [thin, sky] = scenario.links
  t.deepEqual(thin?.down, { lossRatio: 0.1 })
  t.deepEqual(thin?.up, { lossRatio: 0.1, rateBps: 300_000, burstLoss: undefined })
  t.deepEqual(
    thin?.changes.map(({ atMs }) => atMs),
    [10_000, 20_000],
  )
  t.deepEqual(sky, { id: 'sky', profile: 'vsat', down: {}, up: {}, changes: [] })
  const [stage, hall, talk] = scenario.sites
  t.like(stage, { role: 'speaker', checkEvery: 61, routes: [], join: { how: 'storm', atS: 0 } })
  t.deepEqual(stage?.publishes, {
    audio: { payloadBytes: 60 },
    video: {
      framesPerSecond: 25,
      temporal: true,
      layers: [{ bitrateBps: 100_000, widthPx: 320, heightPx: 180 }],
    },
  })
  t.like(hall, { role: 'viewer', checkEvery: 1, linkPer: 'site', join: { perSecond: 10, atS: 1 } })
  t.deepEqual(hall?.routes, [
    { link: 'sky', share: 3 },
    { link: 'fast', share: 7 },
  ])
  t.deepEqual(hall?.watches, {
    audio: 1,
    main: { widthPx: 640, heightPx: 360 },
    tiles: { count: 4, widthPx: 160, heightPx: 90 },
  })
  t.deepEqual(hall?.behaviours, [
    { do: 'come-and-go', everyS: 10, awayS: 2, share: 0.3, abrupt: false, fromS: 0 },
    { do: 'hands', everyS: 10, share: 0.1, fromS: 0, untilS: 60 },
    { do: 'reconnect', withinS: 1 },
  ])
  t.like(talk, { kind: 'signalling', role: 'observer' })
  t.deepEqual(scenario.http, [
    {
      id: 'health',
      node: 'core',
      path: '/healthz',
      connections: 10,
      fromS: 10,
      untilS: 20,
      perSecond: 100,
    },
  ])
  t.deepEqual(scenario.faults, [
    { do: 'cut', link: 'thin', atS: 20 },
    { do: 'heal', link: 'thin', atS: 22 },
    { do: 'kill', node: 'core', atS: 30 },
    { do: 'stop', node: 'district', atS: 31 },
    { do: 'restart', node: 'core', atS: 35 },
    { do: 'continue', node: 'district', atS: 40 },
  ])
  t.is(scenario.pass.length, 2)
})

test('a complaint names the value and what is allowed', (t) => {
  const wrong: [string, RegExp][] = [
    ['seed: 1.5', /seed: 1\.5; allowed: a whole number from 0 to 4294967295/],
    ['room: a b', /"a b"; allowed: up to 64 letters/],
    ['needs: janos', /"janos"; allowed: janus, chromium/],
    ['needs: janus', /\["janus"\]; allowed: \[\], what its nodes and sites need/],
    ['placement: { disk: 1 }', /"disk": no such key; allowed: nodes, load, links/],
    ['pass: []', /\[\]; allowed: a list with 1 entry at least/],
    ['pass: [sites.joined]', /true or false in the end/],
    ['http: { a: { node: core, from: 2m } }', /120s is not before the end; allowed: less than 60s/],
    ['http: { a: { node: core, from: 9s, until: 3s } }', /until: 3s is not after from/],
    ['faults: [{ at: 2m, do: kill, node: core }]', /at: 120s is not before the end/],
    [
      'faults: [{ at: 2s, do: continue, node: core }]',
      /continue at 2s, when core runs; allowed when it stands/,
    ],
    [
      'faults: [{ at: 2s, do: kill, node: core, for: 1s }, { at: 2s, do: kill, node: core }]',
      /kill at 2s, when core is killed/,
    ],
    ['faults: [{ at: 2s, do: disk-free, node: core }]', /when core has room/],
    [
      'sites: { h: { count: 1, node: core, role: viewer, publishes: { audio: true } } }',
      /may not publish; allowed: chair, speaker/,
    ],
    [
      'sites: { h: { count: 1, node: core, publishes: {} } }',
      /is nothing; allowed: audio, video or both/,
    ],
    [
      'sites: { h: { count: 1, node: core, kind: signalling, watches: {} } }',
      /no media; allowed: kind synthetic/,
    ],
    ['sites: { core: { count: 1, node: core } }', /"core" is the id of a node/],
    ['sites: { 9-a: { count: 1, node: core } }', /"9-a" cannot be an id/],
    ['sites: { constructor: { count: 1, node: core } }', /"constructor" cannot be an id/],
    [
      'sites: { h: { count: 1, node: core, join: { how: storm, at: 60s } } }',
      /60s is not before the end/,
    ],
    [
      'sites: { h: { count: 1, node: core, behaviours: [{ do: hands, from: 9s, until: 1s, every: 1s, share: 1 }] } }',
      /until: 1s is not after from/,
    ],
    [
      'sites: { h: { count: 1, node: core, behaviours: [{ do: speaker-changes, every: 1s }] } }',
      /nobody in this group sends audio/,
    ],
    ['links: { a: vsat }', /no node and no group uses "a"/],
  ]
  for (const [lines, expected] of wrong) t.regex(complaint(t, lines), expected, lines)
})

test('a line is shared by one, or is one of many like it', (t) => {
  const twoGroups = (per: [string, string]) => `links: { a: vsat }
sites:
  h: { count: 1, node: core, link: a, linkPer: ${per[0]} }
  i: { count: 1, node: core, link: a, linkPer: ${per[1]} }`
  t.deepEqual(problemsOf(small(twoGroups(['site', 'site']))), [])
  t.regex(complaint(t, twoGroups(['group', 'group'])), /sites.i.link: "a" carries group h already/)
  t.regex(complaint(t, twoGroups(['site', 'group'])), /carries group i already/)
})

test('a rate without a queue is refused before the run, also in the middle of a timetable', (t) => {
  const sites = 'sites: { h: { count: 1, node: core, link: a } }'
  t.regex(
    complaint(t, `links: { a: { down: { rateBps: 1M } } }\n${sites}`),
    /down: .*a rate needs a queue/,
  )
  const changes = '{ at: 1s, queueBytes: 9k }, { at: 2s, queueBytes: 0, direction: up }'
  const yaml = `links: { a: { rateBps: 1M, queueMs: 0, queueBytes: 9k, changes: [${changes}] } }\n${sites}`
  t.regex(complaint(t, yaml), /links.a.changes\[1\]: up: .*a rate needs a queue/)
})

test('relays form a tree', (t) => {
  const tree = (nodes: string) => problemsOf(small('').replace('  core:', `${nodes}\n  core:`))
  t.deepEqual(tree('  a: { kind: relay, upstream: b }\n  b: { kind: relay, upstream: core }'), [])
  const circle = tree(
    '  a: { kind: relay, upstream: b }\n  b: { kind: relay, upstream: c }\n  c: { kind: relay, upstream: b }',
  )
  t.deepEqual(
    circle.map(({ key }) => key),
    ['nodes.b.upstream', 'nodes.c.upstream'],
  )
  t.regex(circle[0]?.problem ?? '', /b -> c -> b/)
})

test('a rival stands beside one core, and both get its sites', (t) => {
  const rival = (nodes: string, rest = '') => {
    const sites = 'sites:\n  hall: { count: 1, node: janus }\n'
    const yaml = `title: t\nneeds: janus\nduration: 60s\nnodes: { ${nodes} }\n${sites}pass: [1 < 2]\n${rest}`
    return problemsOf(yaml).map(({ key }) => key)
  }
  const janus = 'janus: { kind: rival, rival: janus }'
  t.deepEqual(rival(`core: { kind: core }, ${janus}`), [])
  t.deepEqual(rival(janus), ['nodes'])
  t.deepEqual(rival(`a: { kind: core }, b: { kind: core }, ${janus}`), ['nodes'])
  const faults = 'faults: [{ at: 1s, do: kill, node: janus }]'
  t.deepEqual(rival(`core: { kind: core }, ${janus}`, faults), ['faults'])
})

test('a mistake inside a criterion has its own column', (t) => {
  const yaml = small('pass:\n  - sites.joined == 10 and latency.audio.p99Ms < 3\n')
  const [problem] = problemsOf(yaml)
  t.is(problem?.line, lineOf(yaml, 'sites.joined'))
  t.is(problem?.column, '  - sites.joined == 10 and latency.audio.p99Ms <'.length)
})

test('no YAML, aliases and keys twice are refused with their place', (t) => {
  t.is(problemsOf('title: [')[0]?.line, 1)
  t.regex(problemsOf('a: &x 1\nb: *x\n')[0]?.problem ?? '', /alias/i)
  const [twice] = problemsOf('title: a\ntitle: b\n')
  t.like(twice, { line: 2, column: 1 })
  t.true(problemsOf('').some(({ key }) => key === 'nodes'))
})

const many = (count: number, one: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => one(index)).join('\n')

test('everything that a file may hold has a bound', (t) => {
  const groups = (count: number) =>
    `sites:\n${many(count, (index) => `  g${index}: { count: 1, node: core }`)}`
  t.deepEqual(problemsOf(small(groups(SCENARIO_GROUPS_MAX))), [])
  t.regex(complaint(t, groups(SCENARIO_GROUPS_MAX + 1)), /at most 64/)

  const nodes = small('').replace(
    'nodes:\n',
    `nodes:\n${many(SCENARIO_NODES_MAX, (index) => `  n${index}: { kind: core }`)}\n`,
  )
  t.regex(problemsOf(nodes)[0]?.problem ?? '', /at most 64/)

  const links = many(SCENARIO_LINKS_MAX + 1, (index) => `  l${index}: vsat`)
  t.true(problemsOf(small(`links:\n${links}`)).some(({ problem }) => /at most 64/.test(problem)))

  const faults = many(SCENARIO_FAULTS_MAX + 1, () => '  - { at: 1s, do: restart, node: core }')
  t.regex(complaint(t, `faults:\n${faults}`), /1000 entries at most/)
  const pass = many(SCENARIO_CRITERIA_MAX + 1, () => '  - 1 < 2')
  t.regex(complaint(t, `pass:\n${pass}`), /200 entries at most/)

  const half = SCENARIO_SITES_MAX / 2 + 1
  const crowd = `sites: { a: { count: ${half}, node: core }, b: { count: ${half}, node: core } }`
  t.regex(complaint(t, crowd), /20002 sites in all; allowed: 20000/)
  const own = `links: { l: vsat }\nsites: { a: { count: ${SCENARIO_OWN_LINES_MAX + 1}, node: core, link: l } }`
  t.regex(complaint(t, own), /257 sites have a line of their own; allowed: 256/)

  t.regex(
    problemsOf(' '.repeat(SCENARIO_BYTES_MAX + 1))[0]?.problem ?? '',
    /characters; allowed: 262144/,
  )
})
