import test from 'ava'
import { Registry } from 'prom-client'
import { createDropCounters, DROP_CODE } from '../../core/media/rtp/index.ts'
import { TRUNK_CLASSES } from '../trunk/index.ts'
import { PlainTrunkEnd } from './plain-trunk-end.fixture.ts'
import { FigureTotals } from './trunk-figures.ts'
import { registerTrunkMetrics } from './trunk-metrics.ts'
import type { TrunkThreadFigures } from './trunk-thread-protocol.ts'

function figuresOf(receivedPackets: number): TrunkThreadFigures {
  const drops = createDropCounters()
  drops[DROP_CODE['srtp-replayed']] = 3
  return {
    receivedPackets,
    receivedBytes: 1,
    sentPackets: 2,
    sentBytes: 3,
    tunnelledPackets: 4,
    roams: 5,
    faults: 6,
    drops,
    trunks: 7,
    routes: 8,
    sendQueue: 9,
    stallMs: 50,
    cpuRatio: 0.5,
  }
}

test('counters go on over a restart of the thread, gauges begin anew', (t) => {
  const totals = new FigureTotals()
  t.is(totals.sum(), undefined)
  totals.take(figuresOf(10))
  totals.take(figuresOf(12))
  totals.end()
  t.is(totals.sum()?.receivedPackets, 12)
  t.is(totals.sum()?.trunks, 0)
  totals.take(figuresOf(5))
  t.is(totals.sum()?.receivedPackets, 17)
  t.is(totals.sum()?.drops[DROP_CODE['srtp-replayed']], 6)
  t.is(totals.sum()?.trunks, 7)
  totals.end()
  t.is(totals.sum()?.receivedPackets, 17)
})

test('figures, drops and the reports of each trunk are told', async (t) => {
  const registry = new Registry()
  const outlet = {
    datagram: () => undefined,
    frame: () => undefined,
    wanted: () => undefined,
    keyframeWanted: () => undefined,
  }
  const end = new PlainTrunkEnd({ outlet, ssrc: 1, randomUint32: () => 1, nowMs: 0 })
  const shares = TRUNK_CLASSES.map((_, at) => at * 1_000)
  const report = { ...end.report(), rttMs: 600, shares }
  const message = {
    type: 'trunk-report',
    trunkId: 3,
    report,
    droppedForged: 0,
    path: 'udp',
  } as const
  const source = { figures: figuresOf(10), reports: new Map([[3, message]]) }
  registerTrunkMetrics(registry, () => source)
  const text = await registry.metrics()
  for (const line of [
    'nhipcau_trunk_received_packets_total 10',
    'nhipcau_trunk_loop_stall_seconds 0.05',
    'nhipcau_trunk_dropped_total{reason="srtp-replayed"} 3',
    'nhipcau_trunk_rtt_seconds{trunk="3"} 0.6',
    'nhipcau_trunk_share_bps{trunk="3",class="stage-audio"} 1000',
  ]) {
    t.true(text.includes(`${line}\n`), line)
  }
  source.reports.clear()
  t.false((await registry.metrics()).includes('trunk="3"'))
})
