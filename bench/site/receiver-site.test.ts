import test from 'ava'
import { SITE_STREAMS_MAX } from '../../config/limits.ts'
import { RtcpParser } from '../../core/media/rtcp/index.ts'
import type { SiteDepth } from './contract.ts'
import { SiteSums } from './figures.ts'
import { machineMs } from './machine-clock.ts'
import { OpusSource, Vp8Source } from './media-source.ts'
import { RTX_PAYLOAD_TYPE } from './offer.ts'
import { type BuiltPacket, PacketStream } from './packet-stream.ts'
import { ReceiverSite } from './receiver-site.ts'
import type { MediaSite } from './site.ts'

/** SRTP whose tag is ten zeros, so that tests see what happens beside cryptography. */
const TAG_BYTES = 10
const AUDIO = 0x4e43_1000
const VIDEO = 0x4e43_2000
const PLAIN = { mid: 0, rid: 0, level: 0 }

function rig(depth: SiteDepth, { nack = true, pli = true, sampleEvery = 10 } = {}) {
  const compounds: Buffer[] = []
  const latencies: number[] = []
  const receiver = { openRtp: (_: Buffer, __: number, end: number) => end - TAG_BYTES }
  const site = {
    link: { receiver },
    sendRtcp: (bytes: Uint8Array, end: number) => compounds.push(Buffer.from(bytes.slice(0, end))),
  } as unknown as MediaSite
  const watcher = new ReceiverSite({
    depth,
    sampleEvery,
    phase: 0,
    nack,
    pli,
    onLatency: (latencyMs) => latencies.push(latencyMs),
  })
  watcher.connect({ transportWideId: 3, repairs: new Map([[VIDEO + 1, VIDEO]]) })
  const give = (plain: Uint8Array, nowMs: number): void =>
    watcher.onRtp(site, Buffer.concat([plain, Buffer.alloc(TAG_BYTES)]), nowMs)
  return { watcher, site, give, compounds, latencies }
}

/** 25 frames a second of three packets and one, key frames of many. */
function camera({ layer = 1 } = {}) {
  const addressing = { ssrc: VIDEO, payloadType: 96, mid: '1', extensions: PLAIN }
  const plan = { rid: '', bitrateBps: 500_000, width: 640, height: 360 }
  const how = { framesPerSecond: 25, temporal: false, publisher: 9, layer }
  const source = new Vp8Source(addressing, plan, how)
  const film = (nowMs: number): Uint8Array[] => {
    const packets: Uint8Array[] = []
    const keep: BuiltPacket = (bytes, end) => packets.push(bytes.slice(0, end))
    source.next(nowMs, keep)
    return packets
  }
  return { source, film }
}

/** What a compound asks for. */
function read(compounds: readonly Buffer[]) {
  const nacked: number[] = []
  const seen = { plis: 0, feedback: 0 }
  const nothing = () => {}
  const parser = new RtcpParser({
    onSenderReport: nothing,
    onReportBlock: nothing,
    onCname: nothing,
    onBye: nothing,
    onFir: nothing,
    onRemb: nothing,
    onNack: (_, number) => nacked.push(number),
    onPli: () => {
      seen.plis += 1
    },
    onTransportFeedback: () => {
      seen.feedback += 1
    },
  })
  for (const compound of compounds) parser.parse(compound, 0, compound.length)
  return { nacked, ...seen }
}

test('at full depth every packet is opened and checked: latency, layer, frames, and nothing wrong', (t) => {
  const { watcher, give, latencies } = rig('full')
  const { film } = camera()
  for (let frame = 0; frame < 50; frame++) {
    for (const packet of film(frame * 40)) give(packet, frame * 40 + 30)
  }
  const sums = new SiteSums()
  watcher.addTo(sums, 50 * 40)
  t.like(sums, {
    framesComplete: 50,
    framesLate: 0,
    videoLost: 0,
    checkFailed: 0,
    unstamped: 0,
    freezes: 0,
  })
  t.is(sums.checked, sums.videoPackets)
  t.true(latencies.every((latencyMs) => Math.abs(latencyMs - 30) < 1e-3))
  t.is(watcher.video[0]?.layers.now(50 * 40), 1)
})

test('at depth sampled one packet in so many is opened, at depth headers none', (t) => {
  for (const [depth, opened] of [
    ['sampled', 30],
    ['headers', 0],
  ] as const) {
    const { watcher, give } = rig(depth)
    const addressing = { ssrc: AUDIO, payloadType: 111, mid: '0', extensions: PLAIN }
    const source = new OpusSource(addressing, { payloadBytes: 80 }, { publisher: 1, layer: 0 })
    for (let frame = 0; frame < 300; frame++) {
      source.next(frame * 20, 20, (bytes, end) => give(bytes.slice(0, end), frame * 20))
    }
    t.is(watcher.check.opened, opened)
    t.is(watcher.audio[0]?.packets, 300)
  }
})

test('content that is not what was sent is found, though its authentication is right', (t) => {
  const { watcher, give } = rig('full')
  const { film } = camera()
  film(0).forEach((packet, index) => {
    // As if the buffer of one packet had been used again for the next before it left.
    if (index === 1) packet.fill(7, packet.length - 40)
    give(packet, 10)
  })
  t.is(watcher.check.damaged, 1)
})

