/**
 * Who moderates where a part of the tree is cut off (design §5): the first of the succession list who is present on the
 * island, else a local speaker by order of joining. Decided by the topmost node of the island alone; it stays with
 * who has it until he goes, a chair comes, or the node above is back. Pure; floor.ts has what it means.
 */
import { ISLAND_NODES_MAX } from '../../config/limits.ts'
import type { ActingChairCause, Fact, Successor } from './events.ts'
import { isOrigin } from './parse-event.ts'
import type { Participant, RoomState } from './room-state.ts'

/** How this node stands in the tree. */
export type Island = {
  /** Ids of the nodes that hang below this one, at any depth. */
  below: readonly string[]
}

export type Standing = {
  nodeId: string
  /** Undefined while the node above is there, and on a core. */
  island: Island | undefined
  /** Of a participant of this node: whether its session is connected now. */
  isConnected: (participant: string) => boolean
}

/** Whether this room may need another acting chair than it has; cheap. */
export function concernsActing(state: RoomState, { nodeId, island }: Standing): boolean {
  return island !== undefined || state.acting.has(nodeId)
}

/** What this node has to write about who acts as chair; undefined when it is as it should be. */
export function actingChairFact(state: RoomState, standing: Standing): Fact | undefined {
  const { nodeId, island } = standing
  const now = state.acting.get(nodeId)
  if (island === undefined) return now && factOf(null, [], 'heal')
  const below = island.below.filter((id) => id !== nodeId && isOrigin(id))
  const nodes = [nodeId, ...below.sort()]
  const here = new Set(nodes.slice(0, ISLAND_NODES_MAX))
  const people = [...state.participants.values()].filter(({ origin }) => here.has(origin))
  if (people.some(({ role }) => role === 'chair')) return now && factOf(null, [], 'chair')
  const present = people.find(({ id }) => id === now?.participant)
  const next = present ?? choose(state, people, standing)
  if (next === undefined) return now && factOf(null, [], 'gone')
  const isSame = next.id === now?.participant && sameNodes(now.nodes, here)
  const cause = now === undefined || now.participant === next.id ? 'island' : 'gone'
  return isSame ? undefined : factOf(next.id, [...here], cause)
}

/** The one whom an entry of the succession means, and who has come last of several. */
export function presentOf(
  state: Pick<RoomState, 'participants'>,
  { participant, subject }: Extract<Successor, { participant: string }>,
): Participant | undefined {
  const same = state.participants.get(participant)
  if (same !== undefined || subject === '') return same
  return [...state.participants.values()].findLast((one) => one.subject === subject)
}

function choose(
  state: RoomState,
  people: readonly Participant[],
  { nodeId, isConnected }: Standing,
): Participant | undefined {
  // Whose connection was lost a moment ago cannot act; of those at other nodes it is not known.
  const able = people.filter(
    ({ id, role, origin }) => role !== 'observer' && (origin !== nodeId || isConnected(id)),
  )
  for (const successor of state.succession) {
    const found = able.find((one) => isMeant(one, successor))
    if (found !== undefined) return found
  }
  return able.find(({ role }) => role === 'speaker')
}

function isMeant(one: Participant, successor: Successor): boolean {
  if ('site' in successor) return one.site === successor.site
  const { participant, subject } = successor
  return one.id === participant || (subject !== '' && one.subject === subject)
}

function sameNodes(known: readonly string[], now: ReadonlySet<string>): boolean {
  return known.length === now.size && known.every((id) => now.has(id))
}

function factOf(participant: string | null, nodes: string[], cause: ActingChairCause): Fact {
  return { type: 'acting-chair', payload: { participant, nodes, cause } }
}
