/**
 * The baseline of `bench forward`: the same conference forwarded naively through werift's own peer connections, one a
 * site, behind the few messages of docs/PROTOCOL.md that the load speaks. Not a server for anything else.
 */
import { createServer } from 'node:http'
import { Packr } from 'msgpackr'
import { MediaStreamTrack, RTCPeerConnection, useOPUS, useVP8 } from 'werift'
import { type WebSocket, WebSocketServer } from 'ws'

const packr = new Packr({ useRecords: false })
const OPUS = 111
const VP8 = 96

type Receiver = { audio: MediaStreamTrack; video: MediaStreamTrack }
const receivers = new Set<Receiver>()

function createPeer(): RTCPeerConnection {
  return new RTCPeerConnection({
    codecs: {
      audio: [useOPUS({ payloadType: OPUS })],
      video: [useVP8({ payloadType: VP8 })],
    },
    iceServers: [],
    iceAdditionalHostAddresses: ['127.0.0.1'],
    iceUseIpv6: false,
    bundlePolicy: 'max-bundle',
  })
}

async function answerPublisher(peer: RTCPeerConnection, sdp: string): Promise<string> {
  const answered = await answer(peer, sdp)
  // werift's own router wants SSRCs or RIDs in the offer; a payload type tells as much here, and costs less.
  for (const transport of peer.dtlsTransports) {
    transport.onRtp.subscribe((packet) => {
      const kind = packet.header.payloadType === OPUS ? 'audio' : 'video'
      for (const receiver of receivers) receiver[kind].writeRtp(packet)
    })
  }
  return answered
}

async function answerReceiver(peer: RTCPeerConnection, sdp: string): Promise<string> {
  const receiver = {
    audio: new MediaStreamTrack({ kind: 'audio' }),
    video: new MediaStreamTrack({ kind: 'video' }),
  }
  peer.addTransceiver(receiver.audio, { direction: 'sendonly' })
  peer.addTransceiver(receiver.video, { direction: 'sendonly' })
  peer.connectionStateChange.subscribe((state) => {
    if (state === 'connected') receivers.add(receiver)
    else if (state === 'closed' || state === 'failed') receivers.delete(receiver)
  })
  return await answer(peer, sdp)
}

async function answer(peer: RTCPeerConnection, sdp: string): Promise<string> {
  await peer.setRemoteDescription({ type: 'offer', sdp })
  // The offer says setup:active, which werift would answer with active all the same.
  for (const transport of peer.dtlsTransports) transport.role = 'server'
  await peer.setLocalDescription(await peer.createAnswer())
  return peer.localDescription?.sdp ?? ''
}

function serve(socket: WebSocket): void {
  const peer = createPeer()
  socket.on('close', () => void peer.close())
  socket.on('message', (data: Buffer) => void obey(peer, socket, packr.unpack(data)))
}

type Request = { type: string; ref: number; sdp: string; sections: { use: string }[] }

async function obey(peer: RTCPeerConnection, socket: WebSocket, message: Request): Promise<void> {
  const reply = (body: object): void => socket.send(packr.pack({ ref: message.ref, ...body }))
  if (message.type === 'join') reply({ type: 'joined', participant: 'p' })
  else if (message.type === 'offer') {
    const publishes = message.sections.some(({ use }) => use === 'microphone')
    const sdp = await (publishes ? answerPublisher : answerReceiver)(peer, message.sdp)
    reply({ type: 'answer', sdp })
  } else reply({ type: 'ok' })
}

const server = createServer()
new WebSocketServer({ server, handleProtocols: (offered) => [...offered][0] ?? false }).on(
  'connection',
  serve,
)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  const httpPort = typeof address === 'object' ? address?.port : undefined
  console.log(JSON.stringify({ event: 'ready', httpPort }))
})
