import { createI18n } from 'vue-i18n'
import { en } from './en.ts'
import { zhCN } from './zh-CN.ts'

export const languages = { 'zh-CN': '简体中文', en: 'English' } as const
export type Language = keyof typeof languages

const storageKey = 'relay.language'

/** The language chosen before, else the first of the browser's that we speak, else English. */
export function chooseLanguage(chosen: string | null, wanted: readonly string[]): Language {
  if (chosen === 'en' || chosen === 'zh-CN') return chosen
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return 'zh-CN'
    if (/^en\b/i.test(tag)) return 'en'
  }
  return 'en'
}

export function createLanguage() {
  const locale = chooseLanguage(localStorage.getItem(storageKey), navigator.languages)
  document.documentElement.lang = locale
  return createI18n({ legacy: false, locale, fallbackLocale: 'en', messages: { en, 'zh-CN': zhCN } })
}

/** What follows from a change of language, besides the words. */
export function rememberLanguage(language: Language): void {
  localStorage.setItem(storageKey, language)
  document.documentElement.lang = language
}
