/**
 * All processes of a run, built from a scenario in this order: nodes, the lines in front of them, the load; and ended
 * in reverse. It does what it is told at once; when is run.ts.
 */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { LineChange } from '../link/index.ts'
import type { HttpLoad, LoadGroup, LoadMark, LoadRoute, LoadSetup } from '../load/index.ts'
import { ROOT } from '../process/processes.ts'
import type { LinkReport } from '../report/index.ts'
import type { NodeFault, NodePlan, Placement, Scenario, SiteGroup } from '../scenario/index.ts'
import { dataFolderOf, startCore, type UpstreamWay } from './core-node.ts'
import { fillDisk, freeDisk, mountDisk } from './disk.ts'
import type { Ledger } from './ledger.ts'
import type { LineResult } from './line-process.ts'
import { LinkProcess } from './link-process.ts'
import { Load } from './load-process.ts'
import type { RunningNode } from './node.ts'
import { changeOf, type LineSet, markOf, planLines, subtreeOf, type Way } from './planning.ts'
import type { Watched } from './sampler.ts'

export type StageOptions = {
  scenario: Scenario
  seed: number
  ledger: Ledger
  /** Where the processes' own words go. */
  logFolder: string
  /** Another checkout, whose servers run instead of ours; the load is always this one's. */
  serverRoot: string
  /** Something happened on the way; `atS` is missing for now. */
  onEvent: (what: string, atS?: number) => void
  /** A server ended without being asked to. */
  onLost: (why: string) => void
  /** Aborted: nothing more is started. */
  signal: AbortSignal
}

export class Stage {
  readonly nodes = new Map<string, RunningNode>()
  readonly links = new Map<string, LinkProcess>()
  readonly loads: Load[] = []
  readonly #options: StageOptions
  readonly #folders = new Map<string, string>()

  constructor(options: StageOptions) {
    this.#options = options
  }

