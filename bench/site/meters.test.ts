import test from 'ava'
import fc from 'fast-check'
import { FreezeMeter } from './freeze-meter.ts'
import { GapMeter } from './gap-meter.ts'
import { LayerTrack } from './layer-track.ts'
import { PlayoutModel } from './playout-model.ts'
import { ResyncMeter } from './resync-meter.ts'

const TICKS = 960
const MS = 20

test('a jitter buffer of 200 ms conceals exactly the frames that are missing or later than that', (t) => {
  const fates = fc.array(fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 320 })), {
    minLength: 1,
    maxLength: 200,
  })
  const property = fc.property(fates, fc.nat(0xffff_ffff), (delaysMs, firstTimestamp) => {
    const arrivals = delaysMs
      .map((delayMs, frame) => ({ frame: frame + 1, delayMs, atMs: (frame + 1) * MS + delayMs }))
      .filter(({ delayMs }) => delayMs >= 0)
      .sort((a, b) => a.atMs - b.atMs)
    const model = new PlayoutModel()
    model.add(firstTimestamp, true, 0)
    for (const { frame, atMs } of arrivals)
      model.add((firstTimestamp + frame * TICKS) >>> 0, false, atMs)
    const isRestarted = model.restarts > 0
    const bad = delaysMs.filter((delayMs) => delayMs < 0 || delayMs > 200).length
    const last = delaysMs.length * MS
    if (!isRestarted)
      t.deepEqual(model.read(last + 200), { frames: delaysMs.length + 1, concealed: bad })
  })
  fc.assert(property)
})

test('silence that the sender meant needs no concealment; silence that it did not is concealed while it lasts', (t) => {
  const model = new PlayoutModel()
  for (let frame = 0; frame < 50; frame++) model.add(frame * TICKS, frame === 0, frame * MS)
  t.deepEqual(model.read(49 * MS + 200 + 500), { frames: 75, concealed: 25 })
  model.pause(49 * MS + 200 + 500)
  t.deepEqual(model.read(60_000), { frames: 50, concealed: 0 })
  model.add(5_000 * TICKS, false, 100_000)
  t.deepEqual(model.read(100_010), { frames: 51, concealed: 0 })
})

test('word of silence that comes after an outage does not undo the outage', (t) => {
  const model = new PlayoutModel()
  const gaps = new GapMeter()
  const freezes = new FreezeMeter()
  for (let frame = 0; frame < 50; frame++) {
    model.add(frame * TICKS, frame === 0, frame * MS)
    gaps.onArrival(frame * MS)
    freezes.onShown(frame * MS)
  }
  for (const nowMs of [5_980, 6_080, 9_000]) {
    model.pause(nowMs)
    gaps.pause(nowMs)
    freezes.pause(nowMs)
  }
  t.deepEqual(model.read(60_000), { frames: 290, concealed: 240 })
  t.deepEqual(gaps.read(60_000), { gaps: 1, longestMs: 5_000, silentMs: 4_980 })
  t.like(freezes.read(60_000), { freezes: 1, frozenMs: 5_000, watchedMs: 5_980 })
})

test('another talkspurt with a clock of its own is a new beginning', (t) => {
  const model = new PlayoutModel()
  for (let frame = 0; frame < 10; frame++) model.add(frame * TICKS, frame === 0, frame * MS)
  for (let frame = 0; frame < 10; frame++)
    model.add(77 + frame * TICKS, frame === 0, 200 + frame * MS)
  t.deepEqual(model.read(580), { frames: 20, concealed: 0 })
})

test('a delay that has come to stay is concealed for a second, then played', (t) => {
  const model = new PlayoutModel()
  for (let frame = 0; frame < 500; frame++) {
    model.add(frame * TICKS, frame === 0, frame * MS + (frame < 100 ? 0 : 400))
  }
  t.is(model.restarts, 1)
  // Frames 100 to 148 came too late; with 149 the point of playout moved.
  t.is(model.read(499 * MS + 400).concealed, 49)
})

