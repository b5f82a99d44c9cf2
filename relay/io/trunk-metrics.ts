/** What the trunks count, for `/metrics`. Labels: our own numbers of trunks, and closed sets. */
import { Counter, Gauge, type Registry } from 'prom-client'
import { DROP_REASONS } from '../../core/media/rtp/index.ts'
import { TRUNK_CLASSES, type TrunkReport } from '../trunk/index.ts'
import type { TrunkThread } from './trunk-thread-host.ts'
import type { TrunkThreadFigures } from './trunk-thread-protocol.ts'

type Source = () => Pick<TrunkThread, 'figures' | 'reports'> | undefined
type Figure = Exclude<keyof TrunkThreadFigures, 'drops'>

const COUNTERS: readonly [name: string, figure: Figure, help: string][] = [
  ['received_packets', 'receivedPackets', 'Trunk datagrams received, of whomever.'],
  ['received_bytes', 'receivedBytes', 'Their UDP payload.'],
  ['sent_packets', 'sentPackets', 'Trunk datagrams sent.'],
  ['sent_bytes', 'sentBytes', 'Their UDP payload.'],
  [
    'tunnelled_packets',
    'tunnelledPackets',
    'Of these, through a WebSocket because UDP is blocked.',
  ],
  ['roams', 'roams', 'Far ends that came from another address.'],
  ['faults', 'faults', 'Exceptions in the trunk thread; each ended one trunk at most.'],
]

const GAUGES: readonly [name: string, figure: Figure, help: string, scale: number][] = [
  ['flows', 'trunks', 'Trunks that are open.', 1],
  ['publications', 'routes', 'Publications that have a way through the trunk thread.', 1],
  ['send_queue_datagrams', 'sendQueue', 'Datagrams that wait in user space.', 1],
  ['loop_stall_seconds', 'stallMs', 'Longest delay of a due timer in the last second.', 1e-3],
  ['cpu_ratio', 'cpuRatio', 'Share of the last second in which the trunk thread was not idle.', 1],
]

const REPORTS: readonly [name: string, help: string, value: (report: TrunkReport) => number][] = [
  ['estimate_bps', 'What a trunk can take, bit/s.', (report) => report.estimateBps],
  ['sent_bps', 'What is sent, bit/s.', (report) => report.sentBps],
  ['received_bps', 'What is received, bit/s.', (report) => report.receivedBps],
  ['rtt_seconds', 'Round trip.', (report) => report.rttMs / 1_000],
  ['queue_delay_seconds', 'Time in queues on the way out.', (r) => r.queueDelayMs / 1_000],
  ['sent_loss_ratio', 'Of what was sent, before repair.', (report) => report.lossSentRatio],
  ['received_loss_ratio', 'Of what the far end sent, before repair.', (r) => r.lossReceivedRatio],
  ['mtu_bytes', 'Payload of a datagram.', (report) => report.mtuBytes],
]

/** Asked at each scrape; nothing is told while there is no thread. */
export function registerTrunkMetrics(registry: Registry, source: Source): void {
  const registers = [registry]
  for (const [name, figure, help] of COUNTERS) {
    new Counter({
      name: `nhipcau_trunk_${name}_total`,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(source()?.figures?.[figure] ?? 0)
      },
    })
  }
  for (const [name, figure, help, scale] of GAUGES) {
    new Gauge({
      name: `nhipcau_trunk_${name}`,
      help,
      registers,
      collect() {
        this.set((source()?.figures?.[figure] ?? 0) * scale)
      },
    })
  }
  registerReports(registry, source)
  new Counter({
    name: 'nhipcau_trunk_dropped_total',
    help: 'Datagrams and frames dropped by the trunk thread, by reason.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset()
      const drops = source()?.figures?.drops
      // Code 0 is "none".
      for (let code = 1; code < DROP_REASONS.length; code++) {
        const count = drops?.[code] ?? 0
        if (count > 0) this.inc({ reason: DROP_REASONS[code]! }, count)
      }
    },
  })
}

function registerReports(registry: Registry, source: Source): void {
  const registers = [registry]
  for (const [name, help, value] of REPORTS) {
    new Gauge({
      name: `nhipcau_trunk_${name}`,
      help: `${help} By trunk.`,
      labelNames: ['trunk'],
      registers,
      collect() {
        this.reset()
        for (const [trunkId, { report }] of source()?.reports ?? []) {
          this.set({ trunk: String(trunkId) }, value(report))
        }
      },
    })
  }
  new Gauge({
    name: 'nhipcau_trunk_share_bps',
    help: 'What is sent of each class, bit/s. By trunk.',
    labelNames: ['trunk', 'class'],
    registers,
    collect() {
      this.reset()
      for (const [trunkId, { report }] of source()?.reports ?? []) {
        for (const [at, name] of TRUNK_CLASSES.entries()) {
          this.set({ trunk: String(trunkId), class: name }, report.shares[at] ?? 0)
        }
      }
    },
  })
}
