/** A room that has outgrown one media worker and lies on two is still one room. */
import test from 'ava'
import { eventually, openBrowser } from './browser.ts'
import { type CoreProcess, startCore } from './core-process.ts'
import {
  framesDecoded,
  joinByLink,
  linkFor,
  openPerson,
  type Person,
  soundEnergy,
  statsOf,
} from './person.ts'

/** A room stays on one worker until that one has sixteen more than the least loaded. */
const CROWD = 18

test('participants on both media workers see and hear each other', async (t) => {
  const core = await startCore(t, { env: { NHIPCAU_WORKERS: '2' } })
  const context = await openBrowser(t, { framesPerSecond: 10 })
  const mai = await openPerson(context)
  const tuan = await openPerson(context)
  const claims = { room: 'hall', role: 'speaker' }
  await joinByLink(mai, linkFor(core, { ...claims, name: 'Mai' }))
  await fillWorker(core, mai)
  await joinByLink(tuan, linkFor(core, { ...claims, name: 'Tuấn' }))
  t.not(await mediaPortOf(mai), await mediaPortOf(tuan))
  for (const person of [mai, tuan]) {
    await eventually('sees', async () => (await framesDecoded(person)) > 20, 90_000)
    const before = await framesDecoded(person)
    await eventually('and goes on', async () => (await framesDecoded(person)) > before + 20)
    await eventually('hears', async () => (await soundEnergy(person)) > 0.001)
  }
  t.deepEqual([mai.faults, tuan.faults], [[], []])
})

/** Watchers by WHEP, negotiated but never connected, take their places on the room's worker. */
async function fillWorker(core: CoreProcess, { page }: Person): Promise<void> {
  const token = core.token({ room: 'hall', role: 'viewer' })
  const statuses = await page.evaluate(
    async ([bearer, count]) => {
      const peer = new RTCPeerConnection()
      peer.addTransceiver('audio', { direction: 'recvonly' })
      const { sdp } = await peer.createOffer()
      peer.close()
      window.tappedConnections.pop()
      const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/sdp' }
      const answers = Array.from({ length: count }, () =>
        fetch('/whep/hall', { method: 'POST', headers, body: sdp ?? '' }),
      )
      return (await Promise.all(answers)).map(({ status }) => status)
    },
    [token, CROWD] as const,
  )
  const refused = statuses.filter((status) => status !== 201)
  if (refused.length > 0) throw new Error(`refused: ${refused.join(' ')}`)
}

/** The core's UDP port to which this page really sends. */
async function mediaPortOf(person: Person): Promise<unknown> {
  const pairs = await statsOf(person, 'candidate-pair')
  const pair = pairs.find(({ nominated, state }) => nominated === true && state === 'succeeded')
  const candidates = await statsOf(person, 'remote-candidate')
  return candidates.find(({ id }) => id === pair?.remoteCandidateId)?.port
}
