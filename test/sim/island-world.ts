/**
 * The whole tree under random cuts, heals, crashes, clock steps of hours, and people who do what
 * they may or may not: real conferences and log exchanges, with links and clocks as values. Throws
 * as soon as something does not hold; the seed says all.
 */
import type { ParticipantCommand, RoomEvent } from '../../core/conference/index.ts'
import type { SyncMessage } from '../../relay/control/index.ts'
import type { LogNeighbour } from '../../relay/sync/index.ts'
import { ROOM, TreeNode } from './tree-node.ts'

const HOUR_MS = 3_600_000
export const LEASE_MS = 2_000
/** From the end of the lease to somebody who moderates (issue 5). */
const MODERATED_WITHIN_MS = 5_000
/** nation, province, district, commune, and border below the province: depth 4. */
const PARENTS = [-1, 0, 1, 2, 1]
const IDS = ['nation', 'province', 'district', 'commune', 'border']
const SITES = ['Huế', 'Vinh', 'Sapa', 'Côn Đảo']

type Acting = { participant: string; nodes: string[] }
type Person = { id: string; origin: string; role: string; site: string; subject: string }
type State = {
  open: boolean
  acting: [string, Acting][]
  participants: [string, Person][]
  succession: { site?: string; participant?: string; subject?: string }[]
}

export class World {
  readonly nodes: TreeNode[]
  readonly stats = { cuts: 0, crashes: 0, clockSteps: 0, said: 0, appointed: 0, duplicates: 0 }
  readonly #links: Link[]
  readonly #random: () => number
  /** Texts that were acknowledged, in order, by the node where. */
  readonly #acknowledged = new Map<string, string[]>()
  readonly #cutMs: number[]
  readonly #unmoderatedSinceMs = new Map<TreeNode, number>()
  readonly #wasIsland: (boolean | undefined)[]
  #nowMs = 0
  #texts = 0

