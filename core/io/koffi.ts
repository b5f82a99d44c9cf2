/**
 * koffi, where its binary loads: C functions of this very process (libc, and the OpenSSL inside of
 * Node), called without an addon of our own. Whoever uses it has another way for machines without
 * (docs/adr/0010-sendmmsg.md, 0011-aes-into-our-memory.md).
 */
import { createRequire } from 'node:module'

/** What is used of koffi. Addresses are plain numbers to C: what they point to must be kept alive and never move. */
export type Koffi = {
  load(library: null): { func(prototype: string): (...args: unknown[]) => number }
  address(bytes: Uint8Array): bigint
  errno(): number
}

let loaded: Koffi | string | undefined

/** koffi, or why there is none, in one line. Loaded once per thread. */
export function loadKoffi(): Koffi | string {
  loaded ??= load()
  return loaded
}

function load(): Koffi | string {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi
  } catch (error) {
    return firstLineOf(error)
  }
}

/** What an error says, without the stack and the advice that follow. */
export function firstLineOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!
}
