/**
 * The load as a process (and on a core) of its own: `protocol.ts` says what it is told and what it
 * says. Sockets, clock and timers are here; what happens when is decided in load-run.ts.
 */
import { browserMaker } from './browser-site.ts'
import { playLoad } from './play-load.ts'
import { signallingMaker } from './signalling-site.ts'
import { syntheticMaker } from './synthetic-site.ts'

await playLoad(async ({ groups }) => ({
  synthetic: await syntheticMaker(),
  signalling: signallingMaker(),
  browser: await browserMaker(groups),
}))
