import test from 'ava'
import fc from 'fast-check'
import type { IncomingSection, OutgoingSection } from '../../core/media/control.ts'
import {
  type OfferChoice,
  type OfferPart,
  offerOf,
  SITE_PARTS,
  SITE_SECTIONS,
} from '../test/offers.ts'
import {
  negotiate,
  parseFragment,
  parseOffer,
  type SectionUse,
  writeAnswer,
  writeFragment,
} from './index.ts'
import { orderRids } from './simulcast.ts'

const LOCAL = {
  ice: { usernameFragment: 'locl', password: 'p'.repeat(24) },
  fingerprint: { algorithm: 'sha-256', value: Array(32).fill('CD').join(':') },
  candidates: [
    { address: '192.0.2.7', port: 40_000 },
    { address: '2001:db8::7', port: 40_000 },
  ],
}

type Result = { answer: string; sections: (IncomingSection | OutgoingSection | undefined)[] }

function answerTo(sdp: string, uses: readonly SectionUse[], maySend = true): Result {
  const parsed = parseOffer(sdp)
  if (!parsed.ok) throw new Error(parsed.message)
  let id = 0
  const result = negotiate({ offer: parsed.offer, uses, maySend, newPublicationId: () => ++id })
  if (!result.ok) throw new Error(result.message)
  const { extmapAllowMixed } = parsed.offer
  const answer = writeAnswer({
    sections: result.sections,
    local: LOCAL,
    extmapAllowMixed,
    sessionId: 1,
    sessionVersion: 1,
  })
  return { answer, sections: result.sections.map(({ section }) => section) }
}

function mediaOf(answer: string, index: number): string[] {
  return (answer.split(/(?=^m=)/m)[index + 1] ?? '').split('\r\n')
}

function refusalOf(sdp: string): string {
  const parsed = parseOffer(sdp)
  return parsed.ok ? 'accepted' : parsed.code
}

const one = (part: Partial<OfferPart> = {}, choice: OfferChoice = {}): string =>
  offerOf([{ mid: '0', kind: 'video', direction: 'sendonly', ...part }], choice)
const CAMERA: SectionUse[] = [{ mid: '0', use: 'camera' }]
const MAIN: SectionUse[] = [{ mid: '0', use: 'main' }]

test('the answer to a whole site has every section in its place, lite, passive and bundled', (t) => {
  const { answer } = answerTo(offerOf(SITE_PARTS), SITE_SECTIONS)
  t.is(answer.match(/^m=/gm)?.length, SITE_PARTS.length)
  t.true(answer.includes('\r\na=ice-lite\r\n'))
  t.true(answer.includes('\r\na=group:BUNDLE 0 1 2 3 4 5 6 7 8\r\n'))
  t.is(answer.match(/^a=setup:passive\r$/gm)?.length, 9)
  t.is(answer.match(/^a=end-of-candidates\r$/gm)?.length, 9)
  t.is(answer.match(/^a=rtcp-mux\r$/gm)?.length, 9)
  t.true(answer.endsWith('\r\n'))
  t.regex(answer, /^a=candidate:1 1 udp \d+ 192\.0\.2\.7 40000 typ host\r$/m)
  t.regex(answer, /^a=candidate:2 1 udp \d+ 2001:db8::7 40000 typ host\r$/m)
})

test('mDNS candidates of the peer appear nowhere', (t) => {
  t.false(answerTo(offerOf(SITE_PARTS), SITE_SECTIONS).answer.includes('.local'))
})

test('a publisher gets one video codec, VP8 before others, with its RTX', (t) => {
  const { answer, sections } = answerTo(one({ rids: ['q', 'h', 'f'] }), CAMERA)
  t.regex(answer, /^m=video 9 UDP\/TLS\/RTP\/SAVPF 96 97\r$/m)
  t.like(sections[0], { codecs: [{ codec: 'vp8', payloadType: 96, rtxPayloadType: 97 }] })
  t.deepEqual(sections[0]?.feedback, { nack: true, pli: true, transportWide: true, remb: true })
})

test('a slot takes all codecs that the receiver offers, H.264 in its best form once', (t) => {
  const { sections } = answerTo(one({ direction: 'recvonly' }), MAIN)
  const codecs = sections[0]?.codecs.map(({ codec, payloadType }) => `${codec} ${payloadType}`)
  t.deepEqual(codecs, ['vp8 96', 'h264 109', 'vp9 98', 'av1 39'])
})

test('without VP8 a publisher gets constrained baseline in packetization mode 1', (t) => {
  const { answer } = answerTo(one({}, { without: /VP8/ }), CAMERA)
  t.regex(answer, /^m=video 9 UDP\/TLS\/RTP\/SAVPF 109 114\r$/m)
  t.regex(answer, /^a=fmtp:109 .*packetization-mode=1;profile-level-id=42e01f\r$/m)
})

