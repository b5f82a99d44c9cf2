/** Numbers that a node gives its trunks: never the same trunkId twice, no SSRC of two flows at once. */

/** One per node, shared by the dialer and the door for children. */
export class TrunkNumbers {
  readonly #randomUint32: () => number
  readonly #ssrcs = new Set<number>()
  #trunkIdLast = 0

  /** `randomUint32`: uniform. */
  constructor(randomUint32: () => number) {
    this.#randomUint32 = randomUint32
  }

  takeTrunkId(): number {
    this.#trunkIdLast += 1
    return this.#trunkIdLast
  }

  /** For the two directions of a new flow; both are taken until they are released. */
  takeSsrcs(): { up: number; down: number } {
    return { up: this.#take(), down: this.#take() }
  }

  /** Takes those that the parent has chosen; false when one of them is in use here. */
  claimSsrcs({ up, down }: { up: number; down: number }): boolean {
    if (up === down || this.#ssrcs.has(up) || this.#ssrcs.has(down)) return false
    this.#ssrcs.add(up).add(down)
    return true
  }

  release({ up, down }: { up: number; down: number }): void {
    this.#ssrcs.delete(up)
    this.#ssrcs.delete(down)
  }

  #take(): number {
    let ssrc = 0
    do ssrc = this.#randomUint32() >>> 0
    while (ssrc === 0 || this.#ssrcs.has(ssrc))
    this.#ssrcs.add(ssrc)
    return ssrc
  }
}
