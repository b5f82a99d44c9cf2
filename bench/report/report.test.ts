import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import test from 'ava'
import {
  REPORT_BYTES_MAX,
  REPORT_ENTRIES_MAX,
  REPORT_HISTOGRAM_BYTES_MAX,
  REPORT_HISTOGRAM_UNPACKED_BYTES_MAX,
  REPORT_PAGE_BYTES_MAX,
  REPORT_SAMPLES_MAX,
  REPORT_TEXT_LENGTH_MAX,
  REPORT_YAML_LENGTH_MAX,
} from '../../config/limits.ts'
import { parseReport, ReportError, type RunReport, readReport, writeRunReport } from './index.ts'
import { curvesOf, readHistogram } from './percentiles.ts'
import { reportPage } from './report-page.ts'
import { passedReport, sampleReport } from './test/sample-report.ts'

const small = (): RunReport => sampleReport({ sites: 8, seconds: 6 })

/** What reading complains of after `change`. */
function complaint(change: (report: Record<string, unknown>) => void): string {
  const report = JSON.parse(JSON.stringify(small()))
  change(report)
  try {
    parseReport(JSON.stringify(report), 'r.json')
    return ''
  } catch (error) {
    return error instanceof ReportError ? error.message : `not a ReportError: ${error}`
  }
}

test('a report is read as it was written, gaps in series included', (t) => {
  const report = small()
  report.figures['unmeasured'] = Number.NaN
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-report-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const { jsonFile, pageFile } = writeRunReport(join(folder, 'new'), report)
  const { unmeasured, ...figures } = report.figures
  t.deepEqual(readReport(join(folder, 'new')), { ...report, figures })
  t.deepEqual(readReport(jsonFile), readReport(join(folder, 'new')))
  t.true(report.layers.rows.some(({ layer }) => layer.some(Number.isNaN)))
  t.is(readFileSync(pageFile, 'utf8').slice(0, 15), '<!doctype html>')
})

test('fields of a later minor addition are ignored, another version is refused by name', (t) => {
  t.is(
    complaint((report) => {
      report['weather'] = 'dry'
      ;(report['machine'] as Record<string, unknown>)['fans'] = 3
    }),
    '',
  )
  t.is(
    complaint((report) => {
      report['version'] = 2
    }),
    'r.json: version 2 of the report, this program reads 1',
  )
})

test('what is no report says what it is not', (t) => {
  t.throws(() => parseReport('{', 'r.json'), { message: /^r\.json: no JSON/ })
  t.throws(() => parseReport('null', 'r.json'), { message: /no report of a run/ })
  t.throws(() => readReport('/nowhere/r.json'), { message: /^\/nowhere\/r\.json: ENOENT/ })
})

test('a wrong field is named by its path', (t) => {
  const sites = complaint((report) => {
    ;(report['sites'] as { joined: unknown }[])[2] = {
      ...(report['sites'] as { joined: unknown }[])[2],
      joined: 'yes',
    }
  })
  t.regex(sites, /^r\.json: sites\.2\.joined: /)
  t.regex(
    complaint((report) => {
      report['ended'] = 'somehow'
    }),
    /^r\.json: ended: /,
  )
})

test('columns of different length are refused, for they would be drawn against the wrong times', (t) => {
  t.is(
    complaint((report) => {
      ;(report['series'] as { id: string; values: number[] }[])[0]?.values.pop()
    }),
    'r.json: series sites.joined: columns of different length',
  )
})

