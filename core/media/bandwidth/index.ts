/**
 * Door of `bandwidth`: how much a peer can take (estimator; the path's own for trunks) and what to
 * spend it on (allocator).
 */
export { allocate } from './allocate.ts'
export { createEstimator } from './estimator.ts'
export { PathEstimator } from './path-estimator.ts'
export type * from './seam.ts'
