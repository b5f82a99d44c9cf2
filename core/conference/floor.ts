/**
 * The floor of a room (what is pinned, whether it is locked or an emergency) and who acts as chair where a part of
 * the tree is cut off. Part of the fold. An island has a floor of its own, which ends with it: the home's floor is
 * what it was, and what the island did stays in the log. Who becomes acting chair is decided in acting-chair.ts.
 */
import type { Pin } from './commands.ts'
import type { EventPayloads, RoomEvent } from './events.ts'
import type { RoomChanges, RoomState } from './room-state.ts'

export type Floor = { locked: boolean; emergency: boolean; pin: Pin | null }

/** One who acts ('' between two), the nodes whose people are moderated, and what was said of the floor there. */
export type ActingChair = {
  readonly participant: string
  readonly nodes: readonly string[]
  floor: Partial<Floor>
}

/** An independent copy, whose floors are its own. */
export function cloneActing(acting: ReadonlyMap<string, ActingChair>): Map<string, ActingChair> {
  return new Map([...acting].map(([node, one]) => [node, { ...one, floor: { ...one.floor } }]))
}

/** The node whose island this participant moderates; undefined for all others. */
export function islandOf(state: RoomState, participant: string | null): string | undefined {
  for (const [node, acting] of state.acting) if (acting.participant === participant) return node
  return undefined
}

/** What somebody says of the floor: of the home's, or of an island that is still one. */
export function setFloor(
  state: RoomState,
  said: Partial<Floor> & { island: string | undefined },
  changes: RoomChanges,
): void {
  const { island, ...floor } = said
  if (island === undefined) Object.assign(state.home, floor)
  else Object.assign(state.acting.get(island)?.floor ?? {}, floor)
  settleFloor(state, changes)
}

/** Nobody shows this one any more, on any floor. */
export function unpin(state: RoomState, participant: string, changes: RoomChanges): void {
  const floors = [state.home, ...[...state.acting.values()].map(({ floor }) => floor)]
  for (const floor of floors) if (floor.pin?.participant === participant) floor.pin = null
  settleFloor(state, changes)
}

/** With a closed room all this is over. */
export function clearFloor(state: RoomState, changes: RoomChanges): void {
  state.home = { locked: false, emergency: false, pin: null }
  if (state.acting.size > 0) changes.acting = true
  state.acting.clear()
  if (state.succession.length > 0) changes.succession = true
  state.succession = []
  settleFloor(state, changes)
}

/** Who is gone acts no more; the node that appointed him says who is next. */
export function endActing(state: RoomState, participant: string, changes: RoomChanges): void {
  for (const [node, acting] of state.acting) {
    if (acting.participant !== participant) continue
    // The floor stays for the next one.
    appoint(state, node, { ...acting, participant: '' }, changes)
  }
}

/** The node that wrote it has appointed, or nobody acts for it any more. */
export function foldActingChair(
  state: RoomState,
  { origin, payload }: RoomEvent & { type: 'acting-chair' },
  changes: RoomChanges,
): void {
  const { participant, nodes } = payload
  const isHere = participant !== null && state.participants.has(participant)
  const floor = state.acting.get(origin)?.floor ?? {}
  const acting = isHere ? { participant, nodes, floor } : undefined
  appoint(state, origin, acting, changes)
}

/** The whole list anew; of an open room alone. */
export function foldSuccession(
  state: RoomState,
  { order }: EventPayloads['succession'],
  changes: RoomChanges,
): void {
  if (!state.open) return
  state.succession = order
  changes.succession = true
}

function appoint(
  state: RoomState,
  node: string,
  acting: ActingChair | undefined,
  changes: RoomChanges,
): void {
  if (state.acting.get(node)?.participant !== acting?.participant) changes.acting = true
  state.acting.delete(node)
  if (acting !== undefined) state.acting.set(node, acting)
  settleFloor(state, changes)
}

function settleFloor(state: RoomState, changes: RoomChanges): void {
  let { locked, emergency, pin } = state.home
  for (const { floor } of state.acting.values()) {
    if (floor.locked !== undefined) locked = floor.locked
    if (floor.emergency !== undefined) emergency = floor.emergency
    if (floor.pin !== undefined) pin = floor.pin
  }
  if (state.locked !== locked) changes.locked = true
  if (state.emergency !== emergency) changes.emergency = true
  if (state.pin?.participant !== pin?.participant || state.pin?.use !== pin?.use) changes.pin = true
  Object.assign(state, { locked, emergency, pin })
}
