/**
 * Door of `budget`: what crosses a trunk when not everything fits. One estimate is spent by class (TRUNK_CLASSES), and
 * at every level there is an answer instead of nothing. Pure; see ladder.ts for the steps.
 *
 *   createTrunkStream({ streamId, kind, use, layerCount }) -> TrunkStream   one per offered stream, facts told in place
 *   createTrunkBudget() -> TrunkBudget                                      one per trunk and direction
 *   allocateTrunk(streams, budget, nowMs)     fills the level of each stream and the shares; call at each change of the
 *                                             estimate or of wants, and at least every 500 ms (hysteresis)
 *   trunkClassOf(stream, layer, temporal) -> number       position in TRUNK_CLASSES of a packet, for the pacer
 */
export { allocateTrunk } from './allocate.ts'
export { type AudioShape, createTrunkBudget, type TrunkBudget } from './budget.ts'
export {
  createTrunkStream,
  type TrunkStream,
  type TrunkStreamOptions,
  trunkClassOf,
} from './stream.ts'