  /** Resolves when everything stands; rejects with what does not, and leaves what stands to `close`. */
  async open(say: (what: string) => void): Promise<void> {
    const { scenario } = this.#options
    const { sets, ways } = planLines(scenario)
    const lay = async (set: LineSet): Promise<void> => {
      this.#options.signal.throwIfAborted()
      const count = set.lines.length
      say(`laying ${count === 1 ? 'the line' : `${count} lines`} ${set.plan.id}`)
      await this.#layLines(set, sets.indexOf(set))
    }
    for (const plan of scenario.nodes) {
      // Its way up first: it enrols itself over it.
      for (const set of sets) if (set.relay === plan.id) await lay(set)
      this.#options.signal.throwIfAborted()
      say(`starting ${plan.id}`)
      this.nodes.set(plan.id, await this.#startNode(plan))
    }
    for (const set of sets) if (set.relay === undefined) await lay(set)
    say('starting the load')
    for (const one of this.#loadPlans(ways)) {
      this.#options.signal.throwIfAborted()
      this.loads.push(await Load.open(one))
    }
    this.#options.signal.throwIfAborted()
  }

  /** What the kernel's books are read of. */
  watched(): Watched[] {
    return [
      ...[...this.nodes.values()].flatMap((node) =>
        node.processes().map(({ id, pid }) => ({ id, role: 'node' as const, pid })),
      ),
      ...[...this.links.values()].map(({ id, pid }) => ({
        id: `link.${id}`,
        role: 'link' as const,
        pid,
      })),
      ...this.loads.map(({ id, pid }) => ({ id, role: 'load' as const, pid })),
    ]
  }

  /** The run's zero: everybody begins. */
  zero(zeroMs: number): void {
    for (const link of this.links.values()) link.zero()
    for (const load of this.loads) load.start(zeroMs)
  }

  async breakNode(fault: NodeFault, id: string): Promise<void> {
    const node = this.nodes.get(id)
    const folder = this.#folders.get(id)
    if (node === undefined || folder === undefined) throw new Error(`there is no node ${id}`)
    const nodes = subtreeOf(this.#options.scenario.nodes, id)
    switch (fault) {
      case 'kill':
        node.signal('SIGKILL')
        this.#mark({ what: 'down', nodes })
        return
      case 'stop':
        node.signal('SIGSTOP')
        this.#mark({ what: 'down', nodes })
        return
      case 'continue':
        node.signal('SIGCONT')
        this.#mark({ what: 'up', nodes })
        return
      case 'restart': {
        const sinceMs = performance.now()
        // After a kill the outage has begun already.
        if (node.processes().length > 0) this.#mark({ what: 'down', nodes })
        await node.restart()
        this.#mark({ what: 'up', nodes })
        const tookMs = Math.round(performance.now() - sinceMs)
        this.#options.onEvent(`${id} takes joins again after ${tookMs} ms`)
        return
      }
      case 'disk-full':
        fillDisk(dataFolderOf(folder))
        return
      case 'disk-free':
        freeDisk(dataFolderOf(folder))
    }
  }

  changeLink(id: string, change: LineChange): void {
    this.links.get(id)?.change(change)
    const what = markOf(change)
    if (what === undefined) return
    const { nodes } = this.#options.scenario
    const relay = nodes.find(({ link }) => link === id)
    const below = relay === undefined ? {} : { nodes: subtreeOf(nodes, relay.id) }
    this.#mark({ what, link: id, ...below })
  }

  breakLink(fault: 'cut' | 'heal', id: string): void {
    this.changeLink(id, changeOf(fault))
  }

  /** Of all links that came to say it. */
  linkReports(): LinkReport[] {
    return [...this.links.values()].flatMap((link) => link.report(link.node) ?? [])
  }

  /** Lines that ended without a word: what their sites saw blames nobody. */
  silentLinks(): string[] {
    return [...this.links.values()].flatMap(({ id, result }) => (result === undefined ? id : []))
  }

  /** What the emulators say of themselves. */
  lineResults(): Map<string, LineResult> {
    return new Map(
      [...this.links.values()].flatMap(({ id, result }) =>
        result === undefined ? [] : [[id, result] as const],
      ),
    )
  }

  /** Ends the lines: they say what they did. */
  async endLinks(): Promise<void> {
    await Promise.all([...this.links.values()].map((link) => link.end()))
  }

  /** Ends whatever stands, the load first; idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.loads.map((load) => load.end()))
    await this.endLinks()
    await Promise.all([...this.nodes.values()].map((node) => node.stop()))
  }

  async #startNode(plan: NodePlan): Promise<RunningNode> {
    const { scenario, ledger, serverRoot, onLost, signal } = this.#options
    const folder = join(ledger.folder, plan.id)
    mkdirSync(folder)
    this.#folders.set(plan.id, folder)
    const needsDisk = scenario.faults.some(
      (fault) => 'node' in fault && fault.node === plan.id && fault.do === 'disk-full',
    )
    if (needsDisk) mountDisk(dataFolderOf(folder), (leftover) => ledger.track(leftover))
    const start = {
      id: plan.id,
      folder,
      cores: coresOf(scenario.placement, 'nodes'),
      env: ledger.env,
      logFile: this.#logFile(plan.id),
      track: ledger.track.bind(ledger),
    }
    if (plan.kind === 'rival') throw new Error(`${plan.id}: a rival has a run of its own`)
    // Another build is named from our root, wherever the other servers are.
    const program = plan.program === undefined ? './nhipcau' : resolve(ROOT, plan.program)
    const upstream = await this.#wayUp(plan)
    return await startCore({
      ...start,
      ...(upstream === undefined ? {} : { upstream }),
      kind: plan.kind,
      program,
      cwd: serverRoot,
      config: plan.config,
      onLost,
      signal,
    })
  }

  /** One load for each node that signs tokens: a site's token is signed with the keys of the root above it. */
  #loadPlans(ways: ReadonlyMap<string, Way[]>): Parameters<typeof Load.open>[0][] {
    const { scenario, seed, ledger, onEvent } = this.#options
    const byRoot = Map.groupBy(scenario.sites, ({ node }) => rootOf(scenario.nodes, node))
    for (const { node } of scenario.http) {
      const root = rootOf(scenario.nodes, node)
      if (!byRoot.has(root)) byRoot.set(root, [])
    }
    let firstNumber = 1
    return [...byRoot].map(([root, groups], index) => {
      const node = this.#node(root)
      const id = byRoot.size === 1 ? 'load' : `load.${root}`
      const setup: LoadSetup = {
        op: 'setup',
        seed: (seed + index) >>> 0,
        room: scenario.room,
        dataDir: node.dataDir,
        durationS: scenario.durationS,
        ownLatenessMsMax: scenario.ownLatenessMsMax,
        groups: groups.map((group) => this.#groupOf(group, ways.get(group.id) ?? [])),
        http: this.#httpOf(root),
        firstNumber,
      }
      firstNumber += groups.reduce((sum, { count }) => sum + count, 0)
      return {
        id,
        setup,
        cores: coresOf(scenario.placement, 'load'),
        env: ledger.env,
        logFile: this.#logFile(id),
        ...(node.loadPrefix === undefined ? {} : { prefix: node.loadPrefix }),
        ...(node.loadScript === undefined ? {} : { script: node.loadScript }),
        onHappened: (atS: number, what: string) => onEvent(what, atS),
      }
    })
  }

  #groupOf(group: SiteGroup, ways: readonly Way[]): LoadGroup {
    const { linkPer: _, routes: __, ...rest } = group
    return { ...rest, routes: ways.map((way) => this.#routeOf(group.node, way)) }
  }

  #routeOf(nodeId: string, { link, line, share }: Way): LoadRoute {
    const node = this.#node(nodeId)
    if (link === undefined) return { share, doorUrl: node.doorUrl, pageUrl: node.pageUrl }
    const way = this.links.get(link)?.wayIn(line, nodeId)
    if (way === undefined) throw new Error(`there is no link ${link}`)
    return {
      share,
      link,
      doorUrl: `ws://127.0.0.1:${way.doorPort}/ws`,
      pageUrl: `http://127.0.0.1:${way.doorPort}`,
      mediaVia: { address: '127.0.0.1', port: way.mediaPort },
    }
  }

  #httpOf(root: string): HttpLoad[] {
    const { http, nodes } = this.#options.scenario
    return http
      .filter(({ node }) => rootOf(nodes, node) === root)
      .map(({ node, path, ...rest }) => ({ ...rest, url: `${this.#node(node).pageUrl}${path}` }))
  }

  async #layLines(set: LineSet, index: number): Promise<void> {
    const { seed, ledger, scenario } = this.#options
    const link = await LinkProcess.open({
      set,
      seed: (seed + index) >>> 0,
      nodes: this.#endpoints(set.relay !== undefined),
      cores: coresOf(scenario.placement, 'links'),
      env: ledger.env,
      logFile: this.#logFile(`link.${set.plan.id}`),
    })
    this.links.set(link.id, link)
  }

