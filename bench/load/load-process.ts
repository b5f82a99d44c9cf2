/**
 * The load as a process (and on a core) of its own: `protocol.ts` says what it is told and what it
 * says. Parts that a plan does not need are not loaded.
 */
import { playLoad } from './play-load.ts'

await playLoad({
  synthetic: async () => (await import('./synthetic-site.ts')).syntheticMaker(),
  signalling: async () => (await import('./signalling-site.ts')).signallingMaker(),
  browser: async (groups) => (await import('./browser-site.ts')).browserMaker(groups),
})
