/**
 * What we understand of a peer's offer (RFC 8866, 8829), as plain data. Made by parse-offer.ts from
 * untrusted text: every string in here is short and has a known alphabet, so that it may be written
 * into an answer.
 */

import type { Fingerprint, IceCredentials } from '../../core/media/control.ts'

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

export type OfferedCodec = {
  payloadType: number
  /** Encoding name in lower case: opus, red, vp8, rtx ... */
  name: string
  clockRate: number
  /** Audio channels; 1 when the offer does not say. */
  channels: number
  /** As offered; empty when absent or when it holds characters that parameters do not need. */
  fmtp: string
  /** `nack`, `nack pli`, `ccm fir`, `transport-cc`, `goog-remb`. */
  feedback: ReadonlySet<string>
}

export type OfferedSection = {
  /** The first field of the m-line: audio, video, application ... at most 16 letters. */
  media: string
  protocol: string
  /** Payload types or formats of the m-line, for the refusal of a section. */
  formats: string
  mid: string
  direction: Direction
  /** In the BUNDLE group, with rtcp-mux, not disabled by port 0, and a kind that we handle. */
  usable: boolean
  codecs: OfferedCodec[]
  /** URI to id, for the URIs that we know. */
  extensions: ReadonlyMap<string, number>
  /** RIDs of a=simulcast:send, in SDP order. */
  sendRids: string[]
  ssrcs: { ssrc: number; rtxSsrc?: number }[]
}

export type Offer = {
  iceRemote: IceCredentials
  fingerprints: Fingerprint[]
  sections: OfferedSection[]
  extmapAllowMixed: boolean
}
