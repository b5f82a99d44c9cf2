/** SRTP under wrong keys, replayed, over gaps and wraps, and from more SSRCs than anyone has (RFC 3711 §3.3). */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { OPUS_PAYLOAD_TYPE } from '../../../bench/site/offer.ts'
import type { Site } from '../../../bench/site/site.ts'
import { SRTP_RECEIVE_SSRCS_MAX } from '../../../config/index.ts'
import { Arena } from './arena.ts'
import { eventual, settled } from './eventual.ts'

const SSRC = 0x7000_0001

let arena: Arena
test.before(async () => {
  arena = await Arena.open()
})
test.after.always(() => arena.close())

/** A plain Opus packet; `index` is its 48-bit SRTP index. */
function opus(ssrc: number, index: number): Buffer {
  const packet = Buffer.alloc(80, 7)
  packet[0] = 0x80
  packet[1] = OPUS_PAYLOAD_TYPE
  packet.writeUInt16BE(index & 0xffff, 2)
  packet.writeUInt32BE((index * 960) >>> 0, 4)
  packet.writeUInt32BE(ssrc, 8)
  return packet
}

/** Seals under the site's true keys without sending. */
function sealer(site: Site): (ssrc: number, index: number) => Buffer {
  const { link, context, sealing } = site
  const streams = new Map<number, number>()
  return (ssrc, index) => {
    let stream = streams.get(ssrc)
    if (stream === undefined) {
      stream = context.sender.openStream(sealing, ssrc)
      streams.set(ssrc, stream)
    }
    const sealed: Uint8Array[] = []
    const { send } = link
    link.send = (datagram) => sealed.push(datagram)
    const packet = opus(ssrc, index)
    const code = context.sender.seal(stream, packet, 0, packet.length, index)
    context.sender.flush()
    link.send = send
    if (code < 0 || sealed.length !== 1) throw new Error(`not sealed: ${code}`)
    return Buffer.from(sealed[0]!)
  }
}

type Pair = {
  site: Site
  seal: (ssrc: number, index: number) => Buffer
  /** The first index that is not used yet. */
  next: number
  arrived: () => number
}

/** A speaking site with a free hand, and a watcher in its room who counts what it is heard to say. */
async function speakerAndEar(t: ExecutionContext<unknown>, room: string, first = 1): Promise<Pair> {
  let count = 0
  const site = await arena.join(t, [{ use: 'microphone' }], {
    token: await arena.token({ room }),
  })
  await arena.join(t, [{ use: 'audio' }], {
    token: await arena.token({ room, role: 'viewer' }),
    onMedia: (_site, _datagram, isRtcp) => {
      if (!isRtcp) count += 1
    },
  })
  await site.door.request({ type: 'publish', use: 'microphone', live: true })
  const seal = sealer(site)
  // Until the room has put it on the air.
  let index = first
  const endMs = performance.now() + 15_000
  for (; count === 0 && performance.now() < endMs; index++) {
    site.link.send(seal(SSRC, index))
    await sleep(20)
  }
  if (count === 0) throw new Error('the adversary was not heard when it was honest')
  // What is still on its way would be counted as an answer to the attack.
  await arena.read()
  await settled(() => count)
  return { site, seal, next: index, arrived: () => count }
}

test.serial(
  '10,000 packets with bad tags end no call, least of all the one they come in on',
  async (t) => {
    const { speaker } = arena.call
    // The victim’s own SSRC and plausible numbers: only the tag is wrong.
    const forged = opus(0x5000_0010, 0)
    // A number that was there already, or long ago, needs no look at the tag.
    const all = 'srtp-auth-failed+srtp-replayed+srtp-too-old'
    await arena.attack(t, { 'srtp-auth-failed': 9_000, [all]: 10_000 }, async () => {
      await arena.paced(10_000, (index) => {
        forged.writeUInt16BE(index & 0xffff, 2)
        speaker.link.send(Buffer.concat([forged, randomBytes(10)]))
      })
    })
  },
)

