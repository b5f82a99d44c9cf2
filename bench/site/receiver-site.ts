/**
 * A site that only watches: counts every packet by its header, opens a sample for latency, and reports reception as RFC
 * 3550 asks. About 1 µs of JavaScript a packet beside the kernel's share.
 */
import { ReportBlock, RtcpWriter } from '../../core/media/rtcp/index.ts'
import { OPUS_STAMP_OFFSET, VP8_STAMP_OFFSET } from './media-source.ts'
import { OPUS_PAYLOAD_TYPE } from './offer.ts'
import type { MediaSite } from './site.ts'
import { readStampMs } from './stamp.ts'
import { StreamTally } from './stream-tally.ts'

const CNAME = Buffer.from('bench')
const RECEIVER_SSRC = 0x10001
const scratch = new Uint8Array(512)
const writer = new RtcpWriter()
const block = new ReportBlock()

/** Called with each latency measured, ms. */
export type OnLatency = (latencyMs: number, isAudio: boolean) => void

/** One per watching site. */
export class ReceiverSite {
  readonly tallies = new Map<number, StreamTally>()
  sampled = 0
  readonly #onLatency: OnLatency
  readonly #sampleEvery: number
  #untilSample: number

  /** One packet in `sampleEvery` is opened; `phase` spreads the samples over sites. */
  constructor({
    sampleEvery,
    phase,
    onLatency,
  }: { sampleEvery: number; phase: number; onLatency: OnLatency }) {
    this.#sampleEvery = sampleEvery
    this.#untilSample = phase % sampleEvery
    this.#onLatency = onLatency
  }

  /** @hot The `onMedia` of its Site. */
  onMedia(site: MediaSite, datagram: Buffer, isRtcp: boolean): void {
    if (isRtcp || datagram.length < 22) return
    const ssrc = datagram.readUInt32BE(8)
    let tally = this.tallies.get(ssrc)
    if (tally === undefined) tally = this.#admit(ssrc)
    tally.add(datagram.readUInt16BE(2), datagram.length)
    if (this.#untilSample > 0) {
      this.#untilSample -= 1
      return
    }
    this.#untilSample = this.#sampleEvery - 1
    this.#sample(site, datagram)
  }

  /** Sends one receiver report over all streams. */
  report(site: MediaSite): void {
    writer.reset(scratch, 0, scratch.length)
    writer.receiverReport(RECEIVER_SSRC)
    for (const [ssrc, tally] of this.tallies) {
      block.ssrc = ssrc
      block.highestSequence = tally.highest
      block.cumulativeLost = tally.lost
      writer.reportBlock(block)
    }
    writer.cname(RECEIVER_SSRC, CNAME)
    site.sendRtcp(scratch, writer.end)
  }

  #admit(ssrc: number): StreamTally {
    const tally = new StreamTally()
    this.tallies.set(ssrc, tally)
    return tally
  }

  #sample(site: MediaSite, datagram: Buffer): void {
    const arrivedMs = performance.now()
    const end = site.link.receiver?.openRtp(datagram, 0, datagram.length) ?? -1
    if (end < 0) return
    const payload = payloadStart(datagram)
    const isAudio = (datagram[1]! & 0x7f) === OPUS_PAYLOAD_TYPE
    const sentMs = readStampMs(
      datagram,
      payload + (isAudio ? OPUS_STAMP_OFFSET : VP8_STAMP_OFFSET),
      end,
    )
    if (sentMs < 0) return
    this.sampled += 1
    this.#onLatency(arrivedMs - sentMs, isAudio)
  }
}

function payloadStart(datagram: Buffer): number {
  const csrcEnd = 12 + (datagram[0]! & 0x0f) * 4
  return (datagram[0]! & 0x10) === 0
    ? csrcEnd
    : csrcEnd + 4 + datagram.readUInt16BE(csrcEnd + 2) * 4
}
