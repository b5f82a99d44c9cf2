import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { loadScenario, scenarioNames } from './io.ts'
import { ScenarioError } from './problem.ts'

/** What issue 3 asks for by name. */
const ASKED = [
  'flat-1000',
  'hello',
  'lossy-10',
  'rival-janus',
  'soak',
  'speaker-changes',
  'storm-1000',
  'thin-512k',
  'vsat',
]

for (const name of scenarioNames()) {
  test(`${name} can be read, ends in a verdict, and says why its numbers are what they are`, (t) => {
    const scenario = loadScenario(name)
    t.is(scenario.name, name)
    t.true(scenario.pass.length > 0)
    t.regex(scenario.yaml, /^#/)
  })
}

test('every scenario that was asked for is there', (t) => {
  t.deepEqual(
    ASKED.filter((name) => !scenarioNames().includes(name)),
    [],
  )
})

test('hello is over within a minute', (t) => {
  t.true(loadScenario('hello').durationS <= 20)
})

function refusal(read: () => unknown): string {
  try {
    read()
    return 'nothing was wrong'
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error
    return error.message
  }
}

test('an unknown name is told with the names that there are', (t) => {
  t.regex(
    refusal(() => loadScenario('helo')),
    /helo:1:1: ENOENT; allowed: a file, or one of core-kill, flapping, flat-1000/,
  )
})

test('a file of anywhere can be read, and names itself when it is wrong', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'scenario-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'mine.yaml')
  const good = `title: t
duration: 5s
nodes:
  core: { kind: core, program: main.ts }
sites: { a: { count: 1, node: core } }
pass: [sites.joined == 1]
`
  writeFileSync(file, good)
  t.like(loadScenario(file), { name: 'mine', durationS: 5 })
  writeFileSync(file, good.replace('count: 1', 'count: one'))
  const told = refusal(() => loadScenario(file))
  t.true(told.includes(`${file}:5:22: sites.a.count: "one"; allowed: a whole number`), told)
  writeFileSync(file, good.replace('main.ts', 'no-such.ts'))
  const missing = refusal(() => loadScenario(file))
  t.true(missing.includes(`${file}:4:32: nodes.core.program: "no-such.ts" is not there`), missing)
})