test.serial(
  'forged SRTCP ends no call: neither a BYE nor a report without the key is read',
  async (t) => {
    const { speaker } = arena.call
    const bye = Buffer.from('81cb000250000010', 'hex')
    const read = await arena.attack(t, { 'srtp-auth-failed': 1_000 }, async () => {
      await arena.paced(1_000, (index) => {
        const tail = randomBytes(14)
        tail.writeUInt32BE((0x8000_0000 | (100_000 + index)) >>> 0, 0)
        speaker.link.send(Buffer.concat([bye, tail]))
      })
    })
    t.true((read.get('nhipcau_media_rtcp_received_packets_total') ?? 0) < 100)
  },
)

test.serial('a replayed packet is dropped, a thousand times over', async (t) => {
  const { site, seal, next, arrived } = await speakerAndEar(t, 'replay')
  const heard = arrived()
  const old = seal(SSRC, next)
  await arena.attack(t, { 'srtp-replayed': 999 }, async () => {
    await arena.paced(1_000, () => site.link.send(old))
  })
  await settled(arrived)
  t.is(arrived() - heard, 1, 'forwarded once')
})

test.serial(
  'what is older than the replay window is dropped, since it cannot be told from a replay',
  async (t) => {
    const { site, seal, next } = await speakerAndEar(t, 'window')
    const stored = Array.from({ length: 50 }, (_, index) => seal(SSRC, next + index))
    await arena.attack(t, { 'srtp-too-old': 50 }, async () => {
      for (let index = next + 100; index <= 3_000; index += 100) site.link.send(seal(SSRC, index))
      await arena.read()
      await arena.paced(50, (index) => site.link.send(stored[index]!))
    })
  },
)

test.serial('gaps of up to 30,000 over the rollover keep the stream', async (t) => {
  const { site, seal, arrived } = await speakerAndEar(t, 'rollover')
  const failed = 'srtp-auth-failed'
  const before = arrived()
  const grown = await arena.attack(t, {}, async () => {
    let index = 60_000
    // By steps below 2^15 up to 60,000, then three times over the wrap by gaps of 30,000.
    site.link.send(seal(SSRC, 30_000))
    for (let turn = 0; turn < 6; turn++) {
      for (let step = 0; step < 5; step++) site.link.send(seal(SSRC, index + step))
      await arena.read()
      index += 30_000
    }
    await eventual(() => arrived() - before >= 20)
    // What failed would be in the next snapshot of the counters.
    await sleep(1_100)
  })
  t.is(grown.get(failed), 0, 'all indexes were estimated right')
  t.true(arrived() - before >= 20, `${arrived() - before} of 30 were forwarded`)
})

test.serial('a stream that begins near 65,535 lives through its first wrap', async (t) => {
  const { site, seal, next, arrived } = await speakerAndEar(t, 'first-wrap', 65_500)
  const before = arrived()
  t.true(next < 65_600)
  const grown = await arena.attack(t, {}, async () => {
    await arena.paced(200, (index) => site.link.send(seal(SSRC, next + index)), 1)
    await eventual(() => arrived() - before >= 200)
    await sleep(1_100)
  })
  t.is(grown.get('srtp-auth-failed'), 0)
  t.is(arrived() - before, 200)
})

test.serial('the SSRCs that one peer may open are capped, and its first one goes on', async (t) => {
  const { site, seal, next, arrived } = await speakerAndEar(t, 'ssrcs')
  const wanted = { 'srtp-ssrc-limit': 200 - SRTP_RECEIVE_SSRCS_MAX }
  const before = arrived()
  await arena.attack(t, wanted, async () => {
    await arena.paced(200, (index) => site.link.send(seal(0x6000_0000 + index, 5)), 20)
    await arena.paced(50, (index) => site.link.send(seal(SSRC, next + index)), 1)
    await eventual(() => arrived() - before >= 50)
  })
  t.true(arrived() - before >= 45, `${arrived() - before} of 50 forwarded`)
})

test.serial('an SSRC that is another participant’s belongs to each of them alone', async (t) => {
  const { site, seal, next, arrived } = await speakerAndEar(t, 'collision')
  const before = arrived()
  await arena.attack(t, {}, async () => {
    // The SSRC of the speaker in the call beside.
    await arena.paced(100, (index) => site.link.send(seal(0x5000_0010, 1 + index)), 4)
    await arena.paced(50, (index) => site.link.send(seal(SSRC, next + index)), 1)
    await eventual(() => arrived() - before >= 50)
  })
  t.true(arrived() - before > 0)
})

test.serial('afterwards nothing is left', async (t) => {
  await arena.assertBaseline(t)
})
