/** What the tests of this folder share: a sender whose packets are kept, and RTP and RTCP to send. Not shipped. */
import { createDropCounters } from '../../media/rtp/index.ts'
import { createHmacSha1, type HmacSha1 } from './hmac-sha1.ts'
import type { SrtpMaster } from './master.ts'
import { createSrtpReceiver, type SrtpReceiver } from './receiver.ts'
import { createSrtpSender, type SrtpSender } from './sender.ts'

export type Profile = SrtpMaster['profile']
export const PROFILES: Profile[] = ['aes-cm', 'aes-gcm']

/** A master that depends on `seed` only. */
export function masterOf(profile: Profile, seed: number): SrtpMaster {
  const byte = (i: number) => (seed * 167 + i * 59 + 7) & 255
  return {
    profile,
    key: Uint8Array.from({ length: 16 }, (_, i) => byte(i)),
    salt: Uint8Array.from({ length: profile === 'aes-gcm' ? 12 : 14 }, (_, i) => byte(i + 100)),
  }
}

type Sealed = { token: number; bytes: Buffer }

export type Rig = {
  hmac: HmacSha1
  sender: SrtpSender
  drops: Uint32Array
  /** What the socket was given, copied at once, and how many of the last it claims to be reading still. */
  sent: Sealed[]
  socket: { queued: number; places: number[] }
  receiver: (master: SrtpMaster) => SrtpReceiver
}

export function createRig(kind: 'simd' | 'hash' = 'simd'): Rig {
  const hmac = createHmacSha1(kind)
  const sent: Sealed[] = []
  const socket: Rig['socket'] = { queued: 0, places: [] }
  const drops = createDropCounters()
  const sink = {
    onSealed: (token: number, start: number, end: number) => {
      sent.push({ token, bytes: Buffer.from(hmac.slab.subarray(start, end)) })
      socket.places.push(start)
    },
    inFlightCount: () => socket.queued,
  }
  const sender = createSrtpSender({ hmac, sink, drops })
  const receiver = (master: SrtpMaster) => createSrtpReceiver({ hmac, master, drops })
  return { hmac, sender, drops, sent, socket, receiver }
}

/** Seals one packet and returns what was sent; undefined when it was dropped. */
export function sealOne(rig: Rig, stream: number, packet: Uint8Array, index: number) {
  rig.sender.seal(stream, packet, 0, packet.length, index)
  rig.sender.flush()
  return rig.sent.pop()?.bytes
}

export type RtpOptions = {
  ssrc: number
  index: number
  payloadBytes: number
  /** 32-bit words of header extension, CSRCs, and what the payload is filled with. */
  extensionWords?: number
  csrcCount?: number
  fill?: number
}

/** Plain RTP whose payload depends on index and fill. */
export function rtpPacket(options: RtpOptions): Buffer {
  const { ssrc, index, payloadBytes, extensionWords = 0, csrcCount = 0, fill = 1 } = options
  const extension = extensionWords > 0 ? 4 + 4 * extensionWords : 0
  const header = 12 + 4 * csrcCount + extension
  const packet = Buffer.alloc(header + payloadBytes)
  packet[0] = 0x80 | (extension > 0 ? 0x10 : 0) | csrcCount
  packet[1] = 96
  packet.writeUInt16BE(index % 65_536, 2)
  packet.writeUInt32BE((index * 960) % 2 ** 32, 4)
  packet.writeUInt32BE(ssrc, 8)
  if (extension > 0) {
    packet.writeUInt16BE(0xbede, 12 + 4 * csrcCount)
    packet.writeUInt16BE(extensionWords, 14 + 4 * csrcCount)
  }
  for (let i = header; i < packet.length; i += 1) packet[i] = (i * 31 + fill * 7 + index) & 255
  return packet
}

/** A receiver report with `blocks` report blocks. */
export function rtcpPacket(ssrc: number, blocks: number): Buffer {
  const packet = Buffer.alloc(8 + 24 * blocks)
  packet[0] = 0x80 | blocks
  packet[1] = 201
  packet.writeUInt16BE(packet.length / 4 - 1, 2)
  packet.writeUInt32BE(ssrc, 4)
  for (let i = 8; i < packet.length; i += 1) packet[i] = (i * 13) & 255
  return packet
}
