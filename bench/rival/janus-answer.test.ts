import test from 'ava'
import { answerWatching } from './janus-answer.ts'

const OFFER = [
  'v=0',
  'o=- 1 1 IN IP4 10.204.0.1',
  's=VideoRoom 1',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=ice-options:trickle',
  'a=ice-lite',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 10.204.0.1',
  'a=sendonly',
  'a=mid:0',
  'a=rtcp-mux',
  'a=ice-ufrag:THEIRS',
  'a=ice-pwd:SECRET',
  'a=fingerprint:sha-256 AA:BB',
  'a=setup:actpass',
  'a=rtpmap:111 opus/48000/2',
  'a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=candidate:1 1 udp 2015363327 10.204.0.1 40000 typ host',
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
  'a=sendonly',
  'a=mid:1',
  'a=rtpmap:96 VP8/90000',
  'a=rtcp-fb:96 nack pli',
  'a=msid:janus janus1',
  '',
].join('\r\n')

const identity = {
  ice: { usernameFragment: 'ours', password: 'ourpassword' },
  fingerprint: { algorithm: 'sha-256', value: 'CC:DD' },
}

test('every section is taken as offered, with our identity and none of theirs', (t) => {
  const lines = answerWatching(identity, OFFER).split('\r\n')
  const count = (wanted: string) => lines.filter((line) => line === wanted).length
  t.is(count('m=audio 9 UDP/TLS/RTP/SAVPF 111'), 1)
  t.is(count('m=video 9 UDP/TLS/RTP/SAVPF 96 97'), 1)
  t.is(count('a=group:BUNDLE 0 1'), 1)
  t.is(count('a=ice-ufrag:ours'), 2)
  t.is(count('a=fingerprint:sha-256 CC:DD'), 2)
  t.is(count('a=setup:active'), 2)
  t.is(count('a=recvonly'), 2)
  t.is(count('a=rtcp-fb:96 nack pli'), 1)
  const foreign = /THEIRS|SECRET|AA:BB|actpass|sendonly|candidate|msid|ice-lite|10\.204/
  t.deepEqual(
    lines.filter((line) => foreign.test(line)),
    [],
  )
})
