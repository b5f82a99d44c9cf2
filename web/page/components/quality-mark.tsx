/** The sign of a stream's quality: three bars, whose number and shape tell it without colour, and words on demand. */
import { useState } from 'preact/hooks'
import type { QualityMark, StreamQuality } from '../../sdk/index.ts'
import { useSpeech } from '../context.ts'
import { qualityReasonText, qualityText } from '../quality-text.ts'

const BARS: Readonly<Record<QualityMark, number>> = { green: 3, amber: 2, red: 1 }

export function MarkSign({ mark }: { mark: QualityMark }) {
  return (
    <svg class={`mark-sign ${mark}`} viewBox="0 0 18 14" aria-hidden="true" focusable="false">
      {[0, 1, 2].map((bar) => (
        <rect
          key={bar}
          class={bar < BARS[mark] ? 'lit' : 'unlit'}
          x={1 + bar * 6}
          y={9 - bar * 4}
          width={4}
          height={4 + bar * 4}
          rx={1}
        />
      ))}
    </svg>
  )
}

/** A button that tells the reason; nothing while there is no figure. */
export function StreamMark({ quality }: { quality: StreamQuality | undefined }) {
  const { t } = useSpeech()
  const [open, setOpen] = useState(false)
  if (quality === undefined) return null
  const words = qualityText(quality, t)
  return (
    <span class="stream-mark">
      <button
        type="button"
        class="mark-button"
        data-testid="quality"
        data-mark={quality.mark}
        data-reason={quality.reason}
        data-mid={quality.mid}
        aria-label={words}
        aria-expanded={open}
        title={words}
        onClick={(event) => {
          event.stopPropagation()
          setOpen(!open)
        }}
        onBlur={() => setOpen(false)}
      >
        <MarkSign mark={quality.mark} />
      </button>
      {open ? (
        <span class="mark-words" role="status">
          <strong>{t(`quality.${quality.mark}`)}.</strong> {qualityReasonText(quality, t)}
        </span>
      ) : null}
    </span>
  )
}
