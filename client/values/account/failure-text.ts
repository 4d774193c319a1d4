/** Why no usable answer came from an upstream, as the server names it. */
export interface FailureCause {
  code: string
  place: string | null
}

interface Words {
  t: (key: string, named?: Record<string, unknown>) => string
  te: (key: string) => boolean
}

/** The same in the reader's language, with where it was tried; undefined for a cause that this page does not know yet. */
export function failureText({ t, te }: Words, failure: FailureCause): string | undefined {
  const code = failure.code.toLowerCase()
  const { place } = failure
  const ofProxy = code.startsWith('proxy_') ? `causes.${code.slice('proxy_'.length)}` : ''
  const text = te(`causes.${code}`)
    ? t(`causes.${code}`)
    : ofProxy && te(ofProxy)
      ? t('causes.atProxy', { what: t(ofProxy) })
      : undefined
  return text === undefined || !place ? text : `${text} · ${place}`
}