test('H.264 in packetization mode 0 alone is no codec in common', (t) => {
  const codecs = { payloadTypes: '107', lines: ['a=rtpmap:107 H264/90000'] }
  const parsed = parseOffer(one({ codecs }))
  t.true(parsed.ok)
  if (!parsed.ok) return
  const { offer } = parsed
  const result = negotiate({ offer, uses: CAMERA, maySend: true, newPublicationId: () => 1 })
  t.like(result, { ok: false, code: 'unsupported-media' })
})

test('audio is Opus with in-band FEC and DTX, RED behind it in the offered order', (t) => {
  const { answer, sections } = answerTo(one({ kind: 'audio' }), [{ mid: '0', use: 'microphone' }])
  t.regex(answer, /^a=fmtp:111 .*useinbandfec=1;usedtx=1\r$/m)
  t.regex(answer, /^a=fmtp:63 111\/111\r$/m)
  t.deepEqual(
    sections[0]?.codecs.map(({ codec }) => codec),
    ['opus', 'red'],
  )
  t.false(answer.includes('G722'))
})

test('RED over something else than the Opus of the section is not taken', (t) => {
  const lines = ['a=rtpmap:111 opus/48000/2', 'a=rtpmap:63 red/48000/2', 'a=fmtp:63 0/0']
  const codecs = { payloadTypes: '63 111', lines }
  const { sections } = answerTo(one({ kind: 'audio', direction: 'recvonly', codecs }), [
    { mid: '0', use: 'audio' },
  ])
  t.deepEqual(
    sections[0]?.codecs.map(({ codec }) => codec),
    ['opus'],
  )
})

test('simulcast is answered with the accepted streams, lowest picture first', (t) => {
  const { answer, sections } = answerTo(one({ rids: ['f', 'h', 'q'] }), CAMERA)
  t.regex(answer, /^a=simulcast:recv q;h;f\r$/m)
  t.is(answer.match(/^a=rid:[qhf] recv\r$/gm)?.length, 3)
  t.like(sections[0], { direction: 'in', rids: ['q', 'h', 'f'] })
})

test('the order of simulcast streams is by usual names, else as offered', (t) => {
  t.deepEqual(orderRids(['h', 'l', 'm']), ['l', 'm', 'h'])
  t.deepEqual(orderRids(['f', 'q', 'h']), ['q', 'h', 'f'])
  t.deepEqual(orderRids(['h', 'q']), ['q', 'h'])
  t.deepEqual(orderRids(['high', 'low']), ['low', 'high'])
  t.deepEqual(orderRids(['x', 'a', 'q']), ['x', 'a', 'q'])
  t.deepEqual(orderRids([]), [])
})

test('at most three simulcast streams, each once, each declared', (t) => {
  const extra = ['a=rid:a send', 'a=simulcast:send a;a;b;__proto__;c,d;~e']
  const { sections } = answerTo(one({ extra: [...extra, 'a=rid:c send', 'a=rid:e send'] }), CAMERA)
  t.like(sections[0], { rids: ['a', 'c', 'e'] })
  const many = answerTo(one({ rids: ['a1', 'a2', 'a3', 'a4', 'a5'] }), CAMERA)
  t.like(many.sections[0], { rids: ['a1', 'a2', 'a3'] })
})

test('VP9 is taken as a single stream', (t) => {
  const { sections } = answerTo(one({ rids: ['q', 'h'] }, { without: /VP8|H264|AV1/ }), CAMERA)
  t.like(sections[0], { codecs: [{ codec: 'vp9' }], rids: [] })
})

test('extensions are those of the direction, with the peer’s ids', (t) => {
  const { sections } = answerTo(offerOf(SITE_PARTS), SITE_SECTIONS)
  t.deepEqual(sections[0]?.extensions, {
    mid: 4,
    audioLevel: 1,
    transportWide: 3,
    absSendTime: 2,
  })
  t.deepEqual(sections[1]?.extensions, {
    mid: 4,
    rid: 10,
    repairedRid: 11,
    transportWide: 3,
    absSendTime: 2,
  })
  t.deepEqual(sections[6]?.extensions, { mid: 4, transportWide: 3, absSendTime: 2 })
})

test('slot SSRCs are the same for every receiver, differ between slots, and stand in the answer', (t) => {
  const first = answerTo(offerOf(SITE_PARTS), SITE_SECTIONS)
  const second = answerTo(offerOf(SITE_PARTS.slice(3)), SITE_SECTIONS.slice(3))
  const ssrcs = (result: Result): number[] =>
    result.sections.flatMap((section) =>
      section?.direction === 'out' ? [section.ssrc, section.rtxSsrc].filter(Boolean) : [],
    )
  t.deepEqual(ssrcs(first), ssrcs(second))
  t.is(new Set(ssrcs(first)).size, ssrcs(first).length)
  for (const ssrc of ssrcs(first)) t.true(first.answer.includes(`a=ssrc:${ssrc} cname:`))
  t.is(first.answer.match(/^a=ssrc-group:FID /gm)?.length, 3)
})

