/** Writes what a worker has counted into one array, in the order of metrics-figures.ts. */
import type { MediaWorker } from './media-worker.ts'
import type { FromWorker } from './media-worker-protocol.ts'
import {
  DROPS_OFFSET,
  SNAPSHOT_LENGTH,
  WORKER_FIGURES,
  type WorkerFigureName,
} from './metrics-figures.ts'

/** What only the thread around the worker knows. */
export type LoopFigures = { stallMs: number; cpuRatio: number; sendQueue: number }

/** The snapshot message; its arrays are copies and may be transferred. */
export function writeSnapshot(
  worker: MediaWorker,
  loop: LoopFigures,
): FromWorker & { type: 'snapshot' } {
  const { mux, out, totals } = worker
  const engine = worker.engine.counters
  const values: Record<WorkerFigureName, number> = {
    nhipcau_media_received_packets_total: totals.packetsIn,
    nhipcau_media_received_bytes_total: totals.bytesIn,
    nhipcau_media_sent_packets_total: out.packets,
    nhipcau_media_sent_bytes_total: out.bytes,
    nhipcau_media_stun_answers_total: mux.answers,
    nhipcau_media_roams_total: mux.roams,
    nhipcau_media_handshakes_total: totals.handshakes,
    nhipcau_media_rtcp_received_packets_total: engine.rtcpIn,
    nhipcau_media_rtcp_sent_packets_total: engine.rtcpOut,
    nhipcau_media_retransmitted_packets_total: engine.retransmitted,
    nhipcau_media_padding_packets_total: engine.paddingOut,
    nhipcau_media_keyframe_requests_total: engine.keyframesRequested,
    nhipcau_media_faults_total: totals.faults,
    nhipcau_media_transports: mux.transportCount,
    nhipcau_media_half_open_transports: mux.halfOpenCount,
    nhipcau_media_tuples: mux.tupleCount,
    nhipcau_media_send_queue_datagrams: loop.sendQueue,
    nhipcau_media_loop_stall_seconds: loop.stallMs / 1000,
    nhipcau_media_cpu_ratio: loop.cpuRatio,
  }
  const figures = new Float64Array(SNAPSHOT_LENGTH)
  for (const [index, { name }] of WORKER_FIGURES.entries()) figures[index] = values[name]
  for (let code = 0; code < worker.drops.length; code++) {
    figures[DROPS_OFFSET + code] = worker.drops[code]! + (engine.drops[code] ?? 0)
  }
  return { type: 'snapshot', figures, latency: worker.latency.counts.slice() }
}
