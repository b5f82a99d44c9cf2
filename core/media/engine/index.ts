/**
 * The door of the engine. API (contracts stand at each member of `Engine`):
 *
 *   new Engine({ sink, randomUint32, report, unixMsAtZero, upstream? }: EngineOptions)
 *   command(command: MediaCommand, nowMs)            every command of control.ts; unknown ids are ignored and counted
 *   transportIndex(transportId): number              dense index used by PacketSink, onRtp, onRtcp; -1 = unknown.
 *                                                    Given by command('open'), reused after the end of the transport
 *   connected(transportIndex, nowMs)                 keys are in place: opens streams at the sink, reports 'connected'
 *   disconnected(transportIndex, cause, nowMs)       closes all of it, reports 'disconnected'; 'close' does so too
 *   onRtp(transportIndex, bytes, start, end, nowMs)  @hot plain RTP, authenticated
 *   onRtcp(transportIndex, bytes, start, end, nowMs) plain compound RTCP, authenticated
 *   nextDeadlineMs(): number                         Infinity when nothing is due
 *   onDeadline(nowMs)                                call at or after nextDeadlineMs()
 *   counters: EngineCounters                         drops by reason, packets, bytes
 *   exportPublication(publicationId, outlet|undefined): boolean
 *   onUpstreamKeyframe(publicationId, layer, nowMs)  from the importing side's UpstreamRequests
 *   onUpstreamWant(publicationId, layerMask, nowMs)
 *   onImported(bytes, start, end, nowMs)             @hot a handoff frame from the exporting side
 */
export type { EngineOptions, ExportOutlet, UpstreamRequests } from './contract.ts'
export { EngineCounters } from './counters.ts'
export { Engine } from './engine.ts'
export {
  applyHandoffStatus,
  HANDOFF_PACKET,
  HANDOFF_STATUS,
  HandoffFrame,
  readHandoffPacket,
  setHandoffLate,
  setHandoffPublication,
  writeHandoffPacket,
  writeHandoffStatus,
} from './handoff.ts'
export { CacheAllowance, HandoffCache } from './handoff-cache.ts'
