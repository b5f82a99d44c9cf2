/**
 * Where each transport is reached, by token and flat: while one packet goes to a thousand receivers, their addresses
 * are read side by side instead of through four objects each. The mux decides, this remembers.
 */
import { ENGINE_TRANSPORTS_MAX } from '../../config/index.ts'
import type { TupleSource } from './udp-mux-tuple.ts'

const IPV4_WORDS = 4

/** One per worker. Tokens are places in the engine: 0..ENGINE_TRANSPORTS_MAX - 1. */
export class RouteTable {
  /** By 2 × token: the two words of an IPv4 sockaddr; the first is 0 where there is none. */
  readonly ipv4 = new Int32Array(2 * ENGINE_TRANSPORTS_MAX)
  readonly #tuples: (TupleSource | undefined)[] = []

  /** undefined: nowhere, for now or for ever. */
  set(token: number, tuple: TupleSource | undefined): void {
    const words = tuple?.socketAddress
    const isIpv4 = words?.length === IPV4_WORDS
    this.#tuples[token] = tuple
    this.ipv4[2 * token] = isIpv4 ? words[0]! : 0
    this.ipv4[2 * token + 1] = isIpv4 ? words[1]! : 0
  }

  tuple(token: number): TupleSource | undefined {
    return this.#tuples[token]
  }
}
