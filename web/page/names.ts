/**
 * Names of participants who are not on stage, such as those whose hand is up: fetched page by page when needed and
 * remembered, bounded. Deliberately no copy of the roster.
 */
import type { Conference, RosterMember } from '../sdk/index.ts'

/** Names remembered; the oldest are forgotten. */
export const NAMES_MAX = 2_000
const PAGE_SIZE = 100
const PAGES_MAX = 20
/** A search through the roster is not repeated sooner. */
export const SEARCH_INTERVAL_MS = 5_000

export type Person = Pick<RosterMember, 'participant' | 'name' | 'site'>

export class NameBook {
  readonly #people = new Map<string, Person>()
  readonly #onChange: () => void
  #searching = false
  #searchedAtMs = Number.NEGATIVE_INFINITY

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  get(participant: string): Person | undefined {
    return this.#people.get(participant)
  }

  learn(people: readonly Person[]): void {
    for (const { participant, name, site } of people) {
      this.#people.delete(participant)
      this.#people.set(participant, { participant, name, site })
    }
    for (const oldest of this.#people.keys()) {
      if (this.#people.size <= NAMES_MAX) break
      this.#people.delete(oldest)
    }
  }

  /** Looks for unknown ones in the roster, one search at a time. */
  async find(
    participants: readonly string[],
    { conference, nowMs }: { conference: Pick<Conference, 'roster'>; nowMs: number },
  ): Promise<void> {
    const missing = (): boolean => participants.some((id) => !this.#people.has(id))
    if (this.#searching || !missing()) return
    if (nowMs - this.#searchedAtMs < SEARCH_INTERVAL_MS) return
    this.#searching = true
    this.#searchedAtMs = nowMs
    try {
      let cursor: string | undefined
      for (let page = 0; page < PAGES_MAX && missing(); page += 1) {
        const query = cursor === undefined ? { limit: PAGE_SIZE } : { limit: PAGE_SIZE, cursor }
        const answer = await conference.roster(query)
        this.learn(answer.members)
        if (answer.cursor === null) break
        cursor = answer.cursor
      }
    } catch {
      // Lost or refused: the next change of hands searches again.
    } finally {
      this.#searching = false
    }
    this.#onChange()
  }
}
