import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { DtlsClientSession } from './client.ts'
import type { SrtpKeys, SrtpProfile } from './handshake.ts'
import { Handshaker } from './handshaker.ts'
import { createDtlsIdentity, type DtlsIdentity } from './identity.ts'

const [ours, honest, stranger] = await Promise.all([
  createDtlsIdentity(),
  createDtlsIdentity(),
  createDtlsIdentity(),
])

type Network = {
  seed: number
  lossRatio: number
  duplicateRatio: number
  delayMsMax: number
  profiles?: SrtpProfile[]
  helloPaddingBytes?: number
  /** Whose fingerprint the client expects; ours by default. */
  serverIdentity?: DtlsIdentity
}

type Outcome = { server: SrtpKeys | string; client: SrtpKeys | string; endMs: number }

type Flying = { atMs: number; to: 'server' | 'client'; bytes: Uint8Array }

const mulberry32 = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}

/** One handshake between werift's client and our handshaker under a virtual clock. */
const simulate = async (network: Network): Promise<Outcome> => {
  const random = mulberry32(network.seed)
  const flying: Flying[] = []
  const outcome: Outcome = { server: 'pending', client: 'pending', endMs: 0 }
  let nowMs = 0
  const send = (to: Flying['to'], bytes: Uint8Array) => {
    const copies = random() < network.duplicateRatio ? 2 : 1
    for (let i = 0; i < copies; i++) {
      if (random() < network.lossRatio) continue
      flying.push({ atMs: nowMs + 1 + random() * network.delayMsMax, to, bytes })
    }
  }
  const handshaker = new Handshaker({
    identity: ours,
    emit: (event) => {
      if (event.type === 'send') send('client', event.bytes)
      if (event.type === 'connected') outcome.server = event.keys
      if (event.type === 'refused') outcome.server = event.reason
    },
  })
  const client = new DtlsClientSession({
    identity: honest,
    fingerprints: [(network.serverIdentity ?? ours).fingerprint],
    profiles: network.profiles ?? ['aes-cm', 'aes-gcm'],
    helloPaddingBytes: network.helloPaddingBytes ?? 0,
    emit: (event) => {
      if (event.type === 'send') send('server', event.bytes)
      if (event.type === 'connected') outcome.client = event.keys
      if (event.type === 'refused') outcome.client = event.reason
    },
  })
  handshaker.command({ type: 'open', transportId: 1, fingerprints: [honest.fingerprint] }, 0)
  client.start(0)
  await turn()
  const isOver = () => outcome.client !== 'pending' && outcome.server !== 'pending'
  while (!isOver() && nowMs < 25_000) {
    nowMs += 10
    const due = flying.filter(({ atMs }) => atMs <= nowMs).sort((a, b) => a.atMs - b.atMs)
    for (const packet of due) flying.splice(flying.indexOf(packet), 1)
    for (const { to, bytes } of due) {
      if (to === 'client') client.receive(bytes, nowMs)
      else handshaker.command({ type: 'datagram', transportId: 1, bytes }, nowMs)
      while (handshaker.work(nowMs));
      await turn()
    }
    handshaker.tick(nowMs)
    client.tick(nowMs)
  }
  outcome.endMs = nowMs
  return outcome
}

const agree = ({ server, client }: Outcome): boolean =>
  typeof server === 'object' &&
  typeof client === 'object' &&
  server.profile === client.profile &&
  Buffer.from(server.localKey).equals(client.remoteKey) &&
  Buffer.from(server.localSalt).equals(client.remoteSalt) &&
  Buffer.from(server.remoteKey).equals(client.localKey) &&
  Buffer.from(server.remoteSalt).equals(client.localSalt)

const calm: Network = { seed: 1, lossRatio: 0, duplicateRatio: 0, delayMsMax: 0 }

test("werift's client and we agree on keys of both profiles", async (t) => {
  for (const profile of ['aes-cm', 'aes-gcm'] as const) {
    const outcome = await simulate({ ...calm, profiles: [profile] })
    t.true(agree(outcome))
    t.is((outcome.server as SrtpKeys).profile, profile)
  }
})

test("a ClientHello as long as a browser's with a post-quantum share connects in any order", async (t) => {
  for (let seed = 1; seed <= 8; seed++) {
    const shuffled = { ...calm, seed, delayMsMax: 100, helloPaddingBytes: 1_250 }
    const outcome = await simulate(shuffled)
    t.true(agree(outcome), `seed ${seed}`)
    t.true(outcome.endMs < 1_000, `no repetition was needed, seed ${seed}`)
  }
})

test('handshakes over a lossy, reordering, duplicating network end in equal keys', async (t) => {
  let connectedCount = 0
  for (let seed = 1; seed <= 60; seed++) {
    const network = { seed, lossRatio: 0.1, duplicateRatio: 0.2, delayMsMax: 400 }
    const outcome = await simulate({ ...network, helloPaddingBytes: (seed % 2) * 1_250 })
    if (agree(outcome)) connectedCount += 1
    else t.log({ seed, server: outcome.server, client: outcome.client })
  }
  t.true(connectedCount >= 58, `${connectedCount} of 60`)
})

test('on a link that loses nearly everything nobody ends with half a handshake for ever', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const outcome = await simulate({ seed, lossRatio: 0.8, duplicateRatio: 0, delayMsMax: 50 })
    const isHonest = agree(outcome) || outcome.client === 'timeout' || outcome.server === 'timeout'
    t.true(isHonest || outcome.server === 'pending', `seed ${seed}`)
    if (typeof outcome.client === 'object') t.true(agree(outcome), `seed ${seed}`)
  }
})

test('the client refuses a server that is not the one of the SDP', async (t) => {
  const outcome = await simulate({ ...calm, serverIdentity: stranger })
  t.is(outcome.client, 'fingerprint-mismatch')
})
