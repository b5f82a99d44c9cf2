/**
 * Reports as runs leave them, made from a seed: a large one with faults, and small ones that ended
 * in each way.
 */
import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js'
import { createRandom } from '../../link/random.ts'
import {
  type CriterionReport,
  type LinkDirectionReport,
  type LinkReport,
  type ProcessReport,
  REPORT_SCHEMA,
  REPORT_VERSION,
  type RunReport,
  type SeriesReport,
  type SiteReport,
} from '../report.ts'

type Random = () => number

export type SampleOptions = {
  sites?: number
  seconds?: number
  seed?: number
  /** Sites of the last group have a link each, instead of one for all of them. */
  linkPerSite?: boolean
}

const GROUPS = [
  { id: 'provinces', share: 0.06, node: 'core', profile: 'fibre', bps: 8e6, loss: 0.0005, top: 2 },
  { id: 'hospitals', share: 0.24, node: 'core', profile: 'adsl', bps: 3e6, loss: 0.004, top: 2 },
  {
    id: 'districts',
    share: 0.4,
    node: 'north',
    profile: 'district',
    bps: 5e5,
    loss: 0.018,
    top: 1,
  },
  { id: 'communes', share: 0.3, node: 'north', profile: 'vsat', bps: 2.6e5, loss: 0.035, top: 0 },
] as const

const CUT_S = 0.35
const HEAL_S = 0.43

/**
 * A run of many sites behind four kinds of link, one of which is cut for a while and overloaded at
 * all times.
 */
export function sampleReport(options: SampleOptions = {}): RunReport {
  const { sites: wanted = 1_000, seconds = 120, seed = 7, linkPerSite = false } = options
  const random = createRandom(seed).next
  const atS = Array.from({ length: seconds }, (_, index) => index + 1)
  const sites = GROUPS.flatMap((group) => {
    const count = Math.max(1, Math.round(wanted * group.share))
    return Array.from({ length: count }, (_, index) =>
      siteOf(group, { index, random, linkPerSite }),
    )
  })
  const links = linksOf(sites, { atS, random, linkPerSite })
  const series = seriesOf(sites, atS, random)
  const lossRatio = 0.0312
  return {
    schema: REPORT_SCHEMA,
    version: REPORT_VERSION,
    scenario: {
      name: 'thin-512k',
      title: 'A hall speaks to a thousand sites; the northern line is cut for ten seconds',
      seed,
      durationS: seconds,
      yaml: SAMPLE_YAML,
    },
    startedAt: '2026-11-22T13:30:00.000Z',
    tookS: seconds + 3.4,
    ended: 'completed',
    validity: { valid: true, reasons: [] },
    machine: {
      name: 'bench-02',
      cpuModel: 'AMD EPYC 7B13',
      cores: 2,
      memoryBytes: 8_326_000_000,
      kernel: 'Linux 6.12.9',
      node: 'v24.21.0',
      othersCores: 0.14,
    },
    commit: { hash: '105b877d0c1f4be4d5f63d7a70bb5b6b0b6d1d1c', dirty: true },
    criteria: [
      criterion('sites.joined == sites.planned', {
        'sites.joined': sites.filter((s) => s.joined).length,
        'sites.planned': sites.length,
      }),
      criterion('latency.audio.p99Ms < 400', { 'latency.audio.p99Ms': 318.2 }),
      criterion('loss.audio.ratio < 1%', { 'loss.audio.ratio': lossRatio }, 'fail'),
      criterion('resync.audio.p99Ms < 3s', { 'resync.audio.p99Ms': null }, 'unknown'),
      criterion('process.core.cpuShare < 90%', { 'process.core.cpuShare': 0.716 }),
    ],
    nodes: [
      { id: 'core', kind: 'core', sites: sites.filter(({ node }) => node === 'core').length },
      {
        id: 'north',
        kind: 'relay',
        upstream: 'core',
        link: 'trunk',
        sites: sites.filter(({ node }) => node === 'north').length,
      },
    ],
    links,
    processes: (['core', 'north', 'load', 'link'] as const).map((id, index) =>
      processOf(id, { atS, index, random }),
    ),
    sites,
    figures: {
      'sites.joined': sites.filter(({ joined }) => joined).length,
      'sites.planned': sites.length,
      'latency.audio.p50Ms': 41.3,
      'latency.audio.p99Ms': 318.2,
      'latency.video.p99Ms': 402.9,
      'loss.audio.ratio': lossRatio,
      'join.p99Ms': 812.4,
      'process.core.cpuShare': 0.716,
      'process.core.residentBytesMax': 231_000_000,
      'forward.packetsPerCpuSecond': 62_140,
    },
    histograms: histogramsOf(random),
    series,
    layers: {
      atS,
      rows: sites.map((site) => ({
        site: site.id,
        layer: layersOf(site, { atS, seconds, random }),
      })),
    },
    events: eventsOf(seconds),
  }
}

