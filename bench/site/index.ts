/**
 * The door of bench/site: synthetic sites for a load process.
 *
 *   const context = await createLoadContext()           // one per process
 *   const driver = new SiteDriver(context)              // one timer for all sites
 *   const player = createSitePlayer(context, options)   // contract.ts
 *   driver.add(player)
 *   const outcome = await player.join()                 // never throws: says which step failed
 *   player.speak(20); ...; player.report(performance.now())
 */
export type * from './contract.ts'
export { whyOf } from './figures.ts'
export { createLatencies } from './latencies.ts'
export { createLoadContext, type LoadContext } from './load-context.ts'
export type { LayerPlan } from './media-source.ts'
export { SiteDriver } from './site-driver.ts'
export { createSitePlayer } from './site-player.ts'
