/** The level of a microphone as a bar of lights. Draws without redrawing the component. */
import { useEffect, useRef } from 'preact/hooks'
import { useSpeech } from '../context.ts'
import { measureLevel } from '../level.ts'

export function LevelMeter({ track }: { track: MediaStreamTrack }) {
  const { t } = useSpeech()
  const meter = useRef<HTMLDivElement>(null)
  useEffect(() => {
    let shown = 0
    const measured = measureLevel(track, (level) => {
      const element = meter.current
      if (element === null) return
      // Rises at once, falls slowly: easier on the eye.
      shown = Math.max(level, shown * 0.85)
      element.style.setProperty('--level', shown.toFixed(3))
      element.setAttribute('aria-valuenow', String(Math.round(shown * 100)))
    })
    return () => measured.stop()
  }, [track])
  return (
    // biome-ignore lint/a11y/useSemanticElements: a native meter cannot be drawn as the page wants in all browsers.
    <div
      ref={meter}
      class="level"
      role="meter"
      data-testid="level"
      aria-label={t('lobby.level')}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={0}
    >
      <div class="level-fill" />
    </div>
  )
}
