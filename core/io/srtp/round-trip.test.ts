import test from 'ava'
import fc from 'fast-check'
import { SRTP_PACKET_BYTES_MAX } from '../../../config/index.ts'
import { createRig, masterOf, PROFILES, rtcpPacket, rtpPacket, sealOne } from './test-rig.ts'

for (const profile of PROFILES) {
  for (const kind of ['simd', 'hash'] as const) {
    test(`${profile} by ${kind}: opening what was sealed gives it back, at any size, place and index`, (t) => {
      const rig = createRig(kind)
      const shape = fc.record({
        ssrc: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        sequence: fc.integer({ min: 0, max: 65_535 }),
        payloadBytes: fc.integer({ min: 0, max: SRTP_PACKET_BYTES_MAX - 12 - 60 - 36 }),
        extensionWords: fc.integer({ min: 0, max: 8 }),
        csrcCount: fc.integer({ min: 0, max: 15 }),
        place: fc.integer({ min: 0, max: 9 }),
        seed: fc.integer({ min: 0, max: 250 }),
      })
      fc.assert(
        fc.property(shape, ({ place, seed, sequence, ...options }) => {
          const master = masterOf(profile, seed)
          const context = rig.sender.addContext(master, 1)
          const receiver = rig.receiver(master)
          const stream = rig.sender.openStream(context, options.ssrc)
          const plain = rtpPacket({ ...options, index: sequence })
          const scratch = Buffer.concat([Buffer.alloc(place), plain, Buffer.alloc(3)])
          rig.sender.seal(stream, scratch, place, place + plain.length, sequence)
          rig.sender.flush()
          const sealed = rig.sent.pop()?.bytes as Buffer
          const landed = Buffer.concat([Buffer.alloc(place), sealed])
          const end = receiver.openRtp(landed, place, landed.length)
          rig.sender.removeContext(context)
          receiver.close()
          return landed.subarray(place, end).equals(plain)
        }),
        { numRuns: 300 },
      )
      t.pass()
    })
  }

  test(`${profile}: RTCP of every number of blocks comes back`, (t) => {
    const rig = createRig()
    const master = masterOf(profile, 3)
    const context = rig.sender.addContext(master, 1)
    const receiver = rig.receiver(master)
    for (let blocks = 0; blocks < 32; blocks += 1) {
      const plain = rtcpPacket(5, blocks)
      rig.sender.sealRtcp(context, plain, 0, plain.length)
      const sealed = rig.sent.pop()?.bytes as Buffer
      const end = receiver.openRtcp(sealed, 0, sealed.length)
      t.deepEqual(sealed.subarray(0, end), plain)
    }
  })

  test(`${profile}: packets around a size change and long jumps of the index come back`, (t) => {
    const rig = createRig()
    const master = masterOf(profile, 4)
    const stream = rig.sender.openStream(rig.sender.addContext(master, 1), 5)
    const receiver = rig.receiver(master)
    let index = 0
    for (let i = 0; i < 600; i += 1) {
      index += i % 97 === 0 ? 20_000 : 1
      const plain = rtpPacket({ ssrc: 5, index, payloadBytes: (i * i * 37) % 1_300 })
      const sealed = sealOne(rig, stream, plain, index) as Buffer
      const end = receiver.openRtp(sealed, 0, sealed.length)
      if (!sealed.subarray(0, end).equals(plain)) t.fail(`packet ${i}`)
    }
    t.is(receiver.index, index)
  })
}