  /** Where nodes take joins, or relays. */
  #endpoints(isForRelay: boolean) {
    const entries = [...this.nodes].flatMap(([id, { media, trunk, doorUrl }]) => {
      const door = new URL(doorUrl)
      const flow = isForRelay ? trunk : media
      if (flow === undefined) return []
      const ends = {
        media: { host: flow.address, port: flow.port },
        door: { host: door.hostname, port: Number(door.port) },
      }
      return [[id, ends] as const]
    })
    return new Map(entries)
  }

  /** Enrolled at the node above, and how it gets there. */
  async #wayUp({ id, upstream, link }: NodePlan): Promise<UpstreamWay | undefined> {
    if (upstream === undefined) return undefined
    const above = this.#node(upstream)
    if (above.enrol === undefined) throw new Error(`${upstream} takes no relays`)
    const code = await above.enrol(id)
    const way = link === undefined ? undefined : this.links.get(link)?.wayIn(0, upstream)
    if (way === undefined) return { url: above.pageUrl.replace(/^http/, 'ws'), code }
    return { url: `ws://127.0.0.1:${way.doorPort}`, code, mediaPort: way.mediaPort }
  }

  #mark(mark: Omit<LoadMark, 'op'>): void {
    for (const load of this.loads) load.mark(mark)
  }

  #node(id: string): RunningNode {
    const node = this.nodes.get(id)
    if (node === undefined) throw new Error(`there is no node ${id}`)
    return node
  }

  #logFile(id: string): string {
    return join(this.#options.logFolder, `${id}.log`)
  }
}

/** The node at the top of the tree that it belongs to. */
function rootOf(nodes: readonly NodePlan[], id: string): string {
  const upstream = nodes.find((node) => node.id === id)?.upstream
  return upstream === undefined ? id : rootOf(nodes, upstream)
}

function coresOf(placement: Placement, what: keyof Placement): number[] {
  // Lines and load are the outside world: together, unless said otherwise.
  const core = placement[what] ?? (what === 'links' ? placement.load : undefined)
  return core === undefined ? [] : [core]
}
