/**
 * The load: a process that plays groups of sites (protocol.ts), and what its results become
 * together.
 */

export { dealRoutes } from './deal.ts'
export {
  encodeHistogram,
  mergeEncoded,
  newHistogram,
  percentileMs,
  recordMs,
} from './histograms.ts'
export { loadPage, type PagePlan } from './http-load.ts'
export type { Member, MemberMaker, MemberOutcome, MemberReport, MemberSpec } from './member.ts'
export { mergeLoadResults } from './merge.ts'
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
