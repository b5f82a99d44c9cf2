/** Participants as the doors see them. */
export type { DoorCounters } from './counters.ts'
export { Hub } from './hub.ts'
export type { HubOptions } from './hub-options.ts'
export { KeyedBuckets } from './rate-limit.ts'
export type { Leg, Seat } from './seat.ts'
