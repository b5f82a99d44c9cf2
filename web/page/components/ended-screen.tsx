/** After the call: why it ended, and the way back where there is one. */
import { useEffect, useRef } from 'preact/hooks'
import type { EndCause } from '../../sdk/index.ts'
import { useSpeech } from '../context.ts'
import { keyOr } from '../i18n/index.ts'
import { Shell } from './shell.tsx'

/** Trying again is of no use with the same link. */
const FINAL: ReadonlySet<string> = new Set(['kicked', 'token-expired', 'unauthorized'])

export function EndedScreen({ cause, onAgain }: { cause: EndCause; onAgain: () => void }) {
  const { t } = useSpeech()
  const title = useRef<HTMLHeadingElement>(null)
  useEffect(() => title.current?.focus(), [])
  return (
    <Shell>
      <section class="card narrow" data-testid="ended" data-code={cause.code}>
        <h1 ref={title} tabIndex={-1}>
          {t(keyOr(`ended.${cause.code}`, 'ended.other'))}
        </h1>
        <p>{t(keyOr(`ended.${cause.code}Text`, 'ended.otherText'), { code: cause.code })}</p>
        {FINAL.has(cause.code) ? null : (
          <button
            type="button"
            class="button primary large"
            data-testid="ended-again"
            onClick={onAgain}
          >
            {t(cause.code === 'replaced' ? 'ended.takeBack' : 'ended.again')}
          </button>
        )}
      </section>
    </Shell>
  )
}
