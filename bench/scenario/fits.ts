/**
 * What is right by itself and wrong with the rest: times after the end, sites that send what they
 * may not, faults out of order, needs that are not stated. Looks at what the schema has read.
 */
import { SCENARIO_OWN_LINES_MAX, SCENARIO_SITES_MAX } from '../../config/limits.ts'
import { type LinkSettings, mergeSettings, PROFILES } from '../link/index.ts'
import { buildFaults, roleOf } from './build.ts'
import { type Complaint, quoted } from './problem.ts'
import type { Fault, Need } from './scenario.ts'
import type { GroupForm, ScenarioForm } from './schema.ts'
import type { Path } from './yaml-source.ts'

type LinkForm = ScenarioForm['links'][string]

/** All of it; empty when the scenario can be built. */
export function checkFits(form: ScenarioForm): Complaint[] {
  return [
    ...checkNeeds(form),
    ...Object.entries(form.links).flatMap(([id, link]) => checkLink(link, { id, form })),
    ...Object.entries(form.sites).flatMap(([id, group]) => checkGroup(group, { id, form })),
    ...checkCounts(form),
    ...checkLines(form),
    ...checkHttp(form),
    ...checkFaults(form),
    ...checkRival(form),
  ]
}

/** What follows from the kinds of nodes and sites. */
export function needsOf(form: Pick<ScenarioForm, 'nodes' | 'sites'>): Need[] {
  const kinds = Object.values(form.nodes).map(({ kind }) => kind)
  const needs: Need[] = []
  if (kinds.includes('rival')) needs.push('janus')
  if (Object.values(form.sites).some(({ kind }) => kind === 'browser')) needs.push('chromium')
  return needs
}

function checkNeeds(form: ScenarioForm): Complaint[] {
  const needs = needsOf(form)
  const isSame =
    needs.length === form.needs.length && needs.every((one) => form.needs.includes(one))
  if (isSame) return []
  const problem = `${quoted(form.needs)}; allowed: [${needs.join(', ')}], what its nodes and sites need`
  return [{ path: ['needs'], problem }]
}

/** The emulator refuses a rate without a queue in the middle of a run; here it is told before. */
function checkLink(link: LinkForm, { id, form }: { id: string; form: ScenarioForm }): Complaint[] {
  const path = ['links', id]
  const complaints: Complaint[] = []
  for (const direction of ['down', 'up'] as const) {
    let settings: LinkSettings = PROFILES[link.profile][direction]
    const merge = (change: Partial<LinkSettings>, at: Path): void => {
      try {
        settings = mergeSettings(settings, change)
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        complaints.push({ path: at, problem: `${direction}: ${error.message}` })
      }
    }
    merge(link[direction], path)
    for (const [index, change] of link.changes.entries()) {
      if (!change.directions.includes(direction)) continue
      if (change.profile !== undefined) settings = PROFILES[change.profile][direction]
      merge(change.settings, [...path, 'changes', index])
    }
  }
  const late = link.changes.filter(({ atMs }) => atMs / 1000 >= form.duration)
  return [
    ...complaints,
    ...late.map(({ atMs }) => tooLate([...path, 'changes'], { atS: atMs / 1000, form })),
  ]
}

