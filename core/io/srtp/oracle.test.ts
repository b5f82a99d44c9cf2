/**
 * Differential: the same bytes as werift's sessions, both ways (on gap-free sequences: its rollover
 * is not RFC 3711's).
 */
import test from 'ava'
import { RtpHeader, SrtcpSession, SrtpSession } from 'werift'
import type { SrtpMaster } from './master.ts'
import { createRig, masterOf, PROFILES, rtcpPacket, rtpPacket, sealOne } from './test-rig.ts'

const SIZES = [0, 1, 3, 4, 15, 16, 17, 37, 38, 55, 100, 160, 747, 1_100, 1_188, 1_450]

function oracleOptions(master: SrtpMaster) {
  const key = Buffer.from(master.key)
  const salt = Buffer.from(master.salt)
  return {
    keys: {
      localMasterKey: key,
      localMasterSalt: salt,
      remoteMasterKey: key,
      remoteMasterSalt: salt,
    },
    profile: master.profile === 'aes-gcm' ? (7 as const) : (1 as const),
  }
}

for (const profile of PROFILES) {
  for (const kind of ['simd', 'hash'] as const) {
    test(`${profile} by ${kind} seals RTP to the bytes that werift gives, over a rollover`, (t) => {
      const rig = createRig(kind)
      const master = masterOf(profile, 1)
      const oracle = new SrtpSession(oracleOptions(master))
      const stream = rig.sender.openStream(rig.sender.addContext(master, 1), 0xdeadbeef)
      for (let i = 0; i < 400; i += 1) {
        const index = 65_400 + i
        const packet = rtpPacket({
          ssrc: 0xdeadbeef,
          index,
          payloadBytes: SIZES[i % SIZES.length] as number,
          csrcCount: i % 3,
        })
        const header = RtpHeader.deSerialize(packet)
        const expected = oracle.encrypt(packet.subarray(header.payloadOffset), header)
        t.deepEqual(sealOne(rig, stream, packet, index), expected)
      }
    })
  }

  test(`${profile} seals RTCP to the bytes that werift gives`, (t) => {
    const rig = createRig()
    const master = masterOf(profile, 2)
    const oracle = new SrtcpSession(oracleOptions(master))
    const context = rig.sender.addContext(master, 1)
    for (let i = 0; i < 100; i += 1) {
      const packet = rtcpPacket(0x1234_5678, i % 6)
      const expected = oracle.encrypt(packet)
      rig.sender.sealRtcp(context, packet, 0, packet.length)
      t.deepEqual(rig.sent.pop()?.bytes, expected)
    }
  })

  test(`${profile} opens the RTP that werift seals, over a rollover`, (t) => {
    const rig = createRig()
    const master = masterOf(profile, 3)
    const oracle = new SrtpSession(oracleOptions(master))
    const receiver = rig.receiver(master)
    for (let i = 0; i < 400; i += 1) {
      const index = 65_400 + i
      const packet = rtpPacket({
        ssrc: 77,
        index,
        payloadBytes: SIZES[i % SIZES.length] as number,
        csrcCount: i % 4,
      })
      const header = RtpHeader.deSerialize(packet)
      const sealed = oracle.encrypt(packet.subarray(header.payloadOffset), header)
      const end = receiver.openRtp(sealed, 0, sealed.length)
      t.deepEqual(sealed.subarray(0, end), packet)
      t.is(receiver.index, index)
    }
  })

  test(`${profile} opens the RTCP that werift seals`, (t) => {
    const rig = createRig()
    const master = masterOf(profile, 4)
    const oracle = new SrtcpSession(oracleOptions(master))
    const receiver = rig.receiver(master)
    for (let i = 0; i < 100; i += 1) {
      const packet = rtcpPacket(0xfedc_ba98, i % 6)
      const sealed = oracle.encrypt(packet)
      const end = receiver.openRtcp(sealed, 0, sealed.length)
      t.deepEqual(sealed.subarray(0, end), packet)
    }
  })
}