function criterion(
  text: string,
  measured: CriterionReport['measured'],
  wanted?: CriterionReport['verdict'],
): CriterionReport {
  const [a, b] = Object.values(measured)
  const equal = text.includes('==') && a !== b ? 'fail' : 'pass'
  return { text, measured, verdict: wanted ?? equal }
}

type SiteOptions = { index: number; random: Random; linkPerSite: boolean }

function siteOf(
  group: (typeof GROUPS)[number],
  { index, random, linkPerSite }: SiteOptions,
): SiteReport {
  const id = `${group.id}-${index + 1}`
  const isLast = group.id === 'communes'
  const link = isLast && linkPerSite ? `line-${index + 1}` : group.profile
  const base = { id, group: group.id, node: group.node, link, kind: 'synthetic' as const }
  if (isLast && random() < 0.04)
    return {
      ...base,
      joined: false,
      failedAt: 'ice',
      whyFailed: 'no answer to 12 checks',
      figures: {},
      why: [],
    }
  const lossRatio = group.loss * (0.4 + 1.2 * random())
  const frozenMs = isLast ? Math.round(9_000 * random()) : 0
  return {
    ...base,
    joined: true,
    joinMs: 180 + 600 * random(),
    steps: { doorMs: 12, joinMs: 30, offerMs: 22, iceMs: 61, dtlsMs: 55 },
    figures: {
      audioLossRatio: lossRatio,
      concealedRatio: lossRatio * 0.7,
      audioGapMaxMs: 40 + frozenMs,
      frozenMaxMs: frozenMs,
      frozenRatio: frozenMs / 120_000,
      audioLatencyP99Ms: 60 + 300 * random() * (isLast ? 2 : 1),
      framesComplete: 2_800 - Math.round(frozenMs / 40),
      framesLate: Math.round(30 * random()),
    },
    why: [
      ...(frozenMs > 4_000
        ? [`the picture stood still ${(frozenMs / 1200).toFixed(1)} % of the time`]
        : []),
      ...(lossRatio > 0.03 ? [`${(lossRatio * 100).toFixed(1)} % of audio packets lost`] : []),
    ],
  }
}

type TimeOptions = { atS: number[]; random: Random }

function linksOf(
  sites: SiteReport[],
  { atS, random, linkPerSite }: TimeOptions & { linkPerSite: boolean },
): LinkReport[] {
  const trunk = linkOf(
    {
      id: 'trunk',
      profile: 'vsat',
      below: 'north',
      above: 'core',
      bps: 2e6,
      loss: 0.01,
      cut: true,
    },
    { atS, random },
  )
  const others = GROUPS.flatMap(({ id, profile, node, bps, loss }) => {
    const isLast = id === 'communes'
    const own = sites.flatMap((site) =>
      site.group === id && site.link !== undefined ? [site.link] : [],
    )
    const names = isLast && linkPerSite ? own : [profile]
    return names.map((name) =>
      linkOf(
        { id: name, profile, below: id, above: node, bps, loss, cut: isLast },
        { atS, random },
      ),
    )
  })
  return [trunk, ...others]
}

type LinkOptions = {
  id: string
  profile: string
  below: string
  above: string
  bps: number
  loss: number
  cut: boolean
}

function linkOf(
  { id, profile, below, above, bps, loss, cut }: LinkOptions,
  time: TimeOptions,
): LinkReport {
  const direction = (factor: number) => directionOf({ bps: bps * factor, loss, cut }, time)
  return { id, profile, below, above, up: direction(0.12), down: direction(1) }
}

function directionOf(
  { bps, loss, cut }: { bps: number; loss: number; cut: boolean },
  { atS, random }: TimeOptions,
): LinkDirectionReport {
  const end = atS.length
  const isCut = (at: number): boolean => cut && at > end * CUT_S && at <= end * HEAL_S
  const bitrateBps = atS.map((at) =>
    isCut(at) ? 0 : bps * (0.85 + 0.3 * random()) * Math.min(1, at / 12),
  )
  const lossRatio = atS.map((at) => (isCut(at) ? Number.NaN : loss * (0.3 + 1.4 * random())))
  const queueMs = atS.map((at) => (isCut(at) ? 0 : (cut ? 340 : 18) * random()))
  const packets = Math.round(bitrateBps.reduce((sum, value) => sum + value, 0) / 8 / 900)
  return {
    packets,
    bytes: packets * 900,
    lost: Math.round(packets * loss),
    overflowed: Math.round(packets * (cut ? 0.031 : 0)),
    series: { atS, bitrateBps, lossRatio, queueMs },
  }
}