function checkGroup(
  group: GroupForm,
  { id, form }: { id: string; form: ScenarioForm },
): Complaint[] {
  const path = ['sites', id]
  const { kind, publishes, watches, join, behaviours } = group
  const role = roleOf(group)
  const complaints: Complaint[] = []
  const wrong = (key: Path, problem: string): void => {
    complaints.push({ path: [...path, ...key], problem })
  }
  if (join.atS >= form.duration) {
    complaints.push(tooLate([...path, 'join', 'at'], { atS: join.atS, form }))
  }
  if (publishes !== undefined && (role === 'viewer' || role === 'observer')) {
    wrong(['role'], `${quoted(role)} may not publish; allowed: chair, speaker`)
  }
  const media = publishes === undefined ? 'watches' : 'publishes'
  if (kind === 'signalling' && (publishes !== undefined || watches !== undefined)) {
    wrong([media], 'signalling sites have no media; allowed: kind synthetic or browser')
  }
  if (publishes !== undefined && publishes.audio === undefined && publishes.video === undefined) {
    wrong(['publishes'], `${quoted(publishes)} is nothing; allowed: audio, video or both`)
  }
  if (kind !== 'synthetic' && form.nodes[group.node]?.kind === 'rival') {
    wrong(['kind'], `${quoted(kind)}; allowed at a rival: synthetic`)
  }
  for (const [index, one] of behaviours.entries()) {
    const at = ['behaviours', index]
    const { do: what } = one
    if (kind === 'browser' && what !== 'reconnect') {
      wrong(at, `${what}: browser sites join and stay; allowed: reconnect`)
    } else if (what === 'speaker-changes' && publishes?.audio === undefined && kind !== 'browser') {
      wrong(at, `${what}: nobody in this group sends audio; allowed: a group that does`)
    } else if ((what === 'emergency' || what === 'poll') && role !== 'chair') {
      wrong(at, `${what}: only a chair may; allowed: role chair`)
    } else if ((what === 'vote' || what === 'hands' || what === 'chat') && role === 'observer') {
      wrong(at, `${what}: an observer may not; allowed: chair, speaker, viewer`)
    }
    if (!('fromS' in one)) continue
    if ('untilS' in one && one.untilS !== undefined && one.untilS <= one.fromS) {
      wrong([...at, 'until'], `${one.untilS}s is not after from; allowed: more than ${one.fromS}s`)
    }
    if (one.fromS >= form.duration) {
      complaints.push(tooLate([...path, ...at, 'from'], { atS: one.fromS, form }))
    }
  }
  return complaints
}

function checkCounts({ sites }: ScenarioForm): Complaint[] {
  const total = Object.values(sites).reduce((sum, { count }) => sum + count, 0)
  if (total <= SCENARIO_SITES_MAX) return []
  return [{ path: ['sites'], problem: `${total} sites in all; allowed: ${SCENARIO_SITES_MAX}` }]
}

/**
 * A line is shared by one group, or stands above one node, or is one of many like it: then figures
 * have one meaning.
 */
function checkLines({ nodes, sites }: ScenarioForm): Complaint[] {
  const complaints: Complaint[] = []
  const sharers = new Map<string, string>()
  const claim = (link: string, who: string, path: Path): void => {
    const other = sharers.get(link)
    sharers.set(link, who)
    if (other === undefined) return
    const problem = `${quoted(link)} carries ${other} already; allowed: a link of its own`
    complaints.push({ path, problem })
  }
  for (const [id, node] of Object.entries(nodes)) {
    if (node.kind === 'relay' && node.link !== undefined) {
      claim(node.link, `relay ${id}`, ['nodes', id, 'link'])
    }
  }
  let own = 0
  const ownLinks = new Map<string, string>()
  for (const [id, { link = {}, linkPer, count }] of Object.entries(sites)) {
    if (linkPer === 'site' && Object.keys(link).length > 0) own += count
    for (const one of Object.keys(link)) {
      if (linkPer === 'site') ownLinks.set(one, id)
      else claim(one, `group ${id}`, ['sites', id, 'link'])
    }
  }
  for (const [link, id] of ownLinks) {
    if (sharers.has(link)) claim(link, `group ${id}`, ['sites', id, 'link'])
  }
  if (own > SCENARIO_OWN_LINES_MAX) {
    const problem = `${own} sites have a line of their own; allowed: ${SCENARIO_OWN_LINES_MAX}, or linkPer: group`
    complaints.push({ path: ['sites'], problem })
  }
  return complaints
}

