/**
 * The top of the page: what came of the run in one glance, where it went wrong, and each criterion
 * with what was measured.
 */

import type { PageModel, RunHead, Trouble } from '../page-model.ts'
import type { CriterionReport } from '../report.ts'
import { say, sayOr, type TextKey } from './dictionary.ts'
import { type Child, h, section } from './dom.ts'
import { whyInWords } from './why-words.ts'
import { amount, dateText, duration, figureText, judgedText, number, sign } from './wording.ts'

/** The verdict over everything. */
export function verdictView({ runs, criteria }: PageModel): HTMLElement {
  const run = runs[0] as RunHead
  const { outcome, scenario, validity, problem } = run
  const reasons = [...(problem === undefined ? [] : [problem]), ...validity.reasons]
  return h(
    'section',
    { id: 'verdict', class: `verdict is-${outcome}`, tabindex: -1 },
    h('p', { class: 'scenario' }, scenario.title || scenario.name),
    h(
      'h1',
      {},
      h('span', { class: 'sign', 'aria-hidden': 'true' }, sign(outcome)),
      say(`outcome.${outcome}`),
    ),
    h('p', { class: 'says' }, sentence(run, criteria)),
    reasons.length > 0 &&
      h('ul', { class: 'reasons' }, ...reasons.map((text) => h('li', {}, text))),
    criteria.length > 1 && scoreView(criteria),
    h('p', { class: 'meta' }, metaText(run)),
  )
}

function sentence(run: RunHead, criteria: readonly CriterionReport[]): string {
  const count = (verdict: string): number =>
    criteria.filter((criterion) => criterion.verdict === verdict).length
  return say(`says.${run.outcome}`, {
    count: criteria.length,
    failed: count('fail'),
    unknown: count('unknown'),
    took: duration(run.tookS),
    planned: duration(run.scenario.durationS),
  })
}

function metaText({ scenario, startedAt, tookS, machine, commit }: RunHead): string {
  const code = commit.hash.slice(0, 10) + (commit.dirty ? '+' : '')
  return [scenario.name, dateText(startedAt), duration(tookS), machine.name, code].join(' · ')
}

/** A sign for each criterion, in the order of the list below. */
function scoreView(criteria: readonly CriterionReport[]): HTMLElement {
  const signs = worstFirst(criteria).map(({ verdict, text }) =>
    h('li', { class: `is-${verdict}`, title: text }, sign(verdict)),
  )
  return h('ul', { class: 'score', 'aria-hidden': 'true' }, ...signs)
}

/** What went wrong where, worst first; nothing for a run that says nothing about the server. */
export function troublesView({ runs }: PageModel): HTMLElement | null {
  const run = runs[0] as RunHead
  if (run.sites === 0 && run.troubles.length === 0) return null
  const list = run.troubles.map((trouble) => {
    const { name, what, why } = troubleWords(trouble)
    return h(
      'li',
      { class: `trouble is-${trouble.kind}` },
      h('span', { class: 'sign', 'aria-hidden': 'true' }, trouble.kind === 'suffering' ? '!' : '✘'),
      h('div', {}, h('strong', {}, name), ' ', what, why !== '' && h('small', {}, why)),
    )
  })
  const body =
    list.length === 0
      ? h('p', { class: 'fine' }, h('span', { class: 'sign' }, '✔'), say('nothingWrong'))
      : h('ul', { class: 'troubles' }, ...list)
  const blames = run.outcome !== 'void' && run.outcome !== 'broken'
  const title = list.length === 0 ? 'whereFine' : blames ? 'where' : 'whereVoid'
  return section('where', say(title), body)
}

function troubleWords(trouble: Trouble): { name: string; what: string; why: string } {
  switch (trouble.kind) {
    case 'not-joined': {
      const { group, count, of, step, why } = trouble
      const what = say('trouble.notJoined', { count, of })
      const at = step === '' ? '' : say('trouble.atStep', { step: sayOr(`step.${step}`, step) })
      return { name: group, what, why: [at, why].filter((part) => part !== '').join(': ') }
    }
    case 'suffering': {
      const { group, count, of, why } = trouble
      const worst = why === '' ? '' : say('trouble.suffering.worst', { why: whyInWords(why) })
      return { name: group, what: say('trouble.suffering', { count, of }), why: worst }
    }
    case 'link': {
      const { link, direction, profile, lossRatio, overflowRatio, queueMsMax } = trouble
      const what = say('trouble.link', {
        way: say(`way.${direction}`),
        loss: amount(lossRatio, 'ratio'),
        overflow: amount(overflowRatio, 'ratio'),
        queue: amount(queueMsMax, 'ms'),
      })
      return { name: `${link} (${profile})`, what, why: '' }
    }
  }
}

