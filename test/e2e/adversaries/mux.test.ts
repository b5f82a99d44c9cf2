/**
 * Datagrams that are nothing, from strangers and from a peer's own 5-tuple (RFC 7983): silence, a
 * counter, a call that goes on.
 */
import { randomBytes } from 'node:crypto'
import test from 'ava'
import { Arena } from './arena.ts'
import { eventual } from './eventual.ts'

const DATAGRAM_BYTES_MAX = 65_507
/** First bytes that RFC 7983 gives to nobody here: ZRTP, TURN, QUIC and the rest. */
const CLASSLESS = 256 - 4 - 44 - 64

let arena: Arena
test.before(async () => {
  arena = await Arena.open()
})
test.after.always(() => arena.close())

function withFirst(first: number, length: number): Buffer {
  const bytes = randomBytes(length)
  bytes[0] = first
  return bytes
}

test.serial('every first byte from a stranger gets silence and a counter', async (t) => {
  const stranger = await arena.stranger(t)
  const lengths = [1, 12, 13, 20, 100, 1_200]
  const each = lengths.length
  const drops = {
    'datagram-class-unknown': CLASSLESS * each,
    'media-unbound': 64 * each,
    'dtls-unbound': 44 * each,
    'stun-malformed': 4 * each,
  }
  await arena.attack(t, drops, async () => {
    for (const length of lengths) {
      await arena.paced(256, (first) => stranger.send(withFirst(first, length)))
    }
  })
  t.is(stranger.bytesIn, 0)
})

test.serial('datagrams of 0 and of 65,507 bytes from a stranger get silence', async (t) => {
  const stranger = await arena.stranger(t)
  const drops = { 'datagram-empty': 50, 'media-unbound': 10, 'dtls-unbound': 10 }
  await arena.attack(t, drops, async () => {
    await arena.paced(50, () => stranger.send(new Uint8Array(0)))
    for (const first of [0, 1, 16, 22, 64, 128, 191, 255]) {
      await arena.paced(10, () => stranger.send(withFirst(first, DATAGRAM_BYTES_MAX)), 1)
    }
  })
  t.is(stranger.bytesIn, 0)
})

test.serial(
  'every first byte from the bound 5-tuple of a peer ends nothing, its own call least of all',
  async (t) => {
    const { speaker } = arena.call
    const drops = {
      'datagram-class-unknown': CLASSLESS,
      'datagram-empty': 20,
      'media-too-large': 5,
      'srtp-malformed': 20,
    }
    await arena.attack(t, drops, async () => {
      for (const length of [1, 2, 13, 64, 1_200]) {
        await arena.paced(256, (first) => speaker.link.send(withFirst(first, length)))
      }
      await arena.paced(20, () => speaker.link.send(new Uint8Array(0)))
      await arena.paced(5, () => speaker.link.send(withFirst(128, DATAGRAM_BYTES_MAX)), 1)
      await arena.paced(5, () => speaker.link.send(withFirst(22, DATAGRAM_BYTES_MAX)), 1)
    })
  },
)

test.serial(
  'every cut of a genuine datagram is refused, from the peer and from a stranger',
  async (t) => {
    const stranger = await arena.stranger(t)
    const sealed: Uint8Array[] = []
    const site = await arena.join(t, [{ use: 'microphone' }])
    const { link, context } = site
    const send = link.send.bind(link)
    link.send = (datagram) => sealed.push(datagram)
    const stream = context.sender.openStream(site.sealing, 77)
    const packet = Buffer.alloc(100, 1)
    packet[0] = 0x80
    packet[1] = 111
    packet.writeUInt16BE(1, 2)
    packet.writeUInt32BE(77, 8)
    context.sender.seal(stream, packet, 0, packet.length, 1)
    context.sender.flush()
    link.send = send
    const [whole] = sealed
    t.is(sealed.length, 1)
    await arena.attack(t, { 'media-unbound': 100, 'srtp-auth-failed': 50 }, async () => {
      await arena.paced(whole!.length, (length) => {
        send(whole!.subarray(0, length))
        stranger.send(whole!.subarray(0, length))
      })
    })
    t.is(stranger.bytesIn, 0)
  },
)

test.serial('a bound peer’s port on another address is a stranger', async (t) => {
  const peer = await arena.handmade(t)
  const spoofed = { address: '127.0.0.2', port: peer.udp.address.port }
  const other = await arena.stranger(t, spoofed)
  await arena.attack(t, { 'media-unbound': 64, 'dtls-unbound': 44 }, async () => {
    peer.udp.send(peer.check())
    await arena.paced(256, (first) => other.send(withFirst(first, 200)))
  })
  t.true(await eventual(() => peer.udp.received.length === 1), 'the peer itself was answered')
  t.is(other.bytesIn, 0)
})

test.serial('20,000 random datagrams of random length cost nobody a packet ', async (t) => {
  const stranger = await arena.stranger(t)
  const pool = randomBytes(64 * 1024)
  await arena.attack(t, { 'datagram-class-unknown': 10_000 }, async () => {
    await arena.paced(20_000, (index) => {
      const start = (index * 7_919) % 60_000
      stranger.send(pool.subarray(start, start + ((index * 31) % 1_400)))
    })
  })
  t.is(stranger.bytesIn, 0)
  await arena.assertBaseline(t)
})