  constructor(random: () => number) {
    this.#random = random
    this.nodes = IDS.map(
      (id, index) =>
        new TreeNode({
          ...{ id, random, isCore: index === 0 },
          onBatch: (node, batch) => this.#judge(node, batch),
        }),
    )
    this.#links = PARENTS.slice(1).map((parent, index) => {
      return new Link([this.nodes[parent]!, this.nodes[index + 1]!], 5 + 200 * random())
    })
    this.#cutMs = this.#links.map(() => 0)
    this.#wasIsland = this.nodes.map(() => undefined)
    for (const link of this.#links) link.connect()
  }

  /** One random thing, and some time. */
  step(): void {
    this.#act()
    this.#pass(10 * Math.ceil(this.#random() ** 3 * 80))
    this.#check()
  }

  /** All links back, clocks right, time enough: then everything is one. */
  settle(): void {
    for (const link of this.#links) link.connect()
    for (const node of this.nodes) node.skewMs = 7 * HOUR_MS
    this.#pass(30_000)
    this.#pass(400_000, 100)
    this.#checkEqual()
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!
  }

  #act(): void {
    const dice = this.#random()
    const node = this.#pick(this.nodes)
    if (dice < 0.06) this.#turnLink()
    else if (dice < 0.075) this.#crash(node)
    else if (dice < 0.095) {
      this.stats.clockSteps += 1
      node.skewMs = (this.#random() - 0.5) * 2 * this.#pick([1, 1.9, 6]) * HOUR_MS
    } else if (dice < 0.12) this.#repeat(node)
    else if (dice < 0.28 || node.people.length === 0) {
      if (node.people.length < 5) {
        const role = this.#pick(['speaker', 'speaker', 'viewer', 'observer', 'chair'] as const)
        node.join(role, this.#pick(SITES))
      }
    } else this.#ask(node)
  }

  #turnLink(): void {
    const index = Math.floor(this.#random() * this.#links.length)
    const link = this.#links[index]!
    if (!link.isUp) link.connect()
    else {
      link.cut()
      this.#cutMs[index] = this.#nowMs
      this.stats.cuts += 1
    }
  }

  #crash(node: TreeNode): void {
    this.stats.crashes += 1
    for (const [index, link] of this.#links.entries()) {
      if (!link.has(node) || !link.isUp) continue
      link.cut()
      this.#cutMs[index] = this.#nowMs
    }
    node.crash()
    this.#wasIsland[this.nodes.indexOf(node)] = undefined
    this.#unmoderatedSinceMs.delete(node)
  }

  /** Events that a node has, or may not have yet, from somebody else's log: again, or with a gap. */
  #repeat(node: TreeNode): void {
    this.stats.duplicates += 1
    const other = this.#pick(this.nodes)
    const list = other.disk.byOrigin.get(this.#pick(IDS)) ?? []
    const from = Math.floor(this.#random() * list.length)
    const some = list.slice(from, from + 20).filter(({ origin }) => origin !== node.id)
    node.conference.ingest(some, () => undefined)
  }

  #ask(node: TreeNode): void {
    const { participant } = this.#pick(node.people)
    const target = this.#pick(this.#pick(this.nodes).people.concat(node.people)).participant
    if (this.#random() < 0.4) {
      this.#say(node, participant)
      return
    }
    const on = this.#random() < 0.5
    const commands: ParticipantCommand[] = [
      { type: 'lock', locked: this.#random() < 0.2 },
      { type: 'emergency', on },
      { type: 'hand', raised: on },
      { type: 'publish', use: 'microphone', live: on },
      { type: 'pin', participant: target },
      { type: 'pin', participant: null },
      { type: 'mute', participant: target, use: 'microphone', muted: on },
      { type: 'stage', participant: target, onStage: on },
      { type: 'poll-open', question: '?', options: ['a', 'b'] },
      { type: 'succession', order: [{ site: this.#pick(SITES) }, { participant: target }] },
      { type: 'leave' },
      { type: 'leave' },
    ]
    if (this.#random() < 0.02) commands.splice(0, 12, { type: 'kick', participant: target })
    node.ask(participant, this.#pick(commands), () => undefined)
  }

  #say(node: TreeNode, participant: string): void {
    this.#texts += 1
    this.stats.said += 1
    const text = `${node.id} ${this.#texts}`
    const known = this.#acknowledged.get(node.id) ?? []
    this.#acknowledged.set(node.id, known)
    node.ask(participant, { type: 'chat', text }, (ok) => ok && known.push(text))
  }

  #pass(ms: number, stepMs = 10): void {
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs; ) {
      this.#nowMs += stepMs
      for (const [index, node] of this.nodes.entries()) {
        this.#tellStanding(node, index)
        node.step(this.#nowMs)
        if (this.#nowMs % 500 < stepMs) node.exchange.tick(this.#nowMs)
      }
      for (const link of this.#links) link.deliver(this.#nowMs)
    }
  }

  /** As the desk and the status of trunks do: an island when the lease is over, with all that hangs below. */
  #tellStanding(node: TreeNode, index: number): void {
    const link = this.#links[index - 1]
    if (link === undefined) return
    const isIsland = !link.isUp && this.#nowMs - this.#cutMs[index - 1]! >= LEASE_MS
    if (!link.isUp && !isIsland) return
    if (isIsland) {
      const below = this.#below(index)
      const key = below.join(' ')
      if (this.#wasIsland[index] && this.#belowKeys.get(node) === key) return
      this.#belowKeys.set(node, key)
      node.conference.setIsland({ below })
    } else if (this.#wasIsland[index] !== false) node.conference.setIsland(undefined)
    this.#wasIsland[index] = isIsland
  }

  readonly #belowKeys = new Map<TreeNode, string>()

  #below(index: number): string[] {
    return PARENTS.flatMap((parent, child) => {
      if (parent !== index || !this.#links[child - 1]!.isUp) return []
      return [IDS[child]!, ...this.#below(child)]
    })
  }

  #stateOf(node: TreeNode): State | undefined {
    const text = node.conference.stateText(ROOM)
    return text === undefined ? undefined : (JSON.parse(text) as State)
  }

  // ---- what must hold ----

  /** An appointment that stands alone in its batch is the one that the list says. */
  #judge(node: TreeNode, batch: readonly RoomEvent[]): void {
    const [event] = batch
    if (batch.length !== 1 || event?.type !== 'acting-chair') return
    if (event.origin !== node.id) return
    const { participant, nodes } = event.payload
    if (participant === null) return
    this.stats.appointed += 1
    const state = this.#stateOf(node)!
    const people = state.participants.map(([, person]) => person)
    const here = people.filter(({ origin }) => nodes.includes(origin))
    const index = this.nodes.indexOf(node)
    const island = [node.id, ...this.#below(index)].sort()
    expectThat([...nodes].sort().join() === island.join(), `${node.id}: the nodes of its island`)
    expectThat(!here.some(({ role }) => role === 'chair'), `${node.id}: a chair is there`)
    const before = state.acting.find(([by]) => by === node.id)?.[1].participant
    const able = here.filter(({ role }) => role !== 'observer')
    const stays = here.find(({ id }) => id === before)
    const listed = state.succession.map((one) =>
      able.filter(({ id, site, subject }) =>
        one.site === undefined
          ? id === one.participant || (one.subject !== '' && subject === one.subject)
          : site === one.site,
      ),
    )
    const first = listed.find(({ length }) => length > 0)
    const allowed = stays ? [stays] : (first ?? able.filter(({ role }) => role === 'speaker'))
    expectThat(
      allowed.some(({ id }) => id === participant),
      `${node.id}: appointed who is not next`,
    )
  }

  #check(): void {
    for (const [index, node] of this.nodes.entries()) {
      expectThat(node.faults.length === 0, `${node.id}: ${String(node.faults[0])}`)
      expectThat(node.behindCount === 0, `${node.id}: told of events that it never wrote`)
      if (index > 0) this.#checkModerated(node, index)
    }
  }

  /** Somebody acts in time where nobody is a chair, and nobody where the link stands. */
  #checkModerated(node: TreeNode, index: number): void {
    const state = this.#stateOf(node)
    const acting = state?.acting.find(([by]) => by === node.id)?.[1]
    const isIsland = this.#wasIsland[index]
    const here = new Set([node.id, ...this.#below(index)])
    const people = (state?.participants ?? []).map(([, one]) => one)
    const local = people.filter(({ origin }) => here.has(origin))
    const hasChair = local.some(({ role }) => role === 'chair')
    const needs = isIsland && !hasChair && local.some(({ role }) => role === 'speaker')
    const isGood = needs
      ? local.some(({ id }) => id === acting?.participant)
      : acting === undefined || (isIsland && !hasChair) || isIsland === undefined
    if (isGood) this.#unmoderatedSinceMs.delete(node)
    else {
      const since = this.#unmoderatedSinceMs.get(node) ?? this.#nowMs
      this.#unmoderatedSinceMs.set(node, since)
      const isLate = this.#nowMs - since > MODERATED_WITHIN_MS
      expectThat(!isLate, `${node.id}: ${needs ? 'nobody moderates' : 'moderates for nothing'}`)
    }
    expectThat((state?.acting.length ?? 0) <= IDS.length, 'as many acting chairs as nodes at most')
  }

  #checkEqual(): void {
    const [core] = this.nodes
    const vector = sortedText(core!.disk.versionVector())
    const chat = this.#textsOf(core!)
    for (const node of this.nodes) {
      expectThat(sortedText(node.disk.versionVector()) === vector, `${node.id}: another log`)
      expectThat(
        node.conference.stateText(ROOM) === core!.conference.stateText(ROOM),
        `${node.id}: another state`,
      )
      expectThat(this.#textsOf(node).join() === chat.join(), `${node.id}: another conversation`)
      expectThat((this.#stateOf(node)?.acting ?? []).length === 0, `${node.id}: still acts`)
    }
    const logged = core!.disk.readRoom().flatMap((event) => (event.type === 'chat' ? [event] : []))
    for (const [id, texts] of this.#acknowledged) {
      const own = logged.filter(({ origin }) => origin === id).map(({ payload }) => payload.text)
      expectThat(new Set(own).size === own.length, `${id}: something is there twice`)
      const kept = own.filter((text) => texts.includes(text))
      expectThat(kept.join() === texts.join(), `${id}: acknowledged and lost, or reordered`)
    }
  }

  #textsOf({ conference }: TreeNode): string[] {
    return conference.chatPage(ROOM, undefined, 100).entries.map(({ text }) => text)
  }
}

type InFlight = { dueMs: number; message: SyncMessage }

/** A session between two nodes: in order, with delay, until it is cut. */
class Link {
  readonly #ends: readonly [TreeNode, TreeNode]
  readonly #delayMs: number
  readonly #queues: [InFlight[], InFlight[]] = [[], []]
  #neighbours: [LogNeighbour, LogNeighbour] | undefined

  constructor(ends: readonly [TreeNode, TreeNode], delayMs: number) {
    this.#ends = ends
    this.#delayMs = delayMs
  }

  get isUp(): boolean {
    return this.#neighbours !== undefined
  }

  has(node: TreeNode): boolean {
    return this.#ends.includes(node)
  }

  connect(): void {
    if (this.#neighbours !== undefined) return
    const end = (index: 0 | 1): LogNeighbour => {
      const node = this.#ends[index]
      const send = (message: SyncMessage): void => {
        this.#queues[index].push({ dueMs: node.nowMs + this.#delayMs, message })
      }
      const options = { rttMs: () => 2 * this.#delayMs, nowMs: node.nowMs }
      return node.exchange.addNeighbour(send, options)
    }
    this.#neighbours = [end(0), end(1)]
  }

  /** What is on its way is gone. */
  cut(): void {
    for (const neighbour of this.#neighbours ?? []) neighbour.close()
    this.#neighbours = undefined
    this.#queues[0].length = 0
    this.#queues[1].length = 0
  }

  deliver(nowMs: number): void {
    for (const from of [0, 1] as const) {
      const queue = this.#queues[from]
      while (queue[0] !== undefined && queue[0].dueMs <= nowMs) {
        const { message } = queue.shift()!
        const verdict = this.#neighbours?.[1 - from]?.onMessage(message, nowMs)
        expectThat(verdict === undefined, 'a message was malformed')
      }
    }
  }
}

function sortedText(vector: Readonly<Record<string, number>>): string {
  return JSON.stringify(Object.entries(vector).sort())
}

function expectThat(condition: boolean | undefined, what: string): asserts condition {
  if (!condition) throw new Error(what)
}
