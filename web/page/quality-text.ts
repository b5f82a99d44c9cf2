/** A quality mark in words: never by colour alone. Pure. */
import type { StreamQuality } from '../sdk/index.ts'
import type { Translate } from './i18n/index.ts'

const LONG_RTT_MS = 250

/** One sentence that says why, with the figure that matters. */
export const qualityReasonText = (quality: StreamQuality, t: Translate): string => {
  switch (quality.reason) {
    case 'loss':
      return t('quality.loss', { value: Math.max(1, Math.round(quality.lossRatio * 100)) })
    case 'delay':
      // Late by fits and starts, though not by the round trip.
      return quality.rttMs < LONG_RTT_MS
        ? t('quality.unsteady')
        : t('quality.delay', { value: Math.round(quality.rttMs) })
    default:
      return t(`quality.${quality.reason}`)
  }
}

/** Mark and reason, for a label. */
export const qualityText = (quality: StreamQuality, t: Translate): string =>
  t('quality.label', {
    mark: t(`quality.${quality.mark}`),
    reason: qualityReasonText(quality, t),
  })
