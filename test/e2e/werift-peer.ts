/**
 * A WHIP and WHEP client made of werift, in a process of its own: watches one room and sends what it gets there into
 * another, as a media gateway would. `node werift-peer.ts BASE_URL WATCH_ROOM WATCH_TOKEN SEND_ROOM SEND_TOKEN`.
 * Tells what happens in JSON lines on standard output; a line on standard input ends it by DELETE.
 */
import { once } from 'node:events'
import {
  MediaStreamTrack,
  RTCPeerConnection,
  type RTCRtpTransceiver,
  useOPUS,
  useVP8,
} from 'werift'

const [base = '', watchRoom = '', watchToken = '', sendRoom = '', sendToken = ''] =
  process.argv.slice(2)

type Resource = { url: string; token: string; etag: string; status: number }

const counts = { audio: 0, video: 0 }

const tell = (event: string, facts: object): void =>
  console.log(JSON.stringify({ event, ...facts }))

function createPeer(): RTCPeerConnection {
  return new RTCPeerConnection({
    codecs: { audio: [useOPUS()], video: [useVP8()] },
    iceServers: [],
    iceAdditionalHostAddresses: ['127.0.0.1'],
    bundlePolicy: 'max-bundle',
  })
}

/** POSTs the offer of this peer and takes the answer. */
async function post(peer: RTCPeerConnection, url: string, token: string): Promise<Resource> {
  await peer.setLocalDescription(await peer.createOffer())
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' },
    body: peer.localDescription?.sdp ?? '',
  })
  const sdp = await response.text()
  if (response.status !== 201) throw new Error(`${url}: ${response.status} ${sdp}`)
  await peer.setRemoteDescription({ type: 'answer', sdp })
  const { headers, status } = response
  const location = new URL(headers.get('location') ?? '', base).href
  return { url: location, token, etag: headers.get('etag') ?? '', status }
}

const remove = async ({ url, token }: Resource): Promise<number> => {
  const headers = { authorization: `Bearer ${token}` }
  return (await fetch(url, { method: 'DELETE', headers })).status
}

const tracks = {
  audio: new MediaStreamTrack({ kind: 'audio' }),
  video: new MediaStreamTrack({ kind: 'video' }),
}

const watcher = createPeer()
const receivers = (['audio', 'video'] as const).map((kind) => {
  const transceiver = watcher.addTransceiver(kind, { direction: 'recvonly' })
  transceiver.onTrack.subscribe((track) => {
    track.onReceiveRtp.subscribe((packet) => {
      counts[kind] += 1
      tracks[kind].writeRtp(packet.clone())
    })
  })
  return transceiver
})

/** Whoever comes into the other room needs a keyframe from the first. */
function passKeyframeRequests(from: RTCRtpTransceiver, to: RTCRtpTransceiver): void {
  from.sender.onPictureLossIndication.subscribe(() => {
    const ssrc = to.receiver.tracks[0]?.ssrc
    if (ssrc !== undefined) void to.receiver.sendRtcpPLI(ssrc)
  })
}

const publisher = createPeer()
publisher.addTransceiver(tracks.audio, { direction: 'sendonly' })
const video = publisher.addTransceiver(tracks.video, { direction: 'sendonly' })
const watchedVideo = receivers[1]
if (watchedVideo !== undefined) passKeyframeRequests(video, watchedVideo)

const published = await post(publisher, `${base}/whip/${sendRoom}`, sendToken)
const watched = await post(watcher, `${base}/whep/${watchRoom}`, watchToken)
tell('negotiated', { whip: published.status, whep: watched.status })
const timer = setInterval(
  () =>
    tell('figures', {
      ...counts,
      whip: publisher.connectionState,
      whep: watcher.connectionState,
    }),
  500,
)
await once(process.stdin, 'data')
clearInterval(timer)
tell('ended', { whip: await remove(published), whep: await remove(watched) })
await Promise.all([publisher.close(), watcher.close()])
process.exit(0)
