/** The language a page begins with, and keeping it for the next time. */
import type { Language } from './i18n/index.ts'
import { chooseLanguage } from './i18n/index.ts'

const LANGUAGE_KEY = 'nhipcau.language'

/** `?lang=`, else the last choice, else the browser's. */
export const firstLanguage = (): Language => {
  const asked = new URLSearchParams(location.search).get('lang')
  let stored: string | null = null
  try {
    stored = localStorage.getItem(LANGUAGE_KEY)
  } catch {
    // Private windows may refuse; the browser's language is used.
  }
  return chooseLanguage([asked, stored, ...navigator.languages].filter((tag) => tag !== null))
}

/** Tells the document, and the next visit. */
export const keepLanguage = (language: Language): void => {
  document.documentElement.lang = language
  try {
    localStorage.setItem(LANGUAGE_KEY, language)
  } catch {
    // See firstLanguage.
  }
}
