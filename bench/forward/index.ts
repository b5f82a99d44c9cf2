/** `./nhipcau bench forward`: options, progress, and the table that a person reads. */
import { parseArgs } from 'node:util'
import { type ForwardReport, type ForwardRow, measureBare, measureForward } from './forward.ts'

export { climb, type ForwardRow, type Stand } from './forward.ts'
export type { LoadSetup } from './load-process.ts'

/** What is to be reached on one core (see docs/ARCHITECTURE.md, envelope). */
const GOALS = [
  { receivers: 1000, p99Ms: 12, lossRatio: 0.001, packetsPerCpuSecond: 125_000 },
  { receivers: 1500, p99Ms: 20, lossRatio: 0.001, packetsPerCpuSecond: 0 },
]

const BARE_SECONDS = 4
/** Beyond these a row says more about the machine than about the server. */
const LOAD_CPU_SHARE_MAX = 0.95
const OTHERS_CORES_MAX = 0.1

export const FORWARD_USAGE = `bench forward   one publisher to N real receivers, server and load on a core each
  --receivers 1000,1500   steps of N
  --seconds 10            measured time of each step
  --storm 1000            joins as fast as they come, with 300 already in; 0 = leave out
  --baseline 100          receivers of naive forwarding through werift; 0 = leave out
  --parallel 100          joins under way at once
  --json                  print the report as JSON`

/** Runs the command line; returns the exit code: 1 when a goal was missed. */
export async function forwardCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      receivers: { type: 'string', default: '1000,1500' },
      seconds: { type: 'string', default: '10' },
      storm: { type: 'string', default: '1000' },
      baseline: { type: 'string', default: '100' },
      parallel: { type: 'string', default: '100' },
      json: { type: 'boolean', default: false },
    },
  })
  const say = (text: string): void => console.error(`… ${text}`)
  const common = { seconds: Number(values.seconds), parallel: Number(values.parallel) }
  const receivers = values.receivers.split(',').map(Number)
  const baselineReceivers = Number(values.baseline)
  const report = await measureForward({ ...common, receivers, baselineReceivers, storm: 0 }, say)
  say(`bare sends to ${receivers[0]} sockets, for comparison`)
  report.bare = await measureBare(receivers[0] as number, BARE_SECONDS)
  const storm = Number(values.storm)
  if (storm > 0) {
    const options = { ...common, receivers: [300], baselineReceivers: 0, storm }
    report.storm = (await measureForward(options, say)).storm
  }
  console.log(values.json ? JSON.stringify(report, undefined, 2) : describe(report))
  return missed(report).length === 0 ? 0 : 1
}

function describe(report: ForwardReport): string {
  const lines = [
    'server    receivers  packets/s    core  packets/CPU-s   p50    p95    p99 ms      loss  KB/receiver  joins/s  load core  others',
    ...report.rows.map(describeRow),
  ]
  const naive = report.rows.find(({ server }) => server === 'werift')
  for (const row of report.rows.filter(({ server }) => server === 'nhipcau')) {
    if (naive === undefined) continue
    const ratio = row.packetsPerCpuSecond / naive.packetsPerCpuSecond
    const memory = naive.bytesPerReceiver / row.bytesPerReceiver
    lines.push(
      `nhipcau(${row.receivers}) / werift(${naive.receivers}): ${ratio.toFixed(1)} × packets per CPU-second, 1/${memory.toFixed(1)} of the memory per receiver`,
    )
  }
  lines.push(...describeBare(report))
  const { storm } = report
  if (storm !== undefined) {
    lines.push(
      `storm: ${storm.joined} joins at ${storm.joinsPerSecond.toFixed(0)}/s (${storm.failed} failed); the ${storm.before} already in: ` +
        `p50 ${storm.latencyMs.p50.toFixed(1)} p99 ${storm.latencyMs.p99.toFixed(1)} ms, loss ${percent(storm.lossRatio)}`,
    )
  }
  lines.push(...verdict(report))
  lines.push(
    'Latency is from the publisher’s send call to the kernel’s time of arrival, where all sites share a socket with an address each;',
    'elsewhere to the receiver’s callback. One packet in 61 is opened and timed, all are counted by header.',
  )
  return lines.join('\n')
}