const bounds: [name: string, change: (report: Record<string, unknown>) => void][] = [
  [
    'text',
    (r) => {
      r['problem'] = 'x'.repeat(REPORT_TEXT_LENGTH_MAX + 1)
    },
  ],
  [
    'yaml',
    (r) => {
      r['scenario'] = { ...(r['scenario'] as object), yaml: 'x'.repeat(REPORT_YAML_LENGTH_MAX + 1) }
    },
  ],
  [
    'entries of a list',
    (r) => {
      r['events'] = Array(REPORT_ENTRIES_MAX + 1).fill({ atS: 0, what: '' })
    },
  ],
  [
    'entries of a record',
    (r) => {
      r['figures'] = Object.fromEntries(
        Array.from({ length: REPORT_ENTRIES_MAX + 1 }, (_, n) => [`f${n}`, n]),
      )
    },
  ],
  [
    'samples',
    (r) => {
      r['layers'] = { atS: Array(REPORT_SAMPLES_MAX + 1).fill(0), rows: [] }
    },
  ],
  [
    'histogram',
    (r) => {
      r['histograms'] = { x: 'A'.repeat(REPORT_HISTOGRAM_BYTES_MAX + 1) }
    },
  ],
]
for (const [name, change] of bounds)
  test(`a report beyond the bound of its ${name} is refused`, (t) => {
    t.not(complaint(change), '')
    t.notRegex(complaint(change), /^not a ReportError/)
  })

test('a file beyond the bound is not even read', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nhipcau-report-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'report.json')
  writeFileSync(file, '')
  // A hole costs no disk.
  t.notThrows(() => truncate(file, REPORT_BYTES_MAX + 1))
  t.throws(() => readReport(file), { message: /268435457 bytes, at most 268435456 are read/ })
})

function truncate(file: string, sizeBytes: number): void {
  const { truncateSync } = process.getBuiltinModule('node:fs')
  truncateSync(file, sizeBytes)
}

test('a histogram that unpacks beyond its bound, or is none, is left out', (t) => {
  const header = Buffer.alloc(8)
  const bomb = deflateSync(Buffer.alloc(REPORT_HISTOGRAM_UNPACKED_BYTES_MAX + 1))
  t.is(readHistogram(Buffer.concat([header, bomb]).toString('base64')), undefined)
  t.is(readHistogram('not a histogram'), undefined)
  t.is(readHistogram(''), undefined)
  t.deepEqual(curvesOf({ 'latency.audio': 'AAAA' }, 0), [])
})

test('curves tell the percentiles of the histogram, and rise', (t) => {
  const curves = curvesOf(sampleReport({ sites: 4, seconds: 4 }).histograms, 0)
  const [audio] = curves
  t.is(audio?.name, 'latency.audio')
  const histogram = readHistogram(
    sampleReport({ sites: 4, seconds: 4 }).histograms['latency.audio'] ?? '',
  )
  t.is(audio?.table[3], Number(((histogram?.getValueAtPercentile(99) ?? 0) / 1000).toPrecision(4)))
  for (const { ms } of curves)
    t.deepEqual(
      ms,
      ms.toSorted((a, b) => a - b),
    )
  t.true(curves.some(({ name, group }) => name === 'latency.audio' && group === 'communes'))
})

test('the page of a thousand sites with a link each stays far below its bound', (t) => {
  const page = reportPage(sampleReport({ linkPerSite: true }))
  t.true(Buffer.byteLength(page) < REPORT_PAGE_BYTES_MAX / 4)
})

test('a page that would be too large is thinned until it is not, and says so', (t) => {
  const report = sampleReport({ sites: 40, seconds: 20 })
  const [first] = report.sites
  const site = { ...first, why: Array(8).fill('x'.repeat(REPORT_TEXT_LENGTH_MAX)) }
  report.sites = Array.from({ length: 500 }, (_, n) => ({
    ...(site as RunReport['sites'][0]),
    id: `s${n}`,
  }))
  const page = reportPage(report)
  t.true(Buffer.byteLength(page) <= REPORT_PAGE_BYTES_MAX)
  t.regex(page, /"key":"thinnedSites","kept":\d+,"of":500/)
})

test('the page of a run without criteria, links or sites is written as well', (t) => {
  const report = {
    ...passedReport(),
    criteria: [],
    sites: [],
    nodes: [],
    processes: [],
    series: [],
  }
  t.true(reportPage(report).length > 10_000)
})
