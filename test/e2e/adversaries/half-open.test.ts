/**
 * A thousand handshakes that begin and never go on, at once (the bound is
 * HALF_OPEN_HANDSHAKES_MAX). Each has a seat and a bound 5-tuple, so that the gate owes it a key
 * exchange and a signature.
 */
import test, { type ExecutionContext } from 'ava'
import { createIceCredentials, readAnswer, siteOffer } from '../../../bench/site/offer.ts'
import { UNPROVEN_BYTES_OUT_MAX } from '../../../config/index.ts'
// biome-ignore lint/style/noRestrictedImports: our one DTLS client that forges; no door shows it to production
import { Adversary } from '../../../core/io/dtls/adversary.ts'
import { Arena } from './arena.ts'
import { eventual } from './eventual.ts'
import { bindingRequest, type Stranger } from './stranger.ts'

const HALF_OPEN = 1_000
const ROOMS = 10
const AT_ONCE = 32
/** What of the bytes is not DTLS: one answer to the STUN check. */
const STUN_ANSWER_BYTES = 100
const gauge = 'nhipcau_dtls_half_open'

let arena: Arena
test.before(async () => {
  arena = await Arena.open()
})
test.after.always(() => arena.close())

type Opponent = { udp: Stranger; check: Buffer }

const roomOf = (index: number): string => `half-open-${index % ROOMS}`

/**
 * A seat by WHEP, the cheapest there is: they must all be there before the first has waited too
 * long.
 */
async function sit(t: ExecutionContext<unknown>, index: number): Promise<Opponent> {
  const { fingerprint } = arena.context.dtlsIdentity
  const token = await arena.token({ room: roomOf(index), role: 'viewer' })
  const ice = createIceCredentials()
  const { sdp } = siteOffer({ ice, fingerprint }, [{ use: 'audio' }], { transportWide: false })
  const response = await fetch(`${arena.core.url}/whep/${roomOf(index)}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' },
    body: sdp,
  })
  const text = await response.text()
  if (response.status !== 201) throw new Error(`${response.status} ${text}`)
  return { udp: await arena.stranger(t), check: bindingRequest(readAnswer(text), ice) }
}

async function crowd(t: ExecutionContext<unknown>): Promise<Opponent[]> {
  const opponents: Opponent[] = []
  let next = 0
  const fill = async (): Promise<void> => {
    while (next < HALF_OPEN) {
      next += 1
      opponents.push(await sit(t, next))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, fill))
  return opponents
}

test.serial('a thousand half-open handshakes keep nobody out', async (t) => {
  for (let room = 0; room < ROOMS; room++) t.teardown(() => arena.closeRoom(roomOf(room)))
  let opponents: Opponent[] = []
  const heard = (): number => opponents.filter(({ udp }) => udp.received.length > 0).length
  await arena.attack(t, {}, async () => {
    const startedMs = performance.now()
    opponents = await crowd(t)
    t.log(`${HALF_OPEN} seats in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
    await arena.paced(HALF_OPEN, (index) => opponents[index]!.udp.send(opponents[index]!.check))
    t.true(await eventual(() => heard() === HALF_OPEN), `${heard()} are bound`)
    for (const { udp } of opponents) udp.received.length = 0
    const { dtlsIdentity: identity } = arena.context
    await arena.paced(
      HALF_OPEN,
      (index) => opponents[index]!.udp.send(new Adversary({ identity }).hello()),
      50,
    )
    const now = await arena.until((series) => (series.get(gauge) ?? 0) >= HALF_OPEN)
    t.true((now.get(gauge) ?? 0) >= HALF_OPEN, `${now.get(gauge)} at once`)
    const joinMs = performance.now()
    await arena.join(t, [{ use: 'microphone' }])
    t.log(`a join among them took ${(performance.now() - joinMs).toFixed(0)} ms`)
  })
  await eventual(() => heard() > HALF_OPEN * 0.9)
  t.true(heard() > HALF_OPEN * 0.9, `${heard()} were answered`)
  const most = Math.max(...opponents.map(({ udp }) => udp.bytesIn))
  t.true(most <= UNPROVEN_BYTES_OUT_MAX + STUN_ANSWER_BYTES, `${most} bytes for one unproven`)
})

test.serial('afterwards nothing is left', async (t) => {
  await arena.assertBaseline(t)
})