/** How much of what the machine can send at all is left after everything else. */
function describeBare({ bare, rows }: ForwardReport): string[] {
  if (bare === undefined) return []
  const { receivers, packetsPerCpuSecond } = bare
  const shares = rows
    .filter(({ server }) => server === 'nhipcau')
    .map((row) => {
      const ratio = row.packetsPerCpuSecond / packetsPerCpuSecond
      return `nhipcau(${row.receivers}) ${percent(ratio)}`
    })
  return [
    `bare sends to ${receivers} sockets: ${packetsPerCpuSecond.toFixed(0)} packets per CPU-second; of that ${shares.join(', ')}`,
  ]
}

/** Goals reached or missed, which rows have none, and what makes a row doubtful. */
function verdict(report: ForwardReport): string[] {
  const ours = report.rows.filter(({ server }) => server === 'nhipcau')
  const misses = missed(report)
  const aimless = ours.filter((row) => goalOf(row) === undefined).map(({ receivers }) => receivers)
  const lines: string[] = []
  if (aimless.length < ours.length || report.storm !== undefined) {
    lines.push(misses.length === 0 ? 'goals reached' : `goals missed: ${misses.join('; ')}`)
  }
  if (aimless.length > 0) lines.push(`no goal is set for ${aimless.join(', ')} receivers`)
  for (const { server, receivers, loadCpuShare, othersCores } of report.rows) {
    const row = `${server}(${receivers})`
    if (loadCpuShare > LOAD_CPU_SHARE_MAX) lines.push(`doubtful: ${row}: the load had no core left`)
    if (othersCores > OTHERS_CORES_MAX) {
      lines.push(`doubtful: ${row}: others used ${percent(othersCores)} of a core meanwhile`)
    }
  }
  return lines
}

function goalOf({ receivers }: ForwardRow) {
  return GOALS.find((goal) => goal.receivers === receivers)
}

function describeRow(row: ForwardRow): string {
  const { p50, p95, p99 } = row.latencyMs
  return [
    row.server.padEnd(9),
    String(row.receivers).padStart(9),
    row.packetsPerSecond.toFixed(0).padStart(10),
    percent(row.cpuShare).padStart(7),
    row.packetsPerCpuSecond.toFixed(0).padStart(14),
    p50.toFixed(1).padStart(5),
    p95.toFixed(1).padStart(6),
    p99.toFixed(1).padStart(9),
    percent(row.lossRatio, 3).padStart(9),
    (row.bytesPerReceiver / 1000).toFixed(0).padStart(12),
    (row.joins.joined / row.joins.seconds).toFixed(0).padStart(8),
    percent(row.loadCpuShare).padStart(10),
    percent(row.othersCores).padStart(7),
  ].join(' ')
}

function percent(ratio: number, digits = 0): string {
  return `${(ratio * 100).toFixed(digits)} %`
}

function missed(report: ForwardReport): string[] {
  const misses: string[] = []
  for (const row of report.rows.filter(({ server }) => server === 'nhipcau')) {
    const goal = goalOf(row)
    if (goal === undefined) continue
    const name = `${row.receivers} receivers`
    if (row.latencyMs.p99 >= goal.p99Ms)
      misses.push(`${name}: p99 ${row.latencyMs.p99.toFixed(1)} ms >= ${goal.p99Ms}`)
    if (row.joins.failed > 0) misses.push(`${name}: ${row.joins.failed} joins failed`)
    if (row.lossRatio >= goal.lossRatio) misses.push(`${name}: loss ${percent(row.lossRatio, 3)}`)
    if (row.packetsPerCpuSecond < goal.packetsPerCpuSecond) {
      misses.push(`${name}: ${row.packetsPerCpuSecond.toFixed(0)} packets per CPU-second`)
    }
    if (row.bytesPerReceiver > 150_000)
      misses.push(`${name}: ${(row.bytesPerReceiver / 1000).toFixed(0)} KB a receiver`)
  }
  const { storm } = report
  if (storm === undefined) return misses
  if (storm.failed > 0) misses.push(`storm: ${storm.failed} joins failed`)
  if (storm.joinsPerSecond < 200) misses.push(`storm: ${storm.joinsPerSecond.toFixed(0)} joins/s`)
  if (storm.latencyMs.p99 >= 50) misses.push(`storm: p99 ${storm.latencyMs.p99.toFixed(1)} ms`)
  return misses
}
