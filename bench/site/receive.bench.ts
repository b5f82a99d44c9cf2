/**
 * What one packet costs a thousand watching sites of one process, by depth `headers` (no kernel, no
 * SRTP): run with `node bench/site/receive.bench.ts`. Prints nanoseconds a packet, and the share of
 * a core that 75 packets/s and site take.
 */
import { ReceiverSite } from './receiver-site.ts'
import type { MediaSite } from './site.ts'

const SITES = 1_000
const PACKETS_PER_SECOND = 75
const ROUNDS = 400

/** 50 audio packets and 25 one-packet frames a second, in the order of arrival. */
function datagram(isAudio: boolean): Buffer {
  const bytes = Buffer.alloc(isAudio ? 110 : 800)
  bytes[0] = 0x80
  bytes[1] = isAudio ? 111 : 0x80 | 96
  bytes.writeUInt32BE(isAudio ? 0x4e431000 : 0x4e432000, 8)
  return bytes
}

function measure(): number {
  const options = { sampleEvery: 61, depth: 'headers', nack: true, pli: true } as const
  const sites = Array.from(
    { length: SITES },
    (_, phase) => new ReceiverSite({ ...options, phase, onLatency: () => {} }),
  )
  const audio = datagram(true)
  const video = datagram(false)
  const nobody = { link: { receiver: undefined } } as unknown as MediaSite
  let packets = 0
  const startMs = performance.now()
  for (let round = 0; round < ROUNDS; round++) {
    const nowMs = round * 20
    audio.writeUInt16BE(round & 0xffff, 2)
    audio.writeUInt32BE(round * 960, 4)
    for (const site of sites) site.onRtp(nobody, audio, nowMs)
    packets += SITES
    if (round % 2 === 1) continue
    video.writeUInt16BE((round / 2) & 0xffff, 2)
    video.writeUInt32BE((round / 2) * 3_600, 4)
    for (const site of sites) site.onRtp(nobody, video, nowMs)
    packets += SITES
  }
  return ((performance.now() - startMs) * 1e6) / packets
}

measure()
const nanoseconds = Math.min(measure(), measure(), measure())
const share = (nanoseconds * SITES * PACKETS_PER_SECOND) / 1e9
console.log(
  `${nanoseconds.toFixed(0)} ns a packet; ${SITES} sites of ${PACKETS_PER_SECOND} packets/s: ${(share * 100).toFixed(1)} % of a core`,
)
