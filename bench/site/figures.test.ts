import test from 'ava'
import { type SiteExtremes, SiteSums, siteFigures, sumsSince, whyOf } from './figures.ts'
import { createLatencies, percentileMs, recordLatency } from './latencies.ts'
import { SlotBook } from './slot-book.ts'

const { audio, video } = createLatencies(2)
const EXTREMES: SiteExtremes = {
  measuredMs: 10_000,
  audioGapMaxMs: 900,
  frozenMaxMs: 1_200,
  resyncAudioMs: 0,
  resyncVideoMs: 0,
  reconnectMaxMs: 0,
  layerMean: 1.5,
  layerChanges: 2,
  firstSoundMs: 12,
  firstPictureMs: Number.NaN,
  availableBps: Number.NaN,
  layersSending: Number.NaN,
  audioLatency: audio,
  videoLatency: video,
  hears: true,
  sees: true,
  sends: false,
}

test('ratios are of sums, and what was not measured is left out', (t) => {
  const sums = Object.assign(new SiteSums(), {
    audioPackets: 450,
    audioLost: 50,
    audioFrames: 500,
    audioConcealed: 60,
    frozenMs: 1_200,
    watchedMs: 10_000,
    receivedBytes: 1_000_000,
  })
  const figures = siteFigures(sums, EXTREMES)
  t.like(figures, {
    audioLossRatio: 0.1,
    concealedRatio: 0.12,
    frozenRatio: 0.12,
    receivedBps: 800_000,
    layerMean: 1.5,
  })
  for (const name of [
    'firstPictureMs',
    'videoLossRatio',
    'audioLatencyP99Ms',
    'availableBps',
    'resyncAudioMs',
  ]) {
    t.false(name in figures, name)
  }
  t.false('audioGaps' in siteFigures(sums, { ...EXTREMES, hears: false }))
})

test('a measured time begins where the sums then stood', (t) => {
  const before = Object.assign(new SiteSums(), { audioPackets: 100, frozenMs: 5 })
  const now = Object.assign(new SiteSums(), { audioPackets: 150, frozenMs: 5 })
  t.like(sumsSince(before, now), { audioPackets: 50, frozenMs: 0, videoPackets: 0 })
})

test('what was wrong is told in words, the worst first, and nothing when nothing was', (t) => {
  t.deepEqual(whyOf({ audioLossRatio: 0.001, audioGapMaxMs: 80, checkFailed: 0 }), [])
  const why = whyOf({ audioLossRatio: 0.03, concealedRatio: 0.3, checkFailed: 2 })
  t.is(why.length, 3)
  t.regex(why[0] ?? '', /2 packets were not what was sent/)
  t.regex(why[1] ?? '', /30\.0 % of the sound/)
})

test('latencies outside of what a histogram holds are counted at its ends', (t) => {
  const { audio: histogram } = createLatencies()
  t.is(percentileMs(histogram, 50), undefined)
  for (const latencyMs of [-3, 0, 5, 1e9]) recordLatency(histogram, latencyMs)
  t.is(histogram.totalCount, 4)
  t.true(Math.abs((percentileMs(histogram, 100) ?? 0) - 60_000) < 100)
})

test('a slot is meant to be silent when nobody is in it, or who is in it is muted', (t) => {
  const book = new SlotBook()
  const member = (participant: string, muted: boolean) => ({
    participant,
    sources: { microphone: { muted } },
  })
  const slot = (mid: string, participant: string | null, use = 'microphone') => ({
    mid,
    participant,
    use,
    state: participant === null ? 'empty' : 'live',
  })
  book.apply({ type: 'joined', room: { stage: [member('pa', false), member('pb', true)] } })
  t.true(
    book.apply({
      type: 'slots',
      slots: [slot('0', 'pa'), slot('1', 'pb'), slot('2', null), slot('3', 'pb', 'camera')],
    }),
  )
  t.deepEqual(book.silentMids, ['1', '2'])
  t.true(
    book.apply({
      type: 'room',
      revision: 2,
      stage: { set: [member('pa', true), member('pb', false)] },
    }),
  )
  t.deepEqual(book.silentMids, ['0', '2'])
  book.apply({ type: 'room', revision: 3, stage: { remove: ['pa'] } })
  t.deepEqual(book.silentMids, ['2'])
  t.false(book.apply({ type: 'chat', entries: [] }))
  t.is(book.stateOf('0'), 'live')
})
