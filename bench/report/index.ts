/**
 * The door of bench/report: the report of a run; checked, drawn as a page, compared with others.
 */
export { COMPARE_USAGE, compareCommand } from './compare-command.ts'
export { PAGE_FILE, parseReport, REPORT_FILE, ReportError, readReport } from './read-report.ts'
export type {
  CriterionReport,
  LinkDirectionReport,
  LinkReport,
  MachineReport,
  NodeReport,
  ProcessReport,
  RunEnd,
  RunReport,
  SeriesReport,
  SiteReport,
} from './report.ts'
export { REPORT_SCHEMA, REPORT_VERSION } from './report.ts'

export { type FieldTable, reportTables } from './report-tables.ts'
export { writeRunReport } from './write-report.ts'
