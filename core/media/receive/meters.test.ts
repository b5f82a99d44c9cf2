import test from 'ava'
import { SenderReport, setNtpTime } from '../rtcp/index.ts'
import { LEVEL_SILENT_DBOV, LevelMeter } from './level-meter.ts'
import { RateMeter } from './rate-meter.ts'
import { SenderClock } from './sender-clock.ts'

test('a level rises within a syllable and falls over a breath', (t) => {
  const meter = new LevelMeter()
  t.is(meter.levelDbov(0), LEVEL_SILENT_DBOV)
  for (let nowMs = 1_000; nowMs <= 1_100; nowMs += 20) meter.onLevel(20, nowMs)
  t.true(meter.levelDbov(1_100) < 35)
  meter.onLevel(127, 1_120)
  t.true(meter.levelDbov(1_120) < 45)
  for (let nowMs = 1_140; nowMs <= 2_100; nowMs += 20) meter.onLevel(127, nowMs)
  t.true(meter.levelDbov(2_100) > 120)
})

test('without packets a publication is silent', (t) => {
  const meter = new LevelMeter()
  for (let nowMs = 0; nowMs <= 500; nowMs += 20) meter.onLevel(10, nowMs)
  t.true(meter.levelDbov(1_000) < 20)
  t.is(meter.levelDbov(1_200), LEVEL_SILENT_DBOV)
  meter.reset()
  t.is(meter.levelDbov(500), LEVEL_SILENT_DBOV)
})

test('rates are those of the last second', (t) => {
  const meter = new RateMeter()
  t.is(meter.bitrateBps(0), 0)
  for (let nowMs = 10_000; nowMs < 12_000; nowMs += 20) meter.add(100, nowMs)
  t.is(meter.bitrateBps(11_999), 40_000)
  t.is(meter.bitrateBps(12_500), 16_000)
  t.is(meter.bitrateBps(13_500), 0)
  meter.add(125, 50_000)
  t.is(meter.bitrateBps(50_000), 1_000)
})

test('two layers with different timestamps meet in wall time, over the wrap of both', (t) => {
  const low = new SenderClock(90_000)
  const high = new SenderClock(90_000)
  t.false(low.isKnown)
  t.true(Number.isNaN(low.ntpMsAt(1)))
  t.true(Number.isNaN(low.timestampAt(1)))
  t.is(low.lastSenderReport, 0)
  t.is(low.delaySinceLastSenderReport(5), 0)
  const report = new SenderReport()
  setNtpTime(report, 1_700_000_000_000)
  report.rtpTimestamp = 0xffff_ffff - 44_999
  low.onSenderReport(report, 100)
  setNtpTime(report, 1_700_000_001_000)
  report.rtpTimestamp = 90_000
  high.onSenderReport(report, 1_100)
  const wallMs = low.ntpMsAt(45_000)
  t.true(Math.abs(wallMs - (1_700_000_001_000 + 2_208_988_800_000)) < 0.01)
  t.is(high.timestampAt(wallMs), 90_000)
  t.is(high.timestampAt(high.ntpMsAt(0xffff_fff0)), 0xffff_fff0)
  t.is(high.delaySinceLastSenderReport(1_600), 32_768)
  t.is(high.delaySinceLastSenderReport(1_000), 0)
  t.is(high.delaySinceLastSenderReport(1e12), 0xffff_ffff)
  high.reset()
  t.false(high.isKnown)
})
