/** The frame around every screen that is not the call: sign, language, landscape. */
import type { ComponentChildren } from 'preact'
import { useSpeech } from '../context.ts'
import { Icon } from './icons.tsx'
import { Landscape, Logo } from './logo.tsx'

/** One button: it says, in the other language, that it switches to it. */
export function LanguageSwitch() {
  const { t, switchLanguage } = useSpeech()
  return (
    <button
      type="button"
      class="button quiet language"
      data-testid="language"
      aria-label={`${t('language.switch')}: ${t('language.label')}`}
      onClick={switchLanguage}
    >
      <Icon name="globe" />
      <span>{t('language.switch')}</span>
    </button>
  )
}

export function Shell({ children }: { children: ComponentChildren }) {
  const { t } = useSpeech()
  return (
    <div class="shell">
      <a class="skip" href="#content">
        {t('app.skip')}
      </a>
      <header class="shell-header">
        <div class="brand">
          <Logo />
          <div>
            <p class="brand-name">{t('app.name')}</p>
            <p class="brand-tagline">{t('app.tagline')}</p>
          </div>
        </div>
        <LanguageSwitch />
      </header>
      <main id="content" class="shell-main" tabIndex={-1}>
        {children}
      </main>
      <Landscape />
    </div>
  )
}
