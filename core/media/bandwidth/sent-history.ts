/**
 * When each packet left and how large it was, by transport-wide sequence: what feedback is matched against. A fixed
 * ring; a packet whose feedback comes after 2,048 others is forgotten, not guessed.
 */

const SIZE = 2048
const MASK = SIZE - 1

/** About 26 kB; created with the first packet of a transport that negotiated transport-wide feedback. */
export class SentHistory {
  readonly #sequences = new Int32Array(SIZE).fill(-1)
  readonly #sentMs = new Float64Array(SIZE)
  readonly #sizes = new Uint16Array(SIZE)

  /** @hot */
  add(sequence: number, sizeBytes: number, nowMs: number): void {
    const slot = sequence & MASK
    this.#sequences[slot] = sequence
    this.#sentMs[slot] = nowMs
    this.#sizes[slot] = sizeBytes
  }

  /** Send time, or -1 when unknown. Takes it: a status that is reported twice counts once. */
  take(sequence: number): number {
    const slot = sequence & MASK
    if (this.#sequences[slot] !== sequence) return -1
    this.#sequences[slot] = -1
    return this.#sentMs[slot]!
  }

  /** When it was sent if it still awaits its fate, else -1. */
  peek(sequence: number): number {
    const slot = sequence & MASK
    return this.#sequences[slot] === sequence ? this.#sentMs[slot]! : -1
  }

  /** Size in bytes of the packet that `take` has just returned. */
  sizeBytes(sequence: number): number {
    return this.#sizes[sequence & MASK]!
  }
}
