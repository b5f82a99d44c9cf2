/**
 * DTLS against the gate (docs/adr/0004-dtls-gate.md) as it stands in a running core: strangers,
 * copied certificates, forged and spoofed records, floods; half-open.test.ts has the crowds. None gets keys,
 * none ends the call beside.
 */
import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
// biome-ignore lint/style/noRestrictedImports: our one DTLS client that forges; no door shows it to production
import { Adversary, type AdversaryOptions } from '../../../core/io/dtls/adversary.ts'
import { Arena, type Series } from './arena.ts'
import { eventual } from './eventual.ts'
import type { HandmadePeer } from './stranger.ts'

const CHANGE_CIPHER_SPEC = 20
const ALERT = 21
const HANDSHAKE = 22
const APPLICATION_DATA = 23
const CERTIFICATE = 11
const FATAL_CLOSE = Buffer.from([2, 0])
const FATAL_UNEXPECTED = Buffer.from([2, 10])
const refused = (reason: string): string => `nhipcau_dtls_refused_total{reason="${reason}"}`
const dropped = (reason: string): string => `nhipcau_dtls_records_dropped_total{reason="${reason}"}`
const HANDSHAKES = 'nhipcau_media_handshakes_total'

let arena: Arena
test.before(async () => {
  arena = await Arena.open()
})
test.after.always(() => arena.close())

type Duel = { peer: HandmadePeer; client: Adversary }

/** A peer past ICE with a free hand in DTLS. */
async function duel(
  t: ExecutionContext<unknown>,
  options: Partial<AdversaryOptions> = {},
  room = 'attack',
): Promise<Duel> {
  const peer = await arena.handmade(t, { token: await arena.token({ room }) })
  const { dtlsIdentity } = arena.context
  const client = new Adversary({ identity: dtlsIdentity, ...options })
  await peer.bind()
  return { peer, client }
}

/** Says hello and reads flight 4. */
async function greet({ peer, client }: Duel): Promise<void> {
  peer.udp.onDatagram = (datagram) => {
    if (datagram[0] === HANDSHAKE) client.receive(datagram)
  }
  peer.udp.send(client.hello())
  if (!(await eventual(() => client.serverMessages.length >= 5))) throw new Error('not greeted')
}

/** What the door says of this peer's media, once it has said something. */
function mediaStates(peer: HandmadePeer): string[] {
  const states: string[] = []
  peer.door.onMessage = (message) => {
    if (message.type === 'media') states.push(`${message.state} ${message.cause ?? ''}`.trim())
  }
  return states
}

/** An attack after which exactly `count` more handshakes stand: the newcomer's own, and those that the test wants. */
async function attackWithout(
  t: ExecutionContext<unknown>,
  act: () => Promise<void>,
  { drops = {}, honest = 0 }: { drops?: Record<string, number>; honest?: number } = {},
): Promise<Series> {
  const before = (await arena.series()).get(HANDSHAKES) ?? 0
  const wanted = honest === 0 ? drops : { ...drops, [HANDSHAKES]: honest }
  const grown = await arena.attack(t, wanted, act)
  // The newcomer's own comes with the next snapshot of the workers, and nothing else may come with it.
  await arena.until((now) => (now.get(HANDSHAKES) ?? 0) - before >= honest + 1)
  await sleep(1_100)
  const after = (await arena.series()).get(HANDSHAKES) ?? 0
  t.is(after - before, honest + 1, 'handshakes that led to keys')
  return grown
}

test.serial(
  'the adversary’s own client gets keys when it is honest, so the refusals below mean something',
  async (t) => {
    const opponent = await duel(t)
    const states = mediaStates(opponent.peer)
    await attackWithout(
      t,
      async () => {
        await greet(opponent)
        for (const datagram of opponent.client.flight5()) opponent.peer.udp.send(datagram)
        t.true(await eventual(() => states.includes('connected')))
      },
      { honest: 1 },
    )
  },
)

test.serial('a ClientHello from a stranger is not answered, whoever it races', async (t) => {
  const stranger = await arena.stranger(t)
  const opponent = await duel(t)
  await attackWithout(
    t,
    async () => {
      const { dtlsIdentity } = arena.context
      await arena.paced(200, () => stranger.send(new Adversary({ identity: dtlsIdentity }).hello()))
      await greet(opponent)
      await arena.paced(50, () => stranger.send(new Adversary({ identity: dtlsIdentity }).hello()))
      for (const datagram of opponent.client.flight5()) opponent.peer.udp.send(datagram)
      t.true(await eventual(() => opponent.peer.udp.received.length > 1))
    },
    { drops: { 'dtls-unbound': 250 }, honest: 1 },
  )
  t.is(stranger.bytesIn, 0)
})

test.serial('a copied certificate without its key gets no SRTP keys', async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const opponent = await duel(t, { signingKey: privateKey })
  const states = mediaStates(opponent.peer)
  await attackWithout(
    t,
    async () => {
      await greet(opponent)
      for (const datagram of opponent.client.flight5()) opponent.peer.udp.send(datagram)
      t.true(await eventual(() => states.includes('disconnected handshake-refused')))
    },
    { drops: { [refused('bad-signature')]: 1 } },
  )
})

test.serial('a certificate that is not the one of the SDP gets no SRTP keys', async (t) => {
  const { loadDtls } = await import('../../../core/io/dtls/index.ts')
  const other = await (await loadDtls()).createDtlsIdentity()
  const opponent = await duel(t, { identity: other })
  const states = mediaStates(opponent.peer)
  await attackWithout(
    t,
    async () => {
      await greet(opponent)
      for (const datagram of opponent.client.flight5()) opponent.peer.udp.send(datagram)
      t.true(await eventual(() => states.includes('disconnected handshake-refused')))
    },
    { drops: { [refused('fingerprint-mismatch')]: 1 } },
  )
})

