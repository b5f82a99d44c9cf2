/**
 * First in, first out, without moving what stays: `Array.shift` moves everything. Not bounded by itself; each transport
 * stands in it at most once.
 */
export class TurnQueue<Item> {
  #items: Item[] = []
  #head = 0

  push(item: Item): void {
    this.#items.push(item)
  }

  /** Undefined when empty. */
  shift(): Item | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    this.#head += 1
    if (this.#head === this.#items.length || this.#head >= 1_024) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
