import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'ava'
import { readScenario, scenarioNames } from '../bench/scenario/index.ts'
import { benchPage } from '../docs/bench-page.ts'
import { configPage } from '../docs/config-page.ts'
import { linkPage } from '../docs/link-page.ts'
import { metricsPage } from '../docs/metrics-page.ts'
import { SCENARIO_EXAMPLE, scenarioPage } from '../docs/scenario-page.ts'

const ROOT = join(import.meta.dirname, '..')

test('docs/CONFIG.md is what config/schema.ts says', (t) => {
  t.is(readFileSync(join(ROOT, 'docs/CONFIG.md'), 'utf8'), configPage(), 'run: npm run docs')
})

test('docs/METRICS.md is what the registry says', async (t) => {
  const page = readFileSync(join(ROOT, 'docs/METRICS.md'), 'utf8')
  t.is(page, await metricsPage(), 'run: npm run docs')
})

test('every decision has a number of its own and stands in the index', (t) => {
  const folder = join(ROOT, 'docs/adr')
  const index = readFileSync(join(folder, 'README.md'), 'utf8')
  const pages = readdirSync(folder).filter((name) => name !== 'README.md')
  t.is(new Set(pages.map((name) => name.slice(0, 4))).size, pages.length)
  for (const name of pages) {
    t.regex(name, /^\d{4}-[a-z0-9-]+\.md$/)
    t.true(index.includes(`[${Number(name.slice(0, 4))}](${name})`), name)
  }
})

test('docs/LINK.md is what the tables of bench/link say', (t) => {
  t.is(readFileSync(join(ROOT, 'docs/LINK.md'), 'utf8'), linkPage(), 'run: npm run docs')
})

test('docs/SCENARIOS.md is what the schema, units and figures of bench/scenario say', (t) => {
  const page = readFileSync(join(ROOT, 'docs/SCENARIOS.md'), 'utf8')
  t.is(page, scenarioPage(), 'run: npm run docs')
  t.true(readScenario(SCENARIO_EXAMPLE, 'example').ok)
})

test('docs/BENCH.md describes the report as bench/report/report-schema.ts has it', (t) => {
  const page = readFileSync(join(ROOT, 'docs/BENCH.md'), 'utf8')
  t.is(page, benchPage(page), 'run: npm run docs')
})

test('docs/BENCH.md names every scenario, and no other', (t) => {
  const [, section = ''] = readFileSync(join(ROOT, 'docs/BENCH.md'), 'utf8').split('## Scenarios')
  const rows = section.split('\n## ')[0]?.matchAll(/^\| (`.*?) \|/gm) ?? []
  const named = [...rows].flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)])
  t.deepEqual(named.map(([, name]) => name).sort(), scenarioNames())
})

const pages = ['README.md', 'README.vi.md', ...readdirSync(join(ROOT, 'docs'), { recursive: true })]
  .map(String)
  .filter((page) => page.endsWith('.md'))
  .map((page) => (page.startsWith('README') ? page : join('docs', page)))

for (const page of pages) {
  test(`every relative link of ${page} leads somewhere`, (t) => {
    const text = readFileSync(join(ROOT, page), 'utf8')
    const links = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)].map(
      (match) => match[1] ?? '',
    )
    const dead = links.filter((link) => !existsSync(join(ROOT, dirname(page), link)))
    t.deepEqual(dead, [])
  })
}