const WORST_VERDICT_FIRST = ['fail', 'unknown', 'void', 'pass']

function worstFirst(criteria: readonly CriterionReport[]): CriterionReport[] {
  const rank = ({ verdict }: CriterionReport): number => WORST_VERDICT_FIRST.indexOf(verdict)
  return criteria.toSorted((a, b) => rank(a) - rank(b))
}

/** Each criterion, failed ones first. */
export function criteriaView({ criteria }: PageModel): HTMLElement | null {
  if (criteria.length === 0) return null
  const items = worstFirst(criteria).map((criterion) =>
    h(
      'li',
      { class: `criterion is-${criterion.verdict}` },
      h(
        'span',
        { class: 'badge' },
        `${sign(criterion.verdict)} ${say(`verdict.${criterion.verdict}`)}`,
      ),
      h('code', { class: 'expression' }, criterion.text),
      h('span', { class: 'measures' }, ...measuresOf(criterion)),
    ),
  )
  return section('criteria', say('criteria'), h('ul', { class: 'criteria' }, ...items))
}

/** The name of a figure is told only when there are several: the expression has it. */
export function measuresOf({ measured }: CriterionReport): Child[] {
  const entries = Object.entries(measured)
  return entries.map(([name, value]) =>
    h(
      'span',
      { class: 'measure' },
      entries.length > 1 && h('small', {}, name),
      h('b', { class: value === null ? 'amount missing' : 'amount' }, judgedText(name, value)),
    ),
  )
}

/**
 * Figures that most people ask for first, where they were measured; what is in brackets is told as
 * {id}.
 */
const KEY_FIGURES: readonly (readonly [RegExp, TextKey])[] = [
  [/^latency\.audio\.p99Ms$/, 'key.audioLatency'],
  [/^latency\.video\.p99Ms$/, 'key.videoLatency'],
  [/^loss\.audio\.ratio$/, 'key.audioLoss'],
  [/^concealed\.ratio$/, 'key.concealed'],
  [/^frozen\.ratio$/, 'key.frozen'],
  [/^join\.p99Ms$/, 'key.join'],
  [/^process\.([^.]+)\.cpuShare$/, 'key.cpu'],
  [/^process\.([^.]+)\.residentBytesMax$/, 'key.memory'],
  [/^forward\.packetsPerCpuSecond$/, 'key.packets'],
]
const KEY_FIGURES_MAX = 9

/** A handful of large numbers. */
export function keyFiguresView({ runs, figures }: PageModel): HTMLElement | null {
  const run = runs[0] as RunHead
  const nodes = new Set(run.processes.filter(({ role }) => role === 'node').map(({ id }) => id))
  const tiles = KEY_FIGURES.flatMap(([pattern, key]) =>
    figures.flatMap(([name, value]) => {
      const found = pattern.exec(name)
      const isOther = found?.[1] !== undefined && !nodes.has(found[1])
      return found === null || isOther
        ? []
        : [tile(say(key, { id: found[1] ?? '' }), figureText(name, value))]
    }),
  ).slice(0, KEY_FIGURES_MAX)
  if (run.sites > 0) {
    const text = `${number(run.joined)} / ${number(run.sites)}`
    tiles.unshift(tile(say('key.joined'), text, run.joined < run.sites ? 'is-bad' : ''))
  }
  if (tiles.length === 0) return null
  return section('key', say('keyFigures'), h('dl', { class: 'tiles' }, ...tiles))
}

function tile(name: string, value: string, kind = ''): HTMLElement {
  return h('div', { class: `tile ${kind}` }, h('dt', {}, name), h('dd', { class: 'amount' }, value))
}
