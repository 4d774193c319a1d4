import type { GlobalConfigProvider } from 'tdesign-vue-next/es/config-provider/type'
import { type Ref, shallowRef } from 'vue'
import { createI18n, type I18n } from 'vue-i18n'

export const languages = { 'zh-CN': '简体中文', en: 'English' } as const
export type Language = keyof typeof languages

const storageKey = 'relay.language'
const files = import.meta.glob<{ default: Record<string, object> }>('./{en,zh-CN}/*.ts')
const componentFiles = {
  en: () => import('tdesign-vue-next/es/locale/en_US'),
  'zh-CN': () => import('tdesign-vue-next/es/locale/zh_CN'),
}

export interface Languages {
  i18n: I18n<Record<string, never>, Record<string, never>, Record<string, never>, string, false>
  /** The texts of TDesign's own components. */
  componentTexts: Readonly<Ref<GlobalConfigProvider>>
  /** Loads message files, such as `live`, in the current language. Each page names the ones it needs. */
  load: (names: readonly string[]) => Promise<void>
  /** Changes the language once its messages have been loaded. */
  use: (language: Language) => Promise<void>
}

/** The language chosen before, else the first of the browser's that we have, else English. */
export function chooseLanguage(chosen: string | null, wanted: readonly string[]): Language {
  if (chosen === 'en' || chosen === 'zh-CN') return chosen
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return 'zh-CN'
    if (/^en\b/i.test(tag)) return 'en'
  }
  return 'en'
}

export async function createLanguages(): Promise<Languages> {
  const first = chooseLanguage(localStorage.getItem(storageKey), navigator.languages)
  const i18n = createI18n({ legacy: false, locale: first as string, fallbackLocale: false, messages: {} })
  const componentTexts = shallowRef<GlobalConfigProvider>({})
  /** Message files that pages have asked for: a change of language loads them again. */
  const needed = new Set<string>(['shell', 'problems'])
  const loaded = new Set<string>()

  async function loadFile(language: Language, name: string): Promise<void> {
    const path = `./${language}/${name}.ts`
    if (loaded.has(path)) return
    const file = await files[path]?.()
    if (file === undefined) throw new Error(`There is no message file ${path}`)
    i18n.global.mergeLocaleMessage(language, file.default)
    loaded.add(path)
  }

  async function load(names: readonly string[]): Promise<void> {
    for (const name of names) needed.add(name)
    const language = i18n.global.locale.value as Language
    await Promise.all(names.map((name) => loadFile(language, name)))
  }

  async function use(language: Language): Promise<void> {
    const [texts] = await Promise.all([
      componentFiles[language](),
      ...[...needed].map((name) => loadFile(language, name)),
    ])
    // TDesign types its own texts as readonly and its property as mutable.
    componentTexts.value = texts.default as unknown as GlobalConfigProvider
    i18n.global.locale.value = language
    document.documentElement.lang = language
  }

  await use(first)
  return {
    i18n,
    componentTexts,
    load,
    use: async (language) => {
      await use(language)
      localStorage.setItem(storageKey, language)
    },
  }
}
