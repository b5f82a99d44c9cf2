/**
 * Figures of named stretches of a run (`windows` of a scenario): mean, least and most of each series while it lasts, as
 * `window.{window}.mean.{series}`. Pure. The columns of links count as series (`link.thin.down.bitrateBps`), and so
 * does the spatial layer that the sites of a group see, -1 where they see none (`group.hall.layer`).
 */
import type { LinkReport, RunReport, SeriesReport } from '../report/index.ts'
import type { WindowPlan } from '../scenario/index.ts'

type Samples = { id: string; atS: readonly number[]; values: readonly number[] }

/** What was not measured in a window has no figure. */
export function windowFigures(
  windows: readonly WindowPlan[],
  told: Pick<RunReport, 'layers' | 'sites'> & {
    series: readonly SeriesReport[]
    links: readonly LinkReport[]
  },
): Record<string, number> {
  const all: Samples[] = [...told.series, ...told.links.flatMap(columnsOf), ...layersOf(told)]
  const figures: Record<string, number> = {}
  for (const { id, fromS, untilS } of windows) {
    for (const [name, members] of Map.groupBy(all, (one) => one.id)) {
      const inside = members.flatMap(({ atS, values }) =>
        values.filter((value, index) => {
          const at = atS[index] ?? Number.NaN
          return at >= fromS && at < untilS && Number.isFinite(value)
        }),
      )
      if (inside.length === 0) continue
      const sum = inside.reduce((total, value) => total + value, 0)
      figures[`window.${id}.mean.${name}`] = sum / inside.length
      figures[`window.${id}.min.${name}`] = Math.min(...inside)
      figures[`window.${id}.max.${name}`] = Math.max(...inside)
    }
  }
  return figures
}

function columnsOf(link: LinkReport): Samples[] {
  return (['down', 'up'] as const).flatMap((way) => {
    const { atS, ...columns } = link[way].series
    return Object.entries(columns).map(([column, values]) => ({
      id: `link.${link.id}.${way}.${column}`,
      atS,
      values,
    }))
  })
}

function layersOf({
  layers: { atS, rows },
  sites,
}: Pick<RunReport, 'layers' | 'sites'>): Samples[] {
  const groups = new Map(sites.map(({ id, group }) => [id, group]))
  return rows.map(({ site, layer }) => ({
    id: `group.${groups.get(site) ?? ''}.layer`,
    atS,
    // Null where it was not in.
    values: layer.map((value) => value ?? Number.NaN),
  }))
}
