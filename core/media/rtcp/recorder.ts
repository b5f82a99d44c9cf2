/** A handler that writes down what a parser tells it. For tests only. */
import type { RtcpHandler } from './parse.ts'

/** One row per call: a short name, then the values. */
export type RtcpRecorder = RtcpHandler & { calls: unknown[][] }

/** Statuses of a feedback are rows of [number, received, ticks]. */
export function createRecorder(): RtcpRecorder {
  const calls: unknown[][] = []
  return {
    calls,
    onSenderReport: (report) => {
      const { ssrc, ntpSeconds, ntpFraction, rtpTimestamp, packetCount, octetCount } = report
      calls.push(['sr', ssrc, ntpSeconds, ntpFraction, rtpTimestamp, packetCount, octetCount])
    },
    onReportBlock: (reporterSsrc, block) => {
      calls.push(['block', reporterSsrc, ...Object.values(block)])
    },
    onCname: (ssrc, start, end) => calls.push(['cname', ssrc, end - start]),
    onBye: (ssrc) => calls.push(['bye', ssrc]),
    onNack: (mediaSsrc, number) => calls.push(['nack', mediaSsrc, number]),
    onPli: (mediaSsrc) => calls.push(['pli', mediaSsrc]),
    onFir: (mediaSsrc, commandNumber) => calls.push(['fir', mediaSsrc, commandNumber]),
    onRemb: (bitrateBps) => calls.push(['remb', bitrateBps]),
    onTransportFeedback: (feedback) => {
      const statuses: unknown[] = []
      while (feedback.next()) {
        const ticks = feedback.received ? feedback.arrivalTicks : 0
        statuses.push([feedback.sequenceNumber, feedback.received, ticks])
      }
      calls.push(['feedback', feedback.feedbackCount, statuses])
    },
  }
}
