import test from 'ava'
import {
  SRTP_PACKET_BYTES_MAX,
  SRTP_RESEAL_WINDOW,
  SRTP_SEND_SSRCS_MAX,
  SRTP_SLAB_SLOTS,
} from '../../../config/index.ts'
import { SRTP_KEYSTREAM_REUSE, SRTP_MALFORMED, SRTP_REFUSED, SRTP_SLAB_FULL } from './outcome.ts'
import {
  createRig,
  masterOf,
  PROFILES,
  type Rig,
  rtcpPacket,
  rtpPacket,
  sealOne,
} from './test-rig.ts'

const SSRC = 99

function openOne(rig: Rig, profile: 'aes-cm' | 'aes-gcm' = 'aes-cm') {
  const context = rig.sender.addContext(masterOf(profile, 1), 7)
  return { context, stream: rig.sender.openStream(context, SSRC) }
}

test('packets of many transports and of mixed sizes leave in the order of sealing', (t) => {
  const rig = createRig()
  const streams = [0, 1, 2, 3, 4, 5, 6].map((n) =>
    rig.sender.openStream(rig.sender.addContext(masterOf('aes-cm', n), n), SSRC),
  )
  const expected: number[] = []
  for (let index = 0; index < 50; index += 1) {
    streams.forEach((stream, n) => {
      const payloadBytes = n < 4 ? 100 : 60 * n
      const packet = rtpPacket({ ssrc: SSRC, index, payloadBytes })
      rig.sender.seal(stream, packet, 0, packet.length, index)
      expected.push(n)
    })
  }
  rig.sender.flush()
  t.deepEqual(
    rig.sent.map(({ token }) => token),
    expected,
  )
})

test('at most three packets wait for company, and flush lets them go', (t) => {
  const rig = createRig()
  const { stream } = openOne(rig)
  for (let index = 0; index < 7; index += 1) {
    const packet = rtpPacket({ ssrc: SSRC, index, payloadBytes: 80 })
    rig.sender.seal(stream, packet, 0, packet.length, index)
  }
  t.is(rig.sent.length, 4)
  rig.sender.flush()
  t.is(rig.sent.length, 7)
  rig.sender.flush()
  t.is(rig.sent.length, 7)
})

test('a receiver opened between packets that wait does not disturb their tags', (t) => {
  const rig = createRig()
  const { stream } = openOne(rig)
  const receiver = rig.receiver(masterOf('aes-cm', 1))
  const packets = [0, 1, 2].map((index) => rtpPacket({ ssrc: SSRC, index, payloadBytes: 200 }))
  const first = sealOne(rig, stream, packets[0] as Buffer, 0) as Buffer
  rig.sender.seal(stream, packets[1] as Buffer, 0, 212, 1)
  rig.sender.seal(stream, packets[2] as Buffer, 0, 212, 2)
  t.is(receiver.openRtp(first, 0, first.length), 212)
  rig.sender.flush()
  for (const { bytes } of rig.sent) t.is(receiver.openRtp(bytes, 0, bytes.length), 212)
})