test.serial(
  'a client that skips its certificate, its proof or its Finished gets no keys',
  async (t) => {
    const whole = ['certificate', 'keyExchange', 'certificateVerify', 'changeCipherSpec'] as const
    const cuts = [
      ['keyExchange', 'certificateVerify', 'changeCipherSpec', 'finished'],
      ['certificate', 'certificateVerify', 'changeCipherSpec'],
      ['certificate', 'keyExchange', 'changeCipherSpec', 'finished'],
      // Without Finished nothing comes to an end until its time is up.
      whole,
    ] as const
    const opponents = await Promise.all(cuts.map(() => duel(t)))
    await attackWithout(
      t,
      async () => {
        for (const [turn, steps] of cuts.entries()) {
          const { peer, client } = opponents[turn]!
          await greet(opponents[turn]!)
          for (const step of steps) peer.udp.send(client[step]())
        }
      },
      { drops: { [refused('unexpected-message')]: 2 } },
    )
  },
)

test.serial(
  'plaintext alerts, hellos and data from the 5-tuple of a call end nothing',
  async (t) => {
    const { dtlsIdentity } = arena.context
    const { speaker, viewer } = arena.call
    const client = new Adversary({ identity: dtlsIdentity })
    await attackWithout(
      t,
      async () => {
        for (const { link } of [speaker, viewer]) {
          for (const alert of [FATAL_CLOSE, FATAL_UNEXPECTED, Buffer.from([1, 0])]) {
            link.send(client.record(ALERT, alert))
          }
          link.send(new Adversary({ identity: dtlsIdentity }).hello())
          link.send(client.record(CHANGE_CIPHER_SPEC, Buffer.from([1])))
          link.send(client.record(APPLICATION_DATA, Buffer.alloc(100)))
          // A 13-byte record of a type that does not exist, and one of each first byte that mux calls DTLS.
          for (let index = 0; index < 44; index++) {
            const record = client.record(ALERT, Buffer.from([2, index]))
            record[0] = 20 + index
            link.send(record)
            // Slower than the flood bounds: the record filter is what shall refuse them.
            if (index % 8 === 7) await sleep(100)
          }
        }
      },
      { drops: { [dropped('after-handshake')]: 10, [dropped('content-type')]: 20 } },
    )
  },
)

test.serial('plaintext alerts during a handshake end nothing', async (t) => {
  const opponent = await duel(t)
  const states = mediaStates(opponent.peer)
  await attackWithout(
    t,
    async () => {
      const { peer, client } = opponent
      const forger = new Adversary({ identity: arena.context.dtlsIdentity })
      peer.udp.send(forger.record(ALERT, FATAL_CLOSE))
      await greet(opponent)
      peer.udp.send(forger.record(ALERT, FATAL_UNEXPECTED))
      for (const datagram of client.flight5()) peer.udp.send(datagram)
      t.true(await eventual(() => states.includes('connected')))
    },
    { honest: 1 },
  )
})

test.serial('renegotiation under true keys is ignored, the call goes on', async (t) => {
  const opponent = await duel(t)
  const { peer, client } = opponent
  const states = mediaStates(peer)
  await attackWithout(
    t,
    async () => {
      await greet(opponent)
      for (const datagram of client.flight5()) peer.udp.send(datagram)
      t.true(await eventual(() => states.includes('connected')))
      // Its last flight may come later than the word of the door.
      t.true(await eventual(() => peer.udp.received.some((datagram) => client.accepts(datagram))))
      peer.udp.received.length = 0
      const hello = client.message(1, client.helloBody())
      await arena.paced(20, () => peer.udp.send(client.cipher!.seal(HANDSHAKE, hello)))
      await sleep(300)
      t.deepEqual(peer.udp.received, [], 'not answered')
    },
    { honest: 1 },
  )
  t.deepEqual(states, ['connected'])
})

test.serial('fragment bombs are bounded and end only their own handshake', async (t) => {
  const fragment = (sequence: number, length: number, at: number): Buffer => {
    const body = Buffer.alloc(12 + 1)
    body[0] = CERTIFICATE
    body.writeUIntBE(length, 1, 3)
    body.writeUInt16BE(sequence, 4)
    body.writeUIntBE(at, 6, 3)
    body.writeUIntBE(1, 9, 3)
    return body
  }
  const [long, many] = [await duel(t), await duel(t)]
  await attackWithout(t, async () => {
    await greet(long)
    await arena.paced(300, (index) => {
      const body = fragment(1, 0xff_ffff, index * 50_000)
      long.peer.udp.send(long.client.record(HANDSHAKE, body))
    })
    await greet(many)
    await arena.paced(1_000, (index) => {
      const body = fragment(1 + (index % 500), 12_000, index * 7)
      many.peer.udp.send(many.client.record(HANDSHAKE, body))
    })
  })
})

test.serial('more datagrams than a handshake needs are dropped as a flood', async (t) => {
  const opponent = await duel(t)
  await attackWithout(
    t,
    async () => {
      await arena.paced(1_000, () =>
        opponent.peer.udp.send(opponent.client.record(ALERT, FATAL_CLOSE)),
      )
    },
    { drops: { 'dtls-flood': 800 } },
  )
  const { bytesIn, bytesOut } = opponent.peer.udp
  t.true(bytesIn < bytesOut)
})

test.serial('afterwards nothing is left', async (t) => {
  await arena.assertBaseline(t)
})
