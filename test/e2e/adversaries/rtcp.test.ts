/**
 * RTCP from a peer with true keys: bombs, storms and absurd figures (RFC 3550 §6, RFC 4585, REMB,
 * transport-wide feedback).
 */
import { randomBytes } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import type { Site } from '../../../bench/site/site.ts'
import { RESEND_BURST_PACKETS, RESEND_PACKETS_PER_S } from '../../../config/index.ts'
import { Arena } from './arena.ts'
import { eventual } from './eventual.ts'
import { feedback, RawMedia, rtcpPacket } from './raw-media.ts'

const RECEIVER_REPORT = 201
const DESCRIPTION = 202
const BYE = 203
const TRANSPORT_FEEDBACK = 205
const PAYLOAD_FEEDBACK = 206
const KEYFRAME_REQUESTS = 'nhipcau_media_keyframe_requests_total'

let arena: Arena
test.before(async () => {
  arena = await Arena.open()
})
test.after.always(() => arena.close())

type Watcher = { site: Site; media: RawMedia; ssrcs: Set<number>; heard: () => number }

/** One more watcher in the room of the steady call, who sees its streams and is about to misbehave. */
async function watcher(t: ExecutionContext<unknown>): Promise<Watcher> {
  const ssrcs = new Set<number>()
  let count = 0
  const site = await arena.join(t, [{ use: 'audio' }, { use: 'main' }], {
    token: await arena.token({ room: 'call', role: 'viewer' }),
    transportWide: true,
    onMedia: (_site, datagram, isRtcp) => {
      if (isRtcp || datagram.length < 22) return
      count += 1
      ssrcs.add(datagram.readUInt32BE(8))
    },
  })
  await site.door.request({
    type: 'view',
    slots: [{ mid: '1', widthPx: 320, heightPx: 180 }],
  })
  await eventual(() => ssrcs.size >= 2)
  t.is(ssrcs.size, 2)
  return { site, media: new RawMedia(site), ssrcs, heard: () => count }
}

/** Status vector that claims `statuses` packets in run-length chunks of the largest size. */
function runLengthBomb(statuses: number): Buffer {
  const chunks = Math.ceil(statuses / 8_191)
  const body = Buffer.alloc(8 + chunks * 2)
  body.writeUInt16BE(0, 0)
  body.writeUInt16BE(Math.min(statuses, 65_535), 2)
  body.writeUInt32BE(1, 4)
  // "not received" needs no delta: 2 bytes tell 8,191 stories.
  for (let chunk = 0; chunk < chunks; chunk++) body.writeUInt16BE(0x1fff, 8 + chunk * 2)
  return feedback(15, TRANSPORT_FEEDBACK, 1, body)
}

test.serial('run-length bombs in transport-wide feedback are cut at their bound', async (t) => {
  const { media, heard } = await watcher(t)
  const bomb = runLengthBomb(65_535)
  const bombs = Buffer.concat(Array.from({ length: 25 }, () => runLengthBomb(8_191)))
  await arena.attack(t, { 'rtcp-over-limit': 200 }, async () => {
    await arena.paced(200, () => {
      media.sendRtcp(bomb)
      media.sendRtcp(bombs)
    })
  })
  const before = heard()
  t.true(await eventual(() => heard() > before), 'even its sender is still served')
})

test.serial('NACK for 65,536 numbers is answered within the allowance', async (t) => {
  const { media, ssrcs } = await watcher(t)
  const requests = [...ssrcs].flatMap((ssrc) =>
    Array.from({ length: 16 }, (_, part) => {
      // 241 pairs of 17 numbers each: 4,096 numbers in one packet.
      const pairs = Buffer.alloc(241 * 4)
      for (let pair = 0; pair < 241; pair++) {
        pairs.writeUInt16BE((part * 4_096 + pair * 17) & 0xffff, pair * 4)
        pairs.writeUInt16BE(0xffff, pair * 4 + 2)
      }
      return feedback(1, TRANSPORT_FEEDBACK, ssrc, pairs)
    }),
  )
  const startedMs = performance.now()
  const wanted = { 'rtcp-over-limit': 32, 'nack-unknown': 1_000 }
  const grown = await arena.attack(t, wanted, async () => {
    for (let turn = 0; turn < 5; turn++) {
      await arena.paced(requests.length, (index) => media.sendRtcp(requests[index]!), 4)
    }
  })
  const seconds = (performance.now() - startedMs) / 1_000
  const resent = grown.get('nhipcau_media_retransmitted_packets_total') ?? 0
  t.log(`${resent} of 327,680 sent again in ${seconds.toFixed(1)} s`)
  t.true(resent <= RESEND_BURST_PACKETS + RESEND_PACKETS_PER_S * (seconds + 1))
})

