/** Sections and packets made for the tests of this folder. Not for the engine. */
import type { IncomingSection } from '../control.ts'
import { ExtensionWriter, writeRtpHeader, writeUint32 } from '../rtp/index.ts'

export type PacketFields = {
  ssrc: number
  payloadType: number
  sequenceNumber: number
  timestamp?: number
  marker?: boolean
  csrcs?: number[]
  extensions?: [id: number, bytes: number[]][]
  payload: number[]
  paddingBytes?: number
}

/** A packet at `offset` of a buffer that ends with it. */
export function packetBytes(fields: PacketFields, offset: number): Uint8Array {
  const { csrcs = [], extensions = [], payload, paddingBytes = 0 } = fields
  const head = new Uint8Array(600)
  const { ssrc, payloadType, sequenceNumber, timestamp = 0, marker = false } = fields
  let end = writeRtpHeader(head, 0, { ssrc, payloadType, sequenceNumber, timestamp, marker })
  if (extensions.length > 0) {
    const writer = new ExtensionWriter()
    writer.begin(head, 0)
    for (const [id, bytes] of extensions) writer.addBytes(id, Uint8Array.from(bytes))
    end = writer.finish()
  }
  // CSRCs stand before the extension block, which is written first and moved.
  head.copyWithin(12 + csrcs.length * 4, 12, end)
  for (const [index, csrc] of csrcs.entries()) writeUint32(head, 12 + index * 4, csrc)
  end += csrcs.length * 4
  head[0] = head[0]! | csrcs.length | (paddingBytes > 0 ? 0x20 : 0)
  const bytes = new Uint8Array(offset + end + payload.length + paddingBytes)
  bytes.set(head.subarray(0, end), offset)
  bytes.set(payload, offset + end)
  if (paddingBytes > 0) bytes[bytes.length - 1] = paddingBytes
  return bytes
}

/** A camera: VP8 96, RTX 97, MID 4, RID 5, repaired-RID 6. */
export function videoSection(more: Partial<IncomingSection> = {}): IncomingSection {
  return {
    mid: '1',
    kind: 'video',
    direction: 'in',
    use: 'camera',
    publicationId: 2,
    codecs: [{ codec: 'vp8', payloadType: 96, rtxPayloadType: 97, clockRate: 90_000 }],
    extensions: { mid: 4, rid: 5, repairedRid: 6, transportWide: 3 },
    feedback: { nack: true, pli: true, transportWide: true, remb: false },
    rids: [],
    ssrcs: [],
    ...more,
  }
}

/** A microphone: Opus 111, RED 63, level 1, MID 4. */
export function audioSection(more: Partial<IncomingSection> = {}): IncomingSection {
  return {
    mid: '0',
    kind: 'audio',
    direction: 'in',
    use: 'microphone',
    publicationId: 1,
    codecs: [
      { codec: 'opus', payloadType: 111, clockRate: 48_000 },
      { codec: 'red', payloadType: 63, clockRate: 48_000 },
    ],
    extensions: { mid: 4, audioLevel: 1, transportWide: 3 },
    feedback: { nack: false, pli: false, transportWide: true, remb: false },
    rids: [],
    ssrcs: [],
    ...more,
  }
}
