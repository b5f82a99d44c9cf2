import test from 'ava'
import { fuzz } from '../../test/fuzz.ts'
import { negotiate, parseFragment, parseOffer, type SectionUse, writeAnswer } from './index.ts'

const ICE = 'a=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa\r\n'
const FINGERPRINT = `a=fingerprint:sha-256 ${Array(32).fill('A1').join(':')}\r\n`

const session = (mids: string): string =>
  `v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE ${mids}\r\n${ICE}${FINGERPRINT}`
const AUDIO = `m=audio 9 UDP/TLS/RTP/SAVPF 111\r
a=mid:0\r\na=sendonly\r\na=rtcp-mux\r\na=setup:active\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=ssrc:7 cname:x\r\n`
const VIDEO = `m=video 9 UDP/TLS/RTP/SAVPF 96 97\r
a=mid:1\r\na=sendonly\r\na=rtcp-mux\r\na=setup:active\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r
a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r
a=rid:q send\r\na=rid:h send\r\na=simulcast:send q;h\r\n`
/** Short enough for a million of them, with all that is read: codecs, feedback, extensions, RIDs, SSRCs. */
const OFFERS = [
  `${session('0 1')}${AUDIO}${VIDEO}`,
  `${session('0')}${AUDIO}`,
  `${session('1')}${VIDEO}`,
]

const MICROPHONE: SectionUse = { mid: '0', use: 'microphone' }
const CAMERA: SectionUse = { mid: '1', use: 'camera' }
const LOCAL = {
  ice: { usernameFragment: 'locl', password: 'p'.repeat(24) },
  fingerprint: { algorithm: 'sha-256', value: Array(32).fill('CD').join(':') },
  candidates: [{ address: '192.0.2.7', port: 40_000 }],
}
/** Letter, equals sign, text: an answer that holds anything else has let something of the offer through. */
const ANSWER = /^([a-z]=[\x20-\x7e]+\r\n)+$/

function answerTo(sdp: string): string {
  const parsed = parseOffer(sdp)
  if (!parsed.ok) return ''
  const { offer } = parsed
  const uses = offer.sections.map(({ mid }) => (mid === '1' ? CAMERA : MICROPHONE))
  const negotiation = negotiate({ offer, uses, maySend: true, newPublicationId: () => 1 })
  if (!negotiation.ok) return ''
  const { sections } = negotiation
  const answer = writeAnswer({
    sections,
    local: LOCAL,
    extmapAllowMixed: offer.extmapAllowMixed,
    sessionId: 1,
    sessionVersion: 1,
  })
  if (!ANSWER.test(answer)) throw new Error(`answer with foreign text: ${answer}`)
  return answer.replace(/a=ssrc.*\r\n/g, '')
}

test.serial('offers: random and mutated text is refused or answered cleanly', (t) => {
  for (const offer of OFFERS) t.not(answerTo(offer), '')
  const result = fuzz({
    samples: OFFERS.map((offer) => Buffer.from(offer)),
    copies: true,
    parse: (bytes, start, end) =>
      answerTo(Buffer.from(bytes.subarray(start, end)).toString('utf8')) || 0,
  })
  t.log(result.summary)
  t.true(result.accepted > 0 && result.accepted < result.count)
  t.deepEqual(Object.keys(Object.prototype), [])
})

test.serial('trickle fragments: random and mutated text', (t) => {
  const result = fuzz({
    samples: [Buffer.from(`${ICE}m=audio 9 RTP/AVP 0\r\na=mid:0\r\n`)],
    copies: true,
    parse: (bytes, start, end) => {
      const text = Buffer.from(bytes.subarray(start, end)).toString('utf8')
      const ice = parseFragment(text)
      return ice === undefined ? 0 : `${ice.usernameFragment} ${ice.password}`
    },
  })
  t.log(result.summary)
  t.true(result.accepted > 0 && result.accepted < result.count)
})
