import test from 'ava'
import fc from 'fast-check'
import {
  type GenericNack,
  PictureLossIndication,
  RtcpPacketConverter,
  type RtcpPayloadSpecificFeedback,
  type RtcpRrPacket,
  type RtcpSourceDescriptionPacket,
  RtcpSrPacket,
  type RtcpTransportLayerFeedback,
} from 'werift'
import {
  compactNtp,
  compactNtpOf,
  ntpMsOf,
  ReportBlock,
  RtcpParser,
  RtcpWriter,
  rttMsOf,
  SenderReport,
  setNtpTime,
} from './index.ts'
import { createRecorder } from './recorder.ts'

const ADDRESS = { senderSsrc: 1, mediaSsrc: 4_294_967_295 }

function createWriter(sizeBytes = 1_500): { out: Uint8Array; writer: RtcpWriter } {
  const out = new Uint8Array(sizeBytes)
  const writer = new RtcpWriter()
  writer.reset(out, 0, sizeBytes)
  return { out, writer }
}

function werift(out: Uint8Array, end: number) {
  return RtcpPacketConverter.deSerialize(Buffer.from(out.subarray(0, end)))
}

function block(ssrc: number): ReportBlock {
  return Object.assign(new ReportBlock(), {
    ssrc,
    fractionLost: 255,
    cumulativeLost: 0x7f_ffff,
    highestSequence: 4_294_967_295,
    jitterTicks: 7,
    lastSenderReport: 0x8000_0000,
    delaySinceLastSenderReport: 65_536,
  })
}

test('a compound of SR with blocks, SDES, feedback and BYE is read the same by us and by werift', (t) => {
  const { out, writer } = createWriter()
  const report = Object.assign(new SenderReport(), { ssrc: 9, rtpTimestamp: 4_294_967_295 })
  report.packetCount = 1
  report.octetCount = 2
  setNtpTime(report, 1_700_000_000_500)
  t.true(writer.senderReport(report))
  t.true(writer.reportBlock(block(5)))
  t.true(writer.reportBlock(block(6)))
  t.true(writer.cname(9, new TextEncoder().encode('nhịp')))
  t.true(writer.pli(1, 2))
  t.true(writer.fir(1, 3, 256 + 7))
  t.true(writer.nack(ADDRESS, Uint16Array.of(65_534, 65_535, 0, 14, 15), 5))
  t.true(writer.bye(9))
  const [sr, sdes, pli, , nack] = werift(out, writer.end)
  t.true(sr instanceof RtcpSrPacket && sr.reports.length === 2)
  t.is((sr as RtcpSrPacket).senderInfo.ntpTimestamp, (3_908_988_800n << 32n) | 0x8000_0000n)
  t.is((sr as RtcpSrPacket).reports[1]?.dlsr, 65_536)
  t.is((sdes as RtcpSourceDescriptionPacket).chunks[0]?.items[0]?.text, 'nhịp')
  t.true((pli as RtcpPayloadSpecificFeedback).feedback instanceof PictureLossIndication)
  // It unwraps nothing, and reads the packet behind a NACK as part of it.
  const { lost } = (nack as RtcpTransportLayerFeedback).feedback as GenericNack
  const theirs = lost.slice(0, 5).map((number) => number & 0xffff)
  t.deepEqual(theirs, [65_534, 65_535, 0, 14, 15])
  const recorder = createRecorder()
  t.is(new RtcpParser(recorder).parse(out, 0, writer.end), 0)
  t.deepEqual(recorder.calls, [
    ['sr', 9, 3_908_988_800, 0x8000_0000, 4_294_967_295, 1, 2],
    ['block', 9, 5, 255, 0x7f_ffff, 4_294_967_295, 7, 0x8000_0000, 65_536],
    ['block', 9, 6, 255, 0x7f_ffff, 4_294_967_295, 7, 0x8000_0000, 65_536],
    ['cname', 9, 6],
    ['pli', 2],
    ['fir', 3, 7],
    ['nack', 4_294_967_295, 65_534],
    ['nack', 4_294_967_295, 65_535],
    ['nack', 4_294_967_295, 0],
    ['nack', 4_294_967_295, 14],
    ['nack', 4_294_967_295, 15],
    ['bye', 9],
  ])
})

test('NACK pairs cover 17 numbers each, over the wrap too', (t) => {
  const { out, writer } = createWriter()
  const numbers = Uint16Array.from({ length: 35 }, (_, index) => 65_520 + index)
  t.true(writer.nack(ADDRESS, numbers, 35))
  t.is(writer.end, 12 + 3 * 4)
  const recorder = createRecorder()
  new RtcpParser(recorder).parse(out, 0, writer.end)
  t.deepEqual(
    recorder.calls.map((call) => call[2]),
    [...numbers],
  )
  t.false(writer.nack(ADDRESS, numbers, 0))
})

