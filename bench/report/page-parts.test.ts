import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { whyOf } from '../site/index.ts'
import { bundle } from './bundle.ts'
import { outcomeOf, summarize } from './health.ts'
import { heatMapOf } from './heat-map.ts'
import { chooseLanguage, setLanguage } from './page/dictionary.ts'
import { whyInWords } from './page/why-words.ts'
import { pageOfRun } from './page-of-run.ts'
import { plotsOf } from './plots.ts'
import type { RunReport } from './report.ts'
import { reportPage } from './report-page.ts'
import {
  emptyReport,
  hostileReport,
  interruptedReport,
  passedReport,
  sampleReport,
  voidReport,
} from './test/sample-report.ts'
import { treeOf } from './tree.ts'
import { siteTable, troublesOf } from './worst-sites.ts'

test('what did not come to its end, or is void, is told before any criterion', (t) => {
  t.is(outcomeOf(sampleReport({ sites: 4, seconds: 4 })), 'fail')
  t.is(outcomeOf(passedReport()), 'pass')
  t.is(outcomeOf(voidReport()), 'void')
  t.is(outcomeOf(interruptedReport()), 'interrupted')
  t.is(outcomeOf(emptyReport()), 'broken')
  t.is(outcomeOf({ ...passedReport(), criteria: [] }), 'none')
  const unknown = { text: 'x', verdict: 'unknown' as const, measured: { x: null } }
  t.is(outcomeOf({ ...passedReport(), criteria: [unknown] }), 'unknown')
})

test('a link is graded by the queue, the loss and the wait, whichever is worst', (t) => {
  const series = { atS: [1], bitrateBps: [1], lossRatio: [0], queueMs: [0] }
  const grade = (lost: number, overflowed: number, queueMs = 0, packets = 1000): string =>
    summarize({ packets, bytes: 0, lost, overflowed, series: { ...series, queueMs: [queueMs] } })
      .health
  t.is(grade(0, 0, 0, 0), 'idle')
  t.is(grade(20, 2), 'strained')
  t.is(grade(18, 2), 'good')
  t.is(grade(0, 21), 'bad')
  t.is(grade(101, 0), 'bad')
  t.is(grade(0, 0, 201), 'strained')
  t.is(grade(0, 0, 1001), 'bad')
})

test('sites that are not in come first, then those that are worst off', (t) => {
  const { sites } = sampleReport({ sites: 300, seconds: 4 })
  const { rows } = siteTable(sites, 1000)
  const firstIn = rows.findIndex(({ joined }) => joined)
  t.true(firstIn > 0)
  t.true(rows.slice(firstIn).every(({ joined }) => joined))
  t.true((rows[firstIn]?.why.length ?? 0) > 0)
  t.is(rows.at(-1)?.why.length, 0)
  t.is(siteTable(sites, 7).rows.length, 7)
})

test('trouble says who, how many, at which step and why', (t) => {
  const troubles = troublesOf(sampleReport({ sites: 300, seconds: 10 }))
  const [first, second] = troubles
  t.like(first, {
    kind: 'not-joined',
    group: 'communes',
    of: 90,
    step: 'ice',
    why: 'no answer to 12 checks',
  })
  t.like(second, { kind: 'suffering', group: 'communes' })
  t.true(troubles.some((trouble) => trouble.kind === 'link' && trouble.link === 'trunk'))
})

test('the tree has the link above each node and group, and does not trust its report to be one', (t) => {
  const tree = treeOf(sampleReport({ sites: 50, seconds: 5 }))
  t.is(tree?.id, 'core')
  const north = tree?.children.find(({ id }) => id === 'north')
  t.is(north?.edge?.profiles, 'vsat')
  t.deepEqual(
    north?.children.map(({ id }) => id),
    ['districts', 'communes'],
  )
  t.is(tree?.sites, 50)
  const circle = (id: string, upstream: string) => ({
    id,
    upstream,
    kind: 'relay' as const,
    sites: 0,
  })
  const report = { ...emptyReport(), nodes: [circle('a', 'b'), circle('b', 'a')] }
  t.is(treeOf(report), undefined)
  const deep = Array.from({ length: 2_000 }, (_, n) => ({ ...circle(`n${n}`, `n${n - 1}`) }))
  t.notThrows(() => treeOf({ ...emptyReport(), nodes: deep }))
})

test('many children are folded, the bad ones stay', (t) => {
  const report = sampleReport({ sites: 8, seconds: 4 })
  const [site] = report.sites as [RunReport['sites'][0]]
  report.sites = Array.from({ length: 40 }, (_, n) => ({
    ...site,
    id: `s${n}`,
    group: `g${n}`,
    node: 'core',
    joined: n !== 33,
    why: [],
  }))
  report.nodes = report.nodes.slice(0, 1)
  const tree = treeOf(report)
  t.is(tree?.children.length, 12)
  t.true(tree?.children.some(({ id, health }) => id === 'g33' && health === 'bad'))
  t.like(tree?.children.at(-1), { kind: 'folded', id: '29', sites: 29 })
})

