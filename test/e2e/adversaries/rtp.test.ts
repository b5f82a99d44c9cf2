/**
 * RTP from a peer with true keys and bad intentions (RFC 3550 §5, RFC 8285, RFC 8852): read within
 * its bounds, or dropped by name.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import {
  MID_EXTENSION,
  OPUS_PAYLOAD_TYPE,
  RID_EXTENSION,
  VP8_PAYLOAD_TYPE,
} from '../../../bench/site/offer.ts'
import type { Site } from '../../../bench/site/site.ts'
import { Arena } from './arena.ts'
import { settled } from './eventual.ts'
import { extensionBlock, RawMedia, rtpPacket } from './raw-media.ts'

const AUDIO = 0x7100_0001
const VIDEO = 0x7100_0002
const ONE_BYTE = 0xbede
const TWO_BYTE = 0x1000
const PAYLOAD = Buffer.alloc(60, 3)

let arena: Arena
test.before(async () => {
  arena = await Arena.open()
})
test.after.always(() => arena.close())

type Insider = { site: Site; media: RawMedia; heard: () => number }

/** A speaker with a microphone and simulcast video, on the air, and a watcher of both. */
async function insider(t: ExecutionContext<unknown>, room: string): Promise<Insider> {
  let count = 0
  const plans = [{ use: 'microphone' as const }, { use: 'camera' as const, rids: ['q', 'h', 'f'] }]
  const site = await arena.join(t, plans, { token: await arena.token({ room }) })
  await arena.join(t, [{ use: 'audio' }, { use: 'main' }], {
    token: await arena.token({ room, role: 'viewer' }),
    onMedia: (_site, _datagram, isRtcp) => {
      if (!isRtcp) count += 1
    },
  })
  await site.door.request({ type: 'publish', use: 'microphone', live: true })
  await site.door.request({ type: 'publish', use: 'camera', live: true })
  const media = new RawMedia(site)
  const endMs = performance.now() + 15_000
  while (count === 0 && performance.now() < endMs) {
    media.sendRtp(rtpPacket({ ssrc: AUDIO, payloadType: OPUS_PAYLOAD_TYPE, rest: PAYLOAD }))
    await sleep(20)
  }
  t.true(count > 0, 'heard while it was honest')
  return { site, media, heard: () => count }
}

/** One-byte elements (RFC 8285 §4.2) of the given ids. */
function elements(...items: [id: number, value: Buffer][]): Buffer {
  const parts = items.map(([id, value]) =>
    Buffer.concat([Buffer.from([(id << 4) | (value.length - 1)]), value]),
  )
  const body = Buffer.concat(parts)
  const words = Math.ceil(body.length / 4)
  return extensionBlock(
    ONE_BYTE,
    words,
    Buffer.concat([body, Buffer.alloc(words * 4 - body.length)]),
  )
}

test.serial('extension blocks that lie about their length are dropped', async (t) => {
  const { media } = await insider(t, 'extensions')
  const lies = [
    // Elements that claim more than their block, in both forms; ids 0 and 15; a block of zeros.
    extensionBlock(ONE_BYTE, 1, Buffer.from([0x1f, 1, 2, 3])),
    extensionBlock(TWO_BYTE, 1, Buffer.from([1, 255, 2, 3])),
    extensionBlock(TWO_BYTE, 1, Buffer.from([0, 0, 0, 1])),
    extensionBlock(ONE_BYTE, 1, Buffer.from([0xf0, 0xff, 0xff, 0xff])),
    extensionBlock(ONE_BYTE, 8, Buffer.alloc(32)),
    extensionBlock(0x1234, 2, randomBytes(8)),
  ]
  await arena.attack(t, { 'rtp-malformed': 100 }, async () => {
    await arena.paced(600, (index) => {
      const rest = Buffer.concat([lies[index % lies.length]!, PAYLOAD])
      media.sendRtp(rtpPacket({ ssrc: AUDIO, payloadType: OPUS_PAYLOAD_TYPE, first: 0x90, rest }))
    })
  })
})

test.serial(
  'padding larger than the payload, of zero, and of nothing but padding is dropped',
  async (t) => {
    const { media } = await insider(t, 'padding')
    await arena.attack(t, { 'rtp-malformed': 200 }, async () => {
      await arena.paced(300, (index) => {
        const rest = Buffer.from(PAYLOAD)
        rest[rest.length - 1] = [255, 61, 0][index % 3]!
        media.sendRtp(rtpPacket({ ssrc: AUDIO, payloadType: OPUS_PAYLOAD_TYPE, first: 0xa0, rest }))
      })
      await arena.paced(100, () => {
        const rest = Buffer.alloc(60, 60)
        media.sendRtp(rtpPacket({ ssrc: AUDIO, payloadType: OPUS_PAYLOAD_TYPE, first: 0xa0, rest }))
      })
    })
  },
)

