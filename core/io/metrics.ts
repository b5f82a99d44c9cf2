/**
 * One Prometheus registry per process (prom-client), on the main thread. Media workers count in plain numbers
 * and send a snapshot each second (metrics-figures.ts); here they are summed over workers and over their
 * restarts. Label values come from closed sets in our own code, never from outside.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { DROP_REASONS } from '../media/rtp/index.ts'
import { LATENCY_BUCKETS_US } from './media-worker-latency.ts'
import {
  DROPPED_NAME,
  DROPS_OFFSET,
  LATENCY_NAME,
  SNAPSHOT_LENGTH,
  WORKER_FIGURES,
} from './metrics-figures.ts'
import { type HandshakerSource, HandshakeTotals } from './metrics-handshakes.ts'

/** What a worker counts, as its snapshot message brings it. */
type WorkerSnapshot = { figures: Float64Array; latency: Float64Array }

export type Metrics = {
  /** For folders that keep counters of their own (doors, conference). */
  readonly registry: Registry
  /** Takes the latest snapshot of a worker. */
  onSnapshot(worker: number, snapshot: WorkerSnapshot): void
  /** A worker's thread has ended: its counts stay in the sums, its gauges go. */
  onWorkerEnded(worker: number): void
  /** From now on this handshaker is asked at each scrape. */
  watchHandshaker(source: HandshakerSource): void
  /** Prometheus text exposition, for `/metrics`. */
  text(): Promise<string>
  readonly contentType: string
}

const LATENCY_HELP = 'From the socket callback of a packet to the send call of each copy.'
const LATENCY_LENGTH = LATENCY_BUCKETS_US.length + 2

/** A registry with the process's default figures and those of the media workers, all under `nhipcau_`. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'nhipcau_' })
  const totals = new SnapshotTotals()
  registerFigures(registry, totals)
  registerDrops(registry, totals)
  registry.registerMetric(new LatencyMetric(totals))
  const handshakes = new HandshakeTotals(registry)
  return {
    registry,
    onSnapshot: (worker, snapshot) => totals.take(worker, snapshot),
    onWorkerEnded: (worker) => totals.end(worker),
    watchHandshaker: (source) => handshakes.watch(source),
    text: async () => {
      await handshakes.refresh()
      return await registry.metrics()
    },
    contentType: registry.contentType,
  }
}

/** The latest of each living worker, and the sum of those that ended. */
class SnapshotTotals {
  readonly living = new Map<number, WorkerSnapshot>()
  readonly #ended: WorkerSnapshot = {
    figures: new Float64Array(SNAPSHOT_LENGTH),
    latency: new Float64Array(LATENCY_LENGTH),
  }

  take(worker: number, snapshot: WorkerSnapshot): void {
    this.living.set(worker, snapshot)
  }

  end(worker: number): void {
    const last = this.living.get(worker)
    if (last === undefined) return
    this.living.delete(worker)
    add(this.#ended.figures, last.figures)
    add(this.#ended.latency, last.latency)
  }

  figure(index: number): number {
    let sum = this.#ended.figures[index] ?? 0
    for (const { figures } of this.living.values()) sum += figures[index] ?? 0
    return sum
  }

  latency(): Float64Array {
    const sum = this.#ended.latency.slice()
    for (const { latency } of this.living.values()) add(sum, latency)
    return sum
  }
}

function add(sum: Float64Array, more: Float64Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += more[i] ?? 0
}

function registerFigures(registry: Registry, totals: SnapshotTotals): void {
  for (const [index, { name, help, kind }] of WORKER_FIGURES.entries()) {
    const registers = [registry]
    if (kind === 'counter') {
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset()
          this.inc(totals.figure(index))
        },
      })
      continue
    }
    new Gauge({
      name,
      help,
      labelNames: ['worker'],
      registers,
      collect() {
        this.reset()
        for (const [worker, { figures }] of totals.living) {
          this.set({ worker: String(worker) }, figures[index] ?? 0)
        }
      },
    })
  }
}

function registerDrops(registry: Registry, totals: SnapshotTotals): void {
  new Counter({
    name: DROPPED_NAME,
    help: 'Packets dropped by the media engine and its sockets, by reason.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset()
      // Code 0 is "none".
      for (let code = 1; code < DROP_REASONS.length; code++) {
        this.inc({ reason: DROP_REASONS[code]! }, totals.figure(DROPS_OFFSET + code))
      }
    },
  })
}

/** prom-client's histogram cannot take counts that were made elsewhere: only its shape is used. */
class LatencyMetric extends Histogram {
  readonly #totals: SnapshotTotals

  constructor(totals: SnapshotTotals) {
    super({
      name: LATENCY_NAME,
      help: LATENCY_HELP,
      buckets: LATENCY_BUCKETS_US.map((edgeUs) => edgeUs / 1e6),
      registers: [],
    })
    this.#totals = totals
  }

  /** prom-client builds both of its forms from this one, which its types do not mention. */
  getForPromString(): Promise<object> {
    const counts = this.#totals.latency()
    const values: object[] = []
    const add = (suffix: string, labels: Record<string, string | number>, value: number): void => {
      values.push({ metricName: `${LATENCY_NAME}_${suffix}`, labels, sharedLabels: {}, value })
    }
    let cumulative = 0
    for (const [bucket, edgeUs] of LATENCY_BUCKETS_US.entries()) {
      cumulative += counts[bucket]!
      add('bucket', { le: edgeUs / 1e6 }, cumulative)
    }
    cumulative += counts[LATENCY_BUCKETS_US.length]!
    add('bucket', { le: '+Inf' }, cumulative)
    add('sum', {}, counts[LATENCY_BUCKETS_US.length + 1]! / 1000)
    add('count', {}, cumulative)
    const metric = { name: LATENCY_NAME, help: LATENCY_HELP, type: 'histogram', aggregator: 'sum' }
    return Promise.resolve({ ...metric, values })
  }
}
