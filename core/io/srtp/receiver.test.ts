import test from 'ava'
import {
  SRTCP_REPLAY_WINDOW,
  SRTP_RECEIVE_SSRCS_MAX,
  SRTP_REPLAY_WINDOW,
} from '../../../config/index.ts'
import {
  SRTP_AUTH_FAILED,
  SRTP_MALFORMED,
  SRTP_REFUSED,
  SRTP_REPLAYED,
  SRTP_SSRC_LIMIT,
  SRTP_TOO_OLD,
} from './outcome.ts'
import {
  createRig,
  masterOf,
  PROFILES,
  type Profile,
  rtcpPacket,
  rtpPacket,
  sealOne,
} from './test-rig.ts'

const SSRC = 0xffff_fff0

/** A sender and a receiver of one transport; `seal` gives fresh bytes each time, `open` opens a copy. */
function createPair(profile: Profile) {
  const rig = createRig()
  const master = masterOf(profile, 5)
  const context = rig.sender.addContext(master, 1)
  const streams = new Map<number, number>()
  const receiver = rig.receiver(master)
  const seal = (index: number, ssrc = SSRC): Buffer => {
    const stream = streams.get(ssrc) ?? rig.sender.openStream(context, ssrc)
    streams.set(ssrc, stream)
    return sealOne(rig, stream, rtpPacket({ ssrc, index, payloadBytes: 61 }), index) as Buffer
  }
  const sealRtcp = (ssrc = SSRC): Buffer => {
    const packet = rtcpPacket(ssrc, 1)
    rig.sender.sealRtcp(context, packet, 0, packet.length)
    return rig.sent.pop()?.bytes as Buffer
  }
  const open = (packet: Buffer) => receiver.openRtp(Buffer.from(packet), 0, packet.length)
  const openRtcp = (packet: Buffer) => receiver.openRtcp(Buffer.from(packet), 0, packet.length)
  return { ...rig, receiver, seal, sealRtcp, open, openRtcp }
}

