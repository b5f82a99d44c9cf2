/**
 * What a run of a scenario leaves behind: one JSON document, version 1. Criteria are judged over
 * `figures`; the HTML page and `compare` read nothing but this. report-schema.ts says what each
 * field means (and docs/BENCH.md, made from it). Types only. Times `atS` are seconds since the run
 * began; figures carry their unit last in the name; ratios are 0..1.
 */
import type * as v from 'valibot'
import type {
  CRITERION,
  LINK,
  LINK_DIRECTION,
  MACHINE,
  NODE,
  PROCESS,
  REPORT,
  SERIES,
  SITE,
} from './report-schema.ts'

export { REPORT_SCHEMA, REPORT_VERSION } from './report-schema.ts'

export type RunReport = v.InferOutput<typeof REPORT>
/** Why a run came to its end; a partial report says `interrupted` or `failed`. */
export type RunEnd = RunReport['ended']
export type MachineReport = v.InferOutput<typeof MACHINE>
export type CriterionReport = v.InferOutput<typeof CRITERION>
export type NodeReport = v.InferOutput<typeof NODE>
/** One direction of a link, from the emulator's own counters. */
export type LinkDirectionReport = v.InferOutput<typeof LINK_DIRECTION>
export type LinkReport = v.InferOutput<typeof LINK>
/** From /proc: the kernel's own accounting. */
export type ProcessReport = v.InferOutput<typeof PROCESS>
/** One site, or one participant of it; `failedAt` names the step of joining that failed. */
export type SiteReport = v.InferOutput<typeof SITE>
/** NaN where nothing was measured. */
export type SeriesReport = v.InferOutput<typeof SERIES>