function checkHttp(form: ScenarioForm): Complaint[] {
  return Object.entries(form.http).flatMap(([id, { node, from, until = form.duration }]) => {
    const complaints: Complaint[] = []
    if (from >= form.duration) complaints.push(tooLate(['http', id, 'from'], { atS: from, form }))
    else if (until <= from) {
      const problem = `${until}s is not after from; allowed: more than ${from}s`
      complaints.push({ path: ['http', id, 'until'], problem })
    }
    if (form.nodes[node]?.kind === 'rival') {
      const problem = `${quoted(node)} is a rival and has no pages; allowed: a core or relay`
      complaints.push({ path: ['http', id, 'node'], problem })
    }
    return complaints
  })
}

/** What a node or line must be before, and is after. */
const STEPS: Record<
  Fault['do'],
  { from: readonly string[]; to: string; of: 'life' | 'disk' | 'line' }
> = {
  kill: { from: ['runs', 'stands still'], to: 'is killed', of: 'life' },
  stop: { from: ['runs'], to: 'stands still', of: 'life' },
  continue: { from: ['stands still'], to: 'runs', of: 'life' },
  restart: { from: ['runs', 'stands still', 'is killed'], to: 'runs', of: 'life' },
  'disk-full': { from: ['has room'], to: 'is full', of: 'disk' },
  'disk-free': { from: ['is full'], to: 'has room', of: 'disk' },
  cut: { from: ['is whole'], to: 'is cut', of: 'line' },
  // A change of the link may have cut it.
  heal: { from: ['is whole', 'is cut'], to: 'is whole', of: 'line' },
}
const STARTS = { life: 'runs', disk: 'has room', line: 'is whole' }

function checkFaults(form: ScenarioForm): Complaint[] {
  const complaints = form.faults.flatMap((fault, index): Complaint[] => {
    const path = ['faults', index]
    const late =
      fault.at >= form.duration ? [tooLate([...path, 'at'], { atS: fault.at, form })] : []
    const isRival = 'node' in fault && form.nodes[fault.node]?.kind === 'rival'
    if (!isRival || !fault.do.startsWith('disk')) return late
    const problem = `${fault.do}: a rival keeps nothing on disk; allowed: kill, stop, continue, restart`
    return [...late, { path: [...path, 'do'], problem }]
  })
  if (complaints.length > 0) return complaints
  const states = new Map<string, string>()
  for (const fault of buildFaults(form.faults)) {
    const id = 'node' in fault ? fault.node : fault.link
    const { from, to, of } = STEPS[fault.do]
    const state = states.get(`${of} ${id}`) ?? STARTS[of]
    states.set(`${of} ${id}`, to)
    if (from.includes(state)) continue
    const index = form.faults.findIndex(({ at, for: forS = 0 }) => {
      return at === fault.atS || at + forS === fault.atS
    })
    const problem = `${fault.do} at ${fault.atS}s, when ${id} ${state}; allowed when it ${from.join(' or ')}`
    complaints.push({ path: ['faults', index], problem })
  }
  return complaints
}

/** A rival and our core get the same sites in turns (bench/rival): nothing else fits into that. */
function checkRival({ nodes, sites, links, http, faults }: ScenarioForm): Complaint[] {
  const kinds = Object.values(nodes).map(({ kind }) => kind)
  if (!kinds.includes('rival')) return []
  const isPair = kinds.length === 2 && kinds.includes('core')
  const complaints: Complaint[] = isPair
    ? []
    : [{ path: ['nodes'], problem: `${kinds.join(', ')}; allowed: one rival beside one core` }]
  for (const [id, { node }] of Object.entries(sites)) {
    if (nodes[node]?.kind === 'rival') continue
    const problem = `${quoted(node)}; allowed: the rival, whose sites both servers get`
    complaints.push({ path: ['sites', id, 'node'], problem })
  }
  const beside = { links: Object.keys(links), http: Object.keys(http), faults }
  for (const [key, entries] of Object.entries(beside)) {
    if (entries.length === 0) continue
    complaints.push({ path: [key], problem: 'beside a rival; allowed: none', isAboutKey: true })
  }
  return complaints
}

function tooLate(path: Path, { atS, form }: { atS: number; form: ScenarioForm }): Complaint {
  return { path, problem: `${atS}s is not before the end; allowed: less than ${form.duration}s` }
}
