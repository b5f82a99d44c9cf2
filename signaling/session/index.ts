/** Participants as the doors see them. */
export type { DoorCounters } from './counters.ts'
export { Hub, type HubOptions } from './hub.ts'
export { KeyedBuckets } from './rate-limit.ts'
export type { Leg, Seat } from './seat.ts'
