/** The door of bench/rival: Janus beside our core, in a pair of network namespaces, under the same load. */
import { whyNoJanus } from './janus-server.ts'
import { whyNoNamespacePair } from './namespace-pair.ts'

export { rivalFigures, rivalSeries } from './figures.ts'
export { JanusSite } from './janus-site.ts'
export { type Leg, type LegProcess, runLegs } from './legs.ts'
export { planLegs } from './plan.ts'

/** Why a scenario with a rival cannot run on this machine; undefined when it can. */
export function whyNoRival(): string | undefined {
  return whyNoNamespacePair() ?? whyNoJanus()
}
