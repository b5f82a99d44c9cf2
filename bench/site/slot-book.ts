/**
 * Which slots are silent because it is meant so: nobody is in them, or who is in them has muted the
 * microphone. From the messages of docs/PROTOCOL.md §1.2; what it does not understand it leaves
 * out. Not the media itself.
 */

type SlotState = { mid: string; participant: string | null; use: string | null; state: string }

/** One per participant; `apply` every message of the server. */
export class SlotBook {
  readonly #slots = new Map<string, SlotState>()
  readonly #mutedMicrophones = new Set<string>()

  /**
   * Mids of slots in which nothing is to be heard or seen; asked for ten times a second of every
   * site.
   */
  silentMids: readonly string[] = []

  /** True when the message changed what is meant. */
  apply(message: Record<string, unknown>): boolean {
    const isChanged = this.#read(message)
    if (isChanged) this.silentMids = this.#silent()
    return isChanged
  }

  #read(message: Record<string, unknown>): boolean {
    if (message.type === 'slots') return this.#setSlots(message.slots)
    if (message.type === 'room') return this.#setStage(message.stage)
    if (message.type !== 'joined') return false
    this.#slots.clear()
    this.#mutedMicrophones.clear()
    const { stage } = (message.room ?? {}) as { stage?: unknown }
    this.#setStage({ set: stage })
    this.#setSlots(message.slots)
    return true
  }

  #silent(): string[] {
    return [...this.#slots.values()]
      .filter(({ participant, use, state }) => {
        if (participant === null || state === 'empty') return true
        return use === 'microphone' && this.#mutedMicrophones.has(participant)
      })
      .map(({ mid }) => mid)
  }

  /**
   * What the server says of a slot: live, waiting, paused, empty; undefined before it said
   * anything.
   */
  stateOf(mid: string): string | undefined {
    return this.#slots.get(mid)?.state
  }

  #setSlots(slots: unknown): boolean {
    if (!Array.isArray(slots)) return false
    this.#slots.clear()
    for (const slot of slots as SlotState[]) this.#slots.set(slot.mid, slot)
    return true
  }

  #setStage(stage: unknown): boolean {
    if (typeof stage !== 'object' || stage === null) return false
    const { set, remove } = stage as { set?: unknown; remove?: unknown }
    for (const participant of Array.isArray(remove) ? (remove as string[]) : []) {
      this.#mutedMicrophones.delete(participant)
    }
    for (const member of Array.isArray(set) ? set : []) {
      const { participant, sources } = member as {
        participant: string
        sources?: { microphone?: { muted?: boolean } }
      }
      if (sources?.microphone?.muted === true) this.#mutedMicrophones.add(participant)
      else this.#mutedMicrophones.delete(participant)
    }
    return true
  }
}
