/** Door of `bandwidth`: how much a peer can take (estimator) and what to spend it on (allocator). */
export { allocate } from './allocate.ts'
export { createEstimator } from './estimator.ts'
export type * from './seam.ts'
