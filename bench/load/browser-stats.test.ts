import test from 'ava'
import { browserFigures, layerOfWidth, readStats } from './browser-stats.ts'

const AUDIO = {
  type: 'inbound-rtp',
  kind: 'audio',
  packetsReceived: 480,
  packetsLost: 20,
  totalSamplesReceived: 480_000,
  concealedSamples: 28_800,
  silentConcealedSamples: 9600,
  jitterBufferDelay: 4800,
  jitterBufferEmittedCount: 48_000,
}
const VIDEO = {
  type: 'inbound-rtp',
  kind: 'video',
  packetsReceived: 900,
  packetsLost: -3,
  framesDecoded: 250,
  framesDropped: 2,
  freezeCount: 1,
  totalFreezesDuration: 0.75,
  frameWidth: 640,
  pliCount: 2,
  nackCount: 5,
}
const PAIR = {
  type: 'candidate-pair',
  nominated: true,
  bytesReceived: 100_000,
  bytesSent: 5000,
  currentRoundTripTime: 0.6,
}

test('what a browser decoded is told in the words of a synthetic site', (t) => {
  const idle = { type: 'inbound-rtp', kind: 'video', packetsReceived: 0, framesDecoded: 0 }
  const sent = { type: 'outbound-rtp', packetsSent: 7 }
  const { totals, ...reading } = readStats([AUDIO, VIDEO, idle, sent, PAIR], 10_000)
  t.like(totals, {
    audioPackets: 480,
    audioLost: 20,
    audioExpected: 500,
    videoPackets: 900,
    videoLost: 0,
    audioFrames: 500,
    audioConcealed: 20,
    freezes: 1,
    frozenMs: 750,
    watchedMs: 10_000,
    receivedBytes: 100_000,
    sentPackets: 7,
  })
  t.deepEqual(reading, {
    widthPx: 640,
    framesDecoded: 250,
    audioBufferMs: 100,
    rttMs: 600,
    plis: 2,
    nacks: 5,
  })
})

test('before anything was received there are no means and no picture', (t) => {
  const reading = readStats([], 1000)
  t.is(reading.widthPx, 0)
  t.is(reading.totals.watchedMs, 0)
  t.false('audioBufferMs' in reading)
  t.false('rttMs' in reading)
})

test('figures carry the names of synthetic sites; ratios of nothing are left out', (t) => {
  t.like(browserFigures(readStats([AUDIO, VIDEO, PAIR], 10_000), 750), {
    audioLossRatio: 0.04,
    concealedRatio: 0.04,
    frozenMaxMs: 750,
    frozenRatio: 0.075,
    framesComplete: 250,
    rttMs: 600,
  })
  const nothing = browserFigures(readStats([], 1000), 0)
  for (const name of ['audioLossRatio', 'concealedRatio', 'frozenRatio', 'frozenMaxMs', 'rttMs'])
    t.false(name in nothing, name)
})

test('a picture is of the layer whose width is nearest', (t) => {
  const widths = [320, 640, 1280]
  t.is(layerOfWidth(0, widths), -1)
  t.is(layerOfWidth(318, widths), 0)
  t.is(layerOfWidth(640, widths), 1)
  t.is(layerOfWidth(1920, widths), 2)
  t.is(layerOfWidth(640, []), -1)
})
