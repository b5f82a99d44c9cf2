/** The load: a process that plays groups of sites (protocol.ts), and what its results become together. */
export { encodeHistogram, mergeEncoded, newHistogram, percentileMs, recordMs } from './histograms.ts'
export { loadPage, type PagePlan } from './http-load.ts'
export { dealRoutes } from './deal.ts'
export type {
  Behaviour,
  HttpLoad,
  JoinPlan,
  LoadCommand,
  LoadError,
  LoadGroup,
  LoadHappened,
  LoadMark,
  LoadMessage,
  LoadProgress,
  LoadPublishes,
  LoadReady,
  LoadResult,
  LoadRoute,
  LoadSetup,
  LoadStart,
  LoadStop,
  LoadWatches,
} from './protocol.ts'
export { SignallingSite } from './signalling-site.ts'

/** Script to start with `startProcess({ args: [LOAD_PROCESS] })`. */
export const LOAD_PROCESS = 'bench/load/load-process.ts'
