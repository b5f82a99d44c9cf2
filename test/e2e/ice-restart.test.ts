/**
 * ICE is restarted over the WebSocket while media flows both ways: nobody sees it, and it is the
 * same participant.
 */
import test from 'ava'
import { eventually, openBrowser } from './browser.ts'
import { startCore } from './core-process.ts'
import {
  framesDecoded,
  idOf,
  joinByLink,
  linkFor,
  openPerson,
  type Person,
  soundEnergy,
  statsOf,
} from './person.ts'
import { watchGaps } from './picture.ts'

const STILL_MS_MAX = 1_500
const RESTARTS = 3

type Restartable = { restartIce: () => Promise<void> }
declare global {
  interface Window {
    conference: Restartable
  }
}

/**
 * Runs in the page: joins by the SDK's built module alone, sends both devices and shows the main
 * picture.
 */
async function joinBySdk(token: string): Promise<void> {
  const path = '/sdk/nhipcau.js'
  const { connect } = await import(path)
  const conference = connect({ token, tiles: 0 })
  window.conference = conference
  const video = document.createElement('video')
  Object.assign(video, { muted: true, autoplay: true })
  video.dataset.testid = 'main-video'
  document.body.replaceChildren(video)
  type Shown = { mid: string; use: string; stream: MediaStream }
  conference.on('slots', (slots: Shown[]) => {
    const main = slots.find(({ use }) => use === 'main')
    video.srcObject = main?.stream ?? null
    for (const { use, stream } of slots) {
      if (use === 'audio') void Object.assign(new Audio(), { srcObject: stream }).play()
    }
    const size = { widthPx: 640, heightPx: 360 }
    conference.setView({ main: null, mainSize: size, tiles: [] })
  })
  const devices = await navigator.mediaDevices.getUserMedia({ audio: true, video: true })
  for (const track of devices.getTracks()) {
    await conference.setSource(track.kind === 'audio' ? 'microphone' : 'camera', track)
  }
}

/** Credentials in the description that stands, and whether the transport really uses them. */
function iceOf({ page }: Person): Promise<{ ufrag: string; isUsed: boolean }> {
  return page.evaluate(async () => {
    const connection = window.tappedConnections.at(-1)
    const local = connection?.currentLocalDescription?.sdp ?? ''
    const ufrag = /a=ice-ufrag:(\S+)/.exec(local)?.[1] ?? ''
    let used: unknown
    const report = await connection?.getStats()
    report?.forEach((entry) => {
      if (entry.type === 'transport') used = entry.iceLocalUsernameFragment
    })
    return { ufrag, isUsed: used === ufrag }
  })
}

const dtlsStatesOf = async (person: Person): Promise<unknown> =>
  (await statsOf(person, 'transport')).map(({ dtlsState }) => dtlsState)

test('ICE restarts while media flows: no standstill, same participant, same transport', async (t) => {
  const core = await startCore(t)
  const context = await openBrowser(t, { framesPerSecond: 10 })
  const steady = await openPerson(context)
  const mover = await openPerson(context)
  const claims = { room: 'hall', role: 'speaker' }
  await joinByLink(steady, linkFor(core, { ...claims, name: 'Bạch Mai' }))
  await mover.page.goto(core.url)
  await mover.page.evaluate(joinBySdk, core.token({ ...claims, name: 'Mường Nhé' }))
  for (const person of [steady, mover]) {
    await eventually('sees the other', async () => (await framesDecoded(person)) > 40)
    await eventually('hears the other', async () => (await soundEnergy(person)) > 0.001)
  }
  const id = idOf(mover)
  const gaps = [await watchGaps(steady), await watchGaps(mover)]
  for (let turn = 0; turn < RESTARTS; turn++) {
    const before = await iceOf(mover)
    await mover.page.evaluate(() => window.conference.restartIce())
    const after = await eventually('uses new credentials', async () => {
      const now = await iceOf(mover)
      return now.ufrag !== before.ufrag && now.isUsed ? now : undefined
    })
    t.not(after.ufrag, before.ufrag)
    for (const person of [steady, mover]) {
      const frames = await framesDecoded(person)
      await eventually('goes on', async () => (await framesDecoded(person)) > frames + 15)
    }
  }
  for (const gap of gaps) {
    const longest = await gap.longestMs()
    t.true(longest < STILL_MS_MAX, `stood still for ${longest} ms`)
  }
  t.deepEqual(await dtlsStatesOf(mover), ['connected'])
  t.is(idOf(mover), id)
  t.is(mover.received.filter(({ type }) => type === 'joined').length, 1)
  t.is(mover.received.filter(({ type }) => type === 'answer').length, 1 + RESTARTS)
  t.is(await mover.page.evaluate(() => window.tappedConnections.length), 1)
  const removed = steady.received.flatMap(
    ({ stage }) => (stage as { remove?: string[] } | undefined)?.remove ?? [],
  )
  t.deepEqual(removed, [])
  t.deepEqual([steady.faults, mover.faults], [[], []])
})
