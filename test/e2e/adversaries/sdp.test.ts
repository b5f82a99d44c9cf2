/** Offers that are too long, too many, or lie: refused by code, by WebSocket and by WHIP, within a bounded time. */
import test, { type ExecutionContext } from 'ava'
import { createIceCredentials, type SiteIdentity, siteOffer } from '../../../bench/site/offer.ts'
import { Arena } from './arena.ts'
import { RawSocket, type Told } from './raw-socket.ts'

const ROOM = 'offers'

let arena: Arena
test.before(async () => {
  arena = await Arena.open()
})
test.after.always(() => arena.close())

function honest(): string {
  const { fingerprint } = arena.context.dtlsIdentity
  const identity: SiteIdentity = { ice: createIceCredentials(), fingerprint }
  return siteOffer(identity, [{ use: 'microphone' }], { transportWide: false }).sdp
}

async function joined(t: ExecutionContext<unknown>): Promise<RawSocket> {
  const raw = await RawSocket.open(arena.doorUrl)
  t.teardown(() => raw.close())
  t.teardown(() => arena.closeRoom(ROOM))
  raw.say({ type: 'join', token: await arena.token({ room: ROOM }) })
  t.truthy(await raw.hear(({ type }) => type === 'joined'))
  return raw
}

let ref = 0
async function offer(raw: RawSocket, sdp: string): Promise<Told | undefined> {
  ref += 1
  const mine = ref
  raw.say({ type: 'offer', ref: mine, sdp, sections: [{ mid: '0', use: 'microphone' }] })
  return await raw.hear((told) => told.ref === mine)
}

async function whip(sdp: string): Promise<number> {
  const token = await arena.token({ room: ROOM })
  const response = await fetch(`${arena.core.url}/whip/${ROOM}`, {
    method: 'POST',
    headers: { 'content-type': 'application/sdp', authorization: `Bearer ${token}` },
    body: sdp,
  })
  await response.arrayBuffer()
  return response.status
}

const SECTION = 'm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n'

test.serial('an SDP of 1 MB is refused by both doors', async (t) => {
  const sdp = `${honest()}${'a=x:y\r\n'.repeat(150_000)}`
  t.true(sdp.length > 1_000_000)
  await arena.attack(t, {}, async () => {
    t.is(await whip(sdp), 413)
    const raw = await joined(t)
    await offer(raw, sdp).catch(() => undefined)
    t.true([1009, 1006].includes((await raw.ended()) ?? 0))
  })
})

test.serial('10,000 m-lines are refused before they are parsed', async (t) => {
  // As many as fit below the bound of a message, and the 10,000 beyond it.
  const some = `v=0\r\n${SECTION.repeat(2_500)}`
  const all = `v=0\r\n${'m=audio 9 X 0\r\n'.repeat(10_000)}`
  const raw = await joined(t)
  await arena.attack(t, {}, async () => {
    const startedMs = performance.now()
    for (let turn = 0; turn < 20; turn++) {
      t.is((await offer(raw, some))?.code, 'too-large')
      t.is((await offer(raw, all))?.code, 'too-large')
    }
    // A bound for what hangs, not a measurement.
    t.true(performance.now() - startedMs < 15_000)
    t.is(await whip(all), 413)
  })
})

test.serial('lies, cuts and poison in an offer are refused as such', async (t) => {
  const sdp = honest()
  const bad: Record<string, string> = {
    empty: '',
    'not SDP': 'hello',
    NUL: sdp.replace('s=-', 's=\0'),
    'bare CR': sdp.replace('s=-', 's=\rm=audio'),
    'one line of 5,000': sdp.replace('s=-', `s=${'x'.repeat(5_000)}`),
    'no fingerprint': sdp.replace(/a=fingerprint.*\r\n/g, ''),
    'sha-1': sdp.replace(/a=fingerprint.*\r\n/g, `a=fingerprint:sha-1 ${'AB:'.repeat(19)}AB\r\n`),
    'short fingerprint': sdp.replace(/a=fingerprint.*\r\n/g, 'a=fingerprint:sha-256 AB\r\n'),
    'no ICE': sdp.replace(/a=ice-.*\r\n/g, ''),
    'ICE password of 1': sdp.replace(/a=ice-pwd.*\r\n/g, 'a=ice-pwd:x\r\n'),
    'two ICE-lites': sdp.replace('t=0 0', 't=0 0\r\na=ice-lite'),
    'no BUNDLE': sdp.replace(/a=group.*\r\n/, ''),
    'mid __proto__': sdp
      .replaceAll('a=mid:0', 'a=mid:__proto__')
      .replace('BUNDLE 0', 'BUNDLE __proto__'),
    'mid with a path': sdp.replaceAll('a=mid:0', 'a=mid:../0'),
    'a mid twice': `${sdp}${sdp.slice(sdp.indexOf('m='))}`,
  }
  const raw = await joined(t)
  await arena.attack(t, {}, async () => {
    for (const [name, text] of Object.entries(bad)) {
      const told = await offer(raw, text)
      const codes = ['bad-sdp', 'too-large', 'bad-message', 'unsupported-media']
      t.is(told?.type, 'error', name)
      t.true(codes.includes(String(told?.code)), `${name}: ${told?.code}`)
      t.true([400, 413, 415, 422].includes(await whip(text)), name)
    }
    t.is((await offer(raw, sdp))?.type, 'answer', 'and an honest one is still taken')
  })
})

test.serial(
  'sections that do not belong to the offer, and offers without a join, are refused',
  async (t) => {
    const raw = await joined(t)
    const early = await RawSocket.open(arena.doorUrl)
    t.teardown(() => early.close())
    await arena.attack(t, {}, async () => {
      raw.say({ type: 'offer', ref: 900, sdp: honest(), sections: [{ mid: '7', use: 'camera' }] })
      t.is((await raw.hear((told) => told.ref === 900))?.type, 'error')
      const many = Array.from({ length: 65 }, (_, mid) => ({ mid: String(mid), use: 'tile' }))
      raw.say({ type: 'offer', ref: 901, sdp: honest(), sections: many })
      t.is((await raw.hear((told) => told.ref === 901))?.code, 'bad-message')
      t.is((await offer(early, honest()))?.code, 'bad-state')
    })
  },
)

test.serial('a hundred mutated offers end nothing and open at most one transport', async (t) => {
  const raw = await joined(t)
  const sdp = Buffer.from(honest())
  await arena.attack(t, {}, async () => {
    // By WHIP every offer is a session of its own; here one participant tries and tries, within its rate.
    for (let index = 0; index < 100; index++) {
      const bytes = Buffer.from(sdp)
      for (let flip = 0; flip < 3; flip++)
        bytes[(index * 7_919 + flip * 131) % bytes.length] = 32 + ((index * 13 + flip) % 95)
      t.truthy(await offer(raw, bytes.toString('latin1')))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })
  t.is(raw.closeCode, undefined)
})

test.serial('afterwards nothing is left', async (t) => {
  await arena.assertBaseline(t)
})