test('gaps are counted above 60 ms, an open one included, and meant silence is none', (t) => {
  const property = fc.property(fc.array(fc.integer({ min: 1, max: 400 })), (pausesMs) => {
    const meter = new GapMeter()
    let nowMs = 5
    meter.onArrival(nowMs)
    for (const pauseMs of pausesMs) {
      nowMs += pauseMs
      meter.onArrival(nowMs)
    }
    const gaps = [...pausesMs, 100].filter((pauseMs) => pauseMs > 60)
    const silentMs = gaps.reduce((sum, pauseMs) => sum + pauseMs - 20, 0)
    t.deepEqual(meter.read(nowMs + 100), {
      gaps: gaps.length,
      longestMs: Math.max(...gaps),
      silentMs,
    })
    meter.pause(nowMs + 100)
    meter.onArrival(nowMs + 10_000)
    t.is(meter.read(nowMs + 10_000).gaps, gaps.length - 1)
  })
  fc.assert(property)
})

test('a picture that stands for 200 ms and three intervals is frozen, for the whole of it', (t) => {
  const meter = new FreezeMeter()
  for (let frame = 1; frame <= 100; frame++) meter.onShown(frame * 40)
  meter.onShown(4_189)
  t.is(meter.read(4_189).freezes, 0)
  const nowMs = 4_889
  meter.onShown(nowMs)
  const reading = { freezes: 2, longestMs: 1_000, frozenMs: 1_700, watchedMs: 5_849 }
  t.deepEqual(meter.read(nowMs + 1_000), reading)
  meter.restart()
  t.is(meter.read(nowMs + 30).longestMs, 0)
  meter.pause(nowMs + 30)
  t.deepEqual(meter.read(nowMs + 60_000), {
    ...reading,
    freezes: 1,
    longestMs: 0,
    frozenMs: 700,
    watchedMs: 4_849,
  })
})

test('a slow picture is no frozen one', (t) => {
  const meter = new FreezeMeter()
  for (let frame = 1; frame < 400; frame++) meter.onShown(frame * 180)
  t.is(meter.read(400 * 180).freezes, 0)
})

test('the layer is known while packets come, and its mean is over time', (t) => {
  const track = new LayerTrack()
  t.is(track.now(0), -1)
  track.onLayer(0, 0)
  track.onLayer(2, 3_000)
  track.onLayer(7, 3_100)
  t.is(track.now(3_200), 2)
  t.is(track.changes, 1)
  t.is(track.mean(4_000), 0.5)
  t.is(track.now(5_001), -1)
  track.onPacket(6_000)
  t.is(track.now(6_001), 2)
  track.pause(7_000)
  t.is(track.now(7_000), -1)
})

/** Audio every 20 ms from `fromMs` to `toMs`, video with it every 40. */
function flow(meter: ResyncMeter, fromMs: number, toMs: number): void {
  for (let nowMs = fromMs; nowMs < toMs; nowMs += 20) {
    meter.onPacket(nowMs)
    meter.onAudio(nowMs)
    if (nowMs % 40 !== 0) continue
    meter.onPacket(nowMs)
    meter.onVideo(nowMs)
  }
}

test('resync is counted from the healing of the link where that is told', (t) => {
  const meter = new ResyncMeter()
  flow(meter, 0, 5_000)
  meter.healed(10_000)
  t.true(meter.awaitsVideo)
  meter.onPacket(10_100)
  meter.onAudio(10_100)
  flow(meter, 10_300, 11_000)
  meter.onPicture(10_800)
  t.deepEqual(meter.read(12_000), { audioMsMax: 300, videoMsMax: 800 })
  t.is(meter.outages, 1)
})

test('without word of it, resync is counted from the first packet after a second of nothing', (t) => {
  const meter = new ResyncMeter()
  flow(meter, 0, 5_000)
  flow(meter, 8_000, 8_500)
  t.is(meter.outages, 1)
  t.deepEqual(meter.read(8_500), { audioMsMax: 0, videoMsMax: 500 })
  meter.onPicture(8_600)
  t.is(meter.read(99_000).videoMsMax, 600)
  // Word that comes a little late changes nothing.
  meter.healed(8_700)
  t.is(meter.outages, 1)
})

test('what did not flow before the outage is not waited for', (t) => {
  const meter = new ResyncMeter()
  for (let nowMs = 0; nowMs < 5_000; nowMs += 20) {
    meter.onPacket(nowMs)
    meter.onAudio(nowMs)
  }
  meter.onPacket(9_000)
  t.true(meter.awaitsAudio)
  t.false(meter.awaitsVideo)
})
