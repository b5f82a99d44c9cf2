/** Door of `relay/trunk`: one end of a trunk's media flow. The contract is contract.ts. */
export * from './contract.ts'
export { createTrunkEnd } from './trunk-end.ts'