test.serial('a storm of PLI and FIR reaches the publisher as two requests a second', async (t) => {
  const { media, ssrcs } = await watcher(t)
  const startedMs = performance.now()
  const grown = await arena.attack(t, { [KEYFRAME_REQUESTS]: 1 }, async () => {
    await arena.paced(
      5_000,
      (index) => {
        for (const ssrc of ssrcs) {
          const fir = Buffer.alloc(8)
          fir.writeUInt32BE(ssrc, 0)
          fir[4] = index & 0xff
          const isFir = index % 2 === 0
          media.sendRtcp(
            isFir
              ? feedback(4, PAYLOAD_FEEDBACK, 0, fir)
              : feedback(1, PAYLOAD_FEEDBACK, ssrc, Buffer.alloc(0)),
          )
        }
      },
      25,
    )
  })
  const seconds = (performance.now() - startedMs) / 1_000
  const asked = grown.get(KEYFRAME_REQUESTS) ?? 0
  t.log(`10,000 requests became ${asked} in ${seconds.toFixed(1)} s`)
  t.true(asked >= 1 && asked <= 2 * (seconds + 2) + 2)
})

test.serial('REMB of 0, of 2^63 and with a lying count changes nobody else’s call', async (t) => {
  const { media, heard } = await watcher(t)
  const remb = (count: number, exponent: number, mantissa: number): Buffer => {
    const body = Buffer.alloc(12)
    body.write('REMB', 0, 'latin1')
    body[4] = count
    body.writeUIntBE((exponent << 18) | mantissa, 5, 3)
    body.writeUInt32BE(1, 8)
    return feedback(15, PAYLOAD_FEEDBACK, 0, body)
  }
  await arena.attack(t, { 'rtcp-over-limit': 100, 'rtcp-malformed': 100 }, async () => {
    await arena.paced(100, () => {
      media.sendRtcp(remb(1, 0, 0))
      media.sendRtcp(remb(1, 63, 0))
      media.sendRtcp(remb(1, 63, 0x3_ffff))
      media.sendRtcp(remb(1, 46, 0x2_0000))
      media.sendRtcp(remb(255, 3, 1_000))
    })
  })
  const before = heard()
  t.true(await eventual(() => heard() > before), 'audio is never taken away by an estimate')
})

test.serial('compounds that lie about lengths, counts and padding are refused', async (t) => {
  const { media } = await watcher(t)
  const lies = [
    Buffer.concat([Buffer.from([0x80, RECEIVER_REPORT, 0xff, 0xff]), Buffer.alloc(28)]),
    Buffer.concat([Buffer.from([0x9f, RECEIVER_REPORT, 0, 1]), Buffer.alloc(4)]),
    Buffer.concat([Buffer.from([0xbf, BYE, 0, 1]), Buffer.from([1, 2, 3, 255])]),
    rtcpPacket(31, BYE, Buffer.alloc(8)),
    rtcpPacket(31, DESCRIPTION, Buffer.from([0, 0, 0, 1, 1, 255, 65, 0])),
    Buffer.concat([Buffer.from([0x40, RECEIVER_REPORT, 0, 1]), Buffer.alloc(4)]),
  ]
  await arena.attack(t, { 'rtcp-malformed': 500 }, async () => {
    await arena.paced(600, (index) => media.sendRtcp(Buffer.from(lies[index % lies.length]!)))
  })
})

test.serial(
  'a BYE for the SSRCs of others, and reports of total loss, are one’s own affair',
  async (t) => {
    const { media, ssrcs } = await watcher(t)
    await arena.attack(t, {}, async () => {
      await arena.paced(200, (index) => {
        const ids = Buffer.alloc(8)
        ids.writeUInt32BE(0x5000_0010, 0)
        ids.writeUInt32BE(0x5000_0011, 4)
        media.sendRtcp(rtcpPacket(2, BYE, ids))
        for (const ssrc of ssrcs) {
          const block = Buffer.alloc(28, 0xff)
          block.writeUInt32BE(1, 0)
          block.writeUInt32BE(ssrc, 4)
          block.writeUInt32BE(index * 1_000_003, 12)
          media.sendRtcp(rtcpPacket(1, RECEIVER_REPORT, block))
        }
      })
    })
  },
)

test.serial('random bytes as RTCP under true keys end nothing', async (t) => {
  const { media } = await watcher(t)
  await arena.attack(t, {}, async () => {
    await arena.paced(5_000, (index) => {
      const type = [200, 201, 202, 203, 204, 205, 206, 207][index % 8]!
      media.sendRtcp(rtcpPacket(index % 32, type, randomBytes(8 + (index % 300))))
    })
  })
})

test.serial('afterwards nothing is left', async (t) => {
  await arena.assertBaseline(t)
})