function processOf(
  id: 'core' | 'north' | 'load' | 'link',
  { atS, index, random }: TimeOptions & { index: number },
): ProcessReport {
  const share = [0.72, 0.31, 0.88, 0.12][index] ?? 0.1
  const roles = { core: 'node', north: 'node', load: 'load', link: 'link' } as const
  return {
    id,
    role: roles[id],
    cpuSeconds: share * atS.length,
    residentBytesMax: 231_000_000 - index * 30_000_000,
    residentSlopeBytesPerS: 812 * index,
    series: {
      atS,
      cpuShare: atS.map((at) => share * Math.min(1, at / 10) * (0.9 + 0.2 * random())),
      residentBytes: atS.map((at) => 110e6 + 120e6 * (1 - Math.exp(-at / 20)) - index * 30e6),
      handles: atS.map(() => 40 + index),
      threads: atS.map(() => 14 - index),
    },
  }
}

function seriesOf(sites: SiteReport[], atS: number[], random: Random): SeriesReport[] {
  const end = atS.length
  const joined = sites.filter((site) => site.joined).length
  const line = (id: string, unit: string, of: (at: number) => number): SeriesReport => ({
    id,
    title: `${id}, over all sites`,
    unit,
    atS,
    values: atS.map(of),
  })
  const isCut = (at: number): boolean => at > end * CUT_S && at <= end * HEAL_S
  return [
    line('sites.joined', '', (at) => Math.round(joined * Math.min(1, at / 12))),
    line('sites.failed', '', (at) => Math.round((sites.length - joined) * Math.min(1, at / 14))),
    line('loss.audio', 'ratio', (at) => (isCut(at) ? 0.21 : 0.012) * (0.7 + 0.6 * random())),
    line('loss.video', 'ratio', (at) => (isCut(at) ? 0.26 : 0.015) * (0.7 + 0.6 * random())),
    line('latency.audio.p50Ms', 'ms', () => 38 + 8 * random()),
    line('latency.audio.p99Ms', 'ms', (at) => (isCut(at) ? 900 : 290) + 60 * random()),
    line('latency.video.p99Ms', 'ms', (at) => (isCut(at) ? 1300 : 360) + 90 * random()),
    line('bitrate.audioBps', 'bps', (at) => joined * 32_000 * Math.min(1, at / 12)),
    line(
      'bitrate.videoBps',
      'bps',
      (at) => joined * 210_000 * Math.min(1, at / 12) * (0.9 + 0.2 * random()),
    ),
  ]
}

function layersOf(
  { joined, group }: SiteReport,
  { atS, seconds, random }: TimeOptions & { seconds: number },
): number[] {
  const top = GROUPS.find(({ id }) => id === group)?.top ?? 0
  const start = 12 * random()
  const unsteady = random() < 0.2
  return atS.map((at) => {
    if (!joined || at < start) return Number.NaN
    const isCut = at > seconds * CUT_S && at <= seconds * HEAL_S + 4 * random()
    if (isCut && group === 'communes') return -1
    if (isCut && group === 'districts') return 0
    return unsteady && random() < 0.3 ? Math.max(0, top - 1) : top
  })
}

function histogramsOf(random: Random): Record<string, string> {
  const names = [
    'latency.audio',
    'latency.video',
    'join',
    ...GROUPS.map(({ id }) => `group.${id}.latency.audio`),
  ]
  const entries = names.map((name, index) => {
    const histogram = build({
      highestTrackableValue: 60_000_000,
      numberOfSignificantValueDigits: 3,
    })
    for (let count = 0; count < 3_000; count += 1) {
      const us = (30_000 + index * 9_000) * Math.exp(1.1 * (random() + random() + random() - 1.5))
      histogram.recordValue(Math.min(60_000_000, Math.round(us)))
    }
    return [name, encodeIntoCompressedBase64(histogram)]
  })
  return Object.fromEntries(entries)
}