test('any set of missing numbers is requested and read as it is', (t) => {
  const gaps = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 100 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 65_535 }), gaps, (first, steps) => {
      let next = first
      const numbers = Uint16Array.from(steps, (step) => {
        next += step
        return next
      })
      const { out, writer } = createWriter()
      t.true(writer.nack(ADDRESS, numbers, numbers.length))
      const recorder = createRecorder()
      t.is(new RtcpParser(recorder).parse(out, 0, writer.end), 0)
      t.deepEqual(
        recorder.calls.map((call) => call[2]),
        [...numbers],
      )
    }),
  )
})

test('REMB keeps 18 significant bits, from 0 to beyond 2^63', (t) => {
  for (const [bitrateBps, expected] of [
    [262_143, 262_143],
    [262_145, 262_144],
    [1_000_000, 1_000_000],
    [2_500_001, 2_500_000],
    [2 ** 63, 10_000_000_000],
    [2 ** 90, 10_000_000_000],
  ] as const) {
    const { out, writer } = createWriter()
    t.true(writer.remb(1, bitrateBps, [5, 6]))
    const [remb] = werift(out, writer.end) as RtcpPayloadSpecificFeedback[]
    t.like(remb?.feedback, { ssrcFeedbacks: [5, 6] })
    const recorder = createRecorder()
    t.is(new RtcpParser(recorder).parse(out, 0, writer.end), 0)
    t.deepEqual(recorder.calls, [['remb', expected]])
  }
})

test('what does not fit is refused and leaves the compound as it was', (t) => {
  const { writer } = createWriter(60)
  t.true(writer.isEmpty)
  t.true(writer.receiverReport(1))
  t.true(writer.reportBlock(block(1)))
  t.true(writer.reportBlock(block(2)))
  t.is(writer.end, 56)
  const report = new SenderReport()
  t.false(writer.reportBlock(block(3)))
  t.false(writer.senderReport(report))
  t.false(writer.receiverReport(1))
  t.false(writer.pli(1, 2))
  t.false(writer.fir(1, 2, 3))
  t.false(writer.remb(1, 2, []))
  t.false(writer.remb(1, 2, new Array(256).fill(1)))
  t.false(writer.bye(1))
  t.false(writer.nack(ADDRESS, Uint16Array.of(1), 1))
  t.false(writer.cname(1, new Uint8Array(3)))
  t.false(writer.cname(1, new Uint8Array(0)))
  t.false(writer.cname(1, new Uint8Array(256)))
  t.is(writer.end, 56)
})

test('a report takes 31 blocks, and none once something follows it', (t) => {
  const { writer, out } = createWriter()
  t.false(writer.reportBlock(block(1)))
  writer.receiverReport(1)
  for (let index = 0; index < 31; index++) t.true(writer.reportBlock(block(index)))
  t.false(writer.reportBlock(block(31)))
  const [rr] = werift(out, writer.end)
  t.is((rr as RtcpRrPacket).reports.length, 31)
  writer.bye(1)
  t.false(writer.reportBlock(block(1)))
})

test('CNAMEs of every length end on 32 bits with at least one zero', (t) => {
  for (let length = 1; length <= 255; length++) {
    const { out, writer } = createWriter()
    out.fill(0xff)
    t.true(writer.cname(7, new Uint8Array(length).fill(65)))
    t.is(writer.end % 4, 0)
    const recorder = createRecorder()
    t.is(new RtcpParser(recorder).parse(out, 0, writer.end), 0)
    t.deepEqual(recorder.calls, [['cname', 7, length]])
  }
})

test('NTP fractions are of a second, and round trips come back from LSR and DLSR', (t) => {
  const report = new SenderReport()
  for (const unixMs of [0, 999.999, 1_700_000_000_123.25, 4_102_444_800_000]) {
    setNtpTime(report, unixMs)
    // 2^32 seconds after 1900 a new era begins.
    const expectedMs = (unixMs + 2_208_988_800_000) % (2 ** 32 * 1_000)
    t.true(Math.abs(ntpMsOf(report) - expectedMs) < 0.001)
    t.true(Math.abs(compactNtpOf(report) - compactNtp(unixMs)) <= 1)
    t.true(report.ntpFraction >= 0 && report.ntpFraction < 2 ** 32)
  }
  const reportBlock = new ReportBlock()
  t.is(rttMsOf(reportBlock, 5), -1)
  reportBlock.lastSenderReport = compactNtp(1_000_000)
  reportBlock.delaySinceLastSenderReport = 65_536
  t.true(Math.abs(rttMsOf(reportBlock, compactNtp(1_001_250)) - 250) < 0.1)
  t.is(rttMsOf(reportBlock, compactNtp(1_000_500)), 0)
})

test('a round trip is right over the wrap of compact NTP time', (t) => {
  const wrapMs = (65_536 - (2_208_988_800 % 65_536)) * 1_000
  const reportBlock = new ReportBlock()
  reportBlock.lastSenderReport = compactNtp(wrapMs - 100)
  t.true(Math.abs(rttMsOf(reportBlock, compactNtp(wrapMs + 100)) - 200) < 0.1)
})
