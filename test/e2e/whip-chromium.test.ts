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

test.serial(
  'a WHIP publisher is seen and heard by a WHEP watcher, and ends by DELETE',
  async (t) => {
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
  },
)

/** Runs in the page: new credentials over PATCH (RFC 9725 §4.3.2), then the answer that follows from them. */
async function restartIce([url, token]: [string, string]): Promise<{
  status: number
  changed: boolean
}> {
  const { watcher } = globalThis as unknown as { watcher: RTCPeerConnection }
  const line = (name: string, sdp: string): string =>
    new RegExp(`^a=ice-${name}:(.*)$`, 'm').exec(sdp)?.[1]?.trim() ?? ''
  const before = watcher.currentRemoteDescription?.sdp ?? ''
  await watcher.setLocalDescription(await watcher.createOffer({ iceRestart: true }))
  const offer = watcher.localDescription?.sdp ?? ''
  const credentials = (['ufrag', 'pwd'] as const).map(
    (name) => `a=ice-${name}:${line(name, offer)}`,
  )
  const response = await fetch(url, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/trickle-ice-sdpfrag',
      'if-match': '*',
    },
    body: [...credentials, 'm=audio 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0', ''].join('\r\n'),
  })
  const fragment = await response.text()
  const answer = before
    .replaceAll(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${line('ufrag', fragment)}`)
    .replaceAll(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${line('pwd', fragment)}`)
  await watcher.setRemoteDescription({ type: 'answer', sdp: answer })
  return { status: response.status, changed: line('ufrag', fragment) !== line('ufrag', before) }
}

test.serial('a WHEP watcher restarts ICE by PATCH and goes on watching', async (t) => {
  const core = await startCore(t)
  const context = await openBrowser(t)
  const page = await context.newPage()
  await page.goto(core.url)
  const speaker = core.token({ room: 'hop', role: 'speaker' })
  const viewer = core.token({ room: 'hop', role: 'viewer' })
  await page.evaluate(publish, [`${core.url}/whip/hop`, speaker] as [string, string])
  const endpoint = [`${core.url}/whep/hop`, viewer] as [string, string]
  const watched = await page.evaluate(watch, endpoint)
  const frames = async () => Math.max(...(await page.evaluate(received)).frames)
  await eventually('watches', async () => (await frames()) > 10)

  const resource = [core.url + watched.location, viewer] as [string, string]
  const restarted = await page.evaluate(restartIce, resource)
  t.deepEqual(restarted, { status: 200, changed: true })
  await eventually('uses the new credentials', () =>
    page.evaluate(async () => {
      const { watcher } = globalThis as unknown as { watcher: RTCPeerConnection }
      const local = watcher.localDescription?.sdp ?? ''
      for (const entry of (await watcher.getStats()).values()) {
        if (entry.type !== 'transport') continue
        return local.includes(`a=ice-ufrag:${entry.iceLocalUsernameFragment}`)
      }
      return false
    }),
  )
  const before = await frames()
  await eventually('goes on watching', async () => (await frames()) > before + 25)
})