test('sections that nobody asked for, of the wrong direction or beyond the bound are rejected', (t) => {
  const parts: OfferPart[] = [
    { mid: 'a', kind: 'video', direction: 'recvonly' },
    { mid: 'b', kind: 'video', direction: 'recvonly' },
    { mid: 'c', kind: 'video', direction: 'sendonly' },
    { mid: 'd', kind: 'video', direction: 'inactive' },
    { mid: 'e', kind: 'audio', direction: 'recvonly' },
  ]
  const { answer } = answerTo(offerOf(parts), [
    { mid: 'a', use: 'main' },
    { mid: 'b', use: 'main' },
    { mid: 'c', use: 'tile' },
    { mid: 'd', use: 'tile' },
  ])
  for (const index of [1, 2, 3, 4]) {
    t.regex(mediaOf(answer, index)[0] ?? '', /^m=(audio|video) 0 /)
    t.true(mediaOf(answer, index).includes('a=inactive'))
  }
  t.regex(answer, /^a=group:BUNDLE a\r$/m)
})

test('a data channel is rejected in its place', (t) => {
  const application = [
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    'a=mid:data',
    'a=sctp-port:5000',
  ].join('\r\n')
  const sdp = `${one()}${application}\r\n`
  const { answer } = answerTo(sdp, CAMERA)
  t.is(mediaOf(answer, 1)[0], 'm=application 0 UDP/DTLS/SCTP webrtc-datachannel')
})

test('roles that may never send have their sections rejected', (t) => {
  const { sections } = answerTo(offerOf(SITE_PARTS), SITE_SECTIONS, false)
  t.deepEqual(
    sections.map((section) => section?.direction),
    [undefined, undefined, undefined, ...Array(6).fill('out')],
  )
})

for (const [name, uses] of [
  ['a mid that is not offered', [{ mid: '9', use: 'camera' }]],
  ['a mid twice', [...CAMERA, ...CAMERA]],
  ['audio use for a video section', [{ mid: '0', use: 'microphone' }]],
] as const) {
  test(`sections with ${name} are refused`, (t) => {
    const parsed = parseOffer(one())
    if (!parsed.ok) return t.fail()
    const { offer } = parsed
    const result = negotiate({ offer, uses, maySend: true, newPublicationId: () => 1 })
    t.like(result, { ok: false, code: 'bad-sdp' })
  })
}

const REFUSED: Record<string, [string, string]> = {
  empty: ['', 'bad-sdp'],
  'no m-line': ['v=0\r\na=group:BUNDLE 0\r\n', 'bad-sdp'],
  'no BUNDLE': [one({}, { bundle: undefined }), 'bad-sdp'],
  'BUNDLE without the section': [one({}, { bundle: 'BUNDLE 7' }), 'bad-sdp'],
  'no rtcp-mux': [one({}, { without: /rtcp-mux/ }), 'bad-sdp'],
  'no fingerprint': [one({}, { without: /fingerprint/ }), 'bad-sdp'],
  'SHA-1 fingerprint': [
    one({}, { without: /fingerprint/, session: [`a=fingerprint:sha-1 ${'AA:'.repeat(19)}AA`] }),
    'bad-sdp',
  ],
  'short fingerprint': [one({}, { fingerprint: 'AA:BB' }), 'bad-sdp'],
  'passive peer': [one({}, { setup: 'passive' }), 'bad-sdp'],
  'lite peer': [one({}, { session: ['a=ice-lite'] }), 'bad-sdp'],
  'short ufrag': [one({}, { ufrag: 'abc' }), 'bad-sdp'],
  'short password': [one({}, { pwd: 'short' }), 'bad-sdp'],
  'password of 257': [one({}, { pwd: 'x'.repeat(257) }), 'bad-sdp'],
  'no mid': [one({}, { without: /a=mid/ }), 'bad-sdp'],
  'mid twice': [
    offerOf([
      { mid: '0', kind: 'audio', direction: 'sendonly' },
      { mid: '0', kind: 'video', direction: 'sendonly' },
    ]),
    'bad-sdp',
  ],
  'mid __proto__': [one({ mid: '__proto__' }), 'bad-sdp'],
  'mid constructor': [one({ mid: 'constructor' }), 'bad-sdp'],
  'mid of 17': [one({ mid: 'x'.repeat(17) }), 'bad-sdp'],
  'mid ../': [one({ mid: '../../etc' }), 'bad-sdp'],
  'mid with a lone CR': [one({ mid: 'a\ra=inactive' }), 'bad-sdp'],
  'NUL anywhere': [one({ extra: ['a=x\0y'] }), 'bad-sdp'],
  'ANSI escape': [one({ extra: ['a=x\u001b[2J'] }), 'bad-sdp'],
  'one megabyte': [one({ extra: Array(40_000).fill('a=padding:xxxxxxxxxxxxxxx') }), 'too-large'],
  'one endless line': [one({ extra: [`a=x:${'y'.repeat(5_000)}`] }), 'too-large'],
  '10,000 m-lines': [`v=0\r\n${'m=audio 9 X 0\r\n'.repeat(10_000)}`, 'too-large'],
  '65 m-lines': [
    offerOf(
      Array.from({ length: 65 }, (_, i) => ({
        mid: String(i),
        kind: 'audio',
        direction: 'recvonly',
        codecs: { payloadTypes: '111', lines: [] },
      })),
    ),
    'too-large',
  ],
}

