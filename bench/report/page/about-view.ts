/**
 * The end of the page: all figures, processes, events, where and what was run, and how to read it.
 */
import { HEALTH_RULE } from '../health.ts'
import type { Mark, PageModel, ProcessRow, RunHead } from '../page-model.ts'
import { say, sayOr } from './dictionary.ts'
import { type Child, h, section } from './dom.ts'
import { amount, dateText, duration, figureText, number } from './wording.ts'

/** The list of what happened; each entry shows its moment in all plots. */
export function eventsView(marks: readonly Mark[], showAt: (atS: number) => void): HTMLElement {
  if (marks.length === 0) return h('p', { class: 'help' }, say('noEvents'))
  const items = marks.map(({ atS, what }, index) =>
    h(
      'li',
      {},
      h(
        'button',
        { type: 'button', onclick: () => showAt(atS) },
        h('span', { class: 'mark-number' }, index + 1),
        h('span', { class: 'time' }, duration(atS)),
        what,
      ),
    ),
  )
  return h('div', { class: 'events' }, h('h3', {}, say('events')), h('ol', {}, ...items))
}

/** Every figure by name, one column for each run. */
export function figuresView({ figures, runs }: PageModel): HTMLElement | null {
  if (figures.length === 0) return null
  const rows = figures.map(([name, ...values]) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, h('code', {}, name)),
      ...values.map((value) => h('td', { class: 'number' }, figureText(name, value))),
    ),
  )
  const heads = runs.length > 1 ? runs.map(({ label }) => label) : [say('value')]
  const head = h(
    'tr',
    {},
    h('th', { scope: 'col' }, say('figure')),
    ...heads.map((text) => h('th', { scope: 'col', class: 'number' }, text)),
  )
  const grid = h('table', { class: 'figures' }, h('thead', {}, head), h('tbody', {}, ...rows))
  return h(
    'section',
    { id: 'figures' },
    h(
      'details',
      {},
      h('summary', {}, h('h2', {}, `${say('figures')} (${number(figures.length)})`)),
      h('div', { class: 'scroll', tabindex: 0 }, grid),
    ),
  )
}

/** Where, what, by whom it was disturbed, and the scenario as it was run. */
export function aboutView({ runs, thinned }: PageModel): HTMLElement {
  return section(
    'about',
    say('about'),
    ...runs.map(runView),
    h('h3', {}, say('notes.title')),
    h('p', {}, healthNote()),
    ...thinned.map(({ key, kept, of }) =>
      h('p', {}, say(key, { kept: number(kept), of: number(of) })),
    ),
    h('p', {}, say('notes.report')),
  )
}

function healthNote(): string {
  const { overflowRatio, lossRatio, queueMs, sufferingRatio } = HEALTH_RULE
  return say('notes.health', {
    overflow: amount(overflowRatio.strained, 'ratio'),
    overflowBad: amount(overflowRatio.bad, 'ratio'),
    loss: amount(lossRatio.strained, 'ratio'),
    lossBad: amount(lossRatio.bad, 'ratio'),
    queue: amount(queueMs.strained, 'ms'),
    queueBad: amount(queueMs.bad, 'ms'),
    suffering: amount(sufferingRatio.bad, 'ratio'),
  })
}

function runView(run: RunHead): HTMLElement {
  const { label, scenario, machine, commit } = run
  const cores = { cores: number(machine.cores), memory: amount(machine.memoryBytes, 'bytes') }
  const took = { took: duration(run.tookS), planned: duration(scenario.durationS) }
  const others = say('about.othersCores', { cores: number(machine.othersCores) })
  const pairs: [string, Child][] = [
    [say('about.scenario'), `${scenario.name} · ${scenario.title}`],
    [say('about.seed'), String(scenario.seed)],
    [say('about.started'), dateText(run.startedAt)],
    [say('about.took'), say('about.ofPlanned', took)],
    [
      say('about.machine'),
      `${machine.name}: ${machine.cpuModel}, ${say('about.cores', cores)}; ${machine.kernel}; Node ${machine.node}`,
    ],
    [say('about.others'), others],
    [say('about.commit'), commit.hash + (commit.dirty ? ` (${say('about.dirty')})` : '')],
  ]
  const facts = pairs.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))
  return h(
    'div',
    { class: 'run' },
    label !== '' && h('h3', {}, label),
    h('dl', { class: 'facts' }, ...facts),
    run.processes.length > 0 && processesView(run),
    h(
      'details',
      {},
      h('summary', {}, say('about.yaml')),
      h('pre', { class: 'yaml', tabindex: 0 }, scenario.yaml),
    ),
  )
}

function processesView({ processes, tookS }: RunHead): HTMLElement {
  const heads = [
    'process.id',
    'process.role',
    'process.cpu',
    'process.share',
    'process.memory',
    'process.slope',
  ] as const
  const head = h(
    'tr',
    {},
    ...heads.map((key, index) =>
      h('th', { scope: 'col', class: index > 1 ? 'number' : '' }, say(key)),
    ),
  )
  const rowOf = (process: ProcessRow): HTMLElement => {
    const { id, role, cpuSeconds, residentBytesMax, residentSlopeBytesPerS } = process
    const cells = [
      `${number(cpuSeconds)}\u00a0s`,
      amount(tookS > 0 ? cpuSeconds / tookS : 0, 'ratio'),
      amount(residentBytesMax, 'bytes'),
      amount(residentSlopeBytesPerS * 60, 'bytes'),
    ]
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, id),
      h('td', {}, sayOr(`role.${role}`, role)),
      ...cells.map((text) => h('td', { class: 'number' }, text)),
    )
  }
  const grid = h('table', {}, h('thead', {}, head), h('tbody', {}, ...processes.map(rowOf)))
  return h('div', { class: 'scroll', tabindex: 0 }, h('h4', {}, say('processes')), grid)
}
