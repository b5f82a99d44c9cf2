import test from 'ava'
import fc from 'fast-check'
import { isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml'
import { readScenario } from './read.ts'
import { FULL, lineOf, problemsOf } from './scenario.fixture.ts'

type Spot = { path: string; line: number; from: number; to: number; isKey: boolean }

/** Every key, and every scalar that stands for a value, with its place in the text. */
function spots(yaml: string): Spot[] {
  const found: Spot[] = []
  const walk = (node: Node | null, path: string): void => {
    const line = (offset: number): number => yaml.slice(0, offset).split('\n').length
    const add = (one: Node, isKey: boolean, at: string): void => {
      const [from = 0, to = 0] = one.range ?? []
      found.push({ path: at, line: line(from), from, to, isKey })
    }
    if (isSeq(node))
      for (const [index, item] of node.items.entries()) walk(item as Node, `${path}[${index}]`)
    if (isScalar(node)) add(node, false, path)
    if (!isMap(node)) return
    for (const { key, value } of node.items) {
      const at = `${path}.${(key as { value: string }).value}`
      add(key as Node, true, at)
      walk(value as Node, at)
    }
  }
  walk(parseDocument(yaml).contents, '')
  return found
}

function without(yaml: string, { from, to }: Spot, instead: string): string {
  return yaml.slice(0, from) + instead + yaml.slice(to)
}

test('every key, misspelt, is told at its line', (t) => {
  // An id that nothing else names may be any word.
  const free = ['.sites.stage', '.sites.talk', '.sites.page', '.http.health']
  const keys = spots(FULL).filter(({ isKey, path }) => isKey && !free.includes(path))
  t.true(keys.length > 100)
  for (const spot of keys) {
    const problems = problemsOf(without(FULL, spot, 'zzqx'))
    const found = problems.filter(({ line }) => line === spot.line)
    // A renamed id is told where it is used, a key that decides about the others where it is
    // missing.
    const told =
      found.length > 0 ||
      problems.some(({ key, problem }) => problem.includes('zzqx') || `.${key}` === spot.path)
    t.true(told, `${spot.path}: ${JSON.stringify(problems)}`)
  }
})

test('every value, replaced by what it cannot be, is told at its line and column', (t) => {
  // Whether a program is there is seen on the disk (io.ts).
  const values = spots(FULL).filter(({ isKey, path }) => !isKey && !path.endsWith('.program'))
  t.true(values.length > 80)
  for (const spot of values) {
    // A title may be anything but nothing.
    const instead = spot.path === '.title' ? "''" : "'§ §'"
    const problems = problemsOf(without(FULL, spot, instead))
    const column = spot.from - FULL.lastIndexOf('\n', spot.from - 1)
    const found = problems.find(({ line }) => line === spot.line)
    t.truthy(found, `${spot.path}: ${JSON.stringify(problems)}`)
    // A change of a link is judged as a whole; a criterion has the column of its first wrong
    // character.
    if (!/changes/.test(spot.path)) t.true(Math.abs((found?.column ?? 0) - column) <= 1, spot.path)
  }
})

/** Keys without which a scenario means nothing, and what stands around them. */
const REQUIRED = [
  ['title: All of it\n', '', 1],
  ['duration: 2m\n', '', 1],
  ['kind: relay, upstream: core', 'upstream: core', lineOf(FULL, 'district: { kind')],
  ['upstream: district, ', '', lineOf(FULL, 'commune: {')],
  ['bitrateBps: 100k, ', '', lineOf(FULL, '- { bitrateBps')],
  ['          - { bitrateBps: 100k, size: 320x180 }\n', '', lineOf(FULL, 'layers:')],
  ['    count: 20\n', '', lineOf(FULL, 'hall:\n')],
  ['    node: commune\n', '', lineOf(FULL, 'hall:\n')],
  [', perSecond: 10 }', ' }', lineOf(FULL, 'join: { how: paced')],
  [', away: 2s', '', lineOf(FULL, '- { do: come-and-go')],
  [', share: 0.1', '', lineOf(FULL, '- { do: hands')],
  ['at: 31s, ', '', lineOf(FULL, '- { at: 31s')],
  ['do: stop, ', '', lineOf(FULL, '- { at: 31s')],
  [', node: district }\n  - { at: 40s', ' }\n  - { at: 40s', lineOf(FULL, '- { at: 31s')],
  ['{ do: cut, link: thin'.slice(2), 'do: cut', lineOf(FULL, '- { at: 20s, do: cut')],
] as const

test('a key that must stand is missed at the line of what misses it', (t) => {
  for (const [text, instead, line] of REQUIRED) {
    t.true(FULL.includes(text), text)
    const problems = problemsOf(FULL.replace(text, instead))
    t.true(
      problems.some((one) => one.line === line && /missing|null/.test(one.problem)),
      `${text}: ${JSON.stringify(problems)}`,
    )
  }
})

test('whatever a file holds, reading it ends in a scenario or in problems with a place in it', (t) => {
  const words = fc.constantFrom(
    'title',
    'nodes',
    'core',
    'kind',
    ': ',
    '\n',
    '  ',
    '- ',
    '{',
    '}',
    '1',
    's',
    "'",
    '&a',
    '*a',
    '!!x',
  )
  const soup = fc.array(words, { maxLength: 40 }).map((parts) => parts.join(''))
  const cut = fc
    .tuple(fc.nat(FULL.length), fc.nat(30))
    .map(([at, count]) => FULL.slice(0, at) + FULL.slice(at + count))
  const value = fc.jsonValue().map((json) => JSON.stringify(json))
  fc.assert(
    fc.property(fc.oneof(soup, cut, value), (yaml) => {
      const result = readScenario(yaml, 'x')
      if (result.ok) return t.pass()
      t.true(result.problems.length > 0)
      const lines = yaml.split('\n').length
      return t.true(
        result.problems.every(({ line, column, problem }) => {
          return line >= 1 && line <= lines && column >= 1 && problem !== ''
        }),
        JSON.stringify(result.problems),
      )
    }),
    { numRuns: 300 },
  )
})

test('all mistakes of a file are told at once, in the order of its lines', (t) => {
  const yaml = `title: ''
duration: 20
nodez: {}
nodes:
  core: { kind: core, foo: 1, bar: 2, config: { media: { workers: 9999 }, nix: 1 } }
links:
  thin: { profile: distric, changes: [{ at: 1x, cut: true }] }
sites:
  hall: { count: 0, node: coer, behaviours: [{ do: dance }] }
faults: [{ at: 5s, do: cut, link: thinn }]
pass: [latency.audio.p99Ms < 12, 'group.hal.joined == 1']
`
  const told = problemsOf(yaml).map(({ line, column, key }) => `${line}:${column} ${key}`)
  t.deepEqual(told, [
    '1:9 title',
    '2:11 duration',
    '3:1 nodez',
    '5:23 nodes.core.foo',
    '5:31 nodes.core.bar',
    '5:67 nodes.core.config.media.workers',
    '5:80 nodes.core.config.nix',
    '7:3 links.thin',
    '7:20 links.thin.profile',
    '7:39 links.thin.changes[0]',
    '9:18 sites.hall.count',
    '9:27 sites.hall.node',
    '9:52 sites.hall.behaviours[0].do',
    '10:35 faults[0].link',
    '11:28 pass[0]',
    '11:35 pass[1]',
  ])
})
