/** Door of `estimate`: how much one direction of a trunk can take. */
export type * from './contract.ts'
export { createTrunkEstimator } from './trunk-estimator.ts'
