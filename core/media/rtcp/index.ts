/**
 * Door of `rtcp`: reading compounds into a fixed handler, and bounded writing into a caller's
 * buffer.
 */
export { type RtcpHandler, RtcpParser } from './parse.ts'
export {
  compactNtp,
  compactNtpOf,
  ntpMsOf,
  ReportBlock,
  rttMsOf,
  SenderReport,
  setNtpTime,
} from './report.ts'
export { TICKS_PER_MS, TransportFeedback } from './transport-feedback.ts'
export { RtcpWriter } from './write.ts'
export type { FeedbackSource } from './write-transport-feedback.ts'
