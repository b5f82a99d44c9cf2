import test from 'ava'
import { parseExposition } from './exposition.ts'
import { type RunFacts, runnerFigures } from './figures.ts'

const counted = parseExposition(`# TYPE nhipcau_media_sent_packets_total counter
nhipcau_media_sent_packets_total 5000
# TYPE nhipcau_media_dropped_total counter
nhipcau_media_dropped_total{reason="too-late"} 3
nhipcau_media_dropped_total{reason="ring-full"} 4
# TYPE nhipcau_dtls_refused_total counter
nhipcau_dtls_refused_total{reason="timeout"} 2
# TYPE nhipcau_media_forwarding_latency_seconds histogram
nhipcau_media_forwarding_latency_seconds_bucket{le="0.001"} 100
nhipcau_media_forwarding_latency_seconds_bucket{le="+Inf"} 100`)

const facts: RunFacts = {
  processes: [
    {
      id: 'core',
      role: 'node',
      cpuSeconds: 9,
      residentBytesMax: 3_000,
      residentSlopeBytesPerS: 2,
      series: {
        atS: [0, 1, 2, 3, 4],
        cpuShare: [0, 0.9, 0.4, 0.6, 0.1],
        residentBytes: [1_000, 2_000, 3_000, 3_000, 3_000],
        handles: [10, 20, 20, 20, 25],
        threads: [4, 4, 5, 4, 4],
      },
    },
  ],
  links: [],
  counted,
  steadyCounted: { seconds: 10, cpuSeconds: 2, counted },
  steady: { fromS: 0.5, untilS: 3 },
  shares: { othersCores: 0.1, stealCores: 0 },
  sitesByNode: new Map([['core', 10]]),
}

test("a process's share is its mean while all were in, its memory per site what it took beside its empty self", (t) => {
  const figures = runnerFigures(facts)
  t.is(figures['process.core.cpuShare'], 0.5)
  t.is(figures['process.core.cpuShareMax'], 0.9)
  t.is(figures['process.core.residentPerSiteBytes'], 200)
  t.is(figures['process.core.residentSlopeBytesPerHour'], 7200)
  t.is(figures['process.core.handlesMax'], 25)
  t.is(figures['process.core.handlesGrowth'], 5)
})

test('what nodes count has names that expressions read, and sums over labels', (t) => {
  const figures = runnerFigures(facts)
  t.is(figures['drops.tooLate'], 3)
  t.is(figures['drops.all'], 7)
  t.is(figures['counters.mediaSentPackets'], 5000)
  t.is(figures['counters.dtlsRefused.all'], 2)
})

test('packets are told per second and per second of CPU, of the steady stretch only', (t) => {
  const figures = runnerFigures(facts)
  t.is(figures['forward.packetsPerSecond'], 500)
  t.is(figures['forward.packetsPerCpuSecond'], 2500)
  t.is(figures['forward.latencyP50Ms'], 0.5)
  const { steadyCounted: _, ...rest } = facts
  t.false('forward.packetsPerSecond' in runnerFigures({ ...rest, steadyCounted: undefined }))
})

test('a link has its loss by chance and by its queue', (t) => {
  const series = { atS: [0, 1], bitrateBps: [100, 300], lossRatio: [0, 0], queueMs: [1, 9] }
  const direction = { packets: 200, bytes: 1, lost: 2, overflowed: 10, series }
  const link = { id: 'thin', profile: 'vsat', below: 'hall', above: 'core' }
  const figures = runnerFigures({ ...facts, links: [{ ...link, up: direction, down: direction }] })
  t.is(figures['link.thin.down.lossRatio'], 0.01)
  t.is(figures['link.thin.up.overflowRatio'], 0.05)
  t.is(figures['link.thin.up.bitrateBps'], 200)
  t.is(figures['link.thin.up.queueMsMax'], 9)
})
