/** STUN from those who do not know the password, and from one who does but moves (RFC 8445 §7.3, RFC 8489 §9.1). */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { Arena, type Series } from './arena.ts'
import { eventual } from './eventual.ts'
import { bindingRequest, type Stranger } from './stranger.ts'

const BINDING_SUCCESS = 0x0101
const INTEGRITY_BYTES = 24
const FINGERPRINT_BYTES = 8
const FINGERPRINT_XOR = 0x5354554e
const ROAMS = 'nhipcau_media_roams_total'
const WRONG = 'not-the-password-of-anyone'

let arena: Arena
test.before(async () => {
  arena = await Arena.open()
})
test.after.always(() => arena.close())

/** Cuts MESSAGE-INTEGRITY and FINGERPRINT off and corrects the length. */
function unsigned(request: Buffer): Buffer {
  const bytes = Buffer.from(request.subarray(0, -INTEGRITY_BYTES - FINGERPRINT_BYTES))
  bytes.writeUInt16BE(bytes.length - 20, 2)
  return bytes
}

async function assertSuccess(
  t: ExecutionContext,
  stranger: Stranger,
  count: number,
): Promise<void> {
  await eventual(() => stranger.received.length >= count)
  const types = stranger.received.map((datagram) => datagram.readUInt16BE(0))
  t.deepEqual(types, Array(count).fill(BINDING_SUCCESS))
}

test.serial('without integrity or with a wrong one nobody is answered or bound', async (t) => {
  const peer = await arena.handmade(t)
  const stranger = await arena.stranger(t)
  const drops = { 'stun-bad-integrity': 300, 'stun-malformed': 100, 'stun-unknown-user': 100 }
  await arena.attack(t, drops, async () => {
    await arena.paced(100, () => stranger.send(unsigned(peer.check())))
    await arena.paced(100, () => stranger.send(peer.check({ password: WRONG })))
    await arena.paced(100, () => stranger.send(peer.check({ password: '' })))
    await arena.paced(100, () => stranger.send(peer.check({ username: 'nobody:here' })))
    // A changed byte spoils the FINGERPRINT before anyone looks at the integrity.
    await arena.paced(100, () => {
      const changed = peer.check()
      changed[changed.length - 20]! ^= 1
      stranger.send(changed)
    })
    // Not bound: DTLS from here is a stranger's.
    stranger.send(Buffer.from('16fefd', 'hex'))
  })
  t.is(stranger.bytesIn, 0)
  t.true(stranger.bytesOut > 40_000, 'amplification: nothing for much')
})

test.serial('USE-CANDIDATE from a stranger moves no call', async (t) => {
  // The stranger knows both ufrags, as one who sees the wire does, but not the password.
  const peer = await arena.handmade(t)
  const stranger = await arena.stranger(t)
  await peer.bind()
  const grown = await arena.attack(t, { 'stun-bad-integrity': 200 }, async () => {
    await arena.paced(100, () => stranger.send(peer.check({ password: WRONG })))
    await arena.paced(100, () => stranger.send(unsigned(peer.check())))
  })
  t.is(stranger.bytesIn, 0)
  t.is(peer.udp.received.length, 0)
  t.is(grown.get(ROAMS), 0)
})

test.serial('USE-CANDIDATE with the password but another’s ufrag is refused', async (t) => {
  const { answer } = arena.call.viewer
  const ice = { usernameFragment: 'anyone', password: WRONG }
  const stranger = await arena.stranger(t)
  const grown = await arena.attack(t, { 'stun-bad-username': 50 }, async () => {
    await arena.paced(50, () => stranger.send(bindingRequest(answer, ice)))
  })
  t.is(grown.get(ROAMS), 0)
  t.true(stranger.bytesIn <= stranger.bytesOut)
})

test.serial('roaming with valid integrity works, and back; without it nothing moves', async (t) => {
  const peer = await arena.handmade(t)
  const moved = await arena.stranger(t)
  const thief = await arena.stranger(t)
  const wanted = { 'stun-bad-integrity': 20, [ROAMS]: 2 }
  const grown = await arena.attack(t, wanted, async () => {
    peer.udp.send(peer.check())
    await arena.read()
    moved.send(peer.check())
    await arena.read()
    await arena.paced(20, () => thief.send(peer.check({ password: WRONG })))
    peer.udp.send(peer.check())
    await arena.read()
  })
  await assertSuccess(t, peer.udp, 2)
  await assertSuccess(t, moved, 1)
  t.is(thief.bytesIn, 0)
  t.is(grown.get(ROAMS), 2)
})

test.serial('whoever roams over a hundred 5-tuples holds a few of them at a time', async (t) => {
  const peer = await arena.handmade(t)
  const places = await Promise.all(Array.from({ length: 100 }, () => arena.stranger(t)))
  await arena.attack(t, {}, async () => {
    await arena.paced(places.length, (index) => places[index]?.send(peer.check()), 10)
    const bound = (now: Series): number => now.get('nhipcau_media_tuples{worker="0"}') ?? 0
    await arena.until((now) => bound(now) >= 3)
    await sleep(1_100)
    const tuples = bound(await arena.series())
    t.true(tuples >= 3 && tuples <= 8, `${tuples} bound`)
  })
  for (const place of places) await assertSuccess(t, place, 1)
})

test.serial('an answer is never longer than its question', async (t) => {
  const peer = await arena.handmade(t)
  await arena.attack(t, {}, async () => {
    await arena.paced(200, () => peer.udp.send(peer.check()))
  })
  await assertSuccess(t, peer.udp, 200)
  t.true(peer.udp.bytesIn <= peer.udp.bytesOut)
})

test.serial('malformed, foreign and mutated STUN gets no answer', async (t) => {
  const peer = await arena.handmade(t)
  const stranger = await arena.stranger(t)
  const genuine = peer.check()
  const withType = (type: number): Buffer => {
    const bytes = Buffer.from(genuine)
    bytes.writeUInt16BE(type, 0)
    const crc = crc32(bytes.subarray(0, -FINGERPRINT_BYTES)) ^ FINGERPRINT_XOR
    bytes.writeUInt32BE(crc >>> 0, bytes.length - 4)
    return bytes
  }
  const drops = { 'stun-malformed': 4_000, 'stun-not-request': 4 }
  await arena.attack(t, drops, async () => {
    await arena.paced(genuine.length, (length) => stranger.send(genuine.subarray(0, length)))
    await arena.paced(4_000, (index) => {
      const bytes = Buffer.from(genuine)
      // FINGERPRINT stands behind what is signed: a request without it is as genuine.
      const signedBytes = genuine.length - FINGERPRINT_BYTES
      bytes[index % signedBytes]! ^= 1 << (Math.floor(index / signedBytes) % 8)
      stranger.send(bytes)
    })
    // Responses, indications, allocations, classic STUN, a lying length, a bomb of attributes.
    for (const type of [0x0101, 0x0111, 0x0011, 0x0003, 0x0004]) stranger.send(withType(type))
    await arena.paced(200, () => {
      const bytes = randomBytes(1_280)
      bytes.writeUInt32BE(0x0001_0000 | (1_280 - 20), 0)
      bytes.writeUInt32BE(0x2112_a442, 4)
      stranger.send(bytes)
    })
  })
  t.is(stranger.bytesIn, 0)
})

test.serial('afterwards nothing is left', async (t) => {
  await arena.assertBaseline(t)
})
