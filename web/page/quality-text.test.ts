import test from 'ava'
import type { StreamQuality } from '../sdk/quality.ts'
import { translator } from './i18n/index.ts'
import { qualityReasonText, qualityText } from './quality-text.ts'

const quality = (change: Partial<StreamQuality>): StreamQuality => ({
  mid: '1',
  direction: 'receive',
  mark: 'green',
  reason: 'none',
  bitrateBps: 0,
  lossRatio: 0,
  rttMs: 20,
  spatialLayer: 0,
  ...change,
})

const t_ = translator('en')

test('loss is told in whole per cent, and never as nothing', (t) => {
  const some = quality({ mark: 'red', reason: 'loss', lossRatio: 0.184 })
  t.is(qualityReasonText(some, t_), 'Packets are lost on the way (18%).')
  t.regex(qualityReasonText(quality({ reason: 'loss', lossRatio: 0.001 }), t_), /\(1%\)/)
})

test('a long round trip is told with its figure, an unsteady one without', (t) => {
  t.regex(qualityReasonText(quality({ reason: 'delay', rttMs: 612.4 }), t_), /612 ms/)
  t.notRegex(qualityReasonText(quality({ reason: 'delay', rttMs: 12 }), t_), /\d/)
})

test('the label holds mark and reason in words', (t) => {
  const label = qualityText(quality({ mark: 'amber', reason: 'bandwidth' }), translator('vi'))
  t.is(label, 'Đường truyền: Yếu. Đường truyền hẹp, hình được thu nhỏ để giữ tiếng.')
})
