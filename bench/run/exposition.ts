/**
 * A node's own counters over a run: Prometheus text (exposition format 0.0.4) read, and what was counted between two
 * readings. Pure. Gauges are not kept with them: what they say at the end of a run says nothing about it.
 */

/** What one reading says: counters by name with labels as written, histograms by name. */
export type Exposition = {
  counters: ReadonlyMap<string, number>
  histograms: ReadonlyMap<string, HistogramCounts>
}

/** Cumulative counts; the last bound is Infinity. */
export type HistogramCounts = { bounds: readonly number[]; counts: readonly number[] }

/** What gauges say now, by name with labels as written. */
export function parseGauges(text: string): Map<string, number> {
  const gauges = new Map<string, number>()
  let typed = ''
  for (const line of text.split('\n')) {
    typed = /^# TYPE (\S+) gauge/.exec(line)?.[1] ?? typed
    const [, name = '', labels = '', value = ''] =
      /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)/.exec(line) ?? []
    if (name !== '' && name === typed) gauges.set(name + labels, Number(value))
  }
  return gauges
}

/** Lines that are none are left out. */
export function parseExposition(text: string): Exposition {
  const counters = new Map<string, number>()
  const histograms = new Map<string, { bounds: number[]; counts: number[] }>()
  const types = new Map<string, string>()
  for (const line of text.split('\n')) {
    const typed = /^# TYPE (\S+) (\S+)/.exec(line)
    if (typed !== null) types.set(typed[1] as string, typed[2] as string)
    const [, name = '', labels = '', value = ''] =
      /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)/.exec(line) ?? []
    if (name === '') continue
    if (types.get(name) === 'counter') counters.set(name + labels, Number(value))
    const histogram = name.replace(/_bucket$/, '')
    const bound = /\ble="([^"]+)"/.exec(labels)?.[1]
    if (histogram === name || bound === undefined || types.get(histogram) !== 'histogram') continue
    const found = histograms.get(histogram) ?? { bounds: [], counts: [] }
    histograms.set(histogram, found)
    found.bounds.push(bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound))
    found.counts.push(Number(value))
  }
  return { counters, histograms }
}

/** What was counted from `before` to `after`; a counter that fell had begun anew, and counts from zero. */
export function countedBetween(before: Exposition | undefined, after: Exposition): Exposition {
  const counters = new Map<string, number>()
  for (const [name, value] of after.counters)
    counters.set(name, sinceThen(before?.counters.get(name), value))
  const histograms = new Map<string, HistogramCounts>()
  for (const [name, { bounds, counts }] of after.histograms) {
    const then = before?.histograms.get(name)
    // A restart shows in the sum of all, which is the last bucket.
    const isSame = then !== undefined && (then.counts.at(-1) ?? 0) <= (counts.at(-1) ?? 0)
    const since = isSame ? counts.map((count, at) => count - (then.counts[at] ?? 0)) : counts
    histograms.set(name, { bounds, counts: since })
  }
  return { counters, histograms }
}

/** Adds up what nodes, or stretches of a run, have counted. */
export function addedUp(parts: readonly Exposition[]): Exposition {
  const counters = new Map<string, number>()
  const histograms = new Map<string, { bounds: readonly number[]; counts: number[] }>()
  for (const part of parts) {
    for (const [name, value] of part.counters) counters.set(name, (counters.get(name) ?? 0) + value)
    for (const [name, { bounds, counts }] of part.histograms) {
      const found = histograms.get(name)
      if (found === undefined) histograms.set(name, { bounds, counts: [...counts] })
      else found.counts = found.counts.map((count, at) => count + (counts[at] ?? 0))
    }
  }
  return { counters, histograms }
}

/**
 * Value below which a share `quantile` (0..1) of what was counted lies, straight between the bounds of its bucket;
 * beyond the last finite bound it is that bound. NaN when nothing was counted.
 */
export function quantileOf({ bounds, counts }: HistogramCounts, quantile: number): number {
  const total = counts.at(-1) ?? 0
  if (total === 0) return Number.NaN
  const wanted = quantile * total
  const at = counts.findIndex((count) => count >= wanted)
  const upper = bounds[at] ?? Number.POSITIVE_INFINITY
  const lower = bounds[at - 1] ?? 0
  if (upper === Number.POSITIVE_INFINITY) return lower
  const below = counts[at - 1] ?? 0
  const inside = (counts[at] ?? 0) - below
  return inside === 0 ? upper : lower + ((wanted - below) / inside) * (upper - lower)
}

function sinceThen(before: number | undefined, after: number): number {
  if (before === undefined || after < before) return after
  return after - before
}