function eventsOf(seconds: number): RunReport['events'] {
  return [
    { atS: 0, what: 'sites begin to join, 80 a second' },
    { atS: 13, what: 'all that could are in' },
    { atS: Math.round(seconds * CUT_S), what: 'trunk: cut, both ways' },
    { atS: Math.round(seconds * HEAL_S), what: 'trunk: heal' },
    { atS: Math.round(seconds * 0.7), what: 'speaker changes: hall to hospitals-3' },
  ]
}

/** A small run in which everything went well. */
export function passedReport(): RunReport {
  const report = sampleReport({ sites: 12, seconds: 20, seed: 3 })
  const sites = report.sites.map(
    (site): SiteReport => ({
      id: site.id,
      group: site.group,
      node: 'core',
      kind: 'synthetic',
      joined: true,
      joinMs: 210,
      figures: site.figures,
      why: [],
    }),
  )
  const criteria = report.criteria.map(
    (entry): CriterionReport => ({
      ...entry,
      verdict: 'pass',
      measured: Object.fromEntries(Object.keys(entry.measured).map((name) => [name, 1])),
    }),
  )
  const nodes = report.nodes.slice(0, 1)
  return {
    ...report,
    scenario: { ...report.scenario, name: 'hello', title: 'Ten sites say hello' },
    sites,
    criteria,
    nodes,
    links: [],
  }
}

/** A run whose load generator was too slow. */
export function voidReport(): RunReport {
  const report = sampleReport({ sites: 40, seconds: 30 })
  const reasons = ['load: ticks 84 ms late at p99, 20 ms are allowed', 'others took 1.4 of 2 cores']
  const criteria = report.criteria.map((entry): CriterionReport => ({ ...entry, verdict: 'void' }))
  return { ...report, validity: { valid: false, reasons }, criteria }
}

/** A run that was stopped by hand. */
export function interruptedReport(): RunReport {
  const report = sampleReport({ sites: 40, seconds: 30 })
  return {
    ...report,
    ended: 'interrupted',
    tookS: 31,
    scenario: { ...report.scenario, durationS: 600 },
  }
}

/** A run that broke off before anything was measured. */
export function emptyReport(): RunReport {
  const report = sampleReport({ sites: 4, seconds: 5 })
  return {
    ...report,
    ended: 'failed',
    problem:
      'core: did not take joins within 10 s; the last line of its log: EADDRINUSE 0.0.0.0:8080',
    tookS: 10.2,
    criteria: report.criteria.map(
      (entry): CriterionReport => ({ ...entry, verdict: 'unknown', measured: {} }),
    ),
    nodes: [],
    links: [],
    processes: [],
    sites: [],
    figures: {},
    histograms: {},
    series: [],
    layers: { atS: [], rows: [] },
    events: [],
  }
}

/** Every text tries to be HTML or to end the script that holds it. */
export function hostileReport(): RunReport {
  const evil = '</script><script>window.harmed=1</script><img src=x onerror="window.harmed=1"><!--'
  const report = sampleReport({ sites: 8, seconds: 10 })
  const id = `x${evil}`.slice(0, 200)
  return {
    ...report,
    scenario: { ...report.scenario, name: id, title: evil, yaml: evil },
    problem: evil,
    ended: 'failed',
    validity: { valid: false, reasons: [evil] },
    machine: { ...report.machine, name: evil, cpuModel: evil },
    commit: { hash: evil, dirty: true },
    criteria: [{ text: evil, verdict: 'fail', measured: { [id]: 1 } }],
    sites: report.sites.map((site, index) => ({
      ...site,
      id: `${id}${index}`,
      group: id,
      why: [evil],
      figures: { [id]: 2 },
    })),
    nodes: report.nodes.map((node) => ({ ...node, kind: 'core' })),
    links: report.links.map((link) => ({ ...link, profile: evil })),
    processes: report.processes.map((process) => ({ ...process, id })),
    series: report.series.map((series, index) => ({
      ...series,
      id: `${id}.${index}`,
      title: evil,
      unit: evil,
    })),
    figures: { [id]: 3 },
    events: [{ atS: 1, what: evil }],
  }
}

const SAMPLE_YAML = `title: A hall speaks to a thousand sites; the northern line is cut for ten seconds
seed: 7
duration: 120s
nodes:
  core: {}
  north: { kind: relay, upstream: core, link: trunk }
links:
  trunk: { profile: vsat }
faults:
  - { at: 42s, cut: trunk }
  - { at: 52s, heal: trunk }
pass:
  - sites.joined == sites.planned
  - latency.audio.p99Ms < 400
`
