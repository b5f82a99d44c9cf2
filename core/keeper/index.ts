/** The door of the keeper: the stage of each room on disk as segments. contract.ts is the contract; docs/SEGMENTS.md the bytes. */
export type * from './contract.ts'