for (const profile of PROFILES) {
  test(`${profile}: the same index with the same bytes gives the same packet`, (t) => {
    const rig = createRig()
    const { stream } = openOne(rig, profile)
    const sealed: (Buffer | undefined)[] = []
    const packet = (index: number) => rtpPacket({ ssrc: SSRC, index, payloadBytes: 300 })
    for (let index = 65_000; index < 66_500; index += 1) {
      sealed.push(sealOne(rig, stream, packet(index), index))
    }
    for (const back of [1, 2, 15, 16, 17, 500, SRTP_RESEAL_WINDOW]) {
      const index = 66_500 - back
      const again = sealOne(rig, stream, packet(index), index)
      t.truthy(again)
      t.deepEqual(again, sealed[index - 65_000])
    }
  })

  test(`${profile}: the same index with other bytes never leaves`, (t) => {
    const rig = createRig()
    const { stream } = openOne(rig, profile)
    for (let index = 0; index < 40; index += 1) {
      sealOne(rig, stream, rtpPacket({ ssrc: SSRC, index, payloadBytes: 50 }), index)
    }
    for (const index of [0, 20, 39]) {
      const other = rtpPacket({ ssrc: SSRC, index, payloadBytes: 50, fill: 9 })
      t.is(sealOne(rig, stream, other, index), undefined)
    }
    t.is(rig.drops[-SRTP_KEYSTREAM_REUSE], 3)
  })

  test(`${profile}: an index behind the window is refused, one that was skipped is not`, (t) => {
    const rig = createRig()
    const { stream } = openOne(rig, profile)
    const packet = (index: number) => rtpPacket({ ssrc: SSRC, index, payloadBytes: 50 })
    sealOne(rig, stream, packet(10), 10)
    sealOne(rig, stream, packet(5_000), 5_000)
    const oldest = 5_000 - SRTP_RESEAL_WINDOW + 1
    t.truthy(sealOne(rig, stream, packet(oldest), oldest))
    const gone = packet(oldest - 1)
    t.is(rig.sender.seal(stream, gone, 0, gone.length, oldest - 1), SRTP_KEYSTREAM_REUSE)
  })
}

test('two different packets of one index in the same four lanes: only the first leaves', (t) => {
  const rig = createRig()
  const { stream } = openOne(rig)
  for (const fill of [1, 2]) {
    const packet = rtpPacket({ ssrc: SSRC, index: 5, payloadBytes: 64, fill })
    rig.sender.seal(stream, packet, 0, packet.length, 5)
  }
  rig.sender.flush()
  t.is(rig.sent.length, 1)
  t.is(rig.drops[-SRTP_KEYSTREAM_REUSE], 1)
})

test('an SSRC is opened once, even after it was closed', (t) => {
  const rig = createRig()
  const { context, stream } = openOne(rig)
  t.is(rig.sender.openStream(context, SSRC), SRTP_REFUSED)
  rig.sender.closeStream(stream)
  rig.sender.closeStream(stream)
  t.is(rig.sender.openStream(context, SSRC), SRTP_REFUSED)
})

test('SSRCs of a context end at the bound', (t) => {
  const rig = createRig()
  const { context } = openOne(rig)
  for (let i = 1; i < SRTP_SEND_SSRCS_MAX; i += 1)
    t.true(rig.sender.openStream(context, i + 1_000) >= 0)
  t.is(rig.sender.openStream(context, 5), SRTP_REFUSED)
})

test('handles that are closed stay closed when their place is used again', (t) => {
  const rig = createRig()
  const { context, stream } = openOne(rig)
  rig.sender.removeContext(context)
  rig.sender.removeContext(context)
  const again = openOne(rig)
  t.not(again.stream, stream)
  const packet = rtpPacket({ ssrc: SSRC, index: 1, payloadBytes: 64 })
  t.is(rig.sender.seal(stream, packet, 0, packet.length, 1), SRTP_REFUSED)
  t.is(rig.sender.sealRtcp(context, packet, 0, packet.length), SRTP_REFUSED)
  t.truthy(sealOne(rig, again.stream, packet, 1))
})

test('what waits when its transport goes is still emitted', (t) => {
  const rig = createRig()
  const { context, stream } = openOne(rig)
  const packet = rtpPacket({ ssrc: SSRC, index: 1, payloadBytes: 64 })
  rig.sender.seal(stream, packet, 0, packet.length, 1)
  rig.sender.removeContext(context)
  t.is(rig.sent.length, 1)
})