for (const [name, [sdp, code]] of Object.entries(REFUSED)) {
  test(`refused: ${name}`, (t) => {
    t.is(refusalOf(sdp), code)
  })
}

test('a hostile parameter line does not reach the answer', (t) => {
  const codecs = {
    payloadTypes: '109',
    lines: [
      'a=rtpmap:109 H264/90000',
      'a=fmtp:109 packetization-mode=1;profile-level-id=42e01f;x="<script>"',
    ],
  }
  const parsed = parseOffer(one({ codecs }))
  if (!parsed.ok) return t.fail()
  t.is(parsed.offer.sections[0]?.codecs[0]?.fmtp, '')
})

test('declared SSRCs are kept for peers without MID, RTX by its FID group, and bounded', (t) => {
  const extra = [
    'a=ssrc-group:FID 11 12',
    'a=ssrc:11 cname:a',
    'a=ssrc:12 cname:a',
    'a=ssrc:0 cname:a',
  ]
  const { sections } = answerTo(one({ extra }), CAMERA)
  t.like(sections[0], { ssrcs: [{ ssrc: 11, rtxSsrc: 12 }] })
  const many = Array.from({ length: 1_000 }, (_, i) => `a=ssrc:${i + 1} cname:a`)
  const flooded = answerTo(one({ extra: many }), CAMERA).sections[0]
  t.is(flooded?.direction === 'in' ? flooded.ssrcs.length : 0, 16)
})

test('mutated offers never throw, and an accepted one makes an answer without foreign lines', (t) => {
  const base = offerOf(SITE_PARTS)
  const pieces = fc.constantFrom(
    '\r\n',
    '\n',
    '__proto__',
    'a=mid:',
    'm=video 9 ',
    ';',
    ' ',
    '=',
    ':',
    '\u2028',
    '99999999999',
    '-1',
  )
  const edit = fc.record({
    at: fc.nat(base.length),
    cut: fc.nat(30),
    put: fc.oneof(pieces, fc.string({ maxLength: 8 })),
  })
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let sdp = base
        for (const { at, cut, put } of edits) sdp = sdp.slice(0, at) + put + sdp.slice(at + cut)
        const parsed = parseOffer(sdp)
        if (!parsed.ok) return true
        const uses = SITE_SECTIONS.filter(({ mid }) =>
          parsed.offer.sections.some((s) => s.mid === mid),
        )
        const result = negotiate({
          offer: parsed.offer,
          uses,
          maySend: true,
          newPublicationId: () => 1,
        })
        if (!result.ok) return true
        const answer = writeAnswer({
          sections: result.sections,
          local: LOCAL,
          extmapAllowMixed: false,
          sessionId: 1,
          sessionVersion: 1,
        })
        return answer
          .split('\r\n')
          .slice(0, -1)
          .every((line) => /^[a-z]=[\x20-\x7e]*$/.test(line))
      }),
      { numRuns: 1_500 },
    ),
  )
  t.deepEqual(Object.keys(Object.prototype), [])
})

test('a fragment gives its credentials, and nothing else is one', (t) => {
  const ice = { usernameFragment: 'abcd', password: 'abcdefghijklmnopqrstuvwx' }
  t.deepEqual(parseFragment(writeFragment(ice, '0', LOCAL.candidates)), ice)
  t.is(parseFragment(''), undefined)
  t.is(parseFragment('a=ice-ufrag:abcd\r\n'), undefined)
  t.is(parseFragment('a=ice-ufrag:ab\r\na=ice-pwd:short\r\n'), undefined)
  t.is(parseFragment('{"not":"sdp"}'), undefined)
  t.is(parseFragment('a=ice-ufrag:abcd\0\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n'), undefined)
})
