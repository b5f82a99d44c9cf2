/**
 * IPv4 addresses for flows that share a socket, each with one to itself: 127.0.0.0/8 holds millions of them without
 * any being set up. Pure.
 */
import { addressWord } from '../../core/io/udp-native/index.ts'

/** A row of free addresses. Who gives one back sees it come again as late as possible. */
export class AddressPool {
  readonly #first: number
  readonly #size: number
  readonly #taken = new Set<number>()
  #next = 0

  /** From `first`, such as 127.1.0.1, on: `size` addresses, 1 to 16,777,214. */
  constructor(first: string, size: number) {
    this.#first = swapped(addressWord(first))
    this.#size = size
  }

  /** An address as a word that stands in memory in network order. Throws when all are taken. */
  take(): number {
    if (this.#taken.size >= this.#size) throw new Error(`more than ${this.#size} addresses`)
    let word = 0
    do {
      word = swapped(this.#first + this.#next)
      this.#next = (this.#next + 1) % this.#size
    } while (this.#taken.has(word))
    this.#taken.add(word)
    return word
  }

  giveBack(word: number): void {
    this.#taken.delete(word)
  }
}

/** The four octets the other way round: counts up in network order. */
function swapped(word: number): number {
  const outer = (word << 24) | (word >>> 24)
  return outer | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00)
}