test.serial('RID and MID named __proto__ name nothing', async (t) => {
  const { site, media } = await insider(t, 'names')
  const mid = site.extensionId('1', MID_EXTENSION)
  const rid = site.extensionId('1', RID_EXTENSION)
  t.true(mid > 0 && rid > 0)
  const names = ['__proto__', 'constructor', 'toString', 'q\0', '../q', ' '].map((name) =>
    Buffer.from(name),
  )
  await arena.attack(t, { 'mid-unknown': 200, 'rid-unknown': 200 }, async () => {
    await arena.paced(600, (index) => {
      const name = names[index % names.length]!
      const one = Buffer.from('1')
      const parts: [number, Buffer][] =
        index % 2 === 0
          ? [[mid, name]]
          : [
              [mid, one],
              [rid, name],
            ]
      const rest = Buffer.concat([elements(...parts), PAYLOAD])
      const packet = { payloadType: VP8_PAYLOAD_TYPE, first: 0x90, rest }
      media.sendRtp(rtpPacket({ ssrc: VIDEO + (index % 8), ...packet }))
    })
  })
})

test.serial('layers cannot change their SSRC with every packet', async (t) => {
  const { site, media } = await insider(t, 'rebind')
  const mid = site.extensionId('1', MID_EXTENSION)
  const rid = site.extensionId('1', RID_EXTENSION)
  await arena.attack(t, { 'ssrc-limit': 25 }, async () => {
    const rest = Buffer.concat([
      elements([mid, Buffer.from('1')], [rid, Buffer.from('q')]),
      PAYLOAD,
    ])
    await arena.paced(30, (index) =>
      media.sendRtp(
        rtpPacket({ ssrc: VIDEO + index, payloadType: VP8_PAYLOAD_TYPE, first: 0x90, rest }),
      ),
    )
  })
})

test.serial(
  'payload types that were not negotiated and payloads that are none are dropped',
  async (t) => {
    const { site, media } = await insider(t, 'payloads')
    const mid = site.extensionId('1', MID_EXTENSION)
    const rid = site.extensionId('1', RID_EXTENSION)
    const name = elements([mid, Buffer.from('1')], [rid, Buffer.from('h')])
    const wanted = { 'payload-type-unknown': 50, 'payload-malformed': 50 }
    await arena.attack(t, wanted, async () => {
      await arena.paced(60, (index) =>
        media.sendRtp(rtpPacket({ ssrc: AUDIO, payloadType: index, rest: PAYLOAD })),
      )
      // VP8 descriptors that promise more than comes, and nothing at all (RFC 7741 §4.2).
      const payloads = ['80', '8080', '90ff', '80f080', '']
      await arena.paced(200, (index) => {
        const rest = Buffer.concat([name, Buffer.from(payloads[index % 5]!, 'hex')])
        const packet = { payloadType: VP8_PAYLOAD_TYPE, first: 0x90, rest }
        media.sendRtp(rtpPacket({ ssrc: VIDEO, ...packet }))
      })
    })
  },
)

test.serial('CSRC counts beyond the packet do not even pass SRTP', async (t) => {
  const { site, media } = await insider(t, 'csrc')
  await arena.attack(t, { 'srtp-malformed': 100 }, async () => {
    t.false(
      media.sendRtp(
        rtpPacket({
          ssrc: AUDIO,
          payloadType: OPUS_PAYLOAD_TYPE,
          first: 0x8f,
          rest: Buffer.alloc(8),
        }),
      ),
    )
    await arena.paced(100, () => {
      const bytes = rtpPacket({
        ssrc: AUDIO,
        payloadType: OPUS_PAYLOAD_TYPE,
        first: 0x8f,
        rest: randomBytes(20),
      })
      site.link.send(bytes)
    })
  })
})

test.serial('a publication without permission or while muted goes nowhere', async (t) => {
  const { site, media, heard } = await insider(t, 'muted')
  await site.door.request({ type: 'mute', use: 'microphone', muted: true })
  await arena.read()
  await settled(heard)
  const before = heard()
  await arena.attack(t, { muted: 100 }, async () => {
    await arena.paced(
      100,
      () => {
        media.sendRtp(rtpPacket({ ssrc: AUDIO, payloadType: OPUS_PAYLOAD_TYPE, rest: PAYLOAD }))
      },
      5,
    )
  })
  t.is(heard(), before)
})

test.serial('random bytes as RTP under true keys end nothing', async (t) => {
  const { media } = await insider(t, 'random')
  await arena.attack(t, {}, async () => {
    await arena.paced(5_000, (index) => {
      const rest = randomBytes(index % 200)
      const first = 0x80 | ((rest[0] ?? 0) % 64)
      const payloadType = (rest[1] ?? 0) & 0x7f
      // Types 64 to 95 with a marker would be RTCP (RFC 5761 §4).
      const packet = { payloadType: (payloadType & 0x60) === 0x40 ? 96 : payloadType, first, rest }
      media.sendRtp(rtpPacket({ ssrc: AUDIO, ...packet }))
    })
  })
})

test.serial('afterwards nothing is left', async (t) => {
  await arena.assertBaseline(t)
})
