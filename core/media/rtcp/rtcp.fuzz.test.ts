import test from 'ava'
import { fuzz } from '../../../test/fuzz.ts'
import { ReportBlock, type RtcpHandler, RtcpParser, RtcpWriter, SenderReport } from './index.ts'

/** A compound with everything in it, and each kind alone. */
function samples(): Uint8Array[] {
  const list: Uint8Array[] = []
  const writer = new RtcpWriter()
  const out = new Uint8Array(1_200)
  const arrivalTicks = Float64Array.of(256, -1, 300, 900, 890, -1, -1, 895)
  const source = { senderSsrc: 1, mediaSsrc: 2, baseSequence: 65_533, feedbackCount: 1 }
  const steps = [
    () => writer.senderReport(new SenderReport()),
    () => writer.reportBlock(new ReportBlock()),
    () => writer.cname(1, Uint8Array.of(65, 66, 67)),
    () => writer.nack({ senderSsrc: 1, mediaSsrc: 2 }, Uint16Array.of(1, 3, 90), 3),
    () => writer.pli(1, 2),
    () => writer.fir(1, 2, 3),
    () => writer.remb(1, 500_000, [2]),
    () => writer.transportFeedback({ ...source, fallbackTicks: 0, arrivalTicks, statusCount: 8 }),
    () => writer.bye(1),
  ]
  writer.reset(out, 0, out.length)
  for (const step of steps) step()
  list.push(out.slice(0, writer.end))
  for (const step of steps) {
    writer.reset(out, 0, out.length)
    step()
    if (!writer.isEmpty) list.push(out.slice(0, writer.end))
  }
  return list
}

test('RTCP compounds: random and mutated', (t) => {
  let digest = 0
  let limit = 0
  const handler: RtcpHandler = {
    onSenderReport: (report) => {
      digest += report.ssrc + report.ntpFraction
    },
    onReportBlock: (ssrc, block) => {
      digest += ssrc + block.cumulativeLost + block.jitterTicks * 3
    },
    onCname: (ssrc, start, end) => {
      if (start > end || end > limit) throw new Error('outside')
      digest += ssrc + end
    },
    onBye: (ssrc) => {
      digest += ssrc
    },
    onNack: (ssrc, number) => {
      digest += ssrc * 3 + number
    },
    onPli: (ssrc) => {
      digest += ssrc * 5
    },
    onFir: (ssrc, number) => {
      digest += ssrc * 7 + number
    },
    onRemb: (bitrateBps) => {
      if (!(bitrateBps >= 1 && bitrateBps <= 10_000_000_000)) throw new Error('rate')
      digest += bitrateBps
    },
    onTransportFeedback: (feedback) => {
      let count = 0
      while (feedback.next()) {
        count += 1
        digest += feedback.received ? feedback.arrivalTicks : feedback.sequenceNumber
      }
      if (count !== feedback.statusCount) throw new Error('count')
    },
  }
  const parser = new RtcpParser(handler)
  const result = fuzz({
    samples: samples(),
    parse: (bytes, start, end) => {
      digest = 0
      limit = end
      const code = parser.parse(bytes, start, end)
      return digest * 32 + code
    },
  })
  t.log(result.summary)
  t.true(result.accepted > 0)
})
