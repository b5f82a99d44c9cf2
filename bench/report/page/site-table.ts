/**
 * The table of sites: worst first, sortable by each column, searchable; a thousand rows are there
 * when they are asked for.
 */
import type { SiteTable } from '../page-model.ts'
import { say, sayOr } from './dictionary.ts'
import { h, section } from './dom.ts'
import { whyInWords } from './why-words.ts'
import { figureText, number } from './wording.ts'

const ROWS_AT_FIRST = 15

type Row = SiteTable['rows'][number]
type Column = {
  id: string
  title: string
  isNumber: boolean
  value: (row: Row) => number | string | null
  text: (row: Row) => string
}

/** Where other parts of the page ask for a site by its id. */
export type SiteFinder = { find: (site: string) => void }

/** The section, and its search for other parts of the page. */
export function sitesView(table: SiteTable): { view: HTMLElement; finder: SiteFinder } {
  if (table.rows.length === 0) {
    const view = section('sites', say('sites'), h('p', {}, say('noSites')))
    return { view, finder: { find: () => undefined } }
  }
  const columns = columnsOf(table)
  const state = { sortedBy: '', isDescending: true, wanted: '', isAll: false, onlyTrouble: false }
  const body = h('tbody')
  const shown = h('span', { class: 'soft', role: 'status' })
  const more = h('button', {
    type: 'button',
    class: 'show-all',
    onclick: () => update({ isAll: true }),
  })
  const search = h('input', {
    type: 'search',
    placeholder: say('filterHint'),
    'aria-label': say('filter'),
    oninput: () => update({ wanted: search.value }),
  })
  const onlyTrouble = h('input', {
    type: 'checkbox',
    onchange: () => update({ onlyTrouble: onlyTrouble.checked }),
  })
  const heads = columns.map((column) => {
    const sort = (): void =>
      update({
        sortedBy: column.id,
        isDescending: state.sortedBy === column.id ? !state.isDescending : column.isNumber,
      })
    const kind = column.isNumber ? 'number' : ''
    return h(
      'th',
      { scope: 'col', class: kind },
      h('button', { type: 'button', class: 'sort', onclick: sort, title: column.id }, column.title),
    )
  })
  const update = (change: Partial<typeof state>): void => {
    Object.assign(state, change)
    const column = columns.find(({ id }) => id === state.sortedBy)
    const found = sorted(matching(table.rows, state), column, state.isDescending)
    const rows = state.isAll ? found : found.slice(0, ROWS_AT_FIRST)
    body.replaceChildren(...rows.map((row) => rowView(row, columns)))
    more.hidden = rows.length === found.length
    more.textContent = say('showAll', { count: number(found.length) })
    shown.textContent = say('showingOf', {
      shown: number(rows.length),
      count: number(found.length),
    })
    heads.forEach((head, index) => {
      const isSorted = columns[index]?.id === state.sortedBy
      const order = state.isDescending ? 'descending' : 'ascending'
      head.setAttribute('aria-sort', isSorted ? order : 'none')
    })
  }
  update({})
  const tools = h(
    'div',
    { class: 'tools' },
    search,
    h('label', {}, onlyTrouble, ' ', say('onlyTrouble')),
    shown,
  )
  const grid = h('table', { class: 'sites' }, h('thead', {}, h('tr', {}, ...heads)), body)
  const view = section(
    'sites',
    say('sites'),
    tools,
    h('div', { class: 'scroll', tabindex: 0 }, grid),
    more,
  )
  const find = (site: string): void => {
    search.value = site
    update({ wanted: site })
    search.scrollIntoView({ block: 'center' })
  }
  return { view, finder: { find } }
}

function columnsOf({ columns }: SiteTable): Column[] {
  const text = (id: string, title: string, value: (row: Row) => string): Column => ({
    id,
    title,
    isNumber: false,
    value,
    text: value,
  })
  const figures = columns.map((name, index): Column => {
    const value = (row: Row): number | null => row.figures[index] ?? null
    const title = sayOr(`column.${name}`, name)
    return { id: name, title, isNumber: true, value, text: (row) => cell(name, value(row)) }
  })
  return [
    text('id', say('site.id'), ({ id }) => id),
    text('group', say('site.group'), ({ group }) => group),
    text('why', say('site.why'), whyText),
    text('joined', say('site.joined'), ({ joined }) => (joined ? say('yes') : say('no'))),
    {
      id: 'joinMs',
      title: say('column.joinMs'),
      isNumber: true,
      value: ({ joinMs }) => joinMs,
      text: ({ joinMs }) => cell('joinMs', joinMs),
    },
    ...figures,
    text('link', say('site.link'), ({ node, link }) => (link === '' ? node : `${node}, ${link}`)),
  ]
}

function cell(name: string, value: number | null): string {
  return value === null ? '' : figureText(name, value)
}

function whyText({ joined, failedAt, whyFailed, why }: Row): string {
  const step = sayOr(`step.${failedAt}`, failedAt)
  const failed = joined ? [] : [[step, whyFailed].filter((part) => part !== '').join(': ')]
  return [...failed, ...why.map(whyInWords)].filter((part) => part !== '').join('; ')
}

function matching(
  rows: readonly Row[],
  { wanted, onlyTrouble }: { wanted: string; onlyTrouble: boolean },
): Row[] {
  const words = wanted.toLowerCase()
  return rows.filter((row) => {
    if (onlyTrouble && row.joined && row.why.length === 0) return false
    const all = `${row.id} ${row.group} ${row.node} ${row.link} ${whyText(row)}`
    return all.toLowerCase().includes(words)
  })
}

/** Rows without a value come last in both directions. */
function sorted(rows: Row[], column: Column | undefined, isDescending: boolean): Row[] {
  if (column === undefined) return rows
  const sense = isDescending ? -1 : 1
  return rows.toSorted((a, b) => {
    const [x, y] = [column.value(a), column.value(b)]
    if (x === null || y === null) return Number(x === null) - Number(y === null)
    return typeof x === 'number' && typeof y === 'number'
      ? (x - y) * sense
      : String(x).localeCompare(String(y), undefined, { numeric: true }) * sense
  })
}

function rowView(row: Row, columns: readonly Column[]): HTMLElement {
  const kind = row.joined ? (row.why.length > 0 ? 'is-strained' : '') : 'is-bad'
  const cells = columns.map((column, index) => {
    const text = column.text(row)
    if (index === 0) return h('th', { scope: 'row' }, text)
    return h('td', { class: column.isNumber ? 'number' : `text ${column.id}` }, text)
  })
  return h('tr', { class: kind }, ...cells)
}