test('wrong headers, sizes and indexes are refused', (t) => {
  const rig = createRig()
  const { stream, context } = openOne(rig)
  const good = rtpPacket({ ssrc: SSRC, index: 1, payloadBytes: 64 })
  const seal = (packet: Buffer, index = 1) =>
    rig.sender.seal(stream, packet, 0, packet.length, index)
  t.is(seal(good, 2), SRTP_MALFORMED, 'an index that does not fit the sequence')
  t.is(seal(rtpPacket({ ssrc: 98, index: 1, payloadBytes: 64 })), SRTP_MALFORMED, 'another SSRC')
  t.is(seal(good.subarray(0, 11)), SRTP_MALFORMED, 'shorter than a header')
  t.is(seal(good, 2 ** 48 + 1), SRTP_REFUSED, 'beyond 48 bits')
  t.is(seal(good, -65_535), SRTP_REFUSED, 'negative')
  t.is(seal(good, Number.NaN), SRTP_MALFORMED)
  const lying = rtpPacket({ ssrc: SSRC, index: 1, payloadBytes: 64, extensionWords: 1 })
  lying.writeUInt16BE(18, 14)
  t.is(seal(lying), SRTP_MALFORMED, 'an extension beyond the end')
  const large = SRTP_PACKET_BYTES_MAX - 12
  t.is(seal(rtpPacket({ ssrc: SSRC, index: 1, payloadBytes: large + 1 })), SRTP_MALFORMED)
  t.is(seal(rtpPacket({ ssrc: SSRC, index: 1, payloadBytes: large })), 0)
  t.is(rig.sender.sealRtcp(context, good, 0, 7), SRTP_MALFORMED)
  t.is(rig.sender.seal(-1, good, 0, good.length, 1), SRTP_REFUSED)
  t.is(rig.sender.openStream(-8, 1), SRTP_REFUSED)
})

test('the highest index of all is sealed', (t) => {
  const rig = createRig()
  const { stream } = openOne(rig)
  const index = 2 ** 48 - 1
  t.truthy(sealOne(rig, stream, rtpPacket({ ssrc: SSRC, index, payloadBytes: 10 }), index))
})

test('no place that the socket may still read is written', (t) => {
  const rig = createRig()
  const { stream } = openOne(rig)
  rig.socket.queued = Number.POSITIVE_INFINITY
  let sealed = 0
  let code = 0
  for (let index = 0; code === 0 && index < SRTP_SLAB_SLOTS * 2; index += 1) {
    const packet = rtpPacket({ ssrc: SSRC, index, payloadBytes: 64 })
    code = rig.sender.seal(stream, packet, 0, packet.length, index)
    if (code === 0) sealed += 1
  }
  t.is(code, SRTP_SLAB_FULL)
  t.is(sealed, SRTP_SLAB_SLOTS)
  t.is(new Set(rig.socket.places).size, SRTP_SLAB_SLOTS)
  rig.socket.queued = 0
  const index = SRTP_SLAB_SLOTS * 2
  t.truthy(sealOne(rig, stream, rtpPacket({ ssrc: SSRC, index, payloadBytes: 64 }), index))
})

test('the last packets that the socket holds are kept while the slab goes round', (t) => {
  const rig = createRig()
  const { stream, context } = openOne(rig)
  rig.socket.queued = 200
  const report = rtcpPacket(1, 1)
  for (let index = 0; index < SRTP_SLAB_SLOTS * 3; index += 1) {
    const packet = rtpPacket({ ssrc: SSRC, index, payloadBytes: 20 })
    // Every 50th is refused at its tag, and its place lies between those that are being sent.
    rig.sender.seal(stream, packet, 0, packet.length, index)
    if (index % 50 === 0) {
      const other = rtpPacket({ ssrc: SSRC, index, payloadBytes: 20, fill: 2 })
      rig.sender.seal(stream, other, 0, other.length, index)
    }
    if (index % 70 === 0) rig.sender.sealRtcp(context, report, 0, report.length)
  }
  const { places } = rig.socket
  let overwritten = 0
  for (let i = 200; i < places.length; i += 1) {
    if (places.slice(i - 200, i).includes(places[i] as number)) overwritten += 1
  }
  t.is(overwritten, 0)
  t.is(rig.drops[-SRTP_SLAB_FULL], 0)
  t.true(places.length > SRTP_SLAB_SLOTS * 3)
})
