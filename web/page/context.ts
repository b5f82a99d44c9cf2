/** The language, handed down to every component. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Language, Translate } from './i18n/index.ts'
import { translator } from './i18n/index.ts'

export type Speech = { language: Language; t: Translate; switchLanguage: () => void }

export const SpeechContext = createContext<Speech>({
  language: 'vi',
  t: translator('vi'),
  switchLanguage: () => {},
})

export const useSpeech = (): Speech => useContext(SpeechContext)
