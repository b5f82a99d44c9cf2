/** The top of a comparison: what is noise, what to beware of, and each figure side by side. */
import type { ComparedFigure, Comparison, PageModel } from '../page-model.ts'
import { currentLanguage, say } from './dictionary.ts'
import { h, section } from './dom.ts'
import { dateText, figureText, number, sign } from './wording.ts'

/** The section in place of a verdict. */
export function comparisonView({ runs }: PageModel, comparison: Comparison): HTMLElement {
  const language = currentLanguage()
  const { noise, warnings, rows } = comparison
  const items = runs.map(({ label, scenario, startedAt, commit, machine, outcome }) => {
    const code = commit.hash.slice(0, 10) + (commit.dirty ? '+' : '')
    const facts = [scenario.name, code, machine.name, dateText(startedAt)].join(' · ')
    const came = `${sign(outcome)} ${say(`outcome.${outcome}`)}`
    return h('li', {}, h('b', {}, label), ` ${facts} · ${came}`)
  })
  const head = h(
    'tr',
    {},
    ...[say('figure'), 'A', 'B', say('compare.ratio'), say('compare.noise')].map((text, index) =>
      h('th', { scope: 'col', class: index > 0 ? 'number' : '' }, text),
    ),
  )
  const grid = h(
    'table',
    { class: 'figures' },
    h('thead', {}, head),
    h('tbody', {}, ...rows.map(rowOf)),
  )
  return section(
    'verdict',
    say('comparison'),
    h('ul', { class: 'runs' }, ...items),
    h('p', { class: 'noise' }, noise[language]),
    warnings.length > 0 &&
      h(
        'div',
        { class: 'warnings' },
        h('h3', {}, `! ${say('compare.warning')}`),
        h('ul', {}, ...warnings.map((warning) => h('li', {}, warning[language]))),
      ),
    h('div', { class: 'scroll', tabindex: 0 }, grid),
  )
}

function rowOf({ name, a, b, ratio, verdict }: ComparedFigure): HTMLElement {
  return h(
    'tr',
    { class: `is-${verdict}` },
    h('th', { scope: 'row' }, h('code', {}, name)),
    h('td', { class: 'number' }, figureText(name, a)),
    h('td', { class: 'number' }, figureText(name, b)),
    h('td', { class: 'number' }, ratio === null ? '–' : `× ${number(ratio)}`),
    h('td', { class: 'number' }, say(`compare.verdict.${verdict}`)),
  )
}
