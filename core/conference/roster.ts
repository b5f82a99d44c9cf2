/**
 * Everyone in a room, in pages: ordered by site and name without case and marks, so that "muong"
 * finds "Mường Nhé". A cursor is a place in that order, not a person, so it stays good when people
 * come and go. The order is made when somebody looks, never on a join.
 */
import { ROSTER_PAGE_MEMBERS_MAX } from '../../config/limits.ts'
import type { RosterMember, RosterPage, RosterQuery } from './commands.ts'
import type { Participant, RoomState } from './room-state.ts'

const KEY_CHARACTERS_MAX = 96

/** `key` orders, `text` is searched. */
type Row = { id: string; key: string; text: string }

export class Roster {
  #sorted: Row[] = []
  #added: string[] = []
  #stale = true
  /** The order must be made from the state alone. */
  #incomplete = true

  /** Notes who came; who went is seen in the state. Constant cost each. */
  note(added: readonly string[], goneCount: number, refolded: boolean): void {
    if (added.length + goneCount > 0) this.#stale = true
    if (refolded || this.#added.length + added.length > this.#sorted.length + 1_000) {
      this.#added = []
      this.#incomplete = true
      this.#stale = true
      return
    }
    this.#added.push(...added)
  }

  /**
   * At most ROSTER_PAGE_MEMBERS_MAX members after the cursor; a cursor that means nothing starts at
   * its place in the order.
   */
  page(state: RoomState, query: RosterQuery): RosterPage {
    this.#refresh(state)
    const limit = Math.min(Math.max(1, query.limit), ROSTER_PAGE_MEMBERS_MAX)
    const found = this.#search(query.search)
    const start = query.cursor === undefined ? 0 : firstAfter(found, parseCursor(query.cursor))
    const rows = found.slice(start, start + limit)
    const last = rows.at(-1)
    const more = last !== undefined && start + limit < found.length
    return {
      members: rows.map((row) => memberOf(state.participants.get(row.id)!)),
      cursor: more ? `${last.id} ${last.key}` : null,
      total: found.length,
    }
  }

  #search(search: string | undefined): Row[] {
    const term = search === undefined ? '' : plain(search.trim())
    if (term === '') return this.#sorted
    return this.#sorted.filter((row) => row.text.includes(term))
  }

  #refresh(state: RoomState): void {
    if (!this.#stale) return
    this.#stale = false
    const present = this.#incomplete
      ? []
      : this.#sorted.filter((row) => state.participants.has(row.id))
    const fresh: Row[] = []
    for (const id of this.#incomplete ? state.participants.keys() : this.#added) {
      const participant = state.participants.get(id)
      if (participant !== undefined) fresh.push(rowOf(participant))
    }
    this.#sorted = mergeRows(present, fresh.sort(compareRows))
    this.#incomplete = false
    this.#added = []
  }
}

/** Lower case without marks, for order and search: "Đắk Lắk" becomes "dak lak". */
export function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').replace(/[đĐ]/g, 'd').toLowerCase()
}

function rowOf(participant: Participant): Row {
  const text = `${plain(participant.site)}\n${plain(participant.name)}`
  return { id: participant.id, key: text.slice(0, KEY_CHARACTERS_MAX), text }
}

function memberOf({ id, name, site, role, onStage }: Participant): RosterMember {
  return { participant: id, name, site, role, onStage }
}

function parseCursor(cursor: string): Pick<Row, 'id' | 'key'> {
  const space = cursor.indexOf(' ')
  return { id: cursor.slice(0, Math.max(0, space)), key: cursor.slice(space + 1) }
}

function compareRows(a: Pick<Row, 'id' | 'key'>, b: Pick<Row, 'id' | 'key'>): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1
  if (a.id === b.id) return 0
  return a.id < b.id ? -1 : 1
}

function firstAfter(rows: readonly Row[], place: Pick<Row, 'id' | 'key'>): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareRows(rows[middle]!, place) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

function mergeRows(a: readonly Row[], b: readonly Row[]): Row[] {
  const merged: Row[] = []
  let left = 0
  for (const row of b) {
    while (left < a.length && compareRows(a[left]!, row) <= 0) merged.push(a[left++]!)
    if (merged.at(-1)?.id !== row.id) merged.push(row)
  }
  while (left < a.length) merged.push(a[left++]!)
  return merged
}
