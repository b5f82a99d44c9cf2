/**
 * A forwarder on its own, and a record of what it lets out, for tests. No bytes are written.
 */
import type { MediaPacket } from '../rtp/index.ts'
import { Forwarder } from './forwarder.ts'
import { OutgoingLink, OutgoingStream } from './outgoing-stream.ts'
import type { SimulatedSource } from './simulated-source.ts'

const NO_EXTENSION = { extension: undefined, transportSequenceAt: 0, absSendTimeAt: 0 }

/** A slot that has shown nothing yet. */
export function createForwarder(options: {
  kind?: 'audio' | 'video'
  index?: number
  timestamp?: number
}) {
  const kind = options.kind ?? 'video'
  const link = new OutgoingLink({ onPacketSent: () => {} })
  return new Forwarder({
    kind,
    clockRate: kind === 'video' ? 90_000 : 48_000,
    firstIndex: options.index ?? 0,
    firstTimestamp: options.timestamp ?? 0,
    stream: new OutgoingStream(1, link, NO_EXTENSION),
  })
}

export type Sent = {
  index: number
  timestamp: number
  pictureId: number
  tl0PicIdx: number
  marker: boolean
  keyframe: boolean
  temporalLayer: number
  /** Frame's identity at the source. */
  frame: string
  packet: string
}

type Give = { forwarder: Forwarder; source: SimulatedSource; packet: MediaPacket; sent: Sent[] }

/** Hands one packet in and records what came of it; returns the code. */
export function give({ forwarder, source, packet, sent }: Give): number {
  const code = forwarder.accept(packet, source.layer)
  if (code !== 0) return code
  const id = `${source.layer.publicationId}.${source.layer.spatialLayer}.${packet.epoch}`
  sent.push({
    index: forwarder.outIndex,
    timestamp: forwarder.outTimestamp,
    pictureId: forwarder.outPictureId,
    tl0PicIdx: forwarder.outTl0PicIdx,
    marker: forwarder.outMarker,
    keyframe: packet.keyframe,
    temporalLayer: packet.temporalLayer,
    frame: `${id}.${packet.timestamp}`,
    packet: `${id}.${packet.sequence}`,
  })
  return 0
}