test('the picture of layers shows the lowest of what it thins, and absence where there was nobody', (t) => {
  const report = sampleReport({ sites: 4, seconds: 8 })
  report.layers = {
    atS: [1, 2, 3, 4],
    rows: [
      { site: 'a', layer: [Number.NaN, Number.NaN, 2, 1] },
      { site: 'b', layer: [2, -1, 0, 0] },
    ],
  }
  t.deepEqual(
    heatMapOf(report, { columnsMax: 4, rowsMax: 9 })?.rows.map(({ cells }) => cells),
    ['2-00', '  21'],
  )
  t.deepEqual(
    heatMapOf(report, { columnsMax: 2, rowsMax: 9 })?.rows.map(({ cells }) => cells),
    ['-0', ' 1'],
  )
  t.is(heatMapOf(report, { columnsMax: 2, rowsMax: 1 })?.rows[0]?.site, 'b')
})

test('a thousand links are drawn by group, and the worst by themselves', (t) => {
  const report = sampleReport({ sites: 1_000, seconds: 20, linkPerSite: true })
  const { plots, links } = plotsOf([report], { pointsMax: 600, linesMax: 12 })
  t.deepEqual(links, { kept: 6, of: report.links.length })
  const down = plots.find(({ id }) => id === 'link.down.bitrate')
  t.true((down?.lines.length ?? 99) <= 12)
  const together = down?.lines.find(({ of }) => of?.how === 'sum' && of.count > 200)
  t.is(together?.label, 'communes · vsat')
  const { thinned } = pageOfRun(report)
  t.true(thinned.some(({ key }) => key === 'thinnedLinks'))
})

test('series of groups become lines of one plot, with all of them together', (t) => {
  const report = sampleReport({ sites: 4, seconds: 4 })
  const [one] = report.series as [RunReport['series'][0]]
  report.series = ['loss.ratio', 'group.hall.loss.ratio', 'group.far.loss.ratio'].map((id) => ({
    ...one,
    id,
    unit: 'ratio',
  }))
  report.processes = []
  report.links = []
  const { plots } = plotsOf([report], { pointsMax: 600, linesMax: 12 })
  t.deepEqual(
    plots.map(({ id, lines }) => [id, ...lines.map(({ label }) => label)]),
    [['loss.ratio:ratio', 'all', 'hall', 'far']],
  )
})

test('what a report says is never markup in its page', (t) => {
  const page = reportPage(hostileReport())
  t.is(page.match(/<script/g)?.length, 2)
  t.is(page.match(/<\/script/g)?.length, 2)
  t.is(page.match(/<img|<!--/g), null)
  t.regex(page, /default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-/)
})

test('the language is the first that we have, else Vietnamese', (t) => {
  t.is(chooseLanguage(['en-GB', 'vi']), 'en')
  t.is(chooseLanguage(['fr', 'vi-VN', 'en']), 'vi')
  t.is(chooseLanguage(['fr']), 'vi')
  t.is(chooseLanguage([]), 'vi')
})

test('every reason that a site can give is told in Vietnamese', (t) => {
  const everything = new Proxy({}, { get: () => 1e9 })
  const reasons = whyOf(everything)
  t.true(reasons.length >= 10)
  setLanguage('vi')
  for (const reason of reasons) t.false(whyInWords(reason) === reason, reason)
  setLanguage('en')
  t.is(whyInWords(reasons[0] ?? ''), reasons[0] ?? 'none')
})

test('modules that cannot be put together are refused when the page is written', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-bundle-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  write('b.ts', 'export const b: number = 2\nconst own = 1\n')
  const good = write(
    'a.ts',
    "import { b } from './b.ts'\nconst own = 5\nexport const a = b * own\n",
  )
  t.notThrows(() => Function(bundle(good)))
  t.regex(bundle(good), /const \{ b \} = module0/)
  t.throws(() => bundle(write('c.ts', "import fs from 'node:fs'\nfs\n")), {
    message: /which no page has/,
  })
  t.throws(() => bundle(write('d.ts', "import { b as c } from './b.ts'\nc\n")), {
    message: /plain names/,
  })
  t.throws(() => bundle(write('e.ts', 'export default 1\n')), { message: /left over/ })
  write('g.ts', "import { f } from './f.ts'\nexport const g = f\n")
  t.throws(() => bundle(write('f.ts', "import { g } from './g.ts'\nexport const f = g\n")), {
    message: /imports itself/,
  })
})
