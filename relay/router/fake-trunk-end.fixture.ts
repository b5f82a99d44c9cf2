/** A TrunkEnd that only takes notes, and frames to give it. Not shipped. */
import type { MediaKind } from '../../core/media/control.ts'
import { HANDOFF_PACKET, HandoffFrame } from '../../core/media/engine/index.ts'
import type { TrunkEnd, TrunkReport, TrunkStreamSpec } from '../trunk/contract.ts'

const HEAD_BYTES = 28
const PACKET_BYTES = 12 + 4
const STATUS_BYTES = 37

export class FakeTrunkEnd implements TrunkEnd {
  heardMs = 0
  readonly #note: (note: string) => void

  constructor(note: (note: string) => void) {
    this.#note = note
  }

  static describe(bytes: Uint8Array, start: number, end: number): string {
    const frame = new HandoffFrame()
    if (!frame.read(bytes, start, end)) return 'garbage'
    const kind = frame.kind === HANDOFF_PACKET ? 'packet' : 'status'
    return `${kind} ${frame.publicationId}.${frame.spatialLayer}`
  }

  offer(spec: TrunkStreamSpec): void {
    this.#note(`offer ${spec.streamId}`)
  }

  withdraw(streamId: number): void {
    this.#note(`withdraw ${streamId}`)
  }

  expect(spec: TrunkStreamSpec): void {
    this.#note(`expect ${spec.streamId}`)
  }

  unexpect(streamId: number): void {
    this.#note(`unexpect ${streamId}`)
  }

  want(streamId: number, layerMask: number): void {
    this.#note(`want ${streamId} ${layerMask}`)
  }

  requestKeyframe(streamId: number, layer: number): void {
    this.#note(`keyframe ${streamId}.${layer}`)
  }

  saturate(): void {
    this.#note('saturate')
  }

  onFrame(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    this.#note(`frame ${streamId} ${FakeTrunkEnd.describe(bytes, start, end)}`)
  }

  onDatagram(): void {
    this.#note('datagram')
  }

  nextDeadlineMs(): number {
    return Number.POSITIVE_INFINITY
  }

  onDeadline(): void {
    this.#note('deadline')
  }

  report(): TrunkReport {
    throw new Error('not asked for')
  }
}

export function specOf(streamId: number, kind: MediaKind = 'video'): TrunkStreamSpec {
  const isAudio = kind === 'audio'
  return {
    streamId,
    kind,
    use: isAudio ? 'microphone' : 'camera',
    codec: isAudio ? 'opus' : 'vp8',
    payloadType: isAudio ? 111 : 96,
    clockRate: isAudio ? 48_000 : 90_000,
    layerCount: isAudio ? 1 : 3,
  }
}

/** A handoff frame (core/media/engine/handoff.ts) around an RTP packet of four payload bytes. */
export function packetFrame(
  id: number,
  layer: number,
  { keyframe = false, sequence = 1 } = {},
): Uint8Array {
  const frame = headOf(id, { kind: 1, layer, byteTwo: keyframe ? 2 : 0, byteThree: 2 })
  frame[HEAD_BYTES] = 0x80
  new DataView(frame.buffer).setInt32(8, sequence)
  for (let at = 0; at < 4; at++) frame[HEAD_BYTES + 12 + at] = (sequence * 7 + at) & 255
  return frame
}

export function statusFrame(
  id: number,
  { layer = 0, levelDbov = 127, bitrateBps = 0 } = {},
): Uint8Array {
  const frame = headOf(id, { kind: 2, layer, byteTwo: 0, byteThree: levelDbov })
  new DataView(frame.buffer).setFloat64(8, bitrateBps)
  return frame.subarray(0, STATUS_BYTES)
}

type Head = { kind: number; layer: number; byteTwo: number; byteThree: number }

function headOf(id: number, { kind, layer, byteTwo, byteThree }: Head): Uint8Array {
  const frame = new Uint8Array(HEAD_BYTES + PACKET_BYTES)
  frame.set([kind, layer, byteTwo, byteThree])
  new DataView(frame.buffer).setUint32(4, id)
  return frame
}
