/** For tests of the doors: offers as Chromium writes them, with every part replaceable. */

export type OfferPart = {
  mid: string
  kind: 'audio' | 'video'
  direction: 'sendonly' | 'recvonly' | 'sendrecv' | 'inactive'
  rids?: string[]
  /** Lines instead of Chromium's codecs, with their payload types. */
  codecs?: { payloadTypes: string; lines: string[] }
  extra?: string[]
  port?: number
}

export type OfferChoice = {
  ufrag?: string
  pwd?: string
  fingerprint?: string
  setup?: string
  session?: string[]
  bundle?: string | undefined
  without?: RegExp
}

const FINGERPRINT_A = Array(32).fill('A1').join(':')
export const FINGERPRINT_B = Array(32).fill('B2').join(':')

const AUDIO = {
  payloadTypes: '111 63 9 0 8',
  lines: [
    'a=rtpmap:111 opus/48000/2',
    'a=rtcp-fb:111 transport-cc',
    'a=fmtp:111 minptime=10;useinbandfec=1',
    'a=rtpmap:63 red/48000/2',
    'a=fmtp:63 111/111',
    'a=rtpmap:9 G722/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
  ],
}

function videoCodec(pt: number, rtx: number, name: string, fmtp?: string): string[] {
  return [
    `a=rtpmap:${pt} ${name}/90000`,
    ...['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli'].map(
      (feedback) => `a=rtcp-fb:${pt} ${feedback}`,
    ),
    ...(fmtp === undefined ? [] : [`a=fmtp:${pt} ${fmtp}`]),
    `a=rtpmap:${rtx} rtx/90000`,
    `a=fmtp:${rtx} apt=${pt}`,
  ]
}

const H264 = 'level-asymmetry-allowed=1;packetization-mode='
const VIDEO = {
  payloadTypes: '96 97 103 104 107 108 109 114 39 40 98 99',
  lines: [
    ...videoCodec(96, 97, 'VP8'),
    ...videoCodec(103, 104, 'H264', `${H264}1;profile-level-id=42001f`),
    ...videoCodec(107, 108, 'H264', `${H264}0;profile-level-id=42e01f`),
    ...videoCodec(109, 114, 'H264', `${H264}1;profile-level-id=42e01f`),
    ...videoCodec(39, 40, 'AV1', 'level-idx=5;profile=0;tier=0'),
    ...videoCodec(98, 99, 'VP9', 'profile-id=0'),
  ],
}

const EXTENSIONS = {
  audio: [
    'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
    'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
  ],
  video: [
    'a=extmap:14 urn:ietf:params:rtp-hdrext:toffset',
    'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    'a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
    'a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  ],
}

function section(part: OfferPart, choice: OfferChoice): string[] {
  const { payloadTypes, lines } = part.codecs ?? (part.kind === 'audio' ? AUDIO : VIDEO)
  const rids = part.rids ?? []
  return [
    `m=${part.kind} ${part.port ?? 9} UDP/TLS/RTP/SAVPF ${payloadTypes}`,
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=candidate:1 1 udp 2113937151 0b6f0c1a-7c0a-4f55-8a77-1d6e4e7b9d0a.local 53221 typ host',
    `a=ice-ufrag:${choice.ufrag ?? 'abcd'}`,
    `a=ice-pwd:${choice.pwd ?? 'abcdefghijklmnopqrstuvwx'}`,
    'a=ice-options:trickle',
    `a=fingerprint:sha-256 ${choice.fingerprint ?? FINGERPRINT_A}`,
    `a=setup:${choice.setup ?? 'actpass'}`,
    `a=mid:${part.mid}`,
    ...EXTENSIONS[part.kind],
    `a=${part.direction}`,
    'a=rtcp-mux',
    'a=rtcp-rsize',
    ...lines,
    ...rids.map((rid) => `a=rid:${rid} send`),
    ...(rids.length === 0 ? [] : [`a=simulcast:send ${rids.join(';')}`]),
    ...(part.extra ?? []),
  ]
}

/** An offer with these sections. */
export function offerOf(parts: readonly OfferPart[], choice: OfferChoice = {}): string {
  const mids = parts.map(({ mid }) => mid).join(' ')
  const bundle = 'bundle' in choice ? choice.bundle : `BUNDLE ${mids}`
  const lines = [
    'v=0',
    'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    ...(bundle === undefined ? [] : [`a=group:${bundle}`]),
    'a=extmap-allow-mixed',
    'a=msid-semantic: WMS',
    ...(choice.session ?? []),
    ...parts.flatMap((part) => section(part, choice)),
  ]
  const kept = lines.filter((line) => !choice.without?.test(line))
  return `${kept.join('\r\n')}\r\n`
}

export const SITE_PARTS: OfferPart[] = [
  { mid: '0', kind: 'audio', direction: 'sendonly' },
  { mid: '1', kind: 'video', direction: 'sendonly', rids: ['q', 'h', 'f'] },
  { mid: '2', kind: 'video', direction: 'sendonly' },
  { mid: '3', kind: 'audio', direction: 'recvonly' },
  { mid: '4', kind: 'audio', direction: 'recvonly' },
  { mid: '5', kind: 'audio', direction: 'recvonly' },
  { mid: '6', kind: 'video', direction: 'recvonly' },
  { mid: '7', kind: 'video', direction: 'recvonly' },
  { mid: '8', kind: 'video', direction: 'recvonly' },
]

export const SITE_SECTIONS = [
  { mid: '0', use: 'microphone' },
  { mid: '1', use: 'camera' },
  { mid: '2', use: 'screen' },
  { mid: '3', use: 'audio' },
  { mid: '4', use: 'audio' },
  { mid: '5', use: 'audio' },
  { mid: '6', use: 'main' },
  { mid: '7', use: 'tile' },
  { mid: '8', use: 'tile' },
] as const
