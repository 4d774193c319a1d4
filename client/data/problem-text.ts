import { useI18n } from 'vue-i18n'
import type { ReadError } from './read-error.ts'

/** Something that the server refused. `message` is English, for codes that this page does not know yet. */
export interface Problem {
  code: string
  values?: unknown
  message: string
}

/** The problem's text in the reader's language. */
export interface ProblemText {
  ofField: (problem: Problem) => string
  ofFailure: (problem: Problem) => string
  ofError: (error: ReadError) => string
}

export function useProblemText(): ProblemText {
  const { t, te } = useI18n()
  const said = (kind: string, { code, values, message }: Problem): string => {
    const key = `problems.${kind}.${code}`
    return te(key) ? t(key, (values ?? {}) as Record<string, unknown>) : message
  }
  return {
    ofField: (problem) => said('fields', problem),
    ofFailure: (problem) => said('failures', problem),
    ofError: (error) => (error.kind === 'offline' ? t('state.offline') : said('errors', error)),
  }
}
