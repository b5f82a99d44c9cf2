/**
 * The door of the keeper: the stage of each room on disk as segments. contract.ts is the contract; docs/SEGMENTS.md
 * the bytes.
 */
export type * from './contract.ts'
export { type Keeper, type KeeperOptions, startKeeper } from './io/keeper-host.ts'
export { keepStages } from './keep-stages.ts'
export {
  hashOf,
  type KeptFrame,
  readSegment,
  type Segment,
  type SegmentContents,
} from './segment-format.ts'
