/**
 * Integers that stand for objects on the hot path. A handle that was closed never names a later object, until its
 * place has been used 2^14 times more.
 */

const PLACE_BITS = 16
const PLACE_MASK = (1 << PLACE_BITS) - 1
const GENERATION_MASK = (1 << 14) - 1

/** Most objects of one table. */
const HANDLES_MAX = 1 << PLACE_BITS

export class HandleTable<T> {
  #objects: (T | undefined)[] = []
  #generations: number[] = []
  #free: number[] = []

  /** A handle (>= 0), or -1 when HANDLES_MAX are open. */
  open(object: T): number {
    let place = this.#free.pop()
    if (place === undefined) {
      if (this.#objects.length === HANDLES_MAX) return -1
      place = this.#objects.push(undefined) - 1
      this.#generations.push(0)
    }
    this.#objects[place] = object
    return ((this.#generations[place] as number) << PLACE_BITS) | place
  }

  /** @hot The object, or undefined for a handle that is not open. */
  get(handle: number): T | undefined {
    const place = handle & PLACE_MASK
    return this.#generations[place] === handle >> PLACE_BITS ? this.#objects[place] : undefined
  }

  /** The object that it stood for, undefined when it was not open. */
  close(handle: number): T | undefined {
    const object = this.get(handle)
    if (object === undefined) return undefined
    const place = handle & PLACE_MASK
    this.#objects[place] = undefined
    this.#generations[place] = ((this.#generations[place] as number) + 1) & GENERATION_MASK
    this.#free.push(place)
    return object
  }
}