for (const profile of PROFILES) {
  test(`${profile}: indexes follow gaps of up to 30,000 over many rollovers`, (t) => {
    const pair = createPair(profile)
    let index = 65_535
    for (const gap of [
      0, 1, 2, 30_000, 30_000, 32_767, 1, 29_999, 32_767, 15, 30_000, 30_000, 30_000,
    ]) {
      index += gap
      t.is(pair.open(pair.seal(index)), 73, `gap ${gap} to ${index}`)
      t.is(pair.receiver.index, index)
    }
  })

  test(`${profile}: packets come late over the rollover`, (t) => {
    const pair = createPair(profile)
    const sealed = new Map<number, Buffer>()
    for (let i = 65_530; i < 65_546; i += 1) sealed.set(i, pair.seal(i))
    for (const index of [65_533, 65_537, 65_535, 65_540, 65_536, 65_534, 65_530, 65_541]) {
      t.is(pair.open(sealed.get(index) as Buffer), 73)
      t.is(pair.receiver.index, index)
    }
  })

  test(`${profile}: the first packet may be 65,535, or the first after a wrap that was lost`, (t) => {
    for (const first of [65_535, 65_536, 65_600, 65_536 + 32_767, 0, 32_768]) {
      const pair = createPair(profile)
      t.is(pair.open(pair.seal(first)), 73, `${first}`)
      t.is(pair.receiver.index, first)
      t.is(pair.open(pair.seal(first + 1)), 73)
    }
  })

  test(`${profile}: nothing before the first rollover is guessed`, (t) => {
    const pair = createPair(profile)
    pair.open(pair.seal(3))
    t.is(pair.open(pair.seal(65_500)), SRTP_TOO_OLD)
  })

  test(`${profile}: replays are refused anywhere in the window, and behind it all is too old`, (t) => {
    const pair = createPair(profile)
    const sealed = [0, 1, 2, 3, 4].map((i) => pair.seal(65_500 + i))
    const last = 65_500 + SRTP_REPLAY_WINDOW
    const newest = pair.seal(last)
    for (const packet of [...sealed.slice(0, 4), newest]) t.is(pair.open(packet), 73)
    for (const packet of [...sealed.slice(1, 4), newest]) t.is(pair.open(packet), SRTP_REPLAYED)
    t.is(pair.open(sealed[4] as Buffer), 73)
    t.is(pair.open(sealed[0] as Buffer), SRTP_TOO_OLD)
    t.is(pair.drops[-SRTP_REPLAYED], 4)
    t.is(pair.drops[-SRTP_TOO_OLD], 1)
  })

  test(`${profile}: SRTCP replays are refused per SSRC, and late ones are not`, (t) => {
    const pair = createPair(profile)
    const sealed = Array.from({ length: SRTCP_REPLAY_WINDOW + 1 }, () => pair.sealRtcp())
    t.is(pair.openRtcp(sealed.at(-1) as Buffer), 32)
    t.is(pair.openRtcp(sealed[0] as Buffer), SRTP_TOO_OLD)
    t.is(pair.openRtcp(sealed[1] as Buffer), 32)
    t.is(pair.openRtcp(sealed[1] as Buffer), SRTP_REPLAYED)
    t.is(pair.openRtcp(pair.sealRtcp(77)), 32)
    t.is(pair.openRtcp(sealed.at(-1) as Buffer), SRTP_REPLAYED)
  })

  test(`${profile}: any flipped bit is refused, leaves bytes and state, and the call goes on`, (t) => {
    const pair = createPair(profile)
    pair.open(pair.seal(0))
    const good = pair.seal(1)
    for (let bit = 0; bit < good.length * 8; bit += 1) {
      const bad = Buffer.from(good)
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7))
      const before = Buffer.from(bad)
      const result = pair.receiver.openRtp(bad, 0, bad.length)
      if (result >= 0 || !bad.equals(before)) t.fail(`bit ${bit}: ${result}`)
    }
    t.is(pair.open(good), 73)
    t.is(pair.receiver.index, 1)
    const report = pair.sealRtcp()
    for (let bit = 0; bit < report.length * 8; bit += 1) {
      const bad = Buffer.from(report)
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7))
      if (pair.openRtcp(bad) >= 0) t.fail(`RTCP bit ${bit}`)
    }
    t.is(pair.openRtcp(report), 32)
  })

  test(`${profile}: a flood of forged packets opens no SSRC and moves no window`, (t) => {
    const pair = createPair(profile)
    pair.open(pair.seal(100))
    const forged = Buffer.from(pair.seal(101))
    const refused = forged.length
    for (let i = 0; i < 5_000; i += 1) {
      forged.writeUInt16BE((i * 13) & 0xffff, 2)
      forged.writeUInt32BE(i % 2 === 0 ? SSRC : i, 8)
      forged[refused - 1] = i & 255
      if (pair.open(forged) >= 0) t.fail()
    }
    for (let ssrc = 1; ssrc < SRTP_RECEIVE_SSRCS_MAX; ssrc += 1)
      t.is(pair.open(pair.seal(7, ssrc)), 73)
    t.is(pair.open(pair.seal(102)), 73)
    t.true((pair.drops[-SRTP_AUTH_FAILED] as number) > 2_500)
  })

  test(`${profile}: SSRCs end at the bound, for SRTP and SRTCP apart`, (t) => {
    const pair = createPair(profile)
    for (let i = 0; i < SRTP_RECEIVE_SSRCS_MAX; i += 1) {
      t.is(pair.open(pair.seal(5, i + 1)), 73)
      t.is(pair.openRtcp(pair.sealRtcp(i + 1)), 32)
    }
    t.is(pair.open(pair.seal(5, 200)), SRTP_SSRC_LIMIT)
    t.is(pair.openRtcp(pair.sealRtcp(200)), SRTP_SSRC_LIMIT)
    t.is(pair.open(pair.seal(6, 1)), 73)
  })

  test(`${profile}: short, long and lying packets are malformed`, (t) => {
    const pair = createPair(profile)
    const good = pair.seal(9)
    for (let length = 0; length < 12 + 10; length += 1) {
      t.is(pair.open(good.subarray(0, length)), SRTP_MALFORMED)
    }
    t.is(pair.openRtcp(good.subarray(0, 21)), SRTP_MALFORMED)
    t.is(pair.open(Buffer.alloc(65_507, 0x80)), SRTP_MALFORMED)
    t.is(pair.openRtcp(Buffer.alloc(65_507, 0x80)), SRTP_MALFORMED)
    for (const first of [0x00, 0x40, 0xc0]) {
      const bad = Buffer.from(good)
      bad[0] = first
      t.is(pair.open(bad), SRTP_MALFORMED)
    }
    const lying = Buffer.from(good)
    lying[0] = 0x9f
    t.is(pair.open(lying), SRTP_MALFORMED)
  })

  test(`${profile}: after close all is refused`, (t) => {
    const pair = createPair(profile)
    const packet = pair.seal(1)
    pair.receiver.close()
    pair.receiver.close()
    t.is(pair.open(packet), SRTP_REFUSED)
    t.is(pair.openRtcp(pair.sealRtcp()), SRTP_REFUSED)
  })
}
