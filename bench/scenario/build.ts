/**
 * From what the schema read to a Scenario: ids in place, defaults that depend on other keys, faults
 * in pairs and in order.
 */
import { parseExpression } from './parse-expression.ts'
import type { Fault, Scenario, SiteGroup } from './scenario.ts'
import type { FaultForm, GroupForm, NodeForm, ScenarioForm } from './schema.ts'
import { flatSettings } from './settings.ts'

/** How what lasts for a while is undone. */
const UNDONE = { kill: 'restart', stop: 'continue', 'disk-full': 'disk-free', cut: 'heal' } as const

/** Only for a file without complaints (references.ts, fits.ts): it does not look twice. */
export function buildScenario(
  form: ScenarioForm,
  source: { name: string; yaml: string },
): Scenario {
  return {
    ...source,
    title: form.title,
    seed: form.seed,
    durationS: form.duration,
    repeat: form.repeat,
    room: form.room,
    needs: form.needs,
    placement: form.placement,
    othersCoresMax: form.othersCoresMax,
    ownLatenessMsMax: form.ownLatenessMax * 1000,
    nodes: buildNodes(form.nodes),
    links: Object.entries(form.links).map(([id, link]) => ({ id, ...link })),
    sites: Object.entries(form.sites).map(([id, group]) => buildGroup(id, group)),
    http: Object.entries(form.http).map(([id, { from, until, ...rest }]) => ({
      ...rest,
      id,
      fromS: from,
      untilS: until ?? form.duration,
    })),
    windows: Object.entries(form.windows).map(([id, { from, until }]) => ({
      id,
      fromS: from,
      untilS: until ?? form.duration,
    })),
    faults: buildFaults(form.faults),
    pass: form.pass.flatMap((text) => {
      const expression = parseExpression(text)
      return 'problem' in expression ? [] : [{ text, expression }]
    }),
  }
}

/** Faults with what undoes them, by time; those of one moment in the file's order. */
export function buildFaults(faults: readonly FaultForm[]): Fault[] {
  const all = faults.flatMap((fault): Fault[] => {
    const { do: word, at: atS, for: forS, ...target } = fault
    const first = { ...target, do: word, atS } as Fault
    if (forS === undefined) return [first]
    const undoing = UNDONE[word as keyof typeof UNDONE]
    return [first, { ...target, do: undoing, atS: atS + forS } as Fault]
  })
  return all.sort((a, b) => a.atS - b.atS)
}

/** Who publishes speaks; who does not watches. */
export function roleOf({
  role,
  publishes,
}: Pick<GroupForm, 'role' | 'publishes'>): SiteGroup['role'] {
  return role ?? (publishes === undefined ? 'viewer' : 'speaker')
}

function buildNodes(forms: Record<string, NodeForm>): Scenario['nodes'] {
  const nodes = Object.entries(forms).map(([id, form]): Scenario['nodes'][number] => {
    if (form.kind === 'rival') {
      const { rival: name, eventLoops } = form
      return { id, kind: 'rival', config: {}, rival: { name, eventLoops } }
    }
    const { config, ...rest } = form
    return { ...rest, id, config: flatSettings(config) }
  })
  const depthOf = (node: Scenario['nodes'][number]): number => {
    const above = nodes.find(({ id }) => id === node.upstream)
    return above === undefined ? 0 : 1 + depthOf(above)
  }
  return nodes.sort((a, b) => depthOf(a) - depthOf(b))
}

function buildGroup(id: string, form: GroupForm): SiteGroup {
  const { link = {}, depth, join, behaviours, role: _, ...rest } = form
  return {
    ...rest,
    id,
    role: roleOf(form),
    routes: Object.entries(link).map(([one, share]) => ({ link: one, share })),
    checkEvery: depth,
    join,
    behaviours,
  }
}
