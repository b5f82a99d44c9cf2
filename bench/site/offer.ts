/**
 * The SDP that a synthetic site offers, and what it needs of the answer. Written for our own server
 * (RFC 9429 shape, BUNDLE, client always active); not a general SDP writer.
 */
import { randomBytes } from 'node:crypto'
import type { Fingerprint, IceCredentials } from '../../core/media/control.ts'

/** One m-line of the offer. */
export type SitePlan = {
  use: 'microphone' | 'camera' | 'screen' | 'audio' | 'main' | 'tile'
  /** RIDs to send, lowest picture first; camera only. */
  rids?: readonly string[]
}

export type SiteOffer = { sdp: string; sections: { mid: string; use: SitePlan['use'] }[] }

/** What the offer says of this site. */
export type SiteIdentity = { ice: IceCredentials; fingerprint: Fingerprint }

/** The other side, as its answer tells. */
export type SiteAnswer = {
  ice: IceCredentials
  fingerprints: Fingerprint[]
  candidates: { address: string; port: number }[]
  /** By mid: negotiated extension ids. */
  extensions: Map<string, Map<string, number>>
  /** By mid: SSRC of the slot. */
  ssrcs: Map<string, number>
  /** RTX SSRC to the SSRC that it repairs. */
  repairs: Map<number, number>
}

export const OPUS_PAYLOAD_TYPE = 111
export const VP8_PAYLOAD_TYPE = 96
export const RTX_PAYLOAD_TYPE = 97
export const MID_EXTENSION = 'urn:ietf:params:rtp-hdrext:sdes:mid'
export const RID_EXTENSION = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id'
export const REPAIRED_RID_EXTENSION = 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id'
export const LEVEL_EXTENSION = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level'
export const TRANSPORT_WIDE_EXTENSION =
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01'

/** Fresh ICE credentials (RFC 8445 §5.3). */
export function createIceCredentials(): IceCredentials {
  return {
    usernameFragment: randomBytes(6).toString('base64url').replace(/[-_]/g, 'x'),
    password: randomBytes(18).toString('base64url').replace(/[-_]/g, 'x'),
  }
}

/**
 * An offer with the given m-lines. `transportWide`: also negotiate transport-wide feedback, which
 * the site must then generate; receivers that only count leave it out and are estimated by receiver
 * reports.
 */
