/**
 * Addresses given to dgram are numeric here: without this every send would go through a promise.
 */
import type { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'

type Lookup = NonNullable<
  Parameters<typeof createSocket>[0] extends { lookup?: infer L } ? L : never
>

/** The option `lookup` of a socket: answers at once with what it was given. */
export const numericLookup = ((address: string, ...rest: unknown[]) => {
  const done = rest.at(-1) as (error: null, address: string, family: number) => void
  done(null, address, isIPv6(address) ? 6 : 4)
}) as Lookup
