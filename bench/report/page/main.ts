/**
 * Puts the page together from the data embedded in it; runs once, and again when the language is
 * changed.
 */
import type { PageModel } from '../page-model.ts'
import { aboutView, eventsView, figuresView } from './about-view.ts'
import { comparisonView } from './comparison-view.ts'
import { curvesView } from './curve-view.ts'
import { chooseLanguage, currentLanguage, type Language, say, setLanguage } from './dictionary.ts'
import { type Child, h, section } from './dom.ts'
import { heatMapView } from './heat-map-view.ts'
import { type Drawn, plotView } from './plot-view.ts'
import { type SiteFinder, sitesView } from './site-table.ts'
import { treeView } from './tree-view.ts'
import { criteriaView, keyFiguresView, troublesView, verdictView } from './verdict.ts'

const model = JSON.parse(document.getElementById('model')?.textContent ?? '{}') as PageModel
const drawn: Drawn[] = []

function render(language: Language): void {
  for (const plot of drawn.splice(0)) plot.destroy()
  setLanguage(language)
  document.documentElement.lang = language
  const name = model.runs.map(({ scenario }) => scenario.name)
  document.title = `${[...new Set(name)].join(', ')} · ${say('title')} · Nhịp Cầu`
  const { head, draws, body } = content()
  document.body.replaceChildren(
    h('a', { class: 'skip', href: '#verdict' }, say('skip')),
    topBar(),
    h('main', {}, ...head, ...body),
  )
  // The verdict is on the screen before the plots are drawn.
  requestAnimationFrame(() => {
    for (const draw of draws) drawn.push(draw())
    document.documentElement.dataset['drawn'] = String(drawn.length)
  })
}

function topBar(): HTMLElement {
  const choice = (language: Language, text: string): HTMLElement =>
    h(
      'button',
      {
        type: 'button',
        lang: language,
        'aria-pressed': String(currentLanguage() === language),
        onclick: () => render(language),
      },
      text,
    )
  const links = [
    ['verdict', model.comparison === undefined ? 'verdict' : 'comparison'],
    ['tree', 'nav.tree'],
    ['sites', 'nav.sites'],
    ['time', 'overTime'],
    ['percentiles', 'percentiles'],
    ['about', 'about'],
  ] as const
  const shown = links.filter(([id]) => model.comparison === undefined || !/tree|sites/.test(id))
  return h(
    'header',
    { class: 'top' },
    h('span', { class: 'word-mark' }, 'Nhịp Cầu'),
    h('nav', {}, ...shown.map(([id, key]) => h('a', { href: `#${id}` }, say(key)))),
    h(
      'div',
      { class: 'languages', role: 'group', 'aria-label': say('language') },
      choice('vi', 'Tiếng Việt'),
      choice('en', 'English'),
    ),
  )
}

type Content = { head: Child[]; body: Child[]; draws: (() => Drawn)[] }

function content(): Content {
  const { comparison, sites, tree, heatMap, runs, marks } = model
  const nobody: SiteFinder = { find: () => undefined }
  const table = sites === undefined ? undefined : sitesView(sites)
  const times = [...model.plots.map(({ atS }) => atS.at(-1) ?? 0), heatMap?.atS.at(-1) ?? 0]
  const endS = Math.max(1, ...times)
  const plots = model.plots.map((plot) => plotView(plot, { runs, marks, endS }))
  const map =
    heatMap === undefined
      ? []
      : [heatMapView(heatMap, { marks, endS, finder: table?.finder ?? nobody })]
  const curves = curvesView(model.curves, runs)
  const showAt = (atS: number): void => drawn[0]?.showAt(atS)
  const head =
    comparison === undefined
      ? [
          verdictView(model),
          h('div', { class: 'two' }, criteriaView(model), troublesView(model)),
          keyFiguresView(model),
          treeView(tree),
        ]
      : [comparisonView(model, comparison)]
  const overTime = section(
    'time',
    say('overTime'),
    h('p', { class: 'help' }, plots.length > 0 ? say('overTimeHelp') : say('noPlots')),
    comparison === undefined && eventsView(marks, showAt),
    h('div', { class: 'plots' }, ...[...plots, ...map].map(({ view }) => view)),
  )
  return {
    head,
    body: [table?.view, overTime, curves.view, figuresView(model), aboutView(model)],
    draws: [...[...plots, ...map].map(({ draw }) => draw), ...curves.draws],
  }
}

function redrawAll(): void {
  for (const plot of drawn) plot.redraw()
}

/** On paper: everything open, every plot as wide as the sheet lets it. */
function preparePaper(): void {
  for (const details of document.querySelectorAll('details')) details.open = true
  for (const plot of drawn) plot.resize()
  redrawAll()
}

render(chooseLanguage(navigator.languages))
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawAll)
matchMedia('print').addEventListener('change', preparePaper)
addEventListener('beforeprint', preparePaper)
addEventListener('afterprint', () => {
  for (const plot of drawn) plot.resize()
  redrawAll()
})
let widthBefore = innerWidth
addEventListener('resize', () => {
  if (innerWidth === widthBefore) return
  widthBefore = innerWidth
  for (const plot of drawn) plot.resize()
})
