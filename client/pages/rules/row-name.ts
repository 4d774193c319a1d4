import { useI18n } from 'vue-i18n'
import { rowKey } from './rule-words.ts'

/** Names of built-in rows in the reader's language; one that this page does not know yet stands as the server calls it. */
export function useRowName(): { rowName: (name: string) => string } {
  const { t, te } = useI18n()
  return {
    rowName: (name) => {
      const key = `rules.rows.${rowKey(name)}`
      return te(key) ? t(key) : name
    },
  }
}
