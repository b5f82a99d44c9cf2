import { Writable } from 'node:stream'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { DROP_CODE } from '../media/rtp/index.ts'
import { systemClock } from './clock.ts'
import type { HandshakerStats } from './dtls/index.ts'
import { createLog } from './log.ts'
import { chooseAddresses } from './media-plane-addresses.ts'
import { LATENCY_BUCKETS_US, LatencyHistogram } from './media-worker-latency.ts'
import { createMetrics } from './metrics.ts'
import { DROPS_OFFSET, SNAPSHOT_LENGTH } from './metrics-figures.ts'

test('all threads of a process share the origin of the monotonic clock', async (t) => {
  const module = new URL('./clock.ts', import.meta.url).href
  const program = `
    import { parentPort } from 'node:worker_threads'
    import { systemClock } from '${module}'
    parentPort.postMessage(systemClock.nowMs())`
  const beforeMs = systemClock.nowMs()
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`))
  const seenMs = await new Promise<number>((resolve) => {
    worker.once('message', resolve)
  })
  t.true(seenMs >= beforeMs && seenMs <= systemClock.nowMs())
})

test('a log line holds no secret and no raw control character', (t) => {
  let text = ''
  const destination = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk)
      done()
    },
  })
  const log = createLog('info', { node: 'Mường Nhé' }, destination)
  log.info({ token: 'eyJhbGciOi', spec: { iceLocal: { password: 'hunter2' } } }, 'joined')
  log.info({ name: 'Mường Nhé\n{"level":60}\u001b[31m' }, 'named')
  log.debug('not at this level')
  t.notRegex(text, /eyJ|hunter2/)
  t.is(text.trim().split('\n').length, 2)
  t.is(text.match(/"node":"Mường Nhé"/g)?.length, 2)
  t.false(text.includes('\u001b'))
})

test('latency is counted per copy, in buckets that add up', (t) => {
  let nowMs = 0
  const histogram = new LatencyHistogram({ nowMs: () => nowMs, wallMs: () => 0 })
  histogram.begin(0)
  nowMs = 0.04
  for (let i = 0; i < 8; i++) histogram.sent(1)
  nowMs = 1_000
  for (let i = 0; i < 11; i++) histogram.sent(1)
  histogram.pause()
  for (let i = 0; i < 20; i++) histogram.sent(1)
  histogram.pause()
  t.is(histogram.counts[0], 8)
  t.is(histogram.counts[LATENCY_BUCKETS_US.length], 11)
  t.true(Math.abs(histogram.counts.at(-1)! - (8 * 0.04 + 11 * 1_000)) < 1e-6)
})

test('metrics sum workers, and keep what a dead worker had counted', async (t) => {
  const metrics = createMetrics()
  const latency = new Float64Array(LATENCY_BUCKETS_US.length + 2)
  latency[0] = 3
  latency[LATENCY_BUCKETS_US.length] = 1
  latency[LATENCY_BUCKETS_US.length + 1] = 250
  const figures = new Float64Array(SNAPSHOT_LENGTH).fill(2)
  figures[DROPS_OFFSET + DROP_CODE['stun-bad-integrity']] = 7
  metrics.onSnapshot(0, { figures, latency })
  metrics.onSnapshot(1, { figures, latency })
  metrics.onWorkerEnded(0)
  metrics.onWorkerEnded(0)
  const lines = new Set((await metrics.text()).split('\n'))
  t.true(lines.has('nhipcau_media_received_packets_total 4'))
  t.true(lines.has('nhipcau_media_transports{worker="1"} 2'))
  t.false(lines.has('nhipcau_media_transports{worker="0"} 2'))
  t.true(lines.has('nhipcau_media_dropped_total{reason="stun-bad-integrity"} 14'))
  t.true(lines.has('nhipcau_media_forwarding_latency_seconds_bucket{le="0.00005"} 6'))
  t.true(lines.has('nhipcau_media_forwarding_latency_seconds_bucket{le="0.1024"} 6'))
  t.true(lines.has('nhipcau_media_forwarding_latency_seconds_bucket{le="+Inf"} 8'))
  t.true(lines.has('nhipcau_media_forwarding_latency_seconds_sum 0.5'))
  t.true(lines.has('nhipcau_media_forwarding_latency_seconds_count 8'))
  const json = await metrics.registry.getMetricsAsJSON()
  t.true(json.some(({ name }) => name === 'nhipcau_media_forwarding_latency_seconds'))
})

const handshakerStats = (halfOpen: number) =>
  ({
    connected: 5,
    refused: { 'fingerprint-mismatch': 3 },
    halfOpen,
    established: 4,
    recordsDropped: { 'plaintext-alert': 2 },
  }) as unknown as HandshakerStats

test('refused handshakes are told by reason, over a restart of their thread and its silences', async (t) => {
  const metrics = createMetrics()
  const lines = async () => new Set((await metrics.text()).split('\n'))
  t.true((await lines()).has('nhipcau_dtls_half_open 0'))
  metrics.watchHandshaker(async () => handshakerStats(7))
  t.true((await lines()).has('nhipcau_dtls_refused_total{reason="fingerprint-mismatch"} 3'))
  t.true((await lines()).has('nhipcau_dtls_half_open 7'))
  metrics.watchHandshaker(() => Promise.reject(new Error('too busy')))
  t.true((await lines()).has('nhipcau_dtls_refused_total{reason="fingerprint-mismatch"} 3'))
  t.true((await lines()).has('nhipcau_dtls_established 0'))
  metrics.watchHandshaker(async () => handshakerStats(1))
  const last = await lines()
  t.true(last.has('nhipcau_dtls_refused_total{reason="fingerprint-mismatch"} 6'))
  t.true(last.has('nhipcau_dtls_records_dropped_total{reason="plaintext-alert"} 4'))
  t.true(last.has('nhipcau_dtls_half_open 1'))
})

const net = (address: string, internal = false) => ({
  address,
  internal,
  netmask: '',
  mac: '',
  cidr: null,
  family: 'IPv4' as const,
})

test('without configuration every reachable address is announced, loopback last', (t) => {
  const interfaces = {
    lo: [net('127.0.0.1', true), net('::1', true)],
    eth0: [net('fe80::5'), net('2001:db8::5'), net('192.168.1.5')],
  }
  t.deepEqual(chooseAddresses({ configured: [], ipv6: true }, interfaces), [
    '192.168.1.5',
    '2001:db8::5',
    '127.0.0.1',
    '::1',
  ])
  t.deepEqual(chooseAddresses({ configured: [], ipv6: false }, interfaces), [
    '192.168.1.5',
    '127.0.0.1',
  ])
  t.deepEqual(chooseAddresses({ configured: [], ipv6: true }, {}), ['127.0.0.1'])
})

test('configured addresses win, each once, and only in families that are served', (t) => {
  const configured = ['203.0.113.7', '2001:db8::7', '203.0.113.7']
  t.deepEqual(chooseAddresses({ configured, ipv6: true }, {}), ['203.0.113.7', '2001:db8::7'])
  t.deepEqual(chooseAddresses({ configured, ipv6: false }, {}), ['203.0.113.7'])
})
