/**
 * The seam between the main thread (conference, doors) and the media workers: plain, structured-cloneable
 * values, commands one way and reports the other. Not the wire protocol that clients see
 * (docs/PROTOCOL.md), and nothing here is per packet.
 *
 * Numbers name things on this seam: `transportId`, `roomId` and `publicationId` are positive integers that the
 * main thread hands out once and never reuses within a run; 0 means "none".
 */

export type MediaKind = 'audio' | 'video'

/** What an incoming section carries. One publication each. */
export type SourceUse = 'microphone' | 'camera' | 'screen'

/** What an outgoing section (a Slot) is for. */
export type SlotUse = 'audio' | 'main' | 'tile'

export type CodecName = 'opus' | 'red' | 'vp8' | 'h264' | 'vp9' | 'av1'

/** One negotiated codec of a section; payload types are those of this peer's SDP. */
export type CodecSpec = {
  codec: CodecName
  /** RTP payload type, 0..127. */
  payloadType: number
  /** RTX payload type (RFC 4588) bound to it by apt, when negotiated. */
  rtxPayloadType?: number
  /** Hz: 48000 for audio, 90000 for video. */
  clockRate: number
  /** H.264 packetization-mode/profile or Opus parameters, as negotiated. */
  fmtp?: string
}

/** Header extension ids (RFC 8285, 1..255) negotiated for a section; absent = not negotiated. */
export type ExtensionIds = {
  mid?: number
  rid?: number
  repairedRid?: number
  audioLevel?: number
  transportWide?: number
  absSendTime?: number
}

export type FeedbackSpec = { nack: boolean; pli: boolean; transportWide: boolean; remb: boolean }

type SectionBase = {
  /** a=mid, 1..16 characters. */
  mid: string
  kind: MediaKind
  /** First entry is preferred. Never empty. */
  codecs: CodecSpec[]
  extensions: ExtensionIds
  feedback: FeedbackSpec
}

/** A section on which the peer may send to us. */
export type IncomingSection = SectionBase & {
  direction: 'in'
  use: SourceUse
  publicationId: number
  /** RIDs lowest picture first, at most 3; empty when not simulcast. */
  rids: string[]
  /** SSRCs declared with a=ssrc / FID, when any: WHIP peers without MID extensions need them. */
  ssrcs: { ssrc: number; rtxSsrc?: number }[]
}

/** A section on which we send to the peer: a Slot with a fixed SSRC. */
export type OutgoingSection = SectionBase & {
  direction: 'out'
  use: SlotUse
  /** Position among the slots of the same use, from 0. */
  index: number
  ssrc: number
  /** 0 when RTX is not negotiated. */
  rtxSsrc: number
}

export type Section = IncomingSection | OutgoingSection

export type IceCredentials = { usernameFragment: string; password: string }

export type Fingerprint = {
  /** As in RFC 8122: sha-256, sha-384 or sha-512. */
  algorithm: string
  /** Upper-case hex with colons. */
  value: string
}

/** All that a worker needs to admit one peer. The peer is ICE-full and active in DTLS; we are lite and passive. */
export type TransportSpec = {
  transportId: number
  roomId: number
  iceLocal: IceCredentials
  iceRemote: IceCredentials
  /** The handshake is refused unless the peer proves possession of a key with one of these. */
  fingerprints: Fingerprint[]
  sections: Section[]
  /** Which uses may be published now; packets of others are dropped with a reason. */
  permitted: SourceUse[]
}

/** What one slot is asked to show, and how large the client draws it. */
export type SlotView = {
  mid: string
  /**
   * For tiles, and for a main picture that this participant chose itself; 0 = follow the room. An audio slot stands in
   * a view only for a listener with fewer audio slots than the room hears (WHEP): its publication, 0 = follow the room.
   */
  publicationId: number
  /** CSS pixels times device pixel ratio; 0 = not visible, so nothing is sent. */
  widthPx: number
  heightPx: number
}

