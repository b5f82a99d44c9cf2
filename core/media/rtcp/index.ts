/**
 * Door of `rtcp`: parsing without allocation into a fixed handler, and bounded writing into a caller's buffer.
 *
 *   class RtcpParser { constructor(handler: RtcpHandler); parse(bytes, start, end): number  // 0 or a DropReason code }
 *   interface RtcpHandler { onSenderReport(report); onReportBlock(reporterSsrc, block); onCname(ssrc, bytes, start..end)
 *     onBye(ssrc); onNack(mediaSsrc, sequenceNumber); onPli(mediaSsrc); onFir(mediaSsrc, commandNumber)
 *     onRemb(bitrateBps); onTransportFeedback(feedback: TransportFeedback) }   // objects reused: read before return
 *   class TransportFeedback { baseSequence, statusCount, feedbackCount; rewind(); next(): boolean
 *     -> sequenceNumber, received, arrivalTicks (250 us ticks) }
 *   class RtcpWriter { reset(out, offset, limit); end; senderReport(report): boolean; receiverReport(ssrc); reportBlock(block);
 *     cname(ssrc, cname); nack({senderSsrc, mediaSsrc}, sequences, count); pli(sender, media); fir(..); remb(..); bye(ssrc) }
 *   NTP: ntpSeconds/ntpFraction from wall ms, compactNtp, rttMsOf(block, compactNtpNow)
 */
export type {}
