/**
 * Which sites did worst, and what went wrong where, for the top of the page. A site that is not in
 * is worse than any that is; of the others, each figure counts as a multiple of what people begin
 * to notice (NOTICED). Pure.
 */

import { isSuffering, summarize } from './health.ts'
import type { SiteTable, Trouble } from './page-model.ts'
import type { LinkReport, RunReport, SiteReport } from './report.ts'
import { roundValue } from './resample.ts'

/**
 * What people begin to notice, by the figure's name (bench/site/figures.ts); docs/BENCH.md lists
 * them.
 */
export const NOTICED: Readonly<Record<string, number>> = {
  audioLossRatio: 0.01,
  concealedRatio: 0.02,
  audioGapMaxMs: 200,
  frozenRatio: 0.02,
  frozenMaxMs: 1_000,
  videoLossRatio: 0.02,
  audioLatencyP99Ms: 400,
  videoLatencyP99Ms: 600,
  resyncAudioMs: 2_000,
  resyncVideoMs: 3_000,
}

/** Columns after those, while there is room. */
const COLUMNS_LIKED = ['layerMean', 'receivedBps', 'framesComplete', 'firstSoundMs']

const NOT_IN = 1e9
/** Columns of the table besides those that every site has. */
const COLUMNS_MAX = 10
const WHY_MAX = 6
const TROUBLES_MAX = 6

/** The higher, the worse; 0 is a site without fault. */
export function badness({ joined, figures, why }: SiteReport): number {
  const noticed = Object.entries(NOTICED).map(([name, bound]) => {
    const ratio = (figures[name] ?? 0) / bound
    return ratio > 1 ? ratio : ratio / 100
  })
  const sum = noticed.reduce((total, value) => total + value, 0)
  return (joined ? 0 : NOT_IN) + why.length + sum
}

/** The table of sites, worst first, of at most `sitesMax`. */
export function siteTable(sites: readonly SiteReport[], sitesMax: number): SiteTable {
  const ranked = sites
    .map((site) => ({ site, score: badness(site) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, sitesMax)
    .map(({ site }) => site)
  const columns = columnsOf(ranked)
  return { columns, rows: ranked.map((site) => rowOf(site, columns)) }
}

/** Known figures in their order, then those that most sites have. */
function columnsOf(sites: readonly SiteReport[]): string[] {
  const seen = new Map<string, number>()
  for (const { figures } of sites)
    for (const name of Object.keys(figures)) seen.set(name, (seen.get(name) ?? 0) + 1)
  const first = [...Object.keys(NOTICED), ...COLUMNS_LIKED].filter((name) => seen.has(name))
  const others = [...seen.keys()].sort((a, b) => (seen.get(b) ?? 0) - (seen.get(a) ?? 0))
  return [...new Set([...first, ...others])].slice(0, COLUMNS_MAX)
}

function rowOf(site: SiteReport, columns: string[]): SiteTable['rows'][number] {
  return {
    id: site.id,
    group: site.group,
    node: site.node,
    link: site.link ?? '',
    joined: site.joined,
    failedAt: site.failedAt ?? '',
    whyFailed: site.whyFailed ?? '',
    joinMs: site.joinMs === undefined ? null : roundValue(site.joinMs),
    figures: columns.map((name) => roundValue(site.figures[name] ?? Number.NaN)),
    why: site.why.slice(0, WHY_MAX),
  }
}

/**
 * What went wrong where, worst first: sites that are not in, groups that suffer, lines that are
 * overloaded.
 */
export function troublesOf({ sites, links }: RunReport): Trouble[] {
  const groups = Map.groupBy(sites, ({ group }) => group)
  const notIn = [...groups].flatMap(([group, members]) => notJoined(group, members))
  const suffering = [...groups].flatMap(([group, members]) => sufferingOf(group, members))
  const bad = links.flatMap(troubleOfLink)
  const all = [
    ...notIn.sort((a, b) => b.count - a.count),
    ...suffering.sort((a, b) => b.count / b.of - a.count / a.of),
    ...bad.sort((a, b) => b.overflowRatio - a.overflowRatio || b.lossRatio - a.lossRatio),
  ]
  return all.slice(0, TROUBLES_MAX)
}

/** Its worse direction, when that is bad. */
function troubleOfLink({ id, profile, up, down }: LinkReport) {
  const ways = [
    { direction: 'down' as const, ...summarize(down) },
    { direction: 'up' as const, ...summarize(up) },
  ].filter(({ health }) => health === 'bad')
  const worst = ways.toSorted((a, b) => b.overflowRatio - a.overflowRatio)[0]
  if (worst === undefined) return []
  const { direction, lossRatio, overflowRatio, queueMsMax } = worst
  const kind = 'link' as const
  return [{ kind, link: id, direction, profile, lossRatio, overflowRatio, queueMsMax }]
}

function notJoined(group: string, members: readonly SiteReport[]) {
  const out = members.filter(({ joined }) => !joined)
  const first = out[0]
  if (first === undefined) return []
  const steps = Map.groupBy(out, ({ failedAt }) => failedAt ?? '')
  const [step, those] = [...steps].sort((a, b) => b[1].length - a[1].length)[0] ?? ['', out]
  const why = those[0]?.whyFailed ?? ''
  const kind = 'not-joined' as const
  return [{ kind, group, count: out.length, of: members.length, step, why }]
}

function sufferingOf(group: string, members: readonly SiteReport[]) {
  const those = members.filter((site) => site.joined && isSuffering(site))
  const worst = those.reduce<SiteReport | undefined>(
    (so, site) => (so === undefined || badness(site) > badness(so) ? site : so),
    undefined,
  )
  if (worst === undefined) return []
  const kind = 'suffering' as const
  const why = worst.why[0] ?? ''
  return [{ kind, group, count: those.length, of: members.length, why }]
}
