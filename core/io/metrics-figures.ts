/**
 * The figures of a media worker, in one table: the worker fills a Float64Array in this order once a second, the main
 * thread reads it in this order. Closed label sets only. docs/METRICS.md is generated from it.
 */
import { DROP_REASONS } from '../media/rtp/index.ts'

export type WorkerFigure = {
  name: string
  help: string
  /** Counters are summed over workers and their restarts; gauges carry a `worker` label. */
  kind: 'counter' | 'gauge'
}

/** One value each, in snapshot order. */
export const WORKER_FIGURES = [
  {
    name: 'nhipcau_media_received_packets_total',
    kind: 'counter',
    help: 'Datagrams received on the media ports.',
  },
  {
    name: 'nhipcau_media_received_bytes_total',
    kind: 'counter',
    help: 'UDP payload received on the media ports.',
  },
  {
    name: 'nhipcau_media_sent_packets_total',
    kind: 'counter',
    help: 'Datagrams given to the kernel.',
  },
  {
    name: 'nhipcau_media_sent_bytes_total',
    kind: 'counter',
    help: 'UDP payload given to the kernel.',
  },
  {
    name: 'nhipcau_media_stun_answers_total',
    kind: 'counter',
    help: 'STUN answers to authenticated requests.',
  },
  {
    name: 'nhipcau_media_roams_total',
    kind: 'counter',
    help: 'Transports that moved to another 5-tuple.',
  },
  {
    name: 'nhipcau_media_handshakes_total',
    kind: 'counter',
    help: 'DTLS handshakes that led to SRTP keys.',
  },
  {
    name: 'nhipcau_media_rtcp_received_packets_total',
    kind: 'counter',
    help: 'RTCP datagrams taken by the engine.',
  },
  {
    name: 'nhipcau_media_rtcp_sent_packets_total',
    kind: 'counter',
    help: 'RTCP datagrams written by the engine.',
  },
  {
    name: 'nhipcau_media_retransmitted_packets_total',
    kind: 'counter',
    help: 'Packets sent again in answer to NACK.',
  },
  {
    name: 'nhipcau_media_padding_packets_total',
    kind: 'counter',
    help: 'Padding-only packets sent as bandwidth probes.',
  },
  {
    name: 'nhipcau_media_keyframe_requests_total',
    kind: 'counter',
    help: 'PLI sent to publishers.',
  },
  {
    name: 'nhipcau_media_faults_total',
    kind: 'counter',
    help: 'Exceptions in media workers; each ended one transport at most.',
  },
  {
    name: 'nhipcau_media_transports',
    kind: 'gauge',
    help: 'Transports open, connected or not.',
  },
  {
    name: 'nhipcau_media_half_open_transports',
    kind: 'gauge',
    help: 'Transports that have not finished ICE and DTLS.',
  },
  {
    name: 'nhipcau_media_tuples',
    kind: 'gauge',
    help: 'Remote addresses bound by authenticated STUN.',
  },
  {
    name: 'nhipcau_media_send_queue_datagrams',
    kind: 'gauge',
    help: 'Datagrams that wait in user space behind a slow device.',
  },
  {
    name: 'nhipcau_media_loop_stall_seconds',
    kind: 'gauge',
    help: 'Longest delay of a due timer in the last second.',
  },
  {
    name: 'nhipcau_media_cpu_ratio',
    kind: 'gauge',
    help: 'Share of the last second in which the worker was not idle, 0..1.',
  },
] as const satisfies readonly WorkerFigure[]

export type WorkerFigureName = (typeof WORKER_FIGURES)[number]['name']

/** Then come the drops by code, the engine's and ours added up. */
export const DROPS_OFFSET = WORKER_FIGURES.length
export const SNAPSHOT_LENGTH = DROPS_OFFSET + DROP_REASONS.length

export const DROPPED_NAME = 'nhipcau_media_dropped_total'
export const LATENCY_NAME = 'nhipcau_media_forwarding_latency_seconds'
