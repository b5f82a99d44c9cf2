/**
 * Door of `receive`: from a parsed RTP packet to a MediaPacket, and all feedback to the sender. Deadline-based, no clock.
 *
 *   class StreamTable { constructor({ sections: IncomingSection[] })
 *     resolve(packet: RtpPacket, nowMs): IncomingStream | undefined   // undefined: why is in table.dropCode
 *     streams: IncomingStream[] (created at first packet), ofSsrc(ssrc) (for SR / BYE) }
 *   class IncomingStream { publicationId; spatialLayer (RID index, 0 lowest); ssrc; rtxSsrc; kind; section; stats
 *     receive(packet: RtpPacket, nowMs, out: MediaPacket): number
 *       RECEIVED_MEDIA   (1) out is filled, forward it
 *       RECEIVED_PADDING (2) nothing to forward, but out.sequence / out.epoch existed: Forwarder closes the gap
 *       RECEIVED_NOTHING (0) consumed (RTX probe): no number of the source was used
 *       < 0                  dropped, -result is the DropReason code
 *     onSenderReport(report, nowMs); setRttMs(rttMs); fillReportBlock(block, nowMs); clock: SenderClock (NTP <-> RTP)
 *     requestKeyframe(nowMs); nacks: NackGenerator; keyframes: KeyframeRequester; audioLevelDbov; }
 *   NackGenerator / KeyframeRequester / TransportFeedbackGenerator: nextDeadlineMs() (Infinity when idle) and collect(...)
 *   class LevelMeter: smoothed RFC 6464 level per publication.
 */
export type {}
