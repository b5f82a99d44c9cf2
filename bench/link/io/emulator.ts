/**
 * The emulator as a whole: one line, the mappings that share it, and rows that say what it did. The
 * command line and the scenario runner both use this.
 */
import { LINE_CONNECTIONS_MAX, LINE_FLOWS_MAX, LINE_MAPPINGS_MAX } from '../../../config/limits.ts'
import type {
  Bucket,
  Lateness,
  LineChange,
  LinkCounters,
  LinkDirection,
  LinkProfile,
  LinkSettings,
} from '../index.ts'
import { type Endpoint, endpointText, resolveEndpoint } from './endpoint.ts'
import { LineDriver } from './line-driver.ts'
import type { Scheduling } from './scheduling.ts'
import { type TcpCounters, TcpMapping } from './tcp-mapping.ts'
import { type UdpCounters, UdpMapping } from './udp-mapping.ts'

export type MappingOptions = { kind: 'udp' | 'tcp'; listen: Endpoint; to: Endpoint }

export type EmulatorOptions = {
  mappings: readonly MappingOptions[]
  profile: LinkProfile
  timetable: readonly LineChange[]
  seed: number
  /** UDP flows without a packet from their client for this long are forgotten. */
  idleMs: number
  /** False: a system call for each datagram, as where koffi does not load. Default true. */
  batching?: boolean
  /** Only told on, in `ready`. */
  scheduling?: Scheduling
  /** Lower than LINE_FLOWS_MAX and LINE_CONNECTIONS_MAX, when given. */
  flowsMax?: number
  connectionsMax?: number
  onRow: (row: EmulatorRow) => void
}

/** Actual minus scheduled delivery of this program, ms. */
export type LatenessSummary = { p50Ms: number; p99Ms: number; maxMs: number }

export type DirectionSummary = LinkCounters & { lateness: LatenessSummary; settings: LinkSettings }

/** Everything counted since the start. */
export type EmulatorSummary = {
  event: 'summary'
  durationMs: number
  seed: number
  down: DirectionSummary
  up: DirectionSummary
  udp: UdpCounters[]
  tcp: TcpCounters[]
}

/** What the emulator says while it runs, one JSON line each. Times are ms since its start. */
export type EmulatorRow =
  | {
      event: 'ready'
      seed: number
      scheduling: Scheduling
      mappings: { kind: 'udp' | 'tcp'; listen: string; to: string }[]
    }
  | ({ event: 'bucket'; direction: LinkDirection } & Bucket)
  | ({ event: 'change' } & LineChange)
  | EmulatorSummary

/** A running emulator; addresses in the order of the mappings given. */
export type Emulator = {
  listening: readonly Endpoint[]
  /** Changes the line now; throws a RangeError, with nothing changed, when it cannot be. */
  apply: (change: LineChange) => void
  summary: () => EmulatorSummary
  /** Ends flows and connections at once, hands out the last rows and the summary; idempotent. */
  close: () => EmulatorSummary
}

/**
 * Rejects when an address cannot be resolved or bound, with nothing left open; throws RangeError
 * for a timetable that cannot be.
 */
export async function createEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { mappings, seed, onRow } = options
  if (mappings.length > LINE_MAPPINGS_MAX)
    throw new RangeError(`${mappings.length} mappings; allowed: ${LINE_MAPPINGS_MAX}`)
  const udp: UdpMapping[] = []
  const tcp: TcpMapping[] = []
  const driver: LineDriver = new LineDriver({
    profile: options.profile,
    timetable: options.timetable,
    seed,
    onBucket: (direction, bucket) => onRow({ event: 'bucket', direction, ...bucket }),
    onChange: (change) => {
      if (change.rebind) for (const mapping of udp) mapping.rebind()
      onRow({ event: 'change', ...change, atMs: Math.round(driver.nowMs() - driver.startMs) })
    },
    onTick: (nowMs) => {
      for (const mapping of udp) mapping.expire(nowMs)
    },
  })
  const summary = (): EmulatorSummary => ({
    event: 'summary',
    durationMs: Math.round(driver.nowMs() - driver.startMs),
    seed,
    down: summaryOf(driver, 'down'),
    up: summaryOf(driver, 'up'),
    udp: udp.map(({ counters }) => ({ ...counters })),
    tcp: tcp.map(({ counters }) => counters),
  })
  let last: EmulatorSummary | undefined
  const close = (): EmulatorSummary => {
    if (last !== undefined) return last
    last = summary()
    for (const mapping of [...udp, ...tcp]) mapping.close()
    driver.close()
    onRow(last)
    return last
  }
  const listening: Endpoint[] = []
  try {
    for (const { kind, listen, to } of mappings) {
      const place = { driver, listen: await resolveEndpoint(listen), to: await resolveEndpoint(to) }
      const mapping =
        kind === 'udp'
          ? new UdpMapping({ ...place, ...boundsOf(options), batching: options.batching ?? true })
          : new TcpMapping({ ...place, ...boundsOf(options) })
      if (mapping instanceof UdpMapping) udp.push(mapping)
      else tcp.push(mapping)
      listening.push(await mapping.open())
      if (mapping instanceof UdpMapping && mapping.poll !== undefined) driver.pollWith(mapping.poll)
    }
  } catch (error) {
    for (const mapping of [...udp, ...tcp]) mapping.close()
    driver.close()
    throw error
  }
  const told = mappings.map(({ kind, to }, index) => ({
    kind,
    listen: endpointText(listening[index] as Endpoint),
    to: endpointText(to),
  }))
  onRow({ event: 'ready', seed, scheduling: options.scheduling ?? 'ordinary', mappings: told })
  driver.wake(driver.nowMs())
  const apply = (change: LineChange): void => {
    driver.line.apply(change, driver.nowMs())
    driver.wake(driver.nowMs())
  }
  return { listening, apply, summary, close }
}

function boundsOf({ idleMs, flowsMax, connectionsMax }: EmulatorOptions) {
  return {
    idleMs,
    flowsMax: Math.min(flowsMax ?? LINE_FLOWS_MAX, LINE_FLOWS_MAX),
    connectionsMax: Math.min(connectionsMax ?? LINE_CONNECTIONS_MAX, LINE_CONNECTIONS_MAX),
  }
}

function summaryOf(driver: LineDriver, direction: LinkDirection): DirectionSummary {
  const { counters, settings } = driver.line[direction]
  return {
    ...counters,
    dropped: { ...counters.dropped },
    settings,
    lateness: latenessOf(driver.lateness[direction]),
  }
}

function latenessOf(lateness: Lateness): LatenessSummary {
  const rounded = (ms: number): number => Math.round(ms * 100) / 100
  return {
    p50Ms: rounded(lateness.percentileMs(0.5)),
    p99Ms: rounded(lateness.percentileMs(0.99)),
    maxMs: rounded(lateness.maxMs),
  }
}
