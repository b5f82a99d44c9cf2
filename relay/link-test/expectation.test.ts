import test from 'ava'
import { type Expectation, expectationOf, sentenceOf } from './expectation.ts'

type Row = [kbps: number, lossRatio: number, rttMs: number, expected: Partial<Expectation>]

const ROWS: Row[] = [
  [20, 0, 60, { audio: 'none', picture: 'none', second: false }],
  [32, 0, 60, { audio: 'thin', picture: 'none' }],
  [64, 0, 60, { audio: 'clear', picture: 'stills', second: false }],
  [64, 0.1, 150, { audio: 'thin' }],
  [256, 0, 60, { audio: 'clear', picture: '180p', second: false }],
  [512, 0, 60, { audio: 'clear', picture: '180p', second: true }],
  [800, 0, 60, { audio: 'clear', picture: '360p', second: false }],
  [1_000, 0.005, 60, { picture: '360p', second: true, delay: 'good' }],
  [2_000, 0, 600, { audio: 'clear', picture: '360p', second: true, delay: 'noticed' }],
  [4_000, 0, 900, { picture: '720p', second: true, delay: 'hard' }],
  [2_000, 0.15, 60, { audio: 'gaps', picture: '360p' }],
  [2_000, 0.3, 60, { audio: 'none', picture: 'none', second: false }],
]

for (const [kbps, lossRatio, rttMs, expected] of ROWS) {
  const title = `${kbps} kbit/s, ${lossRatio * 100} % loss, ${rttMs} ms: ${Object.values(expected).join(', ')}`
  test(title, (t) => {
    t.like(expectationOf({ rateBps: kbps * 1000, lossRatio }, rttMs), expected)
  })
}

test('more rate, less loss and a shorter way never promise less', (t) => {
  const pictures = ['none', 'stills', '180p', '360p', '720p']
  const audios = ['none', 'gaps', 'thin', 'clear']
  for (let kbps = 20; kbps < 5_000; kbps = Math.round(kbps * 1.1)) {
    for (let percent = 0; percent < 40; percent++) {
      const at = (rate: number, loss: number) =>
        expectationOf({ rateBps: rate * 1000, lossRatio: loss / 100 }, 100)
      const [worse, wider, cleaner] = [
        at(kbps, percent + 1),
        at(kbps * 1.1, percent + 1),
        at(kbps, percent),
      ]
      for (const better of [wider, cleaner]) {
        t.true(pictures.indexOf(better.picture) >= pictures.indexOf(worse.picture))
        t.true(audios.indexOf(better.audio) >= audios.indexOf(worse.audio))
      }
    }
  }
})

test('one sentence says what to expect here and of us, in both languages', (t) => {
  const way = { lossBurst: 1, jitterMs: 1, queueDelayMs: 10, mtuBytes: 1_452 }
  const result = {
    down: { ...way, rateBps: 800_000, lossRatio: 0 },
    up: { ...way, rateBps: 64_000, lossRatio: 0 },
    rttMs: 600,
    rttLoadedMs: 700,
    path: 'udp' as const,
  }
  t.is(
    sentenceOf(result, 'en'),
    'Here: main picture at 360p and clear audio; no second picture. Others get from here: main picture as a still every few seconds and clear audio; no second picture; answers come late, so speak in turn.',
  )
  t.true(sentenceOf(result, 'vi').startsWith('Ở đây: hình chính 360p và tiếng rõ'))
})