test('a missing packet is asked for after 10 ms, its repair makes the frame whole', (t) => {
  const { watcher, site, give, compounds } = rig('full')
  const { film } = camera()
  const frames = [film(0), film(40), film(80)]
  const lost = frames[1]?.[1] as Uint8Array
  frames.forEach((packets, frame) => {
    for (const packet of packets) if (packet !== lost) give(packet, frame * 40 + 5)
  })
  t.true(watcher.feedbackDeadlineMs > 45 && watcher.feedbackDeadlineMs <= 55)
  watcher.feedback(site, 60)
  t.deepEqual(read(compounds).nacked, [Buffer.from(lost).readUInt16BE(2)])
  const addressing = { ssrc: VIDEO + 1, payloadType: RTX_PAYLOAD_TYPE, mid: '1', extensions: PLAIN }
  const repairs = new PacketStream(addressing, '')
  // `repeat` reads an extension block, which a server always sends; here an empty one.
  const withBlock = Buffer.concat([
    lost.subarray(0, 12),
    Buffer.from([0xbe, 0xde, 0, 0]),
    lost.subarray(12),
  ])
  withBlock[0] = 0x90
  const isBare = ((lost[0] ?? 0) & 0x10) === 0
  const end = repairs.repeat(isBare ? withBlock : lost)
  give(repairs.bytes.slice(0, end), 90)
  const sums = new SiteSums()
  watcher.addTo(sums, 100)
  t.like(sums, { framesComplete: 3, videoLost: 1, videoRepaired: 1, checkFailed: 0 })
})

test('a decoder that cannot go on asks for a key frame, until one is whole', (t) => {
  const { watcher, site, give, compounds } = rig('full', { nack: false })
  const { film, source } = camera()
  const give1 = (packets: Uint8Array[], nowMs: number) => {
    for (const packet of packets) give(packet, nowMs)
  }
  give1(film(0), 0)
  give1(film(40).slice(1), 40)
  for (let frame = 2; frame < 12; frame++) {
    give1(film(frame * 40), frame * 40)
    watcher.feedback(site, frame * 40)
  }
  t.is(read(compounds).plis, 1)
  source.requestKeyframe()
  give1(film(480), 480)
  for (let frame = 13; frame < 60; frame++) {
    give1(film(frame * 40), frame * 40)
    watcher.feedback(site, frame * 40)
  }
  t.is(read(compounds).plis, 1)
  t.is(watcher.keyframesAsked, 1)
  const sums = new SiteSums()
  watcher.addTo(sums, 2_400)
  t.is(sums.freezes, 1)
})

test('numbered packets are reported with their arrival', (t) => {
  const { watcher, site, give, compounds } = rig('headers')
  const addressing = {
    ssrc: AUDIO,
    payloadType: 111,
    mid: '0',
    extensions: { ...PLAIN, transportWide: 3 },
  }
  const source = new OpusSource(addressing, { payloadBytes: 80 }, { publisher: 1, layer: 0 })
  for (let frame = 0; frame < 10; frame++) {
    source.next(frame * 20, 20, (bytes, end) => {
      const packet = bytes.slice(0, end)
      packet[18] = frame
      give(packet, frame * 20)
    })
    if (frame * 20 >= watcher.feedbackDeadlineMs) watcher.feedback(site, frame * 20)
  }
  t.true(read(compounds).feedback >= 3)
})

test('a new transport goes on with the sums: the time between is missing sound and a picture that stood', (t) => {
  const { watcher, give } = rig('full')
  const play = (fromMs: number, toMs: number): void => {
    const { film } = camera()
    const addressing = { ssrc: AUDIO, payloadType: 111, mid: '0', extensions: PLAIN }
    const source = new OpusSource(addressing, { payloadBytes: 80 }, { publisher: 1, layer: 0 })
    for (let nowMs = fromMs; nowMs < toMs; nowMs += 20) {
      source.next(nowMs, 20, (bytes, end) => give(bytes.slice(0, end), nowMs))
      if (nowMs % 40 === 0) for (const packet of film(nowMs)) give(packet, nowMs)
    }
  }
  play(0, 2_000)
  watcher.connect({ transportWideId: 0, repairs: new Map() })
  play(5_000, 7_000)
  const sums = new SiteSums()
  watcher.addTo(sums, 6_990)
  t.like(sums, {
    audioPackets: 200,
    audioLost: 0,
    framesComplete: 100,
    audioGaps: 1,
    outages: 1,
    freezes: 1,
  })
  // Frames whose playout fell into the pause: from 2.0 s to 4.8 s.
  t.true(Math.abs(sums.audioConcealed - 140) <= 2, `${sums.audioConcealed}`)
  t.is(watcher.resync.read(6_990).videoMsMax, 0)
})

test('no more streams are kept than are allowed, whoever invents them', (t) => {
  const { watcher, give } = rig('headers')
  const packet = Buffer.alloc(60)
  packet[0] = 0x80
  packet[1] = 111
  for (let ssrc = 0; ssrc < SITE_STREAMS_MAX + 20; ssrc++) {
    packet.writeUInt32BE(ssrc, 8)
    give(packet, ssrc)
  }
  t.is(watcher.tallies.size, SITE_STREAMS_MAX)
  t.is(watcher.packets, SITE_STREAMS_MAX + 20)
})

test('the clock of the machine is the same whoever asks', (t) => {
  const own = Number(process.hrtime.bigint()) / 1e6
  t.true(Math.abs(machineMs(performance.now()) - own) < 50)
})
