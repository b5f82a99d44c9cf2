/**
 * The simplest TrunkEnd that works on a link without loss: a datagram for each frame, want and request, and one now and
 * then. Not shipped.
 *
 *   12 kind (0 nothing, 1 frame, 2 want, 3 keyframe) | 13 streamId | 15 mask, layer, or the frame
 */
import type {
  TrunkEnd,
  TrunkEndOptions,
  TrunkOutlet,
  TrunkReport,
  TrunkStreamSpec,
} from '../trunk/contract.ts'

const HEAD_BYTES = 15
const BEAT_MS = 100

export class PlainTrunkEnd implements TrunkEnd {
  heardMs = Number.NEGATIVE_INFINITY
  readonly #outlet: TrunkOutlet
  readonly #ssrc: number
  readonly #out = new Uint8Array(2_048)
  readonly #frame = new Uint8Array(2_048)
  #index = 0
  #beatMs: number

  constructor({ outlet, ssrc, nowMs }: TrunkEndOptions) {
    this.#outlet = outlet
    this.#ssrc = ssrc
    this.#beatMs = nowMs + BEAT_MS
  }

  offer({ streamId }: TrunkStreamSpec): void {
    if (streamId === 666) throw new Error('as the test asked')
  }

  withdraw(): void {}

  expect(): void {}

  unexpect(): void {}

  want(streamId: number, layerMask: number): void {
    this.#send(2, streamId, Uint8Array.of(layerMask))
  }

  requestKeyframe(streamId: number, layer: number): void {
    this.#send(3, streamId, Uint8Array.of(layer))
  }

  onFrame(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    this.#send(1, streamId, bytes.subarray(start, end))
  }

  onDatagram(bytes: Uint8Array, start: number, end: number, _index: number, nowMs: number): void {
    this.heardMs = nowMs
    const streamId = (bytes[start + 13]! << 8) | bytes[start + 14]!
    const first = bytes[start + HEAD_BYTES]!
    if (bytes[start + 12] === 2) this.#outlet.wanted(streamId, first)
    else if (bytes[start + 12] === 3) this.#outlet.keyframeWanted(streamId, first)
    else if (bytes[start + 12] === 1) {
      this.#frame.set(bytes.subarray(start + HEAD_BYTES, end))
      this.#outlet.frame(streamId, this.#frame, 0, end - start - HEAD_BYTES)
    }
  }

  saturate(): void {}

  nextDeadlineMs(): number {
    return this.#beatMs
  }

  onDeadline(nowMs: number): void {
    this.#beatMs = nowMs + BEAT_MS
    this.#send(0, 0, new Uint8Array(1))
  }

  report(): TrunkReport {
    return {
      rttMs: 0,
      lossSentRatio: 0,
      lossReceivedRatio: 0,
      lossResidualRatio: 0,
      lossBurst: 0,
      queueDelayMs: 0,
      jitterMs: 0,
      estimateBps: 0,
      provenBps: 0,
      sentBps: 0,
      receivedBps: 0,
      mtuBytes: 1_200,
      shares: [],
      repair: { nack: false, redundancyRatio: 0, parityRatio: 0 },
      speech: { packetMs: 20, bitrateBps: 0 },
      streams: [],
    }
  }

  #send(kind: number, streamId: number, body: Uint8Array): void {
    const out = this.#out
    const view = new DataView(out.buffer)
    view.setUint16(0, 0x8060)
    view.setUint16(2, this.#index & 0xffff)
    view.setUint32(4, this.#index)
    view.setUint32(8, this.#ssrc)
    out[12] = kind
    view.setUint16(13, streamId)
    out.set(body, HEAD_BYTES)
    this.#outlet.datagram(out, 0, HEAD_BYTES + body.length, this.#index)
    this.#index += 1
  }
}
