/** The desk: control sessions, rooms and the trunk thread of one node brought together. */
export { TrunkDesk, type TrunkDeskOptions } from './desk.ts'
export type { Link } from './link.ts'
