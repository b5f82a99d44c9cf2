/** WHIP and WHEP with nothing of ours in the browser: its own RTCPeerConnection and fetch. */
import test from 'ava'
import { eventually, openBrowser } from './browser.ts'
import { startCore } from './core-process.ts'

type Session = { status: number; location: string; etag: string }

/** Runs in the page. */
async function publish([url, token]: [string, string]): Promise<Session> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true })
  const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
  for (const track of stream.getTracks()) peer.addTransceiver(track, { direction: 'sendonly' })
  await peer.setLocalDescription(await peer.createOffer())
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' },
    body: peer.localDescription?.sdp ?? '',
  })
  await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() })
  Object.assign(globalThis, { publisher: peer })
  const { headers, status } = answer
  return { status, location: headers.get('location') ?? '', etag: headers.get('etag') ?? '' }
}

/** Runs in the page. */
async function watch([url, token]: [string, string]): Promise<Session> {
  const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
  for (const kind of ['audio', 'video', 'video']) {
    peer.addTransceiver(kind, { direction: 'recvonly' })
  }
  peer.ontrack = ({ track }) => {
    const element = document.createElement(track.kind) as HTMLMediaElement
    element.srcObject = new MediaStream([track])
    document.body.append(element)
    void element.play()
  }
  await peer.setLocalDescription(await peer.createOffer())
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' },
    body: peer.localDescription?.sdp ?? '',
  })
  await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() })
  Object.assign(globalThis, { watcher: peer })
  const { headers, status } = answer
  return { status, location: headers.get('location') ?? '', etag: headers.get('etag') ?? '' }
}

/** Runs in the page: decoded frames of each video section, and sound energy of the audio. */
async function received(): Promise<{ frames: number[]; energy: number }> {
  const { watcher } = globalThis as unknown as { watcher: RTCPeerConnection }
  const frames: number[] = []
  let energy = 0
  for (const report of (await watcher.getStats()).values()) {
    if (report.type !== 'inbound-rtp') continue
    if (report.kind === 'video') frames.push(report.framesDecoded ?? 0)
    else energy += report.totalAudioEnergy ?? 0
  }
  return { frames, energy }
}

test('a WHIP publisher is seen and heard by a WHEP watcher, and ends by DELETE', async (t) => {
  const core = await startCore(t)
  const context = await openBrowser(t)
  const page = await context.newPage()
  await page.goto(core.url)
  const room = 'hop'
  const speaker = core.token({ room, role: 'speaker' })
  const viewer = core.token({ room, role: 'viewer' })
  const published = await page.evaluate(publish, [`${core.url}/whip/${room}`, speaker] as [
    string,
    string,
  ])
  t.is(published.status, 201)
  const watched = await page.evaluate(watch, [`${core.url}/whep/${room}`, viewer] as [
    string,
    string,
  ])
  t.is(watched.status, 201)
  await eventually('decodes the main picture and hears the beep', async () => {
    const { frames, energy } = await page.evaluate(received)
    return Math.max(...frames) > 25 && energy > 0.001
  })

  const refused = await fetch(core.url + published.location, { method: 'DELETE' })
  t.is(refused.status, 401)
  const ended = await fetch(core.url + published.location, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${speaker}` },
  })
  t.is(ended.status, 200)
  await eventually('the publisher hears that it is over', () =>
    page.evaluate(() => {
      const { publisher } = globalThis as unknown as { publisher: RTCPeerConnection }
      return publisher.connectionState !== 'connected'
    }),
  )
})