/** What everyone in a room hears and sees by default. */
export type RoomAssignment = {
  /** One publication per audio slot; 0 = silent. */
  audio: number[]
  /** The main picture, and what the publisher of that picture sees instead of itself. */
  main: number
  mainFallback: number
}

/** Main thread to worker. */
export type MediaCommand =
  | { type: 'open'; spec: TransportSpec }
  /** ICE restart (RFC 8445 §9): new credentials, same DTLS association. Old ones stop to be valid. */
  | { type: 'restart'; transportId: number; iceLocal: IceCredentials; iceRemote: IceCredentials }
  | { type: 'close'; transportId: number }
  | { type: 'permit'; transportId: number; uses: SourceUse[] }
  /** Muted publications are dropped at ingress (reason `muted`). */
  | { type: 'mute'; publicationId: number; muted: boolean }
  | { type: 'assign'; roomId: number; assignment: RoomAssignment }
  | { type: 'view'; transportId: number; views: SlotView[] }
  /** A publication of another worker (or, later, node) becomes available here under its own id. */
  | { type: 'import'; roomId: number; publication: ImportedPublication }
  | { type: 'forget'; publicationId: number }
  | { type: 'request-stats'; requestId: number; transportId: number }

export type ImportedPublication = {
  publicationId: number
  kind: MediaKind
  use: SourceUse
  codecs: CodecSpec[]
  layerCount: number
}

export type QualityReason = 'none' | 'loss' | 'bandwidth' | 'delay' | 'no-packets'

/** How one stream fares, in figures; the doors turn it into green, amber or red. */
export type StreamQuality = {
  mid: string
  direction: 'in' | 'out'
  bitrateBps: number
  /** 0..1 over the last report interval. */
  lossRatio: number
  rttMs: number
  jitterMs: number
  /** Spatial layer now (0 lowest), -1 when nothing flows. */
  spatialLayer: number
  /** What the views would allow if the link did. */
  spatialLayerWanted: number
  reason: QualityReason
}

/** Worker to main thread. */
export type MediaReport =
  | { type: 'connected'; transportId: number }
  | { type: 'disconnected'; transportId: number; cause: DisconnectCause }
  /** First packet of a publication, or silence of one after 2 s without any. */
  | { type: 'flowing'; publicationId: number; flowing: boolean }
  /** Every 50 ms while any audio flows: pairs of publicationId, level in -dBov 0 (loud)..127 (silent). */
  | { type: 'levels'; levels: [publicationId: number, levelDbov: number][] }
  /** Per transport at most every 2 s: when something has changed, or QUALITY_REPEAT_MS after the last one. */
  | { type: 'quality'; transportId: number; streams: StreamQuality[] }
  | { type: 'stats'; requestId: number; transportId: number; stats: TransportStats | undefined }

export type DisconnectCause =
  | 'closed'
  | 'never-connected'
  | 'handshake-refused'
  | 'consent-expired'
  | 'peer-closed'
  | 'worker-failed'

export type TransportStats = {
  rttMs: number
  bytesIn: number
  bytesOut: number
  packetsIn: number
  packetsOut: number
  availableBps: number
  streams: StreamQuality[]
}

/** Where a worker can be reached: one host candidate per announced address. */
export type HostCandidate = { address: string; port: number }

/** The main thread's view of all workers together. Implemented in core/io, faked in tests of the doors. */
export interface MediaPlane {
  /** SHA-256 fingerprint of the node's certificate, shared by all workers. */
  readonly fingerprint: Fingerprint
  /** Reserves an id on the least loaded worker, where it stays for life. */
  reserve(roomId: number): { transportId: number; candidates: HostCandidate[] }
  send(command: MediaCommand): void
  /** Answers within 2 s, undefined when the transport is gone. */
  stats(transportId: number): Promise<TransportStats | undefined>
  onReport: (report: MediaReport) => void
  close(): Promise<void>
}