export function siteOffer(
  identity: SiteIdentity,
  plans: readonly SitePlan[],
  { transportWide }: { transportWide: boolean },
): SiteOffer {
  const mids = plans.map((_, index) => String(index))
  const head = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${mids.join(' ')}`,
    'a=extmap-allow-mixed',
  ]
  const sections = plans.flatMap((plan, index) =>
    sectionLines(identity, plan, { mid: String(index), transportWide }),
  )
  return {
    sdp: `${[...head, ...sections].join('\r\n')}\r\n`,
    sections: plans.map(({ use }, index) => ({ mid: String(index), use })),
  }
}

function sectionLines(
  { ice, fingerprint }: SiteIdentity,
  plan: SitePlan,
  { mid, transportWide }: { mid: string; transportWide: boolean },
): string[] {
  const isAudio = plan.use === 'audio' || plan.use === 'microphone'
  const sends = plan.use === 'microphone' || plan.use === 'camera' || plan.use === 'screen'
  const formats = isAudio ? `${OPUS_PAYLOAD_TYPE}` : `${VP8_PAYLOAD_TYPE} ${RTX_PAYLOAD_TYPE}`
  return [
    `m=${isAudio ? 'audio' : 'video'} 9 UDP/TLS/RTP/SAVPF ${formats}`,
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    `a=ice-ufrag:${ice.usernameFragment}`,
    `a=ice-pwd:${ice.password}`,
    `a=fingerprint:${fingerprint.algorithm} ${fingerprint.value}`,
    'a=setup:active',
    `a=mid:${mid}`,
    `a=extmap:1 ${MID_EXTENSION}`,
    ...(isAudio ? [`a=extmap:2 ${LEVEL_EXTENSION}`] : []),
    ...(plan.rids === undefined
      ? []
      : [`a=extmap:4 ${RID_EXTENSION}`, `a=extmap:5 ${REPAIRED_RID_EXTENSION}`]),
    ...(transportWide ? [`a=extmap:3 ${TRANSPORT_WIDE_EXTENSION}`] : []),
    sends ? 'a=sendonly' : 'a=recvonly',
    'a=rtcp-mux',
    'a=rtcp-rsize',
    ...(isAudio ? audioCodec() : videoCodec()),
    ...(transportWide
      ? [`a=rtcp-fb:${isAudio ? OPUS_PAYLOAD_TYPE : VP8_PAYLOAD_TYPE} transport-cc`]
      : []),
    ...(plan.rids ?? []).map((rid) => `a=rid:${rid} send`),
    ...(plan.rids === undefined ? [] : [`a=simulcast:send ${plan.rids.join(';')}`]),
  ]
}

function audioCodec(): string[] {
  return [
    `a=rtpmap:${OPUS_PAYLOAD_TYPE} opus/48000/2`,
    `a=fmtp:${OPUS_PAYLOAD_TYPE} minptime=10;useinbandfec=1`,
  ]
}

function videoCodec(): string[] {
  return [
    `a=rtpmap:${VP8_PAYLOAD_TYPE} VP8/90000`,
    ...['goog-remb', 'ccm fir', 'nack', 'nack pli'].map(
      (fb) => `a=rtcp-fb:${VP8_PAYLOAD_TYPE} ${fb}`,
    ),
    `a=rtpmap:${RTX_PAYLOAD_TYPE} rtx/90000`,
    `a=fmtp:${RTX_PAYLOAD_TYPE} apt=${VP8_PAYLOAD_TYPE}`,
  ]
}

/** Reads an answer; throws an Error that says what is missing. */
export function readAnswer(sdp: string): SiteAnswer {
  const usernameFragment = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1]
  const password = /^a=ice-pwd:(\S+)/m.exec(sdp)?.[1]
  if (usernameFragment === undefined || password === undefined)
    throw new Error('answer without ICE')
  const fingerprints = [...sdp.matchAll(/^a=fingerprint:(\S+) (\S+)/gm)].map(
    ([, algorithm = '', value = '']) => ({ algorithm, value }),
  )
  const candidates = [...sdp.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host/gim)].map(
    ([, address = '', port]) => ({ address, port: Number(port) }),
  )
  if (candidates.length === 0) throw new Error('answer without candidates')
  return {
    ice: { usernameFragment, password },
    fingerprints,
    candidates,
    extensions: readExtensions(sdp),
    ...readSsrcs(sdp),
  }
}

function readSsrcs(sdp: string): Pick<SiteAnswer, 'ssrcs' | 'repairs'> {
  const ssrcs = new Map<string, number>()
  for (const section of sdp.split(/^m=/m).slice(1)) {
    const mid = /^a=mid:(\S+)/m.exec(section)?.[1]
    const ssrc = /^a=ssrc:(\d+)/m.exec(section)?.[1]
    if (mid !== undefined && ssrc !== undefined) ssrcs.set(mid, Number(ssrc))
  }
  const groups = [...sdp.matchAll(/^a=ssrc-group:FID (\d+) (\d+)/gm)]
  const repairs = groups.map(([, ssrc, rtx]): [number, number] => [Number(rtx), Number(ssrc)])
  return { ssrcs, repairs: new Map(repairs) }
}

function readExtensions(sdp: string): SiteAnswer['extensions'] {
  const byMid = new Map<string, Map<string, number>>()
  for (const section of sdp.split(/^m=/m).slice(1)) {
    const mid = /^a=mid:(\S+)/m.exec(section)?.[1]
    if (mid === undefined) continue
    const ids = [...section.matchAll(/^a=extmap:(\d+)\S* (\S+)/gm)].map(
      ([, id, uri = '']): [string, number] => [uri, Number(id)],
    )
    byMid.set(mid, new Map(ids))
  }
  return byMid
}
